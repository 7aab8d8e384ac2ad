import { CONTINUE, Denial, type HeaderLine, LimitDenial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Refused, SlotRules, Slots } from "../../limits/concurrency/slots.ts";
import { type TopCaller, TopCallers } from "../../limits/top-callers.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { LimitPolicy } from "../../message/limit-state.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Limit, LimitReport } from "../filter.ts";
import type { CompiledKey } from "./key.ts";
import { mayDelay } from "./may-delay.ts";

/** Everything about a limit on requests at once that is known at load. */
export interface ConcurrencyFacts {
  readonly place: Place;
  readonly enforcePercent: number;
  /** Null where all requests share the places. */
  readonly key: CompiledKey | null;
  readonly rules: SlotRules;
  /** Its places belong to callers, so that each is told of its own; else it is the service that is full. */
  readonly isOfCallers: boolean;
  readonly policy: LimitPolicy;
  readonly tellsPartition: boolean;
  readonly clock: Clock;
}

const RETRY: readonly HeaderLine[] = [["retry-after", String(DEFAULTS.concurrencyRetrySeconds)]];
/** A caller who has less than this of its places left is near the limit. */
const FAR = 0.2;
const EVERYBODY = "";

/** One limit on how many requests are under way at once. */
export class ConcurrencyLimit implements Limit {
  readonly name: string;
  readonly place: Place;
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  /** It has no key in the tables: what it knows of one is gone with its last request. */
  readonly keys = 0;
  readonly key: CompiledKey | null;
  /** Who began before is not seen, and most are over by then. */
  readonly looksBackMs: number = DEFAULTS.responseTimeoutMs;
  readonly #facts: ConcurrencyFacts;
  readonly #slots: Slots;
  readonly #top = new TopCallers();
  #near = 0;
  #denied = 0;

  constructor(facts: ConcurrencyFacts, slots: Slots) {
    this.name = facts.policy.name;
    this.place = facts.place;
    this.phase = facts.key?.reader.phase ?? "limit";
    this.enforcePercent = facts.enforcePercent;
    this.key = facts.key;
    this.#facts = facts;
    this.#slots = slots;
  }

  evaluate(exchange: Exchange, template: string): Verdict | Promise<Verdict> {
    const { rules, key } = this.#facts;
    const text = key === null ? EVERYBODY : key.reader.text(exchange, template);
    if (text === null) return key === null ? CONTINUE : key.verdict(exchange, template);
    const left = this.#slots.take(text, rules, exchange);
    if (left >= 0) return this.#passed(exchange, template, left);
    if (rules.queue === null || !mayDelay(this, exchange, template)) return this.#deny(exchange, template, text, null);
    return this.#slots
      .wait(text, rules, exchange)
      .then((refused) =>
        refused === null ? this.#passed(exchange, template, 0) : this.#deny(exchange, template, text, refused),
      );
  }

  explain(exchange: Exchange, template: string): string {
    const { key } = this.#facts;
    if (key?.isUnlimited(exchange, template) === true) {
      return `${this.#description}: not limited, for ${key.reader.missing(exchange, template)?.text ?? "the key"} is absent`;
    }
    const text = key === null ? EVERYBODY : key.reader.text(exchange, template);
    const by = key === null ? "all requests" : key.reader.describe(exchange, template);
    const now = text === null ? "" : `, ${this.#slots.inFlightOf(text)} under way`;
    return `${this.#description} for ${by}, counted by this process${now}`;
  }

  report(): LimitReport {
    return {
      name: this.name,
      kind: "concurrency",
      description: this.#description,
      key: this.#facts.key?.reader.identity ?? "none",
      scope: "process",
      near: this.#near,
      denied: this.#denied,
      evictions: 0,
      places: { inFlight: this.#slots.inFlight, waiting: this.#slots.waiting, adapted: [...this.#slots.adapted()] },
    };
  }

  topCallers(): readonly TopCaller[] {
    return this.#top.list(this.#facts.clock.monotonicMs());
  }

  get #description(): string {
    const { max, queue, adaptive } = this.#facts.rules;
    const adapts = adaptive === null ? "" : `, adaptive from ${adaptive.min}`;
    const waits = queue === null ? "" : `, ${queue.lengthMax} wait up to ${queue.timeoutMs} ms`;
    return `concurrency ${max}${adapts}${waits}`;
  }

  #passed(exchange: Exchange, template: string, left: number): Verdict {
    const { rules, isOfCallers, policy, tellsPartition } = this.#facts;
    if (left < rules.max * FAR) {
      this.#near++;
      this.#note(exchange, template, false);
    }
    if (isOfCallers && this.enforcePercent > 0) {
      const partition = tellsPartition ? this.#partition(exchange, template) : null;
      exchange.rateLimit = { policy, remaining: left, resetSeconds: 0, partition, before: exchange.rateLimit };
    }
    return CONTINUE;
  }

  #deny(exchange: Exchange, template: string, text: string, refused: Refused | null): Denial {
    this.#denied++;
    this.#note(exchange, template, true);
    const { key, rules, isOfCallers, policy } = this.#facts;
    const by = key === null ? "all requests" : key.reader.describe(exchange, template);
    const max = this.#slots.maxOf(text, rules);
    const wanted = `at most ${max} at once for ${by}`;
    if (refused === "timeout") {
      const seen = `no place within ${rules.queue?.timeoutMs ?? 0} ms, ${this.#slots.waitingOf(text)} others wait`;
      return new Denial("queue_timeout", this.place, seen, wanted, RETRY);
    }
    const queue = rules.queue === null || refused === null ? "" : ", and as many wait as may";
    const seen = `${this.#slots.inFlightOf(text)} under way${queue}`;
    if (!isOfCallers) return new Denial("concurrency_full", this.place, seen, wanted, RETRY);
    return new LimitDenial("concurrency_limited", this.place, seen, wanted, RETRY, policy);
  }

  #note(exchange: Exchange, template: string, isDenied: boolean): void {
    const { key, clock } = this.#facts;
    const share = key?.share(exchange, template) ?? null;
    if (key === null || share === null) return;
    const id = share * 2 ** 32;
    this.#top.note(id, 1, isDenied, clock.monotonicMs(), () => key.reader.describe(exchange, template));
  }

  #partition(exchange: Exchange, template: string): readonly [number, number] | null {
    const share = this.key?.share(exchange, template) ?? null;
    return share === null ? null : [(share * 2 ** 32) | 0, 0];
  }
}
