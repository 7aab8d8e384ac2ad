import { Charge, type Client } from "../memory/account.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import { DEFAULTS } from "../support/defaults.ts";

/** The budget, and who holds of it. */
export interface MemoryOf {
  readonly budget: Pick<MemoryBudget, "bodies" | "streams">;
  readonly client: Client;
}

/** What one HTTP/2 connection holds beyond its rest: streams, by blocks so that a request costs a comparison alone. */
export class SessionMemory {
  readonly #of: MemoryOf;
  readonly #streams: Charge;
  #streamsPaid: number = DEFAULTS.h2StreamsFree;

  constructor(of: MemoryOf) {
    this.#of = of;
    this.#streams = new Charge(of.budget.streams, of.client);
  }

  /** For the bytes of one stream's body that nobody reads yet. */
  body(): Charge {
    return new Charge(this.#of.budget.bodies, this.#of.client);
  }

  /** Whether there is room for one more stream than `open`. */
  admitStream(open: number): boolean {
    return open < this.#streamsPaid || this.#pay();
  }

  #pay(): boolean {
    const paid = this.#streamsPaid + DEFAULTS.h2StreamsBlock;
    if (!this.#streams.hold((paid - DEFAULTS.h2StreamsFree) * DEFAULTS.memoryStreamBytes)) return false;
    this.#streamsPaid = paid;
    return true;
  }

  /** No stream is open. */
  release(): void {
    if (this.#streamsPaid === DEFAULTS.h2StreamsFree) return;
    this.#streamsPaid = DEFAULTS.h2StreamsFree;
    this.#streams.release();
  }
}
