import { RangeCollector } from "../matching/range-collector.ts";
import type { RangeTable } from "../matching/range-table.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { Steps } from "../support/turns.ts";
import { entryOf } from "./entry.ts";
import { EntryReader } from "./entry-reader.ts";

/** How a file of addresses is written. */
export interface FeedFormat {
  /** Lines of addresses, prefixes and ranges; rows with commas; a JSON value a line; one JSON document. Absent: by what is in it. */
  readonly format?: "lines" | "csv" | "json-lines" | "json" | undefined;
  /** Of CSV: the column's name in the first row, or its number from 1. 1 if absent. */
  readonly column?: string | number | undefined;
  /** Of JSON: under which name addresses stand. Those that publishers use, if absent. */
  readonly member?: string | undefined;
  /** Of JSON: what else the object must say, by member: one of these texts. */
  readonly where?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Feeds write 192.0.2.7/24 and mean all of it; in a list of whom to let in, that could be a slip for one address. */
  readonly cutsHostBits: boolean;
}

/** Something in the file that is no address. */
export interface FeedFault {
  /** From 1; of a JSON document, which has no lines that count, null. */
  readonly line: number | null;
  /** What is wrong, without any of the content: a wrong file name could be that of a secret. */
  readonly text: string;
}

/** What a file holds. */
export interface Feed {
  readonly table: RangeTable;
  /** How many entries were left out, and the first of them. */
  readonly faultCount: number;
  readonly faults: readonly FeedFault[];
  /** Entries whose bits behind the length were cut off, and the line of the first. */
  readonly cutCount: number;
  readonly cutLine: number | null;
}

export const EXPECTED = "expected an address, a prefix or a range, as in 192.0.2.0/24 or 192.0.2.1 - 192.0.2.9";

/** Gathers entries and what is wrong with others. */
export class FeedSink {
  readonly #collector = new RangeCollector();
  readonly #reader = new EntryReader();
  readonly #cutsHostBits: boolean;
  readonly #faults: FeedFault[] = [];
  #faultCount = 0;
  #cutCount = 0;
  #cutLine: number | null = null;

  constructor(cutsHostBits: boolean) {
    this.#cutsHostBits = cutsHostBits;
  }

  get isFull(): boolean {
    return this.#collector.size > DEFAULTS.addressEntriesMax;
  }

  /** Entries so far, and what is none. */
  get seen(): number {
    return this.#collector.size + this.#faultCount;
  }

  add(text: string, line: number | null): void {
    const entry = entryOf(text, this.#cutsHostBits);
    if (entry === null) {
      this.fault(line, EXPECTED);
      return;
    }
    if (entry.isCut) this.#cut(line);
    if (entry.family === 4) this.#collector.addRange4(entry.first[0] ?? 0, entry.last[0] ?? 0);
    else this.#collector.addRange6(entry.first, entry.last);
  }

  /** The bytes of a line without blanks around it; false where somebody else has to look. */
  addBytes(bytes: Buffer, from: number, to: number, line: number): boolean {
    const reader = this.#reader;
    if (!reader.read(bytes, from, to) || (reader.isCut && !this.#cutsHostBits)) return false;
    if (reader.isCut) this.#cut(line);
    if (reader.family === 4) this.#collector.addRange4(reader.first[0], reader.last[0]);
    else this.#collector.addRange6(reader.first, reader.last);
    return true;
  }

  fault(line: number | null, text: string): void {
    this.#faultCount++;
    if (this.#faults.length < DEFAULTS.addressFaultsMax) this.#faults.push({ line, text });
  }

  /** The feed, or why what is in the file is none. */
  *finish(): Steps<Result<Feed, string>> {
    const good = this.#collector.size;
    const faultCount = this.#faultCount;
    if (this.isFull) return err(`has more than ${DEFAULTS.addressEntriesMax} entries`);
    if (good === 0 && faultCount === 0) return ok(yield* this.#feed());
    // A page of an error, a file of another kind: what little it has of addresses is not the list.
    if (faultCount >= good)
      return err(
        `is no list of addresses: ${faultCount} of its ${good + faultCount} entries are none${this.#firstFault()}`,
      );
    return ok(yield* this.#feed());
  }

  #firstFault(): string {
    const [first] = this.#faults;
    if (first === undefined) return "";
    return `; first${first.line === null ? "" : ` in line ${first.line}`}: ${first.text}`;
  }

  *#feed(): Steps<Feed> {
    return {
      table: yield* this.#collector.build(),
      faultCount: this.#faultCount,
      faults: this.#faults,
      cutCount: this.#cutCount,
      cutLine: this.#cutLine,
    };
  }

  #cut(line: number | null): void {
    this.#cutLine ??= line;
    this.#cutCount++;
  }
}
