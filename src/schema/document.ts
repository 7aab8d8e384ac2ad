import { JsonParser } from "../bodies/json-parser.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { decodeText } from "../support/text.ts";
import { atOnce, type Steps } from "../support/turns.ts";
import type { Dialect } from "./dialect.ts";
import { MemberOffsets } from "./member-offsets.ts";

/** Lines and columns count from 1, columns in UTF-16 units, as editors do. */
export interface SchemaPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a schema, where, and what to do. */
export interface SchemaProblem {
  /** Null in a document that knows no places. */
  readonly place: SchemaPlace | null;
  /** JSON Pointer (RFC 6901) of what is meant, in its document. */
  readonly pointer: string;
  readonly text: string;
}

/** Lines between two yields, and at first as many as there is room for. */
const STEP_LINES = 4_096;

/** Name and lines of a file, without its text: places outlive the text by far. */
export class Source {
  readonly file: string;
  /** Beside the heap, whose collector holds the thread for each long list that grows. */
  readonly #lineStarts: Uint32Array;

  private constructor(file: string, lineStarts: Uint32Array) {
    this.file = file;
    this.#lineStarts = lineStarts;
  }

  static *of(file: string, text: string): Steps<Source> {
    let starts = new Uint32Array(STEP_LINES);
    let count = 1;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
      if (count === starts.length) {
        const longer = new Uint32Array(2 * count);
        longer.set(starts);
        starts = longer;
      }
      starts[count++] = at + 1;
      if (count % STEP_LINES === 0) yield;
    }
    return new Source(file, starts.slice(0, count));
  }

  place(offset: number): SchemaPlace {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.file, line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 };
  }
}

/** A keyword where it stands; its line is looked up when somebody asks. */
export class Site {
  readonly #source: Source;
  readonly #offset: number;

  constructor(source: Source, offset: number) {
    this.#source = source;
    this.#offset = offset;
  }

  get place(): SchemaPlace {
    return this.#source.place(this.#offset);
  }
}

/** A schema's text, read. */
export interface SchemaDocument {
  /** Where it was found: what relative references start from where it has no `$id`. */
  readonly uri: string;
  readonly value: unknown;
  /** Where it holds schemas and is none itself, as an OpenAPI document: the dialect they are written in. */
  readonly holds?: Dialect;
  /** Where a member or item begins; null where the document knows no places. */
  site(container: object, key: string | number): Site | null;
}

/** A schema that stands inside something else, which knows its place. */
export function inlineDocument(uri: string, value: unknown): SchemaDocument {
  return { uri, value, site: () => null };
}

/** JSON text of a schema → document; the error names the place. `file` is what its user calls it. */
export function readDocument(uri: string, file: string, bytes: Buffer): Result<SchemaDocument, SchemaProblem> {
  const decoded = decodeText(bytes);
  if (!decoded.ok) {
    const fault = `cannot be read as JSON: ${decoded.error}`;
    return err({ place: { file, line: 1, column: 1 }, pointer: "", text: fault });
  }
  const text = decoded.value;
  const source = atOnce(Source.of(file, text));
  const offsets = new MemberOffsets();
  const parser = new JsonParser(text, DEFAULTS.schemaDepthMax, {
    member: (container, key, keyAt) => offsets.add(container, key, keyAt),
  });
  parser.run(Number.POSITIVE_INFINITY);
  const { fault } = parser;
  if (fault !== null) {
    return err({ place: source.place(fault.at), pointer: "", text: `cannot be read as JSON: ${fault.text}` });
  }
  return ok({
    uri,
    value: parser.value,
    site: (container, key) => {
      const offset = offsets.get(container, key);
      return offset === undefined ? null : new Site(source, offset);
    },
  });
}

/** A token of a JSON Pointer (RFC 6901 section 3). */
export function pointerToken(key: string | number): string {
  return String(key).replaceAll("~", "~0").replaceAll("/", "~1");
}
