import type { MemoryBudget } from "../../memory/budget.ts";
import type { Clock } from "../../support/clock.ts";
import type { Timers } from "../../support/timers.ts";
import { Slots } from "./slots.ts";
import { Throttle } from "./throttle.ts";
import { WaitingRoom } from "./waiting-room.ts";

export interface PlacesDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 to 1. */
  readonly random: () => number;
  readonly memory: MemoryBudget;
}

/**
 * What all limits of this process have that hold requests or are held by them: it outlives policies, so that a request which
 * began under one gives its place back to the next. Who asks with the same identity gets what is there, as long as a policy
 * in force or a request under way has it.
 */
export class Places {
  readonly #deps: PlacesDeps;
  readonly #room: WaitingRoom;
  readonly #slots = new Shared<Slots>();
  readonly #throttles = new Shared<Throttle>();

  constructor(deps: PlacesDeps) {
    this.#deps = deps;
    this.#room = new WaitingRoom(deps.timers, deps.memory);
  }

  slots(identity: string): Slots {
    const { clock, random } = this.#deps;
    return this.#slots.get(identity, () => new Slots(this.#room, clock, random));
  }

  throttle(identity: string): Throttle {
    return this.#throttles.get(identity, () => new Throttle(this.#room));
  }
}

/** Things by name that nobody else keeps. */
class Shared<T extends object> {
  readonly #known = new Map<string, WeakRef<T>>();
  /** At how many those that are gone are looked for. */
  #sweepAt = 64;

  get(identity: string, make: () => T): T {
    const known = this.#known.get(identity)?.deref();
    if (known !== undefined) return known;
    if (this.#known.size >= this.#sweepAt) this.#sweep();
    const made = make();
    this.#known.set(identity, new WeakRef(made));
    return made;
  }

  #sweep(): void {
    for (const [identity, reference] of this.#known) if (reference.deref() === undefined) this.#known.delete(identity);
    this.#sweepAt = 64 + 2 * this.#known.size;
  }
}
