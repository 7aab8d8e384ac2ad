/** Writes the lines of a block anew: a function of the block alone, and the same one each time. */
export type LineWriter = (block: HeaderBlock) => string;

/**
 * The header lines of one message: names in lower case, values without surrounding blanks, in the order received.
 * Immutable, so that an identical block of a later request on the same connection can share it.
 */
export class HeaderBlock {
  readonly names: readonly string[];
  readonly values: readonly string[];
  /** Names that the last writer left out and its reader may miss; null for none. */
  withheld: readonly string[] | null = null;
  /** The same for a body with other bytes (`proxy/changed-body`), once somebody asked; an identical head that comes later has it. */
  changed: HeaderBlock | null = null;
  /** Whose rules have looked at all of its lines and found nothing. */
  cleanFor: object | null = null;
  #writer: LineWriter | null = null;
  #lines: string | null = null;

  constructor(names: readonly string[], values: readonly string[]) {
    this.names = names;
    this.values = values;
  }

  /** The first value of `name` (given in lower case), or undefined. */
  get(name: string): string | undefined {
    const at = this.names.indexOf(name);
    return at < 0 ? undefined : this.values[at];
  }

  /**
   * What `write` makes of this block; remembered from the second time on, for a block that comes twice on a connection
   * will come again.
   */
  linesBy(write: LineWriter): string {
    const isAgain = this.#writer === write;
    if (isAgain && this.#lines !== null) return this.#lines;
    const lines = write(this);
    this.#writer = write;
    // In one piece: a string put together of many is taken apart at every write.
    this.#lines = isAgain ? Buffer.from(lines, "latin1").toString("latin1") : null;
    return lines;
  }

  /** The lines whose names are not in `names`; itself where there are none of these. */
  without(names: ReadonlySet<string>): HeaderBlock {
    if (!this.names.some((name) => names.has(name))) return this;
    const kept = this.names.map((_, at) => at).filter((at) => !names.has(this.names[at] ?? ""));
    const pick = (lines: readonly string[]): string[] => kept.map((at) => lines[at] ?? "");
    return new HeaderBlock(pick(this.names), pick(this.values));
  }

  count(name: string): number {
    let count = 0;
    for (const other of this.names) if (other === name) count++;
    return count;
  }

  /** All values of `name` as one list value (RFC 9110 section 5.3), or undefined. */
  list(name: string): string | undefined {
    const first = this.names.indexOf(name);
    if (first < 0) return undefined;
    // Nearly all stand once, and each POST is asked for several.
    if (this.names.indexOf(name, first + 1) < 0) return this.values[first];
    return this.values.filter((_, at) => this.names[at] === name).join(", ");
  }
}

export const NO_HEADERS: HeaderBlock = new HeaderBlock([], []);
