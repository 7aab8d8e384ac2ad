import { isJson } from "../../bodies/media-type.ts";
import { MultipartReader, type PartHandler } from "../../bodies/multipart.ts";
import { type PartHead, readPartHead } from "../../bodies/part-head.ts";
import { CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import { byteText } from "../../detection/byte-text.ts";
import { type BodyFacts, type NamedText, NO_BODY } from "../../detection/facts.ts";
import type { BodyWatch } from "../../message/body-watch.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { jsonStrings, nestedStrings } from "./json-strings.ts";
import type { ValueShapes } from "./value-shapes.ts";

const UNSHAPED = -1;

/** What the rules say of parts, which hold so many bytes. */
export type JudgeFacts = (facts: BodyFacts, bytes: number) => Verdict | Promise<Verdict>;

/**
 * Keeps what rules search of a multipart body as it streams: fields, names of files, headers of parts. Contents of files go by, once
 * the rules have seen what stands before them, for some services act on each field as it comes. The last boundary stays until they
 * had their say on all of it, so that no service reads a form that they refuse as a whole one.
 */
export class PartsWatch implements BodyWatch, PartHandler<Denial> {
  flows = false;
  readonly #place: Place;
  readonly #shapes: ValueShapes;
  readonly #judge: JudgeFacts;
  /** Null for a body that is here whole. */
  readonly #judgeEarly: JudgeFacts | null;
  readonly #reader: MultipartReader<Denial>;
  readonly #args: NamedText[] = [];
  readonly #files: NamedText[] = [];
  readonly #partHeaders: NamedText[] = [];
  #field: string | null = null;
  #isJson = false;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #keptBytes = 0;
  #bytes = 0;
  #filesBytes = 0;
  /** What of each list has been judged before the file that flows; a file that does begins with a look at the rest. */
  #seen = { args: 0, files: 0, partHeaders: 0 };

  constructor(boundary: string, place: Place, shapes: ValueShapes, judge: JudgeFacts, judgeEarly: JudgeFacts | null) {
    this.#place = place;
    this.#shapes = shapes;
    this.#judge = judge;
    this.#judgeEarly = judgeEarly;
    this.#reader = new MultipartReader(boundary, this, readPartHead);
  }

  get ownBytes(): number {
    return this.#keptBytes;
  }

  scan(piece: Buffer): number | Denial | Promise<number | Denial> {
    this.#bytes += piece.length;
    const fault = this.#reader.take(piece);
    if (fault !== null) return fault;
    const staying = this.#reader.stayingBytes;
    if (this.#judgeEarly === null || this.#files.length === this.#seen.files) return staying;
    const verdict = this.#judgeEarly(this.#factsFrom(this.#seen), this.#keptBytes);
    this.#seen = { args: this.#args.length, files: this.#files.length, partHeaders: this.#partHeaders.length };
    return verdict instanceof Promise ? verdict.then((late) => late ?? staying) : (verdict ?? staying);
  }

  end(): Verdict | Promise<Verdict> {
    const fault = this.#reader.end();
    return fault ?? this.#judge(this.#factsFrom({ args: 0, files: 0, partHeaders: 0 }), this.#keptBytes);
  }

  #factsFrom({ args, files, partHeaders }: { args: number; files: number; partHeaders: number }): BodyFacts {
    return {
      ...NO_BODY,
      processor: "MULTIPART",
      args: this.#args.slice(args),
      files: this.#files.slice(files),
      filesBytes: this.#filesBytes,
      partHeaders: this.#partHeaders.slice(partHeaders),
      length: this.#bytes,
    };
  }

  malformed(seen: string): Denial {
    const wanted = "multipart/form-data that every parser reads alike";
    return new Denial("body_not_multipart", this.#place, seen, wanted);
  }

  // ---- parts (PartHandler) ---------------------------------------------------------------------------------------

  onPart({ name, fileName, type, lines }: PartHead): Denial | null {
    const disposition = byteText(lines.get("content-disposition") ?? "");
    const field = asWritten(disposition, "name") ?? byteText(name);
    if (this.#args.length + this.#files.length >= DEFAULTS.detectValuesMax) return this.#tooMuch("more parts");
    for (const [header, value] of lines)
      this.#partHeaders.push({ name: field, value: byteText(`${header}: ${value}`), shape: UNSHAPED });
    const isJsonPart = type !== null && isJson(type);
    // Go and Tornado read a file without a name as a field; and what a page sends as a Blob of JSON, services read as one.
    const isFile = fileName !== null && fileName !== "" && !(fileName === "blob" && isJsonPart);
    this.flows = isFile;
    this.#field = isFile ? null : field;
    this.#isJson = isJsonPart;
    if (!isFile) return CONTINUE;
    const value = asWritten(disposition, "filename") ?? byteText(fileName);
    this.#files.push({ name: field, value, shape: UNSHAPED });
    return this.#keep(field.length + fileName.length);
  }

  onContent(bytes: Buffer): Denial | null {
    if (this.#field === null) {
      this.#filesBytes += bytes.length;
      return CONTINUE;
    }
    this.#pieceBytes += bytes.length;
    if (this.#pieceBytes > DEFAULTS.detectFieldBytesMax) return this.#tooMuch("a longer field");
    this.#pieces.push(Buffer.from(bytes));
    return this.#keep(bytes.length);
  }

  onPartEnd(): Denial | null {
    if (this.#field !== null) {
      const value = Buffer.concat(this.#pieces).toString("latin1");
      this.#args.push({ name: this.#field, value, shape: this.#shapes.ofForm(this.#field) });
      const isEscaped = this.#isJson && value.includes("\\");
      this.#args.push(...(isEscaped ? jsonStrings(value, this.#field) : nestedStrings(value, this.#field)));
    }
    this.#field = null;
    this.#pieces = [];
    this.#pieceBytes = 0;
    return CONTINUE;
  }

  #keep(bytes: number): Denial | null {
    this.#keptBytes += bytes;
    return this.#keptBytes > DEFAULTS.detectPartsBytesMax ? this.#tooMuch("more in fields") : CONTINUE;
  }

  #tooMuch(seen: string): Denial {
    const most = `at most ${DEFAULTS.detectValuesMax} parts, ${DEFAULTS.detectFieldBytesMax} bytes in a field and ${DEFAULTS.detectPartsBytesMax} in all of them`;
    return new Denial("search_limit_exceeded", this.#place, seen, most);
  }
}

/** A parameter with its backslashes: to some parsers they escape what follows, to others they are a part of the name. */
function asWritten(disposition: string, parameter: "name" | "filename"): string | undefined {
  return new RegExp(`[; \\t]${parameter}="((?:[^"\\\\]|\\\\.)*)"`, "i").exec(disposition)?.[1];
}
