/** A stretch of a text as its reader has it: what is escaped is decoded. */
export interface LeakText {
  readonly bytes: Uint8Array;
  /** Before it stands only what was judged already: it tells what is beside, and nothing of it can be changed. */
  readonly start: number;
  /** Where what has come so far ends. */
  readonly length: number;
  /** Nothing follows. */
  readonly isWhole: boolean;
  /** Latin1 of a part. */
  slice(from: number, to: number): string;
}

export class WindowText implements LeakText {
  readonly bytes: Buffer;
  readonly start: number;
  readonly length: number;
  readonly isWhole: boolean;

  constructor(bytes: Buffer, start: number, isWhole: boolean) {
    this.bytes = bytes;
    this.start = start;
    this.length = bytes.length;
    this.isWhole = isWhole;
  }

  slice(from: number, to: number): string {
    return this.bytes.toString("latin1", Math.max(0, from), Math.min(to, this.length));
  }
}
