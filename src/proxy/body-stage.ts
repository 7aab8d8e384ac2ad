import { CONTINUE, Denial } from "../decision/verdict.ts";
import type { ResponseCheck, StreamRule, WholeRule } from "../filters/response-check.ts";
import type { Charge } from "../memory/account.ts";
import { GrowingBytes } from "../message/growing-bytes.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { DEFAULTS } from "../support/defaults.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** One rule on the way of one answer's body. What is not enforced sees all of it, and all of it passes as it came. */
export abstract class BodyStage {
  /** The body may leave with other bytes. */
  readonly changes: boolean;
  protected readonly charge: Charge;
  protected readonly check: ResponseCheck;
  protected readonly isEnforced: boolean;
  /** It has had its say, and the rest passes. */
  protected isOver = false;
  readonly #rule: StreamRule | WholeRule;
  readonly #note: (denial: Denial) => void;

  /** `note` takes a denial that is not enforced. */
  constructor(
    rule: StreamRule | WholeRule,
    check: ResponseCheck,
    isEnforced: boolean,
    charge: Charge,
    note: (denial: Denial) => void,
  ) {
    this.changes = rule.changes && isEnforced;
    this.check = check;
    this.isEnforced = isEnforced;
    this.charge = charge;
    this.#rule = rule;
    this.#note = note;
  }

  /** Nothing may reach the client before the rule has seen the rest. */
  abstract readonly isWaiting: boolean;

  /** What of the piece, and of what was held back before it, goes on. */
  take(piece: Buffer): Buffer | Denial {
    return this.isOver ? piece : this.#settle(this.seen(piece), piece);
  }

  /** What was held back. */
  end(): Buffer | Denial {
    const wasOver = this.isOver;
    const settled = wasOver ? NOTHING : this.#settle(this.seenAll(), NOTHING);
    const noted = this.isEnforced || wasOver ? null : (this.#rule.noted?.() ?? null);
    if (noted !== null) this.#note(noted);
    return settled;
  }

  trailers(trailers: HeaderBlock): HeaderBlock | Denial {
    const judged = this.#rule.judgeTrailers?.(trailers) ?? trailers;
    if (this.isEnforced) return judged;
    if (judged instanceof Denial) this.#note(judged);
    return trailers;
  }

  stop(): void {
    this.charge.release();
  }

  #settle(judged: Buffer | Denial, asItCame: Buffer): Buffer | Denial {
    if (this.isEnforced) return judged;
    if (judged instanceof Denial) {
      this.isOver = true;
      this.#note(judged);
    }
    return asItCame;
  }

  protected noRoom(bytes: number): Denial {
    return new Denial("memory_bodies", this.check.place, `${bytes} bytes of an answer to hold`, "room for them");
  }

  protected abstract seen(piece: Buffer): Buffer | Denial;
  protected abstract seenAll(): Buffer | Denial;
}

/** A rule that sees the body as it streams. */
export class StreamStage extends BodyStage {
  readonly isWaiting = false;
  readonly #stream: StreamRule;
  #begun = false;

  constructor(rule: StreamRule, ...rest: Rest) {
    super(rule, ...rest);
    this.#stream = rule;
  }

  protected override seen(piece: Buffer): Buffer | Denial {
    if (this.#begun) return this.#stream.take(piece);
    this.#begun = true;
    const bytes = this.#stream.heldBytesMax;
    if (bytes >= DEFAULTS.keptBytesMin && !this.charge.hold(bytes)) return this.noRoom(bytes);
    return this.#stream.take(piece);
  }

  protected override seenAll(): Buffer | Denial {
    return this.#stream.end();
  }
}

/** A rule that sees the body whole; until then nothing of it goes on. */
export class WholeStage extends BodyStage {
  readonly #whole: WholeRule;
  readonly #bytes: GrowingBytes;

  constructor(rule: WholeRule, ...rest: Rest) {
    super(rule, ...rest);
    this.#whole = rule;
    this.#bytes = new GrowingBytes(rule.bytesMax, this.charge);
  }

  get isWaiting(): boolean {
    return this.isEnforced && !this.isOver;
  }

  protected override seen(piece: Buffer): Buffer | Denial {
    const bytes = this.#bytes.length + piece.length;
    if (bytes > this.#whole.bytesMax) return this.#onTooLong(piece);
    return this.#bytes.add(piece) ? NOTHING : this.noRoom(bytes);
  }

  #onTooLong(piece: Buffer): Buffer | Denial {
    this.isOver = true;
    const held = this.#bytes.take();
    this.charge.release();
    const verdict = this.#whole.judgeTooLong();
    return verdict === CONTINUE ? Buffer.concat([held, piece]) : verdict;
  }

  protected override seenAll(): Buffer | Denial {
    this.isOver = true;
    return this.#whole.judge(this.#bytes.take());
  }
}

type Rest = [check: ResponseCheck, isEnforced: boolean, charge: Charge, note: (denial: Denial) => void];
