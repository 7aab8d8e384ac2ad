import { Charge } from "../../memory/account.ts";
import type { MemoryBudget } from "../../memory/budget.ts";
import { clientOf } from "../../message/address.ts";
import type { Exchange } from "../../message/exchange.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Timers } from "../../support/timers.ts";
import type { Caller, Turn, Waiter } from "./fair-queue.ts";

/** Why a request does not wait any longer. */
export type StayEnd =
  | "turn" // it has what it waited for
  | "timeout"
  | "displaced" // another caller has fewer waiting, and there was no room for both
  | "over"; // its client has left

/** A request that waits for a turn of its own. It ends once, however it does. */
export class Stay implements Waiter {
  readonly exchange: Exchange;
  readonly caller: Caller;
  readonly cost: number;
  /** Set by whoever has it in a queue. */
  turn: Turn<this> | null = null;
  readonly #onEnd: (how: StayEnd) => void;
  readonly #leave: () => void;
  #cancel: () => void = () => {};
  #forget: () => void = () => {};
  #isOver = false;

  constructor(exchange: Exchange, caller: Caller, cost: number, leave: () => void, onEnd: (how: StayEnd) => void) {
    this.exchange = exchange;
    this.caller = caller;
    this.cost = cost;
    this.#leave = leave;
    this.#onEnd = onEnd;
  }

  begin(timers: Timers, timeoutMs: number): void {
    this.#forget = this.exchange.whenOver(() => this.end("over"));
    this.#cancel = timers.after(timeoutMs, () => this.end("timeout"));
  }

  end(how: StayEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel();
    this.#forget();
    this.#leave();
    this.#onEnd(how);
  }
}

/**
 * Where requests wait for places and turns, of all limits: bounded in number, and by the account of memory that counts what
 * is kept of requests which are not passed on yet.
 */
export class WaitingRoom {
  readonly #timers: Timers;
  readonly #memory: MemoryBudget;
  #count = 0;

  constructor(timers: Timers, memory: MemoryBudget) {
    this.#timers = timers;
    this.#memory = memory;
  }

  get count(): number {
    return this.#count;
  }

  /** For whoever waits for more than one request's deadline. */
  after(delayMs: number, run: () => void): () => void {
    return this.#timers.after(delayMs, run);
  }

  /** Null where there is no room for one more. `onEnd` is called once, and not before this returns. */
  enter(
    exchange: Exchange,
    caller: Caller,
    cost: number,
    timeoutMs: number,
    onEnd: (how: StayEnd) => void,
  ): Stay | null {
    if (this.#count >= DEFAULTS.limitWaitingMax || exchange.isOver) return null;
    const charge = new Charge(this.#memory.bodies, clientOf(exchange.clientAddress));
    if (!charge.hold(bytesOf(exchange))) return null;
    this.#count++;
    const leave = (): void => {
      this.#count--;
      charge.release();
    };
    const stay = new Stay(exchange, caller, cost, leave, onEnd);
    stay.begin(this.#timers, timeoutMs);
    return stay;
  }
}

/** What a request's head takes beside what its connection or stream is counted with. */
function bytesOf({ headers, receivedTarget }: Exchange): number {
  let characters = receivedTarget.length;
  for (const name of headers.names) characters += name.length;
  for (const value of headers.values) characters += value.length;
  return DEFAULTS.memoryWaitingRequestBytes + 2 * characters;
}
