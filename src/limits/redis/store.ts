import type { Resource, ResourceStatus, ResourceWorld } from "../../resources/resource.ts";
import { LIMIT_DEFAULTS } from "../../support/limit-defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { type Admitted, type Ask, SPARED, type StoreAnswer, type StoreCounter, UNAVAILABLE } from "./ask.ts";
import { GiveGroup, LookGroup, TakeGroup, type Taken, type Want } from "./group.ts";
import { KeyNames, localName, memberName } from "./key-names.ts";
import { beginTaking, type Lease, Leases } from "./leases.ts";
import { OverKeys } from "./over-keys.ts";
import { ScriptCalls, tagOf } from "./script-calls.ts";
import {
  isWhole,
  PROBE,
  type StoreCounts,
  type StoreOptions,
  type StorePart,
  type StoreRequest,
} from "./store-request.ts";
import { Upkeep } from "./upkeep.ts";

/**
 * Counters that processes share, in Redis, Valkey or what speaks their protocol. All limits of a request are asked at once
 * and counted together or not at all. Where the store is known to be down, nobody waits for it.
 */
export class LimitStore implements Resource {
  readonly kind = "limit store";
  readonly name: string;
  readonly counts: StoreCounts = { asked: 0, leased: 0, remembered: 0, unavailable: 0 };
  readonly #options: StoreOptions;
  readonly #world: ResourceWorld;
  readonly #calls: ScriptCalls;
  readonly #upkeep: Upkeep;
  readonly #over = new OverKeys();
  readonly #leases = new Leases();
  readonly #names: KeyNames;
  readonly #isCluster: boolean;
  #cancelSweep: (() => void) | null = null;

  constructor(options: StoreOptions, world: ResourceWorld) {
    this.name = options.name;
    this.#options = options;
    this.#world = world;
    this.#names = new KeyNames(options.prefix);
    this.#isCluster = options.address.kind === "cluster";
    this.#calls = new ScriptCalls(world.clock, world.timers, this.#isCluster, {
      answered: () => this.#upkeep.answered(),
      failed: (fault) => this.#upkeep.failed(fault ?? `no answer within ${options.timeoutMs} ms`),
    });
    this.#upkeep = new Upkeep(this.#calls, {
      clock: world.clock,
      timers: world.timers,
      random: world.random,
      open: (ended) => options.open(options.address, ended),
      probe: (withinMs) => this.#probe(withinMs ?? options.timeoutMs),
      changed: () => world.changed(this),
    });
  }

  /** False for a policy that is only looked at. */
  get isStarted(): boolean {
    return this.#upkeep.isStarted;
  }

  /** False where it is known not to answer. */
  get isUsable(): boolean {
    return this.#upkeep.isUsable;
  }

  /** In the order of `asks`; at once where nobody has to be asked. */
  ask(asks: readonly Ask[]): readonly StoreAnswer[] | Promise<readonly StoreAnswer[]> {
    const nowMs = this.#world.clock.monotonicMs();
    const names = asks.map(localName);
    for (let at = 0; at < asks.length; at++) {
      const waitMs = this.#over.waitMs(names[at] ?? "", asks[at] as Ask, nowMs);
      if (waitMs <= 0) continue;
      this.counts.remembered++;
      return asks.map((_, index) => (index === at ? { kind: "over", waitMs } : SPARED));
    }
    const answers = asks.map((ask, at) => this.#spend(names[at] ?? "", ask, nowMs));
    if (isWhole(answers)) {
      this.counts.leased++;
      return answers;
    }
    const request = { asks, names, answers, deadlineMs: nowMs + this.#options.timeoutMs };
    if (!this.#upkeep.isUsable) return this.#giveUp(request, answers);
    this.counts.asked++;
    const taking = this.#takingOf(request);
    return taking.length > 0 ? this.#askLater(request, taking) : this.#askStore(request, true);
  }

  /** What an admitted ask took was not needed: a later check denied the request. */
  giveBack(ask: Ask, answer: Admitted): void {
    this.correct(ask, answer, -ask.cost);
  }

  /** Adds units to what an admitted ask took, or takes them off. What is added cannot be refused any more. */
  correct(ask: Ask, { isLeased, mark }: Admitted, units: number): void {
    if (units === 0) return;
    const name = localName(ask);
    if (units < 0) this.#over.forget(name);
    const lease = isLeased ? this.#leases.get(name, ask) : null;
    if (lease !== null && lease.mark === mark) lease.left -= units;
    // A member that was there before the request stays.
    else if (ask.member === undefined || mark > 0) this.#give(ask, -units, mark);
  }

  /** Units that a key has used of a quota, null where the store does not say; with `isReset` it has none from then on. */
  look(counter: StoreCounter, key: string, isReset: boolean): Promise<number | null> {
    if (!this.#upkeep.isStarted || !this.#upkeep.isUsable) return Promise.resolve(null);
    const ask = { counter, key, cost: 1 };
    const local = localName(ask);
    if (isReset) this.#over.forget(local);
    const deadlineMs = this.#world.clock.monotonicMs() + LIMIT_DEFAULTS.storeConnectMs;
    return new Promise((resolve) => {
      const name = this.#names.of(ask, local);
      this.#calls.ask(new LookGroup({ counter, key: name, isReset }, deadlineMs, resolve));
    });
  }

  status(): ResourceStatus {
    const { state, detail, freshAtMs, fault, tries } = this.#upkeep;
    const storeRequests = { ...this.counts };
    return {
      kind: this.kind,
      name: this.name,
      state,
      detail,
      freshAtMs,
      staleUntilMs: null,
      fault,
      tries,
      storeRequests,
    };
  }

  start(): void {
    this.#upkeep.start();
  }

  close(): void {
    this.#cancelSweep?.();
    for (const lease of this.#leases.takeAll()) this.#giveRest(lease);
    // What was given back a moment ago goes out first.
    setImmediate(() => this.#upkeep.close());
  }

  async tryOnce(): Promise<Result<string, string>> {
    const startedMs = this.#world.clock.monotonicMs();
    this.#upkeep.start();
    const fault = await this.#upkeep.firstTry;
    const tookMs = this.#world.clock.monotonicMs() - startedMs;
    this.#upkeep.close();
    return fault === null ? ok(`connected, and a counter counts, within ${tookMs.toFixed(0)} ms`) : err(fault);
  }

  #spend(name: string, ask: Ask, nowMs: number): Admitted | null {
    return ask.counter.lease === 0 ? null : (this.#leases.get(name, ask)?.spend(ask.cost, nowMs) ?? null);
  }

  /** Somebody asks the store for more of a lease that this request needs: there may be enough for both. */
  #takingOf({ asks, names, answers }: StoreRequest): readonly Promise<void>[] {
    return asks.flatMap((ask, at) => {
      if (ask.counter.lease === 0 || answers[at] !== null) return [];
      return this.#leases.get(names[at] ?? "", ask)?.taking ?? [];
    });
  }

  async #askLater(request: StoreRequest, taking: readonly Promise<void>[]): Promise<readonly StoreAnswer[]> {
    await Promise.all(taking);
    const nowMs = this.#world.clock.monotonicMs();
    const { asks, names } = request;
    const answers = request.answers.map((answer, at) => answer ?? this.#spend(names[at] ?? "", asks[at] as Ask, nowMs));
    return isWhole(answers) ? answers : this.#askStore({ ...request, answers }, true);
  }

  /** One call; of a cluster one for each slot. */
  #askStore(request: StoreRequest, mayAskAgain: boolean): Promise<readonly StoreAnswer[]> {
    const missing = [...request.answers.keys()].filter((at) => request.answers[at] === null);
    if (!this.#isCluster || missing.length === 1) {
      return new Promise((resolve) => {
        this.#takePart(request, missing, (part) => resolve(this.#settle(request, [part], mayAskAgain)));
      });
    }
    const parts = Object.values(
      Object.groupBy(missing, (at) =>
        tagOf(this.#names.of(request.asks[at] as Ask, request.names[at] ?? "")),
      ) as Record<string, number[]>,
    );
    const calls = parts.map(
      (indexes) => new Promise<StorePart>((resolve) => this.#takePart(request, indexes, resolve)),
    );
    return Promise.all(calls).then((taken) => this.#settle(request, taken, mayAskAgain));
  }

  #takePart(request: StoreRequest, indexes: readonly number[], done: (part: StorePart) => void): void {
    const { asks, names, deadlineMs } = request;
    const leases = indexes.map((at) => this.#leaseFor(names[at] ?? "", asks[at] as Ask));
    const wants = indexes.map((at, index): Want => {
      const ask = asks[at] as Ask;
      const key = this.#names.of(ask, names[at] ?? "");
      return { ask, key, want: leases[index]?.wants ?? ask.cost, member: memberName(ask) };
    });
    const taken = beginTaking(leases);
    const answered = (answers: readonly Taken[], isOfOtherTime: boolean): void => {
      const nowMs = this.#world.clock.monotonicMs();
      for (const [index, lease] of leases.entries()) {
        lease?.settle(answers[index] as Taken, (wants[index] as Want).ask.cost, nowMs);
      }
      taken();
      done({ indexes, taken: answers, isOfOtherTime });
    };
    this.#calls.ask(new TakeGroup(wants, deadlineMs, answered));
  }

  /** Where one is over, what the others took is given back, unless the script did not take it. */
  #settle(
    request: StoreRequest,
    parts: readonly StorePart[],
    mayAskAgain: boolean,
  ): readonly StoreAnswer[] | Promise<readonly StoreAnswer[]> {
    const answers = [...request.answers];
    for (const { indexes, taken } of parts) {
      for (const [index, at] of indexes.entries()) answers[at] = taken[index]?.answer ?? UNAVAILABLE;
    }
    if (isWhole(answers)) return answers;
    if (parts.some(({ isOfOtherTime }) => isOfOtherTime)) {
      this.#giveAll(request, answers);
      // The store's clock is another than was thought; now it is known.
      const again = { ...request, answers: request.asks.map(() => null) };
      return mayAskAgain ? this.#askStore(again, false) : request.asks.map(() => UNAVAILABLE);
    }
    if (answers.includes(UNAVAILABLE)) return this.#giveUp(request, answers);
    this.#giveAll(request, answers);
    const nowMs = this.#world.clock.monotonicMs();
    return answers.map((answer, at): StoreAnswer => {
      if (answer?.kind !== "over") return SPARED;
      // Another member may be there already.
      if (request.asks[at]?.member === undefined)
        this.#over.note(request.names[at] ?? "", request.asks[at] as Ask, answer.waitMs, nowMs);
      return answer;
    });
  }

  /** The lease that is to be filled; null where there is none, or somebody fills it already. */
  #leaseFor(name: string, ask: Ask): Lease | null {
    if (ask.counter.lease === 0) return null;
    const lease = this.#leases.get(name, ask) ?? this.#leases.open(name, ask);
    if (lease === null || lease.taking !== null) return null;
    this.#sweepLater();
    return lease;
  }

  #giveUp(request: StoreRequest, answers: readonly (StoreAnswer | null)[]): readonly StoreAnswer[] {
    this.counts.unavailable++;
    this.#giveAll(request, answers);
    return request.asks.map(() => UNAVAILABLE);
  }

  #giveAll({ asks }: StoreRequest, answers: readonly (StoreAnswer | null)[]): void {
    for (const [at, answer] of answers.entries()) {
      if (answer?.kind === "admitted") this.giveBack(asks[at] as Ask, answer);
    }
  }

  #give(ask: Ask, units: number, mark: number): void {
    if (!this.#upkeep.isUsable) return;
    const deadlineMs = this.#world.clock.monotonicMs() + LIMIT_DEFAULTS.storeConnectMs;
    const of = { counter: ask.counter, key: this.#names.of(ask, localName(ask)), member: memberName(ask) };
    this.#calls.ask(new GiveGroup(of, units, mark, deadlineMs));
  }

  #giveRest(lease: Lease): void {
    if (lease.left > 0) this.#give(lease.ask, lease.left, lease.mark);
    lease.left = 0;
  }

  #sweepLater(): void {
    this.#cancelSweep ??= this.#world.timers.after(LIMIT_DEFAULTS.storeLeaseMs / 2, () => {
      this.#cancelSweep = null;
      for (const lease of this.#leases.takeEnded(this.#world.clock.monotonicMs())) this.#giveRest(lease);
      if (this.#leases.size > 0) this.#sweepLater();
    });
  }

  /** Takes and thus writes: a store that is full, or a replica, still reads. */
  #probe(withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const deadlineMs = this.#world.clock.monotonicMs() + withinMs;
      const done = ([taken]: readonly Taken[]): void => resolve(taken !== undefined && taken.answer !== UNAVAILABLE);
      this.#calls.ask(
        new TakeGroup(
          [{ ask: PROBE, key: this.#names.of(PROBE, localName(PROBE)), want: 1, member: null }],
          deadlineMs,
          done,
        ),
      );
    });
  }
}
