import type { Exchange } from "../../message/exchange.ts";
import type { AnswerFacts, Taken } from "../../message/taken.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { callerOf } from "./caller.ts";
import { type CallerLine, FairQueue } from "./fair-queue.ts";
import { Gradient, type GradientRules } from "./gradient.ts";
import { lookOf } from "./service-look.ts";
import type { Stay, StayEnd, WaitingRoom } from "./waiting-room.ts";

/** What the policy says of a limit's places. A newer policy may say something else of places that are taken. */
export interface SlotRules {
  /** How many requests of one key may be under way; of an adaptive limit the most there may ever be. */
  readonly max: number;
  readonly queue: QueueRules | null;
  /** Null where `max` is always what may be. */
  readonly adaptive: GradientRules | null;
}

export interface QueueRules {
  /** How many requests of one key may wait. */
  readonly lengthMax: number;
  readonly timeoutMs: number;
}

/** Why a request that was to wait gets no place. */
export type Refused = Exclude<StayEnd, "turn"> | "crowded";

/** One key's places. Known as long as somebody has one or waits for one; with a gradient, longer. */
interface Site {
  readonly key: string;
  inFlight: number;
  /** Of the policy that was asked last. */
  max: number;
  /** Who has a place, by whom; null where no policy lets requests wait, so that callers need not be told apart. */
  first: Place | null;
  hasQueue: boolean;
  /** Since somebody had to wait, until there is plenty of room again: what is free costs nothing to share out. */
  queue: FairQueue<Stay> | null;
  gradient: Gradient | null;
}

/** A place that one request has: given back once, when the request is over or another limit refuses it. */
class Place implements Taken {
  readonly exchange: Exchange;
  readonly #slots: Slots;
  readonly #site: Site;
  #isHeld = true;
  /** Others of the site. */
  before: Place | null = null;
  after: Place | null = null;
  /** Where its caller is known to have it; null while nobody waits. */
  queue: FairQueue<Stay> | null = null;
  line: CallerLine<Stay> | null = null;

  constructor(slots: Slots, site: Site, exchange: Exchange) {
    this.#slots = slots;
    this.#site = site;
    this.exchange = exchange;
  }

  giveBack(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#slots.release(this.#site, this);
  }

  onEnd(facts: AnswerFacts): void {
    const { gradient, inFlight } = this.#site;
    if (gradient !== null) gradient.saw(lookOf(this.exchange, facts), inFlight);
    this.giveBack();
  }
}

/**
 * How many requests are under way, by key: exact, and in memory alone, for it is nothing that could be remembered. An entry
 * stands for requests that are here, so there are never more entries than those.
 */
export class Slots {
  readonly #sites = new Map<string, Site>();
  readonly #room: WaitingRoom;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** Requests that have a place, and those that wait for one. */
  inFlight = 0;
  waiting = 0;

  constructor(room: WaitingRoom, clock: Clock, random: () => number) {
    this.#room = room;
    this.#clock = clock;
    this.#random = random;
  }

  /** How many keys are known. */
  get keys(): number {
    return this.#sites.size;
  }

  inFlightOf(key: string): number {
    return this.#sites.get(key)?.inFlight ?? 0;
  }

  waitingOf(key: string): number {
    return this.#sites.get(key)?.queue?.size ?? 0;
  }

  /** How many may be under way, by the rules and by what the service has been seen to manage. */
  maxOf(key: string, { max }: SlotRules): number {
    const gradient = this.#sites.get(key)?.gradient ?? null;
    return gradient === null ? max : Math.min(max, gradient.limit);
  }

  /** What is known of each key that adapts; other limits have none. */
  *adapted(): Iterable<number> {
    for (const site of this.#sites.values()) if (site.gradient !== null) yield mostOf(site);
  }

  /** Takes a place where one is free and nobody waits for it: how many are left then. -1 where not, and nothing has changed. */
  take(key: string, rules: SlotRules, exchange: Exchange): number {
    const site = this.#open(key, rules);
    const left = mostOf(site) - site.inFlight - 1;
    if (left < 0 || (site.queue !== null && site.queue.size > 0)) {
      this.#close(site);
      return -1;
    }
    this.#give(site, exchange);
    return left;
  }

  /** Null once the request has a place, or why it has none. */
  wait(key: string, rules: SlotRules, exchange: Exchange): Promise<Refused | null> {
    const site = this.#open(key, rules);
    const { lengthMax, timeoutMs } = rules.queue ?? { lengthMax: 0, timeoutMs: 0 };
    return new Promise((resolve) => {
      const queue = this.#queueOf(site);
      const stay = this.#room.enter(exchange, callerOf(exchange), 1, timeoutMs, (how) => {
        this.waiting--;
        // From this moment on the place is in the request's hands, which gives it back however it ends.
        if (how === "turn") this.#give(site, exchange);
        else if (stay?.turn) queue.remove(stay.turn);
        this.#close(site);
        resolve(how === "turn" ? null : how);
      });
      if (stay === null) {
        this.#close(site);
        resolve("crowded");
        return;
      }
      this.waiting++;
      const pushed = queue.push(stay, lengthMax);
      if (pushed === null) {
        stay.end("displaced");
        return;
      }
      stay.turn = pushed.turn;
      pushed.out?.end("displaced");
      this.#serve(site);
    });
  }

  /** By `Place` alone. */
  release(site: Site, place: Place): void {
    site.inFlight--;
    this.inFlight--;
    if (site.hasQueue) unlink(site, place);
    const { queue } = site;
    if (queue !== null) {
      if (place.queue === queue && place.line !== null) queue.leave(place.line);
      if (queue.size > 0) this.#serve(site);
      else if (site.inFlight * 2 < site.max) site.queue = null;
    }
    this.#close(site);
  }

  #open(key: string, { max, queue, adaptive }: SlotRules): Site {
    let site = this.#sites.get(key);
    if (site === undefined) {
      site = { key, inFlight: 0, max, first: null, hasQueue: false, queue: null, gradient: null };
      this.#sites.set(key, site);
    }
    site.max = max;
    // Places that were given before a policy had a queue stand for nobody in it, and are soon over.
    if (queue !== null) site.hasQueue = true;
    if (adaptive === null) site.gradient = null;
    else if (site.gradient === null) site.gradient = new Gradient(adaptive, this.#clock, this.#random);
    else site.gradient.rules = adaptive;
    return site;
  }

  #close(site: Site): void {
    if (site.inFlight > 0 || (site.queue !== null && site.queue.size > 0)) return;
    if (site.gradient !== null && this.#sites.size <= DEFAULTS.adaptiveKeysMax) return;
    this.#sites.delete(site.key);
  }

  #give(site: Site, exchange: Exchange): void {
    site.inFlight++;
    this.inFlight++;
    const place = new Place(this, site, exchange);
    if (site.hasQueue) link(site, place);
    exchange.take(place);
  }

  /** The queue, which knows what each caller has; where nobody has waited of late, that is counted now. */
  #queueOf(site: Site): FairQueue<Stay> {
    if (site.queue !== null) return site.queue;
    const queue = new FairQueue<Stay>();
    site.queue = queue;
    for (let place = site.first; place !== null; place = place.after) enter(queue, place);
    return queue;
  }

  /** Gives the places that are free to those who wait. */
  #serve(site: Site): void {
    const { queue } = site;
    if (queue === null) return;
    while (site.inFlight < mostOf(site)) {
      const stay = queue.peek();
      if (stay === null || stay.turn === null || !queue.serve(stay.turn)) return;
      stay.end("turn");
    }
  }
}

function mostOf({ max, gradient }: Site): number {
  return gradient === null ? max : Math.min(max, gradient.limit);
}

function link(site: Site, place: Place): void {
  place.after = site.first;
  if (site.first !== null) site.first.before = place;
  site.first = place;
  if (site.queue !== null) enter(site.queue, place);
}

/** Of one that never was linked, nothing happens. */
function unlink(site: Site, place: Place): void {
  if (place.before !== null) place.before.after = place.after;
  else if (site.first === place) site.first = place.after;
  if (place.after !== null) place.after.before = place.before;
}

function enter(queue: FairQueue<Stay>, place: Place): void {
  place.queue = queue;
  place.line = queue.enter(callerOf(place.exchange));
}
