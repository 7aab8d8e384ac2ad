import type { CallSettings } from "../../calls/call.ts";
import type { Client } from "../../memory/account.ts";
import type { ResourceWorld } from "../../resources/resource.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { NoAnswer } from "../answers.ts";
import { Asked } from "../asked.ts";
import type { Introspected, Protocol } from "./protocol.ts";

export interface IntrospectorSettings {
  readonly name: string;
  readonly call: CallSettings;
  readonly protocol: Protocol;
  readonly cacheMs: number;
  readonly inactiveCacheMs: number;
}

/**
 * Asks a provider about tokens, each once for all who bring it, and remembers what it said for a while: good and bad alike.
 * The memory outlives policies; only a hash of a token is kept.
 */
export class Introspector extends Asked<Introspected> {
  readonly kind = "introspection";
  readonly #settings: IntrospectorSettings;
  /** Questions under way by who made them necessary. */
  readonly #asking = new Map<Client["key"], number>();

  constructor(settings: IntrospectorSettings, world: ResourceWorld) {
    super(settings, world);
    this.#settings = settings;
  }

  /**
   * What the provider says now, or why it says nothing. One client that invents tokens keeps the provider busy with a few of
   * them at a time, and the others' are asked about meanwhile.
   */
  ask(hash: string, token: string, client: Client["key"]): Promise<Result<Introspected, string>> {
    const underWay = this.answers.underWay(hash);
    if (underWay !== undefined) return underWay;
    const ofClient = this.#asking.get(client) ?? 0;
    if (ofClient >= DEFAULTS.introspectionsPerClientMax) {
      return Promise.resolve(err(`${ofClient} other tokens of this client are being asked about`));
    }
    this.#asking.set(client, ofClient + 1);
    const { cacheMs, inactiveCacheMs } = this.#settings;
    const keepMs = (answer: Introspected): number => ("claims" in answer ? cacheMs : inactiveCacheMs);
    return this.answers
      .ask(hash, () => this.#call(token), keepMs)
      .finally(() => {
        const left = (this.#asking.get(client) ?? 1) - 1;
        if (left > 0) this.#asking.set(client, left);
        else this.#asking.delete(client);
      });
  }

  async tryOnce(): Promise<Result<string, string>> {
    // Any text that no provider has given out: the answer has to be that it is not active.
    const answer = await this.answers.once(() => this.#call("postern-check"));
    if (!answer.ok) return answer;
    return "claims" in answer.value
      ? err("the provider takes any text for an active token")
      : ok("the provider answers");
  }

  async #call(token: string): Promise<Result<Introspected, NoAnswer>> {
    const failed = (text: string) => err({ outcome: "failed" as const, text });
    const { protocol } = this.#settings;
    const question = await protocol.question(token);
    if (!question.ok) return failed(question.error);
    const answer = await this.caller.call(question.value);
    if (!answer.ok) return failed(answer.error.text);
    const read = protocol.read(answer.value, token);
    return read.ok ? read : err({ outcome: "unusable", text: read.error });
  }
}
