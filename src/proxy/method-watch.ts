import { methodScannerOf } from "../bodies/method-body.ts";
import type { MethodScanner } from "../bodies/method-scanner.ts";
import { CONTINUE, type Denial } from "../decision/verdict.ts";
import type { BodyFailure, BodySink } from "../message/body.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { judgeMethods, type MethodSubject } from "./method-override.ts";

/** Where the body of `subject` goes: to `sink` itself, or through a watch before it. */
export function watchMethods(subject: MethodSubject & { deny(denial: Denial): void }, sink: BodySink): BodySink {
  if (subject.methodBody === null) return sink;
  return new MethodWatch(sink, subject, (denial) => subject.deny(denial));
}

/**
 * Stands before the service while a body streams that may name another method. The value that names one stays here until
 * it is whole and judged: a service that makes do with half a body must not get it either. What is kept meanwhile is as
 * long as a value may be, and where a name is cut by two reads, the rest of the second.
 */
class MethodWatch implements BodySink {
  readonly #sink: BodySink;
  readonly #subject: MethodSubject;
  readonly #refuse: (denial: Denial) => void;
  readonly #scanner: MethodScanner | null;
  readonly #found: string[] = [];
  #held: Buffer | null = null;
  #refused = false;

  /** `refuse` is called once at most, and nothing goes on to `sink` from then on. */
  constructor(sink: BodySink, subject: MethodSubject, refuse: (denial: Denial) => void) {
    this.#sink = sink;
    this.#subject = subject;
    this.#refuse = refuse;
    const { methodBody, route, exchange } = subject;
    const parameters = route?.methodParameters ?? null;
    const isWatched = methodBody !== null && parameters !== null;
    this.#scanner = isWatched ? methodScannerOf(methodBody, parameters, exchange.body.announcedBytes) : null;
  }

  onBody(chunk: Buffer): boolean {
    if (this.#refused) return true;
    const safe = this.#scanner?.scan(chunk, this.#found) ?? chunk.length;
    if (this.#isRefused()) return true;
    if (safe === chunk.length && this.#held === null) return this.#sink.onBody(chunk);
    let wantsMore = true;
    if (safe > 0 && this.#held !== null) wantsMore = this.#release(this.#held);
    if (safe > 0) wantsMore = this.#sink.onBody(chunk.subarray(0, safe));
    if (safe < chunk.length) this.#hold(chunk.subarray(safe));
    return wantsMore;
  }

  #release(held: Buffer): boolean {
    this.#held = null;
    return this.#sink.onBody(held);
  }

  /** A copy: what is held would keep its whole read. */
  #hold(bytes: Buffer): void {
    this.#held = Buffer.concat(this.#held === null ? [bytes] : [this.#held, bytes]);
  }

  onBodyEnd(trailers: HeaderBlock | null): void {
    if (this.#refused) return;
    this.#scanner?.end(this.#found);
    if (this.#isRefused()) return;
    if (this.#held !== null) this.#release(this.#held);
    this.#sink.onBodyEnd(trailers);
  }

  onBodyFailure(reason: BodyFailure): void {
    this.#held = null;
    this.#sink.onBodyFailure(reason);
  }

  #isRefused(): boolean {
    if (this.#found.length === 0) return false;
    const verdict = judgeMethods(this.#subject, this.#found.splice(0), "body");
    if (verdict === CONTINUE) return false;
    this.#refused = true;
    this.#held = null;
    this.#refuse(verdict);
    return true;
  }
}
