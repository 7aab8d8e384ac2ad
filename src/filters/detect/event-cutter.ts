import { Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { HeaderBlock } from "../../message/headers.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { StreamRule } from "../response-check.ts";

const NOTHING: Buffer = Buffer.alloc(0);
const LF = 0x0a;
const CR = 0x0d;

/** An event stream, judged event by event: each goes on once rules have seen it whole, up to the empty line that ends it. */
export class EventCutter implements StreamRule {
  readonly kind = "stream";
  readonly changes = false;
  readonly heldBytesMax: number = DEFAULTS.detectAnswerBytesMax;
  readonly judgeTrailers: (trailers: HeaderBlock) => HeaderBlock | Denial;
  readonly #place: Place;
  readonly #judge: (event: Buffer) => Verdict;
  /** Pieces of the event that has not ended. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes of the line that has not ended. */
  #lineBytes = 0;
  #afterCr = false;

  constructor(
    place: Place,
    judge: (event: Buffer) => Verdict,
    judgeTrailers: (trailers: HeaderBlock) => HeaderBlock | Denial,
  ) {
    this.#place = place;
    this.#judge = judge;
    this.judgeTrailers = judgeTrailers;
  }

  take(piece: Buffer): Buffer | Denial {
    const passed: Buffer[] = [];
    let from = 0;
    for (let at = 0; at < piece.length; at++) {
      if (!this.#endsEvent(piece[at] ?? 0)) continue;
      this.#hold(piece.subarray(from, at + 1));
      from = at + 1;
      const event = Buffer.concat(this.#held);
      const verdict = this.#judge(event);
      if (verdict !== null) return verdict;
      passed.push(event);
      this.#held = [];
      this.#heldBytes = 0;
    }
    this.#hold(piece.subarray(from));
    if (this.#heldBytes > this.heldBytesMax) {
      const most = `at most ${this.heldBytesMax} bytes`;
      return new Denial("response_unreadable", this.#place, "an event with more to search", most);
    }
    return passed.length === 0 ? NOTHING : Buffer.concat(passed);
  }

  end(): Buffer | Denial {
    const rest = Buffer.concat(this.#held);
    return (rest.length === 0 ? null : this.#judge(rest)) ?? rest;
  }

  /** An empty line does; lines end with LF, CR or both. The LF of a CR LF that ends one belongs to what follows. */
  #endsEvent(byte: number): boolean {
    const isLf = byte === LF;
    const isPair = isLf && this.#afterCr;
    this.#afterCr = byte === CR;
    if (isPair) return false;
    if (!isLf && byte !== CR) {
      this.#lineBytes++;
      return false;
    }
    const isEmpty = this.#lineBytes === 0;
    this.#lineBytes = 0;
    return isEmpty;
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    // A copy: the piece is somebody else's once this returns.
    this.#held.push(Buffer.from(bytes));
    this.#heldBytes += bytes.length;
  }
}
