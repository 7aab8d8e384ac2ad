/** A value that one service or another may take for a method, and that is not looked into: too long, or encoded. */
export const UNREADABLE = "?";

/** Looks for parameters that name a method in a body that passes piece by piece, and remembers a few hundred bytes of it. */
export interface MethodScanner {
  /**
   * Looks at the next piece; methods whose values have ended are added to `found`, in upper case, or UNREADABLE. Gives the
   * index of the first byte in the piece that must not go on yet, as the value of such a parameter has begun and not
   * ended: the piece's length where there is none, 0 where it began in an earlier piece.
   */
  scan(piece: Buffer, found: string[]): number;
  /** The body is over, and with it a value that has begun. */
  end(found: string[]): void;
}
