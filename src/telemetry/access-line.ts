import { JsonBytes } from "../support/json-bytes.ts";
import {
  DENIAL_FIELDS,
  type FieldText,
  FRESH_NUMBERS,
  FRESH_TEXTS,
  hasNotes,
  NOTE_FIELDS,
  STEADY_FIELDS,
  type SteadyFields,
  USUAL_FIELDS,
} from "./access-fields.ts";
import { type LogNames, PLAIN_NAMES } from "./log-names.ts";
import { cutText } from "./log-text.ts";
import type { RequestRecord } from "./request-record.ts";

/** A field that a policy adds. */
export interface AddedField {
  readonly name: string;
  readonly text: FieldText;
}

/** Which fields a request's line has. */
export interface LineFields {
  /** Null: all. */
  readonly only: ReadonlySet<string> | null;
  readonly removed: ReadonlySet<string>;
  readonly added: readonly AddedField[];
}

export const ALL_FIELDS: LineFields = { only: null, removed: new Set(), added: [] };

type Level = "info" | "warn" | "error";

/** Writes what a field, or several, say of a request, with the comma and the name before each; nothing where they have nothing to say. */
interface Part {
  /** The field's, or the first one's. */
  readonly name: string;
  write(record: RequestRecord, line: JsonBytes): void;
}

/** The line of a request, laid out once for a policy: names, order and forms are found here and never asked for again. */
export class AccessLine {
  /** What is added for one that was logged for being slow. */
  readonly slow: string;
  readonly #line = new JsonBytes();
  readonly #heads: Readonly<Record<Level, string>>;
  readonly #middle: string;
  /** What lines of one millisecond begin with. */
  #start: Uint8Array = Buffer.alloc(0);
  #level: Level = "info";
  #time = "";
  readonly #usual: readonly Part[];
  readonly #denial: readonly Part[];
  readonly #notes: readonly Part[];
  readonly #names: LogNames;

  constructor(names: LogNames = PLAIN_NAMES, fields: LineFields = ALL_FIELDS) {
    const partsOf = (table: Readonly<Record<string, FieldText>>): readonly Part[] =>
      Object.entries(table)
        .filter(([name]) => (fields.only === null || fields.only.has(name)) && !fields.removed.has(name))
        .map(([name, text]) => partOf(name, keyOf(names, name), text, names.formOf(name)));
    const added = fields.added.map(({ name, text }) => partOf("", `,${JSON.stringify(name)}:`, text, null));
    const head = (level: Level): string =>
      `{"${names.nameOf("level")}":${levelText(names, level)},"${names.nameOf("time")}":"`;
    this.#names = names;
    this.#heads = { info: head("info"), warn: head("warn"), error: head("error") };
    this.#middle = `"${names.constants}${keyOf(names, "event")}"request"`;
    this.#usual = [...STEADY_FIELDS.reduce(together, partsOf(USUAL_FIELDS)), ...added];
    this.#denial = partsOf(DENIAL_FIELDS);
    this.#notes = partsOf(NOTE_FIELDS);
    this.slow = `${keyOf(names, "slow")}true`;
  }

  /** What is added for one that stands for several. */
  sampled(ratio: number): string {
    return `${keyOf(this.#names, "sampleRatio")}${ratio}`;
  }

  /** `time`: RFC 3339. `tail`: further members, with a comma before each. Its bytes are those of the next line, too. */
  write(record: RequestRecord, level: Level, time: string, tail: string): JsonBytes {
    const line = this.#line;
    line.clear();
    if (time !== this.#time || level !== this.#level) this.#begin(level, time);
    line.piece(this.#start);
    for (const part of this.#usual) part.write(record, line);
    const { ofRequest } = this.#names;
    if (ofRequest !== null) line.json(ofRequest(record));
    if (record.reason !== null || record.denial !== null) for (const part of this.#denial) part.write(record, line);
    if (hasNotes(record)) for (const part of this.#notes) part.write(record, line);
    if (tail !== "") line.json(tail);
    line.ascii("}\n");
    return line;
  }

  #begin(level: Level, time: string): void {
    this.#level = level;
    this.#time = time;
    this.#start = Buffer.from(`${this.#heads[level]}${time}${this.#middle}`);
  }
}

function partOf(name: string, key: string, text: FieldText, form: ((json: string) => string) | null): Part {
  if (form === null && isIn(FRESH_NUMBERS, name)) return new NumberPart(name, key);
  if (form === null && isIn(FRESH_TEXTS, name)) return new FreshPart(name, key);
  if (form === null) return new TextPart(name, key, text);
  return new TextPart(name, key, (record) => {
    const value = text(record);
    return value === null ? null : form(value);
  });
}

function isIn<Table extends object>(table: Table, name: string): name is Extract<keyof Table, string> {
  return Object.hasOwn(table, name);
}

class TextPart implements Part {
  readonly name: string;
  readonly #text: FieldText;
  readonly #key: Buffer;

  constructor(name: string, key: string, text: FieldText) {
    this.name = name;
    this.#text = text;
    this.#key = Buffer.from(key);
  }

  write(record: RequestRecord, line: JsonBytes): void {
    const value = this.#text(record);
    if (value === null) return;
    line.piece(this.#key);
    line.json(value);
  }
}

/** A text that is another for each request: no JSON text is made of it. */
class FreshPart implements Part {
  readonly name: string;
  readonly #key: Buffer;
  readonly #read: (record: RequestRecord) => string | null;
  readonly #charsMax: number;
  readonly #cut: (text: string) => string;

  constructor(name: keyof typeof FRESH_TEXTS, key: string) {
    const { read, charsMax } = FRESH_TEXTS[name];
    this.name = name;
    this.#key = Buffer.from(key);
    this.#read = read;
    this.#charsMax = charsMax;
    this.#cut = (text) => cutText(text, charsMax);
  }

  write(record: RequestRecord, line: JsonBytes): void {
    const text = this.#read(record);
    if (text === null) return;
    line.piece(this.#key);
    line.quoted(text, this.#charsMax, this.#cut);
  }
}

/** A number that is another for each request. */
class NumberPart implements Part {
  readonly name: string;
  readonly #key: Buffer;
  readonly #units: (record: RequestRecord) => number;
  readonly #digits: 0 | 1 | 3;

  constructor(name: keyof typeof FRESH_NUMBERS, key: string) {
    const { units, digits } = FRESH_NUMBERS[name];
    this.name = name;
    this.#key = Buffer.from(key);
    this.#units = units;
    this.#digits = digits;
  }

  write(record: RequestRecord, line: JsonBytes): void {
    const units = this.#units(record);
    if (units < 0) return;
    line.piece(this.#key);
    if (this.#digits === 0) line.integer(units);
    else line.decimal(units, this.#digits);
  }
}

/** Fields that are the same for many requests in a row, and are written once for all of them. */
class SteadyPart implements Part {
  readonly name: string;
  readonly #parts: readonly Part[];
  readonly #fields: SteadyFields;
  /** What the last request's were made of. */
  #last: unknown[] = [];
  #now: unknown[] = [];
  /** Null until they have been the same twice: of what changes each time nothing is kept. */
  #kept: Uint8Array | null = null;

  constructor(name: string, parts: readonly Part[], fields: SteadyFields) {
    this.name = name;
    this.#parts = parts;
    this.#fields = fields;
  }

  write(record: RequestRecord, line: JsonBytes): void {
    const isSame = this.#isSame(record);
    if (isSame && this.#kept !== null) {
      line.piece(this.#kept);
      return;
    }
    const start = line.length;
    for (const part of this.#parts) part.write(record, line);
    this.#kept = isSame ? Uint8Array.prototype.slice.call(line.bytes, start, line.length) : null;
  }

  #isSame(record: RequestRecord): boolean {
    const now = this.#now;
    const last = this.#last;
    this.#fields.read(record, now);
    let isSame = last.length === now.length;
    for (let at = 0; isSame && at < now.length; at++) isSame = now[at] === last[at];
    if (isSame) return true;
    this.#now = last;
    this.#last = now;
    return false;
  }
}

/** Makes of parts that are neighbours and change together, if at all, one. */
function together(parts: readonly Part[], fields: SteadyFields): readonly Part[] {
  const names: readonly string[] = fields.names;
  const steady = parts.filter((part) => part instanceof TextPart && names.includes(part.name));
  const [first] = steady;
  if (first === undefined) return parts;
  const one = new SteadyPart(first.name, steady, fields);
  return parts.flatMap((part) => (part === first ? one : steady.includes(part) ? [] : part));
}

function keyOf(names: LogNames, field: string): string {
  return `,${JSON.stringify(names.nameOf(field))}:`;
}

function levelText(names: LogNames, level: Level): string {
  return names.formOf("level")?.(`"${level}"`) ?? `"${level}"`;
}
