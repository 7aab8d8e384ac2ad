import { type CheckName, CONTINUE, Denial, type Verdict } from "../decision/verdict.ts";
import { Charge } from "../memory/account.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import { clientOf } from "../message/address.ts";
import type { BodyFailure, BodySink } from "../message/body.ts";
import type { BodyWatch, PlacedWatch } from "../message/body-watch.ts";
import { ByteHold } from "../message/byte-hold.ts";
import type { Exchange } from "../message/exchange.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { faultDenial } from "./noted-judgement.ts";

/** The request whose body is watched. */
export interface WatchedSubject {
  readonly exchange: Exchange;
  deny(denial: Denial): void;
}

/**
 * Stands before the service while somebody watches a body that streams. What may go on goes on at once; the rest stays
 * here until it has been judged, for a service that makes do with half a body must not get what is refused. The memory of
 * that counts as held for the client. Where the watch refuses, nothing goes on any more, and the service sees a request
 * that never ends well.
 */
export class WatchedBody implements BodySink {
  readonly #sink: BodySink;
  readonly #subject: WatchedSubject;
  readonly #check: CheckName;
  readonly #watch: BodyWatch;
  readonly #isEnforced: boolean;
  readonly #hold = new ByteHold();
  /** What came while the watch was at work. */
  readonly #waiting = new ByteHold();
  readonly #charge: Charge;
  /** It has had its say, and the rest passes. */
  #isOver = false;
  #refused = false;
  /** The watch is at work, and will say so when it has done. */
  #isBusy = false;
  #isStopped = false;
  /** The body was over before the watch had done; null before. */
  #ended: { readonly trailers: HeaderBlock | null } | null = null;

  constructor(sink: BodySink, { check, watch, isEnforced }: PlacedWatch, subject: WatchedSubject, memory: Memory) {
    this.#sink = sink;
    this.#subject = subject;
    this.#check = check;
    this.#watch = watch;
    this.#isEnforced = isEnforced;
    this.#charge = new Charge(memory.bodies, clientOf(subject.exchange.clientAddress));
  }

  onBody(chunk: Buffer): boolean {
    if (this.#refused) return true;
    if (this.#isBusy) {
      this.#waiting.add(chunk);
      return this.#keepOrFail(false);
    }
    if (this.#isOver) return this.#sink.onBody(chunk);
    const staying = this.#attempt(() => this.#watch.scan(chunk));
    if (!(staying instanceof Promise)) return this.#take(chunk, staying);
    this.#isBusy = true;
    void staying.catch(faultDenial).then((late) => this.#goOn(chunk, late));
    return false;
  }

  /** What the watch says of a piece is known. */
  #take(chunk: Buffer, staying: number | Denial): boolean {
    if (staying instanceof Denial) return this.#settle(staying) ? true : this.#sink.onBody(chunk);
    if (!this.#isEnforced || (staying === 0 && this.#hold.bytes === 0)) return this.#sink.onBody(chunk);
    return this.#keepOrFail(this.#pass(chunk, staying));
  }

  #keepOrFail(wantsMore: boolean): boolean {
    if (this.#keep()) return wantsMore;
    this.#refused = true;
    this.stop();
    this.#sink.onBodyFailure("memory_bodies");
    return true;
  }

  /** The watch has done; what came meanwhile follows, and then its source may go on. */
  #goOn(chunk: Buffer, staying: number | Denial): void {
    if (this.#isStopped) return;
    // A sink that takes it may have more come at once, which belongs behind what waits.
    let wantsMore = this.#take(chunk, staying);
    this.#isBusy = false;
    const next = this.#refused ? null : this.#waiting.take();
    if (next !== null) wantsMore = this.onBody(next);
    if (this.#refused || this.#isBusy) return;
    if (this.#ended !== null) this.onBodyEnd(this.#ended.trailers);
    else if (wantsMore) this.#subject.exchange.body.resume();
  }

  /** Lets out all that came but for the last `staying` bytes. */
  #pass(chunk: Buffer, staying: number): boolean {
    if (this.#hold.bytes + chunk.length <= staying) {
      this.#hold.add(chunk);
      return true;
    }
    const held = this.#hold.take();
    if (staying <= chunk.length) {
      const wantsMore = held === null ? true : this.#sink.onBody(held);
      const at = chunk.length - staying;
      if (staying > 0) this.#hold.add(chunk.subarray(at));
      return at === 0 ? wantsMore : this.#sink.onBody(chunk.subarray(0, at));
    }
    const all = held === null ? chunk : Buffer.concat([held, chunk]);
    const at = all.length - staying;
    this.#hold.add(all.subarray(at));
    return this.#sink.onBody(all.subarray(0, at));
  }

  /** False where there is no room for what stays. Most of it is small, and costs nothing. */
  #keep(): boolean {
    this.#hold.keep();
    this.#waiting.keep();
    const bytes = this.#hold.keptBytes + this.#waiting.keptBytes + this.#watch.ownBytes;
    if (bytes >= DEFAULTS.keptBytesMin) return this.#charge.hold(bytes);
    this.#charge.release();
    return true;
  }

  onBodyEnd(trailers: HeaderBlock | null): void {
    if (this.#refused) return;
    this.#ended = { trailers };
    if (this.#isBusy) return;
    const verdict = this.#isOver ? CONTINUE : this.#attempt(() => this.#watch.end());
    if (!(verdict instanceof Promise)) {
      this.#finish(verdict, trailers);
      return;
    }
    this.#isBusy = true;
    void verdict.catch(faultDenial).then((late) => {
      if (!this.#isStopped) this.#finish(late, trailers);
    });
  }

  #finish(verdict: Verdict, trailers: HeaderBlock | null): void {
    if (verdict !== CONTINUE && this.#settle(verdict)) return;
    const held = this.#hold.take();
    this.stop();
    if (held !== null) this.#sink.onBody(held);
    this.#sink.onBodyEnd(trailers);
  }

  onBodyFailure(failure: BodyFailure): void {
    this.stop();
    if (!this.#refused) this.#sink.onBodyFailure(failure);
  }

  /** Nothing of it goes anywhere any more. */
  stop(): void {
    this.#isStopped = true;
    this.#hold.clear();
    this.#waiting.clear();
    this.#charge.release();
  }

  /** True where it ends the request. */
  #settle(denial: Denial): boolean {
    this.#isOver = true;
    if (!this.#isEnforced && !denial.terminal) {
      this.#subject.exchange.audit(denial, this.#check);
      return false;
    }
    this.#refused = true;
    this.stop();
    this.#subject.deny(denial);
    return true;
  }

  /** A fault in a check is a denial, never a way through. */
  #attempt<T>(work: () => T): T | Denial {
    try {
      return work();
    } catch (error) {
      return faultDenial(error);
    }
  }
}

type Memory = Pick<MemoryBudget, "bodies">;
