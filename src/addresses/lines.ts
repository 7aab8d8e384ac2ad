const LINE_FEED = 0x0a;
const BLANKS: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0d]);

const USUAL_BYTES = 128;

function endFrom(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(LINE_FEED, from);
  return end < 0 ? bytes.length : end;
}

/** Goes from line to line of a file, blanks around them left out. */
export class Lines {
  readonly bytes: Buffer;
  /** Of the line that it is at: from 1, and where it begins and ends. */
  line = 0;
  from = 0;
  to = 0;
  #next = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Goes to the next line that is not blank; false at the end. */
  next(): boolean {
    const { bytes } = this;
    while (this.#next < bytes.length) {
      let from = this.#next;
      let to = from;
      const usual = Math.min(bytes.length, to + USUAL_BYTES);
      while (to < usual && bytes[to] !== LINE_FEED) to++;
      // In a short line the next end is found before a call for it has begun.
      if (to === usual && to < bytes.length) to = endFrom(bytes, to);
      this.#next = to + 1;
      this.line++;
      while (from < to && BLANKS.has(bytes[from])) from++;
      while (to > from && BLANKS.has(bytes[to - 1])) to--;
      if (from === to) continue;
      this.from = from;
      this.to = to;
      return true;
    }
    return false;
  }

  get first(): number {
    return this.bytes[this.from] as number;
  }

  get length(): number {
    return this.to - this.from;
  }

  get text(): string {
    return this.bytes.toString("latin1", this.from, this.to);
  }
}
