import type { CallAnswer, Caller } from "../../calls/call.ts";
import { callUrl, isThisMachine } from "../../calls/call-url.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { parseJsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { EndpointToken } from "../endpoint-token.ts";
import { shown } from "./claims.ts";
import { metadataUrls } from "./metadata-urls.ts";

/** Where a key set is: at a URL, or where its issuer says. */
export type KeyOrigin = { readonly url: URL } | { readonly issuer: string };

export interface FetchedKeys {
  readonly body: Buffer;
  /** How long the provider says that it holds, within our bounds. */
  readonly freshMs: number;
}

/** Asks for the keys. Errors say what went wrong and where, without anything secret. */
export class KeyFetcher {
  readonly #caller: Caller;
  readonly #origin: KeyOrigin;
  readonly #token: EndpointToken;
  /** What discovery gave last. It is asked again where that does not answer, or when the keys are renewed. */
  #found: URL | null = null;

  constructor(caller: Caller, origin: KeyOrigin, token: EndpointToken) {
    this.#caller = caller;
    this.#origin = origin;
    this.#token = token;
  }

  /** `isShort`: a place that was found before will do, as requests wait. */
  async fetch(isShort: boolean): Promise<Result<FetchedKeys, string>> {
    const url = await this.#locate(isShort);
    if (!url.ok) return url;
    const answer = await this.#get(url.value);
    if (!answer.ok) this.#found = null;
    if (!answer.ok) return err(`${url.value.href}: ${answer.error}`);
    return ok({ body: answer.value.body, freshMs: freshMs(answer.value.headers["cache-control"] ?? "") });
  }

  close(): void {
    this.#caller.close();
  }

  async #locate(isShort: boolean): Promise<Result<URL, string>> {
    if ("url" in this.#origin) return ok(this.#origin.url);
    if (isShort && this.#found !== null) return ok(this.#found);
    const found = await this.#discover(this.#origin.issuer);
    this.#found = found.ok ? found.value : null;
    return found;
  }

  /** The first document that is there counts; what is wrong with it is not mended by another one. */
  async #discover(issuer: string): Promise<Result<URL, string>> {
    let fault = "no document of the provider";
    for (const url of metadataUrls(issuer)) {
      const answer = await this.#get(url);
      if (answer.ok) {
        const found = keysUrl(answer.value.body, issuer);
        return found.ok ? found : err(`${url.href}: ${found.error}`);
      }
      fault = `${url.href}: ${answer.error}`;
      if (!answer.error.startsWith("status 4")) break;
    }
    return err(fault);
  }

  async #get(url: URL): Promise<Result<CallAnswer, string>> {
    const token = this.#token?.() ?? null;
    if (token !== null && !token.ok) return err(`the token for it ${token.error}`);
    const answer = await this.#caller.call({
      method: "GET",
      url,
      headers: {
        accept: "application/json, application/jwk-set+json, application/http-message-signatures-directory+json",
        ...(token === null ? {} : { authorization: `Bearer ${token.value}` }),
      },
      body: null,
    });
    if (!answer.ok) return err(answer.error.text);
    return answer.value.status === 200 ? answer : err(`status ${answer.value.status}`);
  }
}

/**
 * Provider metadata (OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3) → where its keys are. It has to be the
 * document of this very issuer: one that says it is another's would lend its keys to somebody else's name.
 */
export function keysUrl(body: Buffer, issuer: string): Result<URL, string> {
  const metadata = parseJsonObject(body, DEFAULTS.jsonDepthMax);
  if (!metadata.ok) return err(`an answer that is ${metadata.error}`);
  const { issuer: named, jwks_uri: place } = metadata.value;
  if (named !== issuer) {
    const slash = typeof named === "string" && named.replace(/\/$/, "") === issuer.replace(/\/$/, "");
    return err(`issuer ${shown(named)}; the policy has ${shown(issuer)}${slash ? ": a slash at the end counts" : ""}`);
  }
  if (typeof place !== "string") return err("no 'jwks_uri'");
  const url = callUrl(place);
  if (!url.ok) return err(`jwks_uri: ${url.error}`);
  // Another machine has no say in what is asked of this one.
  if (isThisMachine(url.value) && !isThisMachine(new URL(issuer))) return err("a jwks_uri on this machine");
  return url;
}

/** RFC 9111: for how long an answer is fresh; the default where it does not say. */
export function freshMs(cacheControl: string): number {
  const seconds = /(?:^|[,\s])max-age\s*=\s*"?(\d{1,10})/i.exec(cacheControl)?.[1];
  const isUncacheable = /(?:^|[,\s])no-(?:store|cache)(?:$|[,\s])/i.test(cacheControl);
  const ms = isUncacheable ? 0 : seconds === undefined ? DEFAULTS.keySetFreshMs : Number(seconds) * 1000;
  return Math.min(Math.max(ms, DEFAULTS.keySetFreshMsMin), DEFAULTS.keySetFreshMsMax);
}
