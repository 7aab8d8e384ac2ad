import type { QuotaWindows, StoreCounter } from "./ask.ts";

interface Listed {
  /** From 1, as Lua counts. */
  readonly number: string;
  /** Null for what has no windows. */
  readonly windows: QuotaWindows | null;
}

/** What the script is told beside the keys: the limits of one call, each once, and what is wanted of each key. */
export class ScriptArguments {
  readonly #listed = new Map<StoreCounter, Listed>();
  readonly #limits: string[] = [];
  readonly #wants: string[] = [];
  readonly #storeMs: number;
  /** Of the run that the last key belongs to. */
  #runLimit: StoreCounter | null = null;
  #runCost = 0;
  #runKeys = 0;
  /** All that is asked is rates without leases, each by itself. */
  readonly isPlain: boolean;

  /** `storeMs`: what the store's clock is thought to show, Unix milliseconds. */
  constructor(storeMs: number, isPlain: boolean) {
    this.#storeMs = storeMs;
    this.isPlain = isPlain;
  }

  /** The next keys are decided together. */
  group(keys: number): void {
    this.#wants.push("g", String(keys));
  }

  /** One more key of a rate, where all are. */
  alone(counter: StoreCounter, cost: number): void {
    if (this.#runLimit !== counter || this.#runCost !== cost) this.#endRun();
    this.#runLimit = counter;
    this.#runCost = cost;
    this.#runKeys++;
  }

  /** `more`: what a lease would like to have, or the member that is asked for. */
  take(counter: StoreCounter, cost: number, more: string | null): QuotaWindows | null {
    const { number, windows } = this.#of(counter);
    if (counter.terms.kind === "distinct") this.#wants.push(number, more ?? "");
    else if (more === null) this.#wants.push(number, String(cost));
    else this.#wants.push(number, String(cost), more);
    return windows;
  }

  giveBack(counter: StoreCounter, units: number, mark: number, member: string | null): void {
    const { number } = this.#of(counter);
    if (member === null) this.#wants.push("b", number, String(units), String(mark));
    else this.#wants.push("x", number, member, String(mark));
  }

  /** What is used of a quota; with `isReset` none of it from then on. */
  look(counter: StoreCounter, isReset: boolean): void {
    this.#wants.push(isReset ? "z" : "p", this.#of(counter).number);
  }

  get argv(): readonly string[] {
    if (!this.isPlain) return [String(this.#listed.size), ...this.#limits, ...this.#wants];
    this.#endRun();
    return ["n", ...this.#wants];
  }

  #endRun(): void {
    const terms = this.#runLimit?.terms;
    if (terms?.kind === "rate") {
      const { intervalUs, toleranceUs } = terms;
      this.#wants.push(String(this.#runKeys), String(intervalUs), String(toleranceUs), String(this.#runCost));
    }
    this.#runKeys = 0;
  }

  #of(counter: StoreCounter): Listed {
    const known = this.#listed.get(counter);
    if (known !== undefined) return known;
    const { terms, lease } = counter;
    let windows: QuotaWindows | null = null;
    if (terms.kind === "rate") {
      this.#limits.push(lease > 0 ? "R" : "r", String(terms.intervalUs), String(terms.toleranceUs));
    } else if (terms.kind === "distinct") {
      this.#limits.push("d", String(terms.limit), String(terms.windowUs));
    } else {
      windows = terms.windowsAt(this.#storeMs);
      const { start, end, next } = windows;
      this.#limits.push(lease > 0 ? "Q" : "q", String(terms.limit), String(start), String(end), String(next));
    }
    const listed = { number: String(this.#listed.size + 1), windows };
    this.#listed.set(counter, listed);
    return listed;
  }
}
