import { DEFAULTS } from "../support/defaults.ts";
import type { DecisionFacts } from "./decision-facts.ts";
import type { DecisionLine } from "./decision-line.ts";
import type { RecordSubscriber } from "./decision-records.ts";
import type { FinishedRequest } from "./make-facts.ts";

export interface RecentSettings {
  /** Most decisions of each kind, denials and others. */
  readonly keep: number;
  /** Of requests that were not denied one in so many is kept; 0 for none. */
  readonly sampleOneIn: number;
}

/** A decision, and its number among all that were kept. */
export class KeptDecision {
  readonly seq: number;
  readonly id: string;
  readonly #text: string;

  constructor(seq: number, { id, text }: DecisionLine) {
    this.seq = seq;
    this.id = id;
    this.#text = text;
  }

  get facts(): DecisionFacts {
    return JSON.parse(this.#text) as DecisionFacts;
  }
}

/** The last decisions, in memory: every denial and a sample of the rest, so that neither pushes the other out. */
export class RecentDecisions implements RecordSubscriber {
  readonly #sampleOneIn: number;
  readonly #denials: Ring;
  readonly #others: Ring;
  #last = 0;
  #seen = 0;

  constructor({ keep, sampleOneIn }: RecentSettings) {
    this.#sampleOneIn = sampleOneIn;
    this.#denials = new Ring(keep);
    this.#others = new Ring(keep);
  }

  /** Number of the newest. */
  get last(): number {
    return this.#last;
  }

  wants({ reason }: Pick<FinishedRequest, "reason">): boolean {
    if (reason !== null) return true;
    this.#seen++;
    return this.#sampleOneIn > 0 && this.#seen % this.#sampleOneIn === 0;
  }

  note(line: DecisionLine): void {
    this.#last++;
    const ring = line.reason === null ? this.#others : this.#denials;
    ring.push(new KeptDecision(this.#last, line));
  }

  find(id: string): DecisionFacts | null {
    return (this.#denials.find(id) ?? this.#others.find(id))?.facts ?? null;
  }

  /** Those after number `seq`, oldest first; of more than are told at once the newest. */
  after(seq: number, which: "denied" | "all"): readonly KeptDecision[] {
    const denials = this.#denials.after(seq);
    const found = which === "denied" ? denials : [...denials, ...this.#others.after(seq)];
    return found.toSorted((a, b) => a.seq - b.seq).slice(-DEFAULTS.decisionsToldMax);
  }
}

class Ring {
  readonly #room: number;
  readonly #items: KeptDecision[] = [];
  /** Where the oldest stands, and the next goes. */
  #next = 0;

  constructor(room: number) {
    this.#room = room;
  }

  push(item: KeptDecision): void {
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#room;
  }

  find(id: string): KeptDecision | undefined {
    return this.#items.find((item) => item.id === id);
  }

  after(seq: number): KeptDecision[] {
    return this.#items.filter((item) => item.seq > seq);
  }
}
