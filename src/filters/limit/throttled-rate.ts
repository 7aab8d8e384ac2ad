import { CONTINUE, type Place, type Verdict } from "../../decision/verdict.ts";
import { callerOf } from "../../limits/concurrency/caller.ts";
import type { QueueRules } from "../../limits/concurrency/slots.ts";
import type { Throttle } from "../../limits/concurrency/throttle.ts";
import type { TopCaller } from "../../limits/top-callers.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Limit, LimitReport } from "../filter.ts";
import type { LimitNeeds } from "../limit-port.ts";
import type { RateLimit } from "./evaluate.ts";
import type { CompiledKey } from "./key.ts";
import { mayDelay } from "./may-delay.ts";

/** A rate beyond which requests wait for their turn, in place of being refused. */
export class ThrottledRate implements Limit {
  readonly name: string;
  readonly place: Place;
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  readonly keys: number;
  readonly key: CompiledKey;
  readonly needs: LimitNeeds;
  readonly #rate: RateLimit;
  readonly #rules: QueueRules;
  readonly #throttle: Throttle;

  constructor(rate: RateLimit, rules: QueueRules, throttle: Throttle) {
    this.name = rate.name;
    this.place = rate.place;
    this.phase = rate.phase;
    this.enforcePercent = rate.enforcePercent;
    this.keys = rate.keys;
    this.key = rate.key;
    this.needs = rate.needs;
    this.#rate = rate;
    this.#rules = rules;
    this.#throttle = throttle;
  }

  evaluate(exchange: Exchange, template: string): Verdict | Promise<Verdict> {
    const rate = this.#rate;
    const text = this.key.reader.text(exchange, template);
    const cost = rate.costOf(exchange);
    if (text === null || cost === 0) return rate.evaluate(exchange, template);
    const waitMs = rate.waitMs(exchange, template);
    const passesNow = waitMs === 0 && !this.#throttle.isBusy(text);
    if (passesNow || waitMs > this.#rules.timeoutMs || !mayDelay(this, exchange, template)) {
      return rate.evaluate(exchange, template);
    }
    const take = (): number => {
      const leftMs = rate.waitMs(exchange, template);
      if (leftMs > 0) return leftMs;
      // Another thread may have been quicker.
      return rate.evaluate(exchange, template) === CONTINUE ? 0 : Math.max(1, rate.waitMs(exchange, template));
    };
    return this.#throttle
      .wait(text, this.#rules, exchange, callerOf(exchange), cost, waitMs, take)
      .then((refused) =>
        refused === null ? CONTINUE : rate.refuse(exchange, template, rate.waitMs(exchange, template)),
      );
  }

  explain(exchange: Exchange, template: string): string {
    const explained = this.#rate.explain(exchange, template);
    return this.key.isUnlimited(exchange, template) ? explained : `${explained}${this.#text}`;
  }

  report(): LimitReport {
    const report = this.#rate.report();
    return {
      ...report,
      description: `${report.description}${this.#text}`,
      places: { inFlight: null, waiting: this.#throttle.waiting, adapted: [] },
    };
  }

  topCallers(): readonly TopCaller[] {
    return this.#rate.topCallers();
  }

  get #text(): string {
    return `, beyond it ${this.#rules.lengthMax} wait up to ${this.#rules.timeoutMs} ms`;
  }
}
