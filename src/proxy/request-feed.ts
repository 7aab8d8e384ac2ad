import type { Denial } from "../decision/verdict.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import type { BodyFailure, BodySink } from "../message/body.ts";
import { ByteHold } from "../message/byte-hold.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { type PacedReading, pacedReading } from "../message/pace.ts";
import type { ClientStream } from "../message/stream.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { MethodSubject } from "./method-override.ts";
import { methodWatchOf } from "./method-watch.ts";
import { WatchedBody } from "./watched-body.ts";

/** Who sends the request whose body it is. */
export interface FeedOwner {
  /** The body has earned a connection to the service: enough of it came, or all. Once at most. */
  onBodyEarned(): void;
  /** Some of it came. */
  onBodyRead(): void;
  onBodyWhole(): void;
  onBodyFailure(failure: BodyFailure): void;
}

/** The request whose body it is. */
export interface FeedSubject extends MethodSubject {
  deny(denial: Denial): void;
}

/**
 * A request's body on its way to the service. Its beginning is kept until the request has earned a connection: those are
 * few, and a hundred clients that announce a body and send it byte by byte would shut everybody else out. What went out
 * of it is kept, too, while it is no more than that, so that a service that has not begun with it can be asked again.
 */
export class RequestFeed implements BodySink {
  readonly #owner: FeedOwner;
  readonly #subject: FeedSubject;
  readonly #memory: Pick<MemoryBudget, "bodies">;
  readonly #hold = new ByteHold();
  #service: ClientStream | null = null;
  #started = false;
  #earned = false;
  /** All that went out is in the hold. */
  #isAtHand = true;
  /** Trailer lines once the body is here whole. */
  #trailers: string | null = null;
  #over = false;
  readonly #watching: WatchedBody[] = [];
  /** Null where it may come as fast as it does. */
  readonly #pacing: PacedReading | null;

  constructor(owner: FeedOwner, subject: FeedSubject, memory: Pick<MemoryBudget, "bodies">) {
    this.#owner = owner;
    this.#subject = subject;
    this.#memory = memory;
    const { exchange } = subject;
    this.#pacing = pacedReading(exchange.paces, "request", () => exchange.body.resume());
  }

  /** Whether it can be sent once more from its beginning. */
  get isAtHand(): boolean {
    return this.#isAtHand;
  }

  /** Reads before there is a connection; `onBodyEarned` tells when to get one. */
  readAhead(): void {
    this.#start();
  }

  /** Sends what is here, and the rest as it comes. `mayRepeat`: a failure may ask for all of it once more. */
  feed(service: ClientStream, mayRepeat: boolean): void {
    this.#service = service;
    this.#earned = true;
    const bytes = this.#hold.take();
    this.#release();
    this.#isAtHand = mayRepeat;
    if (bytes !== null) this.#send(service, bytes);
    if (this.#trailers !== null) service.endBody(this.#trailers);
    else if (!this.#started) this.#start();
  }

  /** The service has not begun with it: another connection is sought, and nothing more is read until there is one. */
  withdraw(): void {
    this.#service = null;
    this.#subject.exchange.body.pause();
  }

  resume(): void {
    if (this.#pacing === null) this.#subject.exchange.body.resume();
    else this.#pacing.onDrain();
  }

  /** The answer begins: nothing will be sent again. */
  forget(): void {
    this.#isAtHand = false;
    this.#hold.clear();
    this.#release();
  }

  /** Nothing of it goes anywhere any more. */
  stop(): void {
    this.#over = true;
    this.#service = null;
    this.#pacing?.stop();
    for (const watched of this.#watching) watched.stop();
    this.#hold.clear();
    this.#release();
  }

  #start(): void {
    this.#started = true;
    const { exchange, route } = this.#subject;
    exchange.body.start(this.#watched(), route?.bodyBytesMax ?? 0);
  }

  /** Who takes the bytes first: whoever watches them, the methods that they may name last. */
  #watched(): BodySink {
    const methods = methodWatchOf(this.#subject);
    const { bodyWatches } = this.#subject.exchange;
    if (methods === null && bodyWatches === null) return this;
    const watches = bodyWatches === null ? [] : [...bodyWatches];
    if (methods !== null && this.#subject.route !== null) {
      const check = { name: "method", place: this.#subject.route.place };
      watches.push({ check, watch: methods, isEnforced: true });
    }
    let sink: BodySink = this;
    for (const watch of watches.reverse()) {
      const watched = new WatchedBody(sink, watch, this.#subject, this.#memory);
      this.#watching.push(watched);
      sink = watched;
    }
    return sink;
  }

  onBody(chunk: Buffer): boolean {
    if (this.#over) return true;
    this.#owner.onBodyRead();
    const flows = this.#pass(chunk);
    if (this.#pacing === null) return flows;
    this.#pacing.add(chunk.length);
    return this.#pacing.mayRead(flows);
  }

  /** True where the rest may come, too. */
  #pass(chunk: Buffer): boolean {
    if (this.#service === null) return this.#await(chunk);
    this.#send(this.#service, chunk);
    return this.#service?.flush() ?? true;
  }

  #await(chunk: Buffer): boolean {
    this.#hold.add(chunk);
    const isEnough = this.#hold.bytes >= DEFAULTS.bodyPreludeBytes;
    if (isEnough) this.#earn();
    if (this.#service !== null || this.#over) return true;
    if (!this.#keep()) this.#owner.onBodyFailure("memory_bodies");
    return !isEnough;
  }

  #earn(): void {
    if (this.#earned) return;
    this.#earned = true;
    this.#owner.onBodyEarned();
  }

  #send(service: ClientStream, chunk: Buffer): void {
    service.writeBody(chunk);
    if (!this.#isAtHand) return;
    this.#hold.add(chunk);
    this.#isAtHand = this.#hold.bytes <= DEFAULTS.bodyPreludeBytes && this.#keep();
    if (this.#isAtHand) return;
    this.#hold.clear();
    this.#release();
  }

  /** Counts what stays here; false where there is no room. Most of them are small, and cost nothing. */
  #keep(): boolean {
    this.#hold.keep();
    const { keptBytes } = this.#hold;
    if (keptBytes < DEFAULTS.keptBytesMin) return true;
    return this.#subject.exchange.chargeTo(this.#memory.bodies).hold(keptBytes);
  }

  #release(): void {
    this.#subject.exchange.charge?.release();
  }

  onBodyEnd(trailers: HeaderBlock | null): void {
    if (this.#over) return;
    this.#owner.onBodyWhole();
    this.#trailers = trailers === null ? "" : (this.#subject.route?.rewriteTrailers.request(trailers) ?? "");
    if (this.#service === null) {
      this.#earn();
      return;
    }
    this.#service.endBody(this.#trailers);
    this.#service?.flush();
  }

  onBodyFailure(failure: BodyFailure): void {
    if (!this.#over) this.#owner.onBodyFailure(failure);
  }
}
