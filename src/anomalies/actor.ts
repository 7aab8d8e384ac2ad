import type { Reason } from "../decision/reason.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { Distinct } from "./distinct.ts";
import { amountOf, Peak, powerOf } from "./norm.ts";
import { type OperationWatch, remember } from "./operation-watch.ts";
import { Telling } from "./telling.ts";

/** What is counted of an address or caller. */
export const TALLIES = ["paths", "identities", "networks", "denials"] as const;
export type TallyName = (typeof TALLIES)[number];

/** One count within a window: how often, of how many different members, and what was the most in windows before. */
export class Tally {
  readonly members: Distinct = new Distinct();
  readonly usual: Peak = new Peak();
  marked = 0;
  examples: string[] = [];
  readonly telling: Telling = new Telling();
  /** It is too much: what it counts is not learnt. */
  isAnomalous = false;

  /** `hash`: of the member; null where only how often counts. Whether there is more of it now. */
  mark(hash: number | null, id: string): boolean {
    this.marked++;
    if (hash !== null && !this.members.add(hash)) return false;
    remember(this.examples, id);
    this.telling.grow();
    return true;
  }

  /** Different members, or how often where none are told apart. */
  get figure(): number {
    return this.members.count === 0 ? this.marked : this.members.count;
  }

  get usualFigure(): number {
    return amountOf(this.usual.power);
  }

  /** The window is over. */
  roll(nowMs: number, isLearnt: boolean): void {
    if (!this.isAnomalous && this.marked > 0) this.usual.raise(powerOf(this.figure), nowMs, isLearnt);
    this.members.clear();
    this.marked = 0;
    this.examples = [];
    this.isAnomalous = false;
    this.telling.roll();
  }
}

/** A window of an actor, with its tallies; they are made as they are needed. */
export class Span {
  readonly lengthMs: number;
  startMs: number;
  requests = 0;
  readonly tallies: Partial<Record<TallyName, Tally>> = {};

  constructor(lengthMs: number, startMs: number) {
    this.lengthMs = lengthMs;
    this.startMs = startMs;
  }

  tally(name: TallyName): Tally {
    const known = this.tallies[name];
    if (known !== undefined) return known;
    const tally = new Tally();
    this.tallies[name] = tally;
    return tally;
  }

  roll(nowMs: number, isLearnt: boolean): void {
    for (const name of TALLIES) this.tallies[name]?.roll(nowMs, isLearnt);
    this.requests = 0;
    this.startMs = nowMs;
  }
}

/** The objects of one route that one caller asked for. */
export class ObjectsUse {
  readonly operation: OperationWatch;
  readonly short: Tally = new Tally();
  readonly long: Tally = new Tally();
  /** In the short window: requests, of which so many found nothing, or asked for the number next to the last. */
  requests = 0;
  missing = 0;
  sequential = 0;
  lastNumber = Number.NaN;
  longRequests = 0;
  longMissing = 0;

  constructor(operation: OperationWatch) {
    this.operation = operation;
  }

  /** Whether it is an object that was not seen in one of the windows. */
  see(hash: number, number: number, isMissing: boolean, id: string): boolean {
    const isNewShort = this.short.mark(hash, id);
    const isNew = this.long.mark(hash, id) || isNewShort;
    this.requests++;
    this.longRequests++;
    if (isMissing) {
      this.missing++;
      this.longMissing++;
    }
    const step = Math.abs(number - this.lastNumber);
    if (step > 0 && step <= 2) this.sequential++;
    this.lastNumber = number;
    return isNew;
  }

  rollShort(nowMs: number, isLearnt: boolean): void {
    this.short.roll(nowMs, isLearnt);
    this.requests = 0;
    this.missing = 0;
    this.sequential = 0;
  }

  rollLong(nowMs: number, isLearnt: boolean): void {
    this.long.roll(nowMs, isLearnt);
    this.longRequests = 0;
    this.longMissing = 0;
  }
}

/** When a caller asks, by hours of the day in UTC. */
export class HoursUse {
  /** On how many days each hour had requests; three days that were told make an hour usual. */
  readonly days: number[] = new Array<number>(24).fill(0);
  daysSeen = 0;
  requests = 0;
  #day = -1;
  #hour = -1;
  /** In this hour. */
  inHour = 0;
  isStrange = false;
  isTold = false;

  /** Whether the caller is one that keeps hours, and this is none of them. */
  see(nowMs: number): boolean {
    const hour = Math.floor(nowMs / 3_600_000);
    this.requests++;
    if (hour !== this.#hour) this.#enter(hour);
    this.inHour++;
    return this.isStrange && !this.isTold && this.inHour >= DEFAULTS.anomalyHourRequestsMin;
  }

  /** It asks at the same hours on most of its days, as machines and offices do. */
  get #keepsHours(): boolean {
    const { anomalyHourDaysMin, anomalyHourAllMin, anomalyHoursMax } = DEFAULTS;
    if (this.daysSeen < anomalyHourDaysMin || this.requests < anomalyHourAllMin) return false;
    let hours = 0;
    let times = 0;
    for (const days of this.days) {
      if (days < 1) continue;
      hours++;
      times += Math.floor(days);
    }
    return hours <= anomalyHoursMax && times >= (hours * this.daysSeen) / 2;
  }

  #enter(hour: number): void {
    this.#hour = hour;
    this.inHour = 0;
    this.isTold = false;
    const day = Math.floor(hour / 24);
    const ofDay = hour % 24;
    const near = [-2, -1, 0, 1, 2].some((by) => (this.days[(ofDay + by + 24) % 24] ?? 0) >= 1);
    this.isStrange = !near && this.#keepsHours;
    this.days[ofDay] = Math.min((this.days[ofDay] ?? 0) + (this.isStrange ? 1 / 3 + 0.001 : 1), 1_000);
    if (day !== this.#day) this.daysSeen++;
    this.#day = day;
  }
}

/** An address or a caller. */
export class Actor {
  /** For events: what a person knows it by. */
  readonly name: string;
  readonly firstMs: number;
  lastMs: number;
  readonly short: Span;
  readonly long: Span;
  /** By operation; null for the many that ask for none. */
  objects: Map<OperationWatch, ObjectsUse> | null = null;
  hours: HoursUse | null = null;
  /** Windows in which it asked. */
  windows = 0;
  /** It is to be judged in the next tick. */
  isSuspect = false;
  /** How hard it is to push out of a full table. */
  weight = 0;
  lastId = "";
  /** Why it was refused last. */
  lastReason: Reason | null = null;
  /** Of a caller's name; negative until somebody asked. */
  hash = -1;
  /** It is among the established. */
  isKept = false;
  /** It had to make room: nobody looks for it any more. */
  isGone = false;

  constructor(name: string, nowMs: number) {
    this.name = name;
    this.firstMs = nowMs;
    this.lastMs = nowMs;
    this.short = new Span(DEFAULTS.anomalyShortMs, nowMs);
    this.long = new Span(DEFAULTS.anomalyLongMs, nowMs);
  }

  /** A request comes. `learnMs`: what it did before that is learnt freely. */
  see(nowMs: number, learnMs: number): void {
    this.lastMs = nowMs;
    if (nowMs - this.short.startMs >= this.short.lengthMs) this.#roll(nowMs, learnMs);
    this.short.requests++;
    this.long.requests++;
  }

  /** Counts the objects of one more operation, in place of another where there are too many. By the table that bounds them all. */
  openObjects(operation: OperationWatch): ObjectsUse {
    this.objects ??= new Map();
    if (this.objects.size >= DEFAULTS.anomalyObjectsMax) this.#forgetOne(this.objects);
    const use = new ObjectsUse(operation);
    this.objects.set(operation, use);
    return use;
  }

  get isEstablished(): boolean {
    const { anomalyEstablishedMs, anomalyEstablishedWindows } = DEFAULTS;
    return this.windows >= anomalyEstablishedWindows && this.lastMs - this.firstMs >= anomalyEstablishedMs;
  }

  /** Windows that began while it was new are learnt freely. */
  #roll(nowMs: number, learnMs: number): void {
    this.windows++;
    const isLearnt = this.short.startMs - this.firstMs >= learnMs;
    const isLearntLong = this.long.startMs - this.firstMs >= learnMs;
    this.short.roll(nowMs, isLearnt);
    const isLong = nowMs - this.long.startMs >= this.long.lengthMs;
    if (isLong) this.long.roll(nowMs, isLearntLong);
    if (this.objects === null) return;
    for (const use of this.objects.values()) {
      if (!use.short.isAnomalous && use.short.marked > 0) use.operation.idsSeen(use.short.figure, nowMs);
      use.rollShort(nowMs, isLearnt);
      if (isLong) use.rollLong(nowMs, isLearntLong);
    }
  }

  /** Who asks for much at many routes keeps those at which it asked for most. */
  #forgetOne(objects: Map<OperationWatch, ObjectsUse>): void {
    let least: ObjectsUse | null = null;
    for (const use of objects.values()) if (least === null || use.long.figure < least.long.figure) least = use;
    if (least !== null) objects.delete(least.operation);
  }
}
