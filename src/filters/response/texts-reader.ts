import type { Denial } from "../../decision/verdict.ts";

/** Reads or edits the JSON texts of one answer, piece by piece. */
export interface TextsReader {
  /** Why it cannot read on; `rest` has what it kept. */
  readonly fault: string | null;
  readonly rest: Buffer;
  /** Why the answer is refused, where it is. */
  readonly denial?: Denial | null;
  /** What goes on now: the piece itself where nothing is changed. */
  take(piece: Buffer): Buffer;
  end(): Buffer;
}
