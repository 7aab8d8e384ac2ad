import { DEFAULTS } from "../support/defaults.ts";
import { type AnomalySubject, type Finding, keyOf, subjectOf, wideKey } from "./finding.ts";
import { ANOMALY_KINDS, type AnomalyKind, KINDS, type KindSpec } from "./kinds.ts";

export type AnomalyState = "begun" | "ongoing" | "ended";

/** One anomaly, from its beginning to its end. */
export interface Anomaly {
  readonly id: string;
  readonly key: string;
  readonly kind: AnomalyKind;
  readonly subject: AnomalySubject;
  /** Unix milliseconds. */
  readonly sinceMs: number;
  lastMs: number;
  toldMs: number;
  state: AnomalyState;
  figure: number;
  seen: string;
  expected: string;
  examples: readonly string[];
  /** Of one that stands for many: which, and how many. */
  readonly members: Set<string>;
}

/** Who hears of it: once when it begins, once an hour while it goes on, and once at its end. */
export type AnomalyListener = (anomaly: Anomaly) => void;

interface Pending {
  ticks: number;
  seen: boolean;
}

/** Makes few events of many findings: one for each anomaly, and one for many of a kind that come together. */
export class EventBook {
  readonly active: Map<string, Anomaly> = new Map();
  readonly ended: Anomaly[] = [];
  /** What somebody has said to be as it should be, with how much of it was. */
  readonly accepted: Map<string, number> = new Map();
  readonly begun: Record<AnomalyKind, number> = zeroes();
  readonly #pending = new Map<string, Pending>();
  #count = 0;

  /** What one look has found. */
  settle(findings: readonly Finding[], nowMs: number, tell: AnomalyListener): void {
    const ready = new Map<AnomalyKind, [string, Finding][]>();
    for (const finding of findings) {
      const key = keyOf(finding.kind, finding.subject);
      if (this.#isAccepted(key, finding.figure)) continue;
      const known = this.active.get(key);
      if (known !== undefined) this.#refresh(known, finding, nowMs);
      else if (this.#hasLasted(key, finding.ticks)) {
        const others = ready.get(finding.kind);
        if (others === undefined) ready.set(finding.kind, [[key, finding]]);
        else others.push([key, finding]);
      }
    }
    this.#forgetPending();
    for (const [kind, found] of ready) this.#begin(kind, found, nowMs, tell);
    this.#pass(nowMs, tell);
  }

  /** It is as it should be: it has ended, and is told again only where there is twice as much of it. */
  accept(anomaly: Anomaly, nowMs: number, tell: AnomalyListener): void {
    const keys = anomaly.members.size === 0 ? [anomaly.key] : [anomaly.key, ...anomaly.members];
    for (const key of keys.slice(0, DEFAULTS.anomaliesAcceptedMax)) {
      this.accepted.delete(key);
      this.accepted.set(key, anomaly.figure);
      const [oldest] = this.accepted.keys();
      if (this.accepted.size > DEFAULTS.anomaliesAcceptedMax && oldest !== undefined) this.accepted.delete(oldest);
    }
    this.#end(anomaly, nowMs, tell);
  }

  clear(): void {
    this.active.clear();
    this.ended.length = 0;
    this.accepted.clear();
    this.#pending.clear();
  }

  #isAccepted(key: string, figure: number): boolean {
    const accepted = this.accepted.get(key);
    return accepted !== undefined && figure <= 2 * accepted;
  }

  #hasLasted(key: string, ticks: number): boolean {
    if (ticks <= 1) return true;
    const pending = this.#pending.get(key) ?? { ticks: 0, seen: true };
    pending.ticks++;
    pending.seen = true;
    this.#pending.set(key, pending);
    return pending.ticks >= ticks;
  }

  #forgetPending(): void {
    for (const [key, pending] of this.#pending) {
      if (pending.seen) pending.seen = false;
      else this.#pending.delete(key);
    }
  }

  #begin(kind: AnomalyKind, found: readonly [string, Finding][], nowMs: number, tell: AnomalyListener): void {
    const own: [string, Finding][] = [];
    for (const pair of found) {
      const [key, finding] = pair;
      const wider = finding.within.map((one) => this.active.get(one)).find((one) => one !== undefined);
      const other = wider ?? this.#sameCause(key, finding, nowMs);
      if (other === null) own.push(pair);
      else this.#join(other, key, finding, nowMs);
    }
    let many = 0;
    for (const anomaly of this.active.values()) if (anomaly.kind === kind) many++;
    const isMany = own.length > DEFAULTS.anomaliesAtOnceMax || many + own.length > DEFAULTS.anomaliesOfKindMax;
    const [first] = own;
    if (!isMany || first === undefined) {
      for (const [key, finding] of own) {
        const other = this.#sameCause(key, finding, nowMs);
        if (other === null) tell(this.#open(key, finding, nowMs));
        else this.#join(other, key, finding, nowMs);
      }
      return;
    }
    const wide = this.#open(wideKey(kind), { ...first[1], subject: subjectOf({}) }, nowMs);
    for (const [key, finding] of own) this.#join(wide, key, finding, nowMs);
    tell(wide);
  }

  /** What fails or is slow at one operation soon after another has one cause, which is told: the service. Null for none such. */
  #sameCause(key: string, { kind, subject }: Finding, nowMs: number): Anomaly | null {
    const spec: KindSpec = ANOMALY_KINDS[kind];
    if (spec.isOfService !== true || subject.caller !== null) return null;
    for (const anomaly of this.active.values()) {
      if (anomaly.kind !== kind || anomaly.subject.caller !== null) continue;
      if (anomaly.members.has(key) || nowMs - anomaly.sinceMs <= DEFAULTS.anomalyTogetherMs) return anomaly;
    }
    return null;
  }

  #open(key: string, finding: Finding, nowMs: number): Anomaly {
    this.#count++;
    const { kind, subject, figure, seen, expected, examples } = finding;
    const anomaly: Anomaly = {
      id: `${kind}-${Math.floor(nowMs / 1000).toString(36)}-${this.#count}`,
      key,
      kind,
      subject,
      sinceMs: nowMs,
      lastMs: nowMs,
      toldMs: nowMs,
      state: "begun",
      figure,
      seen,
      expected,
      examples: [...examples],
      members: new Set(),
    };
    this.begun[kind]++;
    this.active.set(key, anomaly);
    return anomaly;
  }

  #refresh(anomaly: Anomaly, { figure, seen, expected, examples }: Finding, nowMs: number): void {
    anomaly.lastMs = nowMs;
    // The worst of it is what an end has to tell.
    if (figure < anomaly.figure) return;
    anomaly.figure = figure;
    anomaly.seen = seen;
    anomaly.expected = expected;
    anomaly.examples = [...examples];
  }

  #join(wider: Anomaly, key: string, finding: Finding, nowMs: number): void {
    wider.lastMs = nowMs;
    const isOfItsKind = wider.kind === finding.kind;
    if (!isOfItsKind || wider.members.size >= DEFAULTS.anomalyMembersMax || wider.members.has(key)) return;
    wider.members.add(key);
    if (wider.examples.length < DEFAULTS.anomalyExamplesMax) {
      wider.examples = [...wider.examples, ...finding.examples].slice(0, DEFAULTS.anomalyExamplesMax);
    }
  }

  /** What goes on is told now and then; what was not seen for its time has ended. */
  #pass(nowMs: number, tell: AnomalyListener): void {
    for (const anomaly of this.active.values()) {
      if (nowMs - anomaly.lastMs >= ANOMALY_KINDS[anomaly.kind].quietMs) this.#end(anomaly, nowMs, tell);
      else if (nowMs - anomaly.toldMs >= DEFAULTS.anomalyOngoingMs) {
        anomaly.state = "ongoing";
        anomaly.toldMs = nowMs;
        tell(anomaly);
      }
    }
  }

  #end(anomaly: Anomaly, nowMs: number, tell: AnomalyListener): void {
    this.active.delete(anomaly.key);
    anomaly.state = "ended";
    anomaly.toldMs = nowMs;
    this.ended.push(anomaly);
    if (this.ended.length > DEFAULTS.anomaliesEndedMax) this.ended.shift();
    tell(anomaly);
  }
}

function zeroes(): Record<AnomalyKind, number> {
  const counts: Partial<Record<AnomalyKind, number>> = {};
  for (const kind of KINDS) counts[kind] = 0;
  return counts as Record<AnomalyKind, number>;
}
