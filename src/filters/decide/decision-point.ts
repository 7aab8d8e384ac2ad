import type { Caller, CallSettings } from "../../calls/call.ts";
import { Charge } from "../../memory/account.ts";
import { NOBODY } from "../../memory/budget.ts";
import type {
  Resource,
  ResourceFault,
  ResourceOutcome,
  ResourceState,
  ResourceStatus,
  ResourceWorld,
} from "../../resources/resource.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { parseJsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { TokenCache } from "../jwt/token-cache.ts";
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

interface Known {
  readonly allows: boolean;
  /** Monotonic milliseconds. */
  readonly untilMs: number;
}

/** Asks a service to decide, each question once for all who ask it at the same time, and remembers answers for a while. */
export class DecisionPoint implements Resource {
  readonly kind = "decision service";
  readonly name: string;
  readonly #settings: DecisionPointSettings;
  readonly #world: ResourceWorld;
  readonly #caller: Caller;
  readonly #known: TokenCache<Known>;
  readonly #underWay = new Map<string, Promise<Result<boolean, string>>>();
  readonly #tries: Record<ResourceOutcome, number> = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  #state: ResourceState = "starting";
  #freshAtMs: number | null = null;
  #fault: ResourceFault | null = null;

  constructor(settings: DecisionPointSettings, world: ResourceWorld) {
    this.name = settings.name;
    this.#settings = settings;
    this.#world = world;
    this.#caller = world.openCaller(settings.call);
    this.#known = new TokenCache(new Charge(world.memory.caches, NOBODY));
  }

  /** What is remembered under `key`; undefined where the service has to be asked. */
  known(key: string): boolean | undefined {
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    if (this.#world.clock.monotonicMs() < known.untilMs) return known.allows;
    this.#known.delete(key);
    return undefined;
  }

  /** Whether the service allows what `body` says, or why it does not answer. Questions with one `key` are one. */
  ask(url: URL, body: string, key: string): Promise<Result<boolean, string>> {
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay;
    const { cacheMs } = this.#settings;
    const answer = this.#ask(url, body).then((result) => {
      this.#underWay.delete(key);
      if (result.ok && cacheMs > 0) {
        this.#known.set(key, { allows: result.value, untilMs: this.#world.clock.monotonicMs() + cacheMs });
      }
      return result;
    });
    this.#underWay.set(key, answer);
    return answer;
  }

  status(): ResourceStatus {
    return {
      kind: this.kind,
      name: this.name,
      state: this.#state,
      detail: null,
      freshAtMs: this.#freshAtMs,
      staleUntilMs: null,
      fault: this.#fault,
      tries: this.#tries,
    };
  }

  /** It is asked when a request comes. */
  start(): void {}

  close(): void {
    this.#caller.close();
    this.#known.close();
  }

  /** About nothing: it answers at all, whatever it decides. */
  async tryOnce(): Promise<Result<string, string>> {
    const { protocol } = this.#settings;
    const answer = await this.#ask(protocol.url, protocol.emptyQuestion);
    if (!answer.ok) return answer;
    return answer.value ? err("the service allows a request of which nothing is known") : ok("the service answers");
  }

  async #ask(url: URL, body: string): Promise<Result<boolean, string>> {
    const answer = await this.#call(url, body);
    const nowMs = this.#world.clock.wallMs();
    this.#tries[answer.ok ? "ok" : answer.error.outcome]++;
    if (answer.ok) this.#freshAtMs = nowMs;
    else this.#fault = { text: answer.error.text, atMs: nowMs };
    this.#state = answer.ok ? "ready" : "failing";
    this.#world.changed(this);
    return answer.ok ? answer : err(answer.error.text);
  }

  async #call(url: URL, body: string): Promise<Result<boolean, { outcome: "failed" | "unusable"; text: string }>> {
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
