import type { Exchange } from "../../message/exchange.ts";
import { type Caller, FairQueue } from "./fair-queue.ts";
import type { QueueRules, Refused } from "./slots.ts";
import type { Stay, WaitingRoom } from "./waiting-room.ts";

/** One key's requests that came too fast. Known as long as one of them waits. */
interface Lane {
  readonly key: string;
  readonly queue: FairQueue<Stay>;
  /** How each takes what its rate counts: milliseconds until it can, 0 where it has. */
  readonly takes: Map<Stay, () => number>;
  cancel: () => void;
}

/**
 * Delays what comes faster than a rate instead of refusing it. The rate itself says when the next may go; whose turn it is then
 * is the fair queue's to say, so that nothing is promised to a request before its turn and nothing is lost with one that leaves.
 */
export class Throttle {
  readonly #lanes = new Map<string, Lane>();
  readonly #room: WaitingRoom;
  /** Requests that wait. */
  waiting = 0;

  constructor(room: WaitingRoom) {
    this.#room = room;
  }

  /** Others of the key wait: a newcomer must not overtake them. */
  isBusy(key: string): boolean {
    return this.#lanes.has(key);
  }

  waitingOf(key: string): number {
    return this.#lanes.get(key)?.queue.size ?? 0;
  }

  /**
   * Null once `take` has gone through, or why it did not come to that. `take` counts the request where the rate has room, and
   * gives 0; else it changes nothing and gives the milliseconds until the rate has. `waitMs`: what it last gave.
   */
  wait(
    key: string,
    rules: QueueRules,
    exchange: Exchange,
    caller: Caller,
    cost: number,
    waitMs: number,
    take: () => number,
  ): Promise<Refused | null> {
    // Nobody before it could make it quicker.
    if (waitMs > rules.timeoutMs) return Promise.resolve("timeout");
    const lane = this.#lanes.get(key) ?? this.#open(key);
    return new Promise((resolve) => {
      const stay = this.#room.enter(exchange, caller, cost, rules.timeoutMs, (how) => {
        this.waiting--;
        if (stay !== null) {
          lane.takes.delete(stay);
          if (stay.turn !== null) lane.queue.remove(stay.turn);
        }
        this.#close(lane);
        resolve(how === "turn" ? null : how);
      });
      if (stay === null) {
        this.#close(lane);
        resolve("crowded");
        return;
      }
      this.waiting++;
      const pushed = lane.queue.push(stay, rules.lengthMax);
      if (pushed === null) {
        stay.end("displaced");
        return;
      }
      stay.turn = pushed.turn;
      lane.takes.set(stay, take);
      pushed.out?.end("displaced");
      if (lane.queue.size === 1) this.#arm(lane, waitMs);
    });
  }

  #open(key: string): Lane {
    const lane: Lane = { key, queue: new FairQueue(), takes: new Map(), cancel: () => {} };
    this.#lanes.set(key, lane);
    return lane;
  }

  #close(lane: Lane): void {
    if (lane.queue.size > 0) return;
    lane.cancel();
    this.#lanes.delete(lane.key);
  }

  #arm(lane: Lane, waitMs: number): void {
    lane.cancel();
    // A timer may be early by the fraction of a millisecond that it does not know.
    lane.cancel = this.#room.after(Math.ceil(waitMs), () => this.#serve(lane));
  }

  #serve(lane: Lane): void {
    for (;;) {
      const stay = lane.queue.peek();
      if (stay === null || stay.turn === null) return;
      const waitMs = lane.takes.get(stay)?.() ?? 0;
      if (waitMs > 0) {
        this.#arm(lane, waitMs);
        return;
      }
      lane.queue.serve(stay.turn);
      stay.end("turn");
    }
  }
}
