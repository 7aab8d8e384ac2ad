import type { ClientAuth } from "oauth4webapi";
import type { Caller, CallSettings } from "../../calls/call.ts";
import type { Client } from "../../memory/account.ts";
import type { Resource, ResourceStatus, ResourceWorld } from "../../resources/resource.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { type JsonObject, parseJsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { Answers, type NoAnswer } from "../answers.ts";

export interface IntrospectorSettings {
  readonly name: string;
  readonly endpoint: URL;
  readonly call: CallSettings;
  /** Whom an assertion is for. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientAuth: ClientAuthSettings;
  readonly cacheMs: number;
  readonly inactiveCacheMs: number;
}

/** Secrets as bytes; they go nowhere but into the request to the provider. */
export type ClientAuthSettings =
  | { readonly method: "basic" | "post"; readonly secret: string }
  | { readonly method: "privateKey"; readonly key: CryptoKey }
  | { readonly method: "mtls" };

/** What the provider says of a token: its members, or null where it is not active. */
export type Introspected = JsonObject | null;

/**
 * Asks a provider about tokens, each once for all who bring it, and remembers what it said for a while: good and bad alike.
 * The memory outlives policies; only a hash of a token is kept.
 */
export class Introspector implements Resource {
  readonly kind = "introspection";
  readonly name: string;
  readonly #settings: IntrospectorSettings;
  readonly #caller: Caller;
  readonly #answers: Answers<Introspected>;
  /** Questions under way by who made them necessary. */
  readonly #asking = new Map<Client["key"], number>();

  constructor(settings: IntrospectorSettings, world: ResourceWorld) {
    this.name = settings.name;
    this.#settings = settings;
    this.#caller = world.openCaller(settings.call);
    this.#answers = new Answers(this, world);
  }

  /** What is remembered of a token, by its hash; undefined where the provider has to be asked. */
  known(hash: string): Introspected | undefined {
    return this.#answers.known(hash);
  }

  /**
   * What the provider says now, or why it says nothing. One client that invents tokens keeps the provider busy with a few of
   * them at a time, and the others' are asked about meanwhile.
   */
  ask(hash: string, token: string, client: Client["key"]): Promise<Result<Introspected, string>> {
    const underWay = this.#answers.underWay(hash);
    if (underWay !== undefined) return underWay;
    const ofClient = this.#asking.get(client) ?? 0;
    if (ofClient >= DEFAULTS.introspectionsPerClientMax) {
      return Promise.resolve(err(`${ofClient} other tokens of this client are being asked about`));
    }
    this.#asking.set(client, ofClient + 1);
    const { cacheMs, inactiveCacheMs } = this.#settings;
    const keepMs = (answer: Introspected): number => (answer === null ? inactiveCacheMs : cacheMs);
    return this.#answers
      .ask(hash, () => this.#call(token), keepMs)
      .finally(() => {
        const left = (this.#asking.get(client) ?? 1) - 1;
        if (left > 0) this.#asking.set(client, left);
        else this.#asking.delete(client);
      });
  }

  status(): ResourceStatus {
    return this.#answers.status();
  }

  /** It is asked when a token comes. */
  start(): void {}

  close(): void {
    this.#caller.close();
    this.#answers.close();
  }

  async tryOnce(): Promise<Result<string, string>> {
    // Any text that no provider has given out: the answer has to be that it is not active.
    const answer = await this.#answers.once(() => this.#call("postern-check"));
    if (!answer.ok) return answer;
    return answer.value === null ? ok("the provider answers") : err("the provider takes any text for an active token");
  }

  async #call(token: string): Promise<Result<Introspected, NoAnswer>> {
    const failed = (text: string) => err({ outcome: "failed" as const, text });
    const unusable = (text: string) => err({ outcome: "unusable" as const, text });
    const { endpoint, issuer, clientId, clientAuth } = this.#settings;
    const body = new URLSearchParams({ token, token_type_hint: "access_token" });
    const headers = new Headers({
      accept: "application/json",
      "content-type": "application/x-www-form-urlencoded",
    });
    try {
      await (await clientAuthOf(clientAuth))(
        { issuer, introspection_endpoint: endpoint.href },
        { client_id: clientId },
        body,
        headers,
      );
    } catch {
      return failed("postern's own credentials cannot be used");
    }
    const answer = await this.#caller.call({
      method: "POST",
      url: endpoint,
      headers: Object.fromEntries(headers),
      body: body.toString(),
    });
    if (!answer.ok) return failed(answer.error.text);
    const { status, headers: answerHeaders, body: bytes } = answer.value;
    if (status === 401 || status === 403) return unusable(`status ${status}: the provider does not know postern`);
    if (status !== 200) return unusable(`status ${status}; expected 200`);
    const type = (answerHeaders["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
    if (type !== "application/json") return unusable("an answer that is not application/json");
    const json = parseJsonObject(bytes, DEFAULTS.jsonDepthMax);
    if (!json.ok) return unusable(`an answer that is ${json.error}`);
    const { active } = json.value;
    // RFC 7662 section 2.2: a boolean. Whoever writes "true" may write "false" too, which is true to a careless reader.
    if (typeof active !== "boolean") return unusable("an answer without 'active' as true or false");
    return ok(active ? json.value : null);
  }
}

async function clientAuthOf(settings: ClientAuthSettings): Promise<ClientAuth> {
  const oauth = await import("oauth4webapi");
  switch (settings.method) {
    case "basic":
      return oauth.ClientSecretBasic(settings.secret);
    case "post":
      return oauth.ClientSecretPost(settings.secret);
    case "privateKey":
      return oauth.PrivateKeyJwt(settings.key);
    case "mtls":
      return oauth.TlsClientAuth();
  }
}
