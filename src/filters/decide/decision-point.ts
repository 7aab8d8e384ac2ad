import type { CallSettings } from "../../calls/call.ts";
import type { ResourceWorld } from "../../resources/resource.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { parseJsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { NoAnswer } from "../answers.ts";
import { Asked } from "../asked.ts";
import { type Protocol, readVerdict } from "./protocol.ts";

export interface DecisionPointSettings {
  readonly name: string;
  readonly protocol: Protocol;
  readonly call: CallSettings;
  /** Null where none is shown. */
  readonly token: string | null;
  /** How long an answer is believed; 0 for not at all. */
  readonly cacheMs: number;
}

/** Asks a service to decide, each question once for all who ask it at the same time, and remembers answers for a while. */
export class DecisionPoint extends Asked<boolean> {
  readonly kind = "decision service";
  readonly #settings: DecisionPointSettings;
  #questions = 0;

  constructor(settings: DecisionPointSettings, world: ResourceWorld) {
    super(settings, world);
    this.#settings = settings;
  }

  /**
   * A number for what one route of one policy asks: answers are shared within it alone. Its place would not do, for after a
   * reload another route may stand there, and what was allowed on the old one would be on the new.
   */
  newQuestion(): number {
    return ++this.#questions;
  }

  /** Whether the service allows what `body` says, or why it does not answer. Questions with one `key` are one. */
  ask(url: URL, body: string, key: string): Promise<Result<boolean, string>> {
    const { cacheMs } = this.#settings;
    const question = () => this.#call(url, body);
    return this.answers.underWay(key) ?? this.answers.ask(key, question, () => cacheMs);
  }

  /** About nothing: it answers at all, whatever it decides. */
  async tryOnce(): Promise<Result<string, string>> {
    const { protocol } = this.#settings;
    const answer = await this.answers.once(() => this.#call(protocol.url, protocol.emptyQuestion));
    if (!answer.ok) return answer;
    return answer.value ? err("the service allows a request of which nothing is known") : ok("the service answers");
  }

  async #call(url: URL, body: string): Promise<Result<boolean, NoAnswer>> {
    const { token, protocol } = this.#settings;
    const answer = await this.caller.call({
      method: "POST",
      url,
      headers: {
        accept: "application/json",
        "content-type": "application/json",
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body,
    });
    if (!answer.ok) return err({ outcome: "failed", text: answer.error.text });
    const { status, body: bytes } = answer.value;
    if (status !== 200) return err({ outcome: "unusable", text: `status ${status}; expected 200` });
    const json = parseJsonObject(bytes, DEFAULTS.jsonDepthMax);
    if (!json.ok) return err({ outcome: "unusable", text: `an answer that is ${json.error}` });
    const verdict = readVerdict(protocol, json.value);
    return verdict.ok ? verdict : err({ outcome: "unusable", text: verdict.error });
  }
}
