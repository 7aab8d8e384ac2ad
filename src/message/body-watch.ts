import type { CheckName, Denial, Verdict } from "../decision/verdict.ts";

/** Looks at the body of one request on its way to the service, piece by piece, wherever it is cut. */
export interface BodyWatch {
  /** Bytes that it holds itself, beside those that it lets nobody have yet. */
  readonly ownBytes: number;
  /**
   * How many bytes at the end of what has come so far must not go on yet, or why nothing more goes on. `piece` is not
   * changed, and belongs to somebody else once there is an answer. A promise where that takes long: until then nothing
   * more is shown to it, and nothing goes on.
   */
  scan(piece: Buffer): number | Denial | Promise<number | Denial>;
  /** The body is over; with CONTINUE the rest of it goes on. */
  end(): Verdict | Promise<Verdict>;
}

/** One that watches this request's body, with its rung of the ladder. */
export interface PlacedWatch {
  readonly check: CheckName;
  readonly watch: BodyWatch;
  /** Where false, all of the body passes as it comes, and what the watch has against it is noted. */
  readonly isEnforced: boolean;
}
