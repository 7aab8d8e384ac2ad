import type { Caller, CallSettings } from "../../calls/call.ts";
import type { Resource, ResourceStatus, ResourceWorld } from "../../resources/resource.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { parseJsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { Answers, type NoAnswer } from "../answers.ts";
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
export class DecisionPoint implements Resource {
  readonly kind = "decision service";
  readonly name: string;
  readonly #settings: DecisionPointSettings;
  readonly #caller: Caller;
  readonly #answers: Answers<boolean>;
  #questions = 0;

  constructor(settings: DecisionPointSettings, world: ResourceWorld) {
    this.name = settings.name;
    this.#settings = settings;
    this.#caller = world.openCaller(settings.call);
    this.#answers = new Answers(this, world);
  }

  /**
   * A number for what one route of one policy asks: answers are shared within it alone. Its place would not do, for after a
   * reload another route may stand there, and what was allowed on the old one would be on the new.
   */
  newQuestion(): number {
    return ++this.#questions;
  }

  /** What is remembered under `key`; undefined where the service has to be asked. */
  known(key: string): boolean | undefined {
    return this.#answers.known(key);
  }

  /** Whether the service allows what `body` says, or why it does not answer. Questions with one `key` are one. */
  ask(url: URL, body: string, key: string): Promise<Result<boolean, string>> {
    const { cacheMs } = this.#settings;
    const question = () => this.#call(url, body);
    return this.#answers.underWay(key) ?? this.#answers.ask(key, question, () => cacheMs);
  }

  status(): ResourceStatus {
    return this.#answers.status();
  }

  /** It is asked when a request comes. */
  start(): void {}

  close(): void {
    this.#caller.close();
    this.#answers.close();
  }

  /** About nothing: it answers at all, whatever it decides. */
  async tryOnce(): Promise<Result<string, string>> {
    const { protocol } = this.#settings;
    const answer = await this.#answers.once(() => this.#call(protocol.url, protocol.emptyQuestion));
    if (!answer.ok) return answer;
    return answer.value ? err("the service allows a request of which nothing is known") : ok("the service answers");
  }

  async #call(url: URL, body: string): Promise<Result<boolean, NoAnswer>> {
    const { token, protocol } = this.#settings;
    const answer = await this.#caller.call({
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
