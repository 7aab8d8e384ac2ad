import { Charge } from "../memory/account.ts";
import { NOBODY } from "../memory/budget.ts";
import type {
  Resource,
  ResourceFault,
  ResourceOutcome,
  ResourceState,
  ResourceStatus,
  ResourceWorld,
} from "../resources/resource.ts";
import { err, type Result } from "../support/result.ts";
import { TokenCache } from "./jwt/token-cache.ts";

/** Why somebody who was asked gave no answer: not to be reached, or not to be understood. */
export interface NoAnswer {
  readonly outcome: Extract<ResourceOutcome, "failed" | "unusable">;
  readonly text: string;
}

interface Known<T> {
  readonly value: T;
  /** Monotonic milliseconds. */
  readonly untilMs: number;
}

/**
 * What somebody answers who is asked about requests: remembered for a while, over policies; a question that is under way is
 * not asked twice; and how the one who is asked is doing.
 */
export class Answers<T> {
  readonly #resource: Resource;
  readonly #world: ResourceWorld;
  readonly #known: TokenCache<Known<T>>;
  readonly #underWay = new Map<string, Promise<Result<T, string>>>();
  readonly #tries: Record<ResourceOutcome, number> = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  #state: ResourceState = "starting";
  #freshAtMs: number | null = null;
  #fault: ResourceFault | null = null;

  constructor(resource: Resource, world: ResourceWorld) {
    this.#resource = resource;
    this.#world = world;
    this.#known = new TokenCache(new Charge(world.memory.caches, NOBODY));
  }

  /** What is remembered under `key`; undefined where nothing is. */
  known(key: string): T | undefined {
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    if (this.#world.clock.monotonicMs() < known.untilMs) return known.value;
    this.#known.delete(key);
    return undefined;
  }

  /** The answer to this question that is under way; undefined where none is. */
  underWay(key: string): Promise<Result<T, string>> | undefined {
    return this.#underWay.get(key);
  }

  /** Asks, and remembers the answer for as long as `keepMs` says. */
  ask(
    key: string,
    question: () => Promise<Result<T, NoAnswer>>,
    keepMs: (answer: T) => number,
  ): Promise<Result<T, string>> {
    const answer = this.once(question).then((result) => {
      this.#underWay.delete(key);
      const forMs = result.ok ? keepMs(result.value) : 0;
      if (result.ok && forMs > 0) {
        this.#known.set(key, { value: result.value, untilMs: this.#world.clock.monotonicMs() + forMs });
      }
      return result;
    });
    this.#underWay.set(key, answer);
    return answer;
  }

  /** Asks, and notes nothing but how that went. */
  async once(question: () => Promise<Result<T, NoAnswer>>): Promise<Result<T, string>> {
    const answer = await question();
    const nowMs = this.#world.clock.wallMs();
    this.#tries[answer.ok ? "ok" : answer.error.outcome]++;
    if (answer.ok) this.#freshAtMs = nowMs;
    else this.#fault = { text: answer.error.text, atMs: nowMs };
    this.#state = answer.ok ? "ready" : "failing";
    this.#world.changed(this.#resource);
    return answer.ok ? answer : err(answer.error.text);
  }

  status(): ResourceStatus {
    const { kind, name } = this.#resource;
    return {
      kind,
      name,
      state: this.#state,
      detail: null,
      freshAtMs: this.#freshAtMs,
      staleUntilMs: null,
      fault: this.#fault,
      tries: this.#tries,
    };
  }

  close(): void {
    this.#known.close();
  }
}
