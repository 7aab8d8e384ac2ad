import { type CheckName, CONTINUE, Denial } from "../decision/verdict.ts";
import type { ResponseCheck, StreamRule, WholeRule } from "../filters/response-check.ts";
import type { Charge } from "../memory/account.ts";
import { GrowingBytes } from "../message/growing-bytes.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { DEFAULTS } from "../support/defaults.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** What a stage gives of a body. */
export type Judged = Buffer | Denial;

/** Of the answer that all of its stages are for. */
export interface StageHost {
  /** A new one, for who has to hold bytes. */
  openCharge(): Charge;
  /** Takes a denial that is not enforced. */
  note(denial: Denial, check: CheckName): void;
}

/** One rule on the way of one answer's body. What is not enforced sees all of it, and all of it passes as it came. */
export abstract class BodyStage {
  /** The body may leave with other bytes. */
  readonly changes: boolean;
  protected readonly check: ResponseCheck;
  readonly isEnforced: boolean;
  /** It has had its say, and the rest passes. */
  protected isOver = false;
  readonly #rule: StreamRule | WholeRule;
  readonly #host: StageHost;
  #charge: Charge | null = null;

  constructor(rule: StreamRule | WholeRule, check: ResponseCheck, isEnforced: boolean, host: StageHost) {
    this.changes = rule.changes && isEnforced;
    this.check = check;
    this.isEnforced = isEnforced;
    this.#rule = rule;
    this.#host = host;
  }

  /** Nothing may reach the client before the rule has seen the rest. */
  abstract readonly isWaiting: boolean;

  /** What of the piece, and of what was held back before it, goes on. A promise where it is judged in turns. */
  take(piece: Buffer): Judged | Promise<Judged> {
    if (this.isOver) return piece;
    const judged = this.seen(piece);
    return judged instanceof Promise ? judged.then((one) => this.#settle(one, piece)) : this.#settle(judged, piece);
  }

  /** What was held back. A promise where it is judged in turns. */
  end(): Judged | Promise<Judged> {
    return this.isOver ? NOTHING : this.#ended(this.seenAll(), NOTHING);
  }

  /** In place of `take` and `end`: what goes on of a body that is here whole. */
  takeAll(body: Buffer): Judged | Promise<Judged> {
    return this.#ended(this.seenWhole(body), body);
  }

  trailers(trailers: HeaderBlock): HeaderBlock | Denial {
    const judged = this.#rule.judgeTrailers?.(trailers) ?? trailers;
    if (this.isEnforced) return judged;
    if (judged instanceof Denial) this.#host.note(judged, this.check);
    return trailers;
  }

  stop(): void {
    this.#charge?.release();
  }

  #ended(judged: Judged | Promise<Judged>, asItCame: Buffer): Judged | Promise<Judged> {
    if (judged instanceof Promise) return judged.then((one) => this.#ended(one, asItCame));
    const settled = this.#settle(judged, asItCame);
    const noted = this.isEnforced ? null : (this.#rule.noted?.() ?? null);
    if (noted !== null) this.#host.note(noted, this.check);
    return settled;
  }

  #settle(judged: Judged, asItCame: Buffer): Judged {
    if (this.isEnforced) return judged;
    if (judged instanceof Denial) {
      this.isOver = true;
      this.#host.note(judged, this.check);
    }
    return asItCame;
  }

  protected get charge(): Charge {
    this.#charge ??= this.#host.openCharge();
    return this.#charge;
  }

  protected noRoom(bytes: number): Denial {
    return new Denial("memory_bodies", this.check.place, `${bytes} bytes of an answer to hold`, "room for them");
  }

  protected abstract seen(piece: Buffer): Judged | Promise<Judged>;
  protected abstract seenAll(): Judged | Promise<Judged>;
  protected abstract seenWhole(body: Buffer): Judged | Promise<Judged>;
}

/** A rule that sees the body as it streams. */
export class StreamStage extends BodyStage {
  readonly isWaiting = false;
  readonly #stream: StreamRule;
  #begun = false;

  constructor(rule: StreamRule, check: ResponseCheck, isEnforced: boolean, host: StageHost) {
    super(rule, check, isEnforced, host);
    this.#stream = rule;
  }

  protected override seen(piece: Buffer): Judged | Promise<Judged> {
    if (this.#begun) return this.#stream.take(piece);
    this.#begun = true;
    const bytes = this.#stream.heldBytesMax;
    if (bytes >= DEFAULTS.keptBytesMin && !this.charge.hold(bytes)) return this.noRoom(bytes);
    return this.#stream.take(piece);
  }

  protected override seenAll(): Judged | Promise<Judged> {
    return this.#stream.end();
  }

  /** Nothing of it waits for what follows, so that nothing is held. */
  protected override seenWhole(body: Buffer): Judged | Promise<Judged> {
    if (this.#stream.takeAll !== undefined) return this.#stream.takeAll(body);
    const taken = body.length === 0 ? body : this.#stream.take(body);
    return taken instanceof Promise ? taken.then((one) => this.#withEnd(one)) : this.#withEnd(taken);
  }

  #withEnd(taken: Judged): Judged | Promise<Judged> {
    if (taken instanceof Denial) return taken;
    const rest = this.#stream.end();
    return rest instanceof Promise ? rest.then((one) => joined(taken, one)) : joined(taken, rest);
  }
}

function joined(taken: Buffer, rest: Judged): Judged {
  if (rest instanceof Denial || taken.length === 0) return rest;
  return rest.length === 0 ? taken : Buffer.concat([taken, rest]);
}

/** A rule that sees the body whole; until then nothing of it goes on. */
export class WholeStage extends BodyStage {
  readonly #whole: WholeRule;
  #bytes: GrowingBytes | null = null;

  constructor(rule: WholeRule, check: ResponseCheck, isEnforced: boolean, host: StageHost) {
    super(rule, check, isEnforced, host);
    this.#whole = rule;
  }

  get isWaiting(): boolean {
    return this.isEnforced && !this.isOver;
  }

  protected override seen(piece: Buffer): Judged {
    this.#bytes ??= new GrowingBytes(this.#whole.bytesMax, this.charge);
    const bytes = this.#bytes.length + piece.length;
    if (bytes > this.#whole.bytesMax) return this.#onTooLong(this.#bytes.take(), piece);
    return this.#bytes.add(piece) ? NOTHING : this.noRoom(bytes);
  }

  #onTooLong(held: Buffer, piece: Buffer): Judged {
    this.isOver = true;
    this.charge.release();
    const verdict = this.#whole.judgeTooLong();
    return verdict === CONTINUE ? Buffer.concat([held, piece]) : verdict;
  }

  protected override seenAll(): Judged | Promise<Judged> {
    this.isOver = true;
    return this.#whole.judge(this.#bytes?.take() ?? NOTHING);
  }

  protected override seenWhole(body: Buffer): Judged | Promise<Judged> {
    if (body.length > this.#whole.bytesMax) return this.#onTooLong(NOTHING, body);
    // It may have to wait for its turn.
    if (body.length >= DEFAULTS.keptBytesMin && !this.charge.hold(body.length)) return this.noRoom(body.length);
    this.isOver = true;
    return this.#whole.judge(body);
  }
}
