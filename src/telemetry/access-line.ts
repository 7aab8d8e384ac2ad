import { DENIAL_FIELDS, type FieldText, hasNotes, NOTE_FIELDS, USUAL_FIELDS } from "./access-fields.ts";
import { type LogNames, PLAIN_NAMES } from "./log-names.ts";
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

/** `,"name":` and what stands behind it. */
interface Part {
  readonly key: string;
  readonly text: FieldText;
}

/** The line of a request, laid out once for a policy: names, order and forms are found here and never asked for again. */
export class AccessLine {
  /** What is added for one that was logged for being slow. */
  readonly slow: string;
  readonly #heads: Readonly<Record<Level, string>>;
  readonly #middle: string;
  readonly #usual: readonly Part[];
  readonly #denial: readonly Part[];
  readonly #notes: readonly Part[];
  readonly #names: LogNames;

  constructor(names: LogNames = PLAIN_NAMES, fields: LineFields = ALL_FIELDS) {
    const partsOf = (table: Readonly<Record<string, FieldText>>): readonly Part[] =>
      Object.entries(table)
        .filter(([name]) => (fields.only === null || fields.only.has(name)) && !fields.removed.has(name))
        .map(([name, text]) => ({ key: keyOf(names, name), text: formed(text, names.formOf(name)) }));
    const added = fields.added.map(({ name, text }) => ({ key: `,${JSON.stringify(name)}:`, text }));
    const head = (level: Level): string =>
      `{"${names.nameOf("level")}":${levelText(names, level)},"${names.nameOf("time")}":"`;
    this.#names = names;
    this.#heads = { info: head("info"), warn: head("warn"), error: head("error") };
    this.#middle = `"${names.constants}${keyOf(names, "event")}"request"`;
    this.#usual = [...partsOf(USUAL_FIELDS), ...added];
    this.#denial = partsOf(DENIAL_FIELDS);
    this.#notes = partsOf(NOTE_FIELDS);
    this.slow = `${keyOf(names, "slow")}true`;
  }

  /** What is added for one that stands for several. */
  sampled(ratio: number): string {
    return `${keyOf(this.#names, "sampleRatio")}${ratio}`;
  }

  /** `time`: RFC 3339. `tail`: further members, with a comma before each. */
  text(record: RequestRecord, level: Level, time: string, tail: string): string {
    let line = `${this.#heads[level]}${time}${this.#middle}${textOf(this.#usual, record)}`;
    const { ofRequest } = this.#names;
    if (ofRequest !== null) line += ofRequest(record);
    if (record.reason !== null || record.denial !== null) line += textOf(this.#denial, record);
    if (hasNotes(record)) line += textOf(this.#notes, record);
    return `${line}${tail}}\n`;
  }
}

function textOf(parts: readonly Part[], record: RequestRecord): string {
  let line = "";
  for (const { key, text } of parts) {
    const value = text(record);
    if (value !== null) line += key + value;
  }
  return line;
}

function formed(text: FieldText, form: ((json: string) => string) | null): FieldText {
  if (form === null) return text;
  return (record) => {
    const value = text(record);
    return value === null ? null : form(value);
  };
}

function keyOf(names: LogNames, field: string): string {
  return `,${JSON.stringify(names.nameOf(field))}:`;
}

function levelText(names: LogNames, level: Level): string {
  return names.formOf("level")?.(`"${level}"`) ?? `"${level}"`;
}
