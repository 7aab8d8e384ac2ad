import { isUtf8 } from "node:buffer";
import { FILE_START_BYTES, fileContentFault } from "../../../bodies/file-content.ts";
import { decodeLeniently } from "../../../bodies/form.ts";
import { MultipartReader, type PartHandler } from "../../../bodies/multipart.ts";
import { type PartHead, type ReadHead, readPartHead } from "../../../bodies/part-head.ts";
import { CONTINUE, type Denial, type Verdict } from "../../../decision/verdict.ts";
import type { BodyWatch } from "../../../message/body-watch.ts";
import { ByteHold } from "../../../message/byte-hold.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { Turns } from "../../../support/turns.ts";
import { judgeDeep, sentOf } from "../deep-values.ts";
import { judgeInLine } from "../held-body.ts";
import { ParameterFaults } from "../parameter-faults.ts";
import type { ParameterFault } from "../parameters.ts";
import { judgePartHeaders } from "../part-headers.ts";
import { PartReading, type Stop } from "../part-reading.ts";
import { judgeFileHead } from "./file-head.ts";
import {
  type FieldRule,
  type FileRule,
  type FormFault,
  type FormRules,
  fieldOf,
  formDenial,
  isLongField,
  isOtherCharset,
  judgeField,
  judgeFieldInTurns,
  malformed,
  OTHER_CHARSET,
} from "./rules.ts";
import { judgeWholeForm } from "./whole.ts";

/** All that is wrong with a field or file. */
type FieldFaults = readonly [name: string, faults: readonly ParameterFault[]];

/** The part that is being read. */
interface OpenPart {
  readonly head: PartHead;
  /** Null: undeclared, or no field. */
  readonly field: FieldRule | null;
  /** Null: undeclared, or no file. */
  readonly file: FileRule | null;
  /** A field's value, or a file's beginning until it was looked at. */
  readonly kept: ByteHold;
  bytes: number;
  isSeen: boolean;
}

/**
 * Judges a multipart form as it streams. A field, and the beginning of a file, stay until they were judged; the rest of a
 * file goes on as it comes. The last boundary stays until the form is known to be whole and to have all that it must.
 */
export class FormWatch implements BodyWatch, PartHandler<Stop> {
  flows = false;
  readonly #rules: FormRules;
  readonly #exchange: Exchange;
  /** Of multipart/form-data what has no file name is a field, whatever its type. */
  readonly #takesBareFiles: boolean;
  readonly #reading: PartReading<PartHead>;
  #part: OpenPart | null = null;
  #parts = 0;
  #fieldsBytes = 0;
  #keptBytes = 0;
  /** Of fields that are lists, or where the form is judged as a whole, until the end; of others how often they came is all. */
  readonly #kept = new Map<string, string[]>();
  readonly #counts = new Map<string, number>();

  /** `held`: of whoever judges long bodies in line already. */
  constructor(
    rules: FormRules,
    boundary: string,
    readHead: ReadHead<PartHead>,
    exchange: Exchange,
    held: Turns | null,
  ) {
    this.#rules = rules;
    this.#exchange = exchange;
    this.#takesBareFiles = readHead !== readPartHead;
    const reader = new MultipartReader<Stop>(boundary, this, readHead);
    this.#reading = new PartReading(reader, exchange, rules, held);
  }

  get ownBytes(): number {
    return this.#keptBytes + (this.#part?.kept.bytes ?? 0);
  }

  scan(piece: Buffer): number | Denial | Promise<number | Denial> {
    return this.#reading.scan(piece);
  }

  end(): Verdict | Promise<Verdict> {
    return this.#reading.end() ?? this.#judgeWhole();
  }

  malformed(seen: string): Denial {
    return malformed("body_not_multipart", seen, this.#rules);
  }

  // ---- parts (PartHandler) ---------------------------------------------------------------------------------------

  onPart(given: PartHead): Denial | null {
    const head = this.#asField(given);
    const { partsMax, declared, files } = this.#rules;
    if (++this.#parts > partsMax) {
      const detail = `expected at most ${partsMax} fields and files`;
      return this.#deny("form_parts_exceeded", null, "maxParts", detail, "more parts");
    }
    const { name } = head;
    const respelled = declared.respelled(name) ?? this.#asDecoded(name);
    if (respelled !== null) return this.malformed(`${respelled} in another spelling`);
    const isFile = head.fileName !== null;
    const known = fieldOf(this.#rules, name);
    const field = isFile ? null : known;
    const file = isFile ? (files.get(name) ?? null) : null;
    const wrong = head.fileName === "" ? [] : judgePartHeaders(head, (field ?? file)?.headers ?? []);
    if (wrong.length > 0) return this.#denyField(name, wrong);
    this.#part = { head, field, file, kept: new ByteHold(), bytes: 0, isSeen: false };
    this.flows = false;
    const isCounted = field !== null || file !== null || (isFile && this.#rules.whole !== null);
    const count = isCounted ? this.#count(head) : 1;
    if (!isFile) return this.#judgeFieldHead(name, field, count);
    if (file === null && (known !== null || this.#rules.refusesUndeclared))
      return this.#unexpected(name, known !== null ? "a file where a field is expected" : "undeclared");
    const fault = judgeFileHead(head, file, this.#rules, count);
    if (fault !== null) return formDenial(fault, this.#rules.showsErrors);
    // Of what is not looked into nothing need stay.
    this.flows = head.fileName !== "" && !this.#looksInto(head, file);
    return null;
  }

  /** A Blob of a browser that stands for a field is judged as one, and what a type without file names has in place of a file as a file. */
  #asField(head: PartHead): PartHead {
    if (this.#takesBareFiles && head.fileName === null && this.#rules.files.has(head.name))
      return { ...head, fileName: BARE_FILE };
    const isBlob = head.fileName === "blob" && head.type === "application/json";
    return isBlob && this.#rules.fields.get(head.name)?.takesBlob === true ? { ...head, fileName: null } : head;
  }

  /** How often a name has come; what is undeclared is not kept, unless the form is judged as a whole. */
  #count({ name, fileName }: PartHead): number {
    const count = (this.#counts.get(name) ?? 0) + (fileName === "" ? 0 : 1);
    this.#counts.set(name, count);
    return count;
  }

  /** The declared name that a service reads which takes `%` in names for escapes. */
  #asDecoded(name: string): string | null {
    const decoded = decodeLeniently(name);
    if (decoded === name) return null;
    const { declared } = this.#rules;
    return declared.has(decoded) && !declared.has(name)
      ? decoded
      : declared.has(name)
        ? null
        : declared.respelled(decoded);
  }

  #judgeFieldHead(name: string, field: FieldRule | null, count: number): Denial | null {
    if (field === null && (this.#rules.files.has(name) || this.#rules.refusesUndeclared))
      return this.#unexpected(name, this.#rules.files.has(name) ? "a field where a file is expected" : "undeclared");
    if (field === null || field.isList || field.way === "deep" || count === 1) return null;
    return this.#judgeField(field, ["", ""]);
  }

  onContent(bytes: Buffer): Denial | null {
    const part = this.#part;
    if (part === null) return null;
    part.bytes += bytes.length;
    return part.head.fileName === null ? this.#onFieldContent(part, bytes) : this.#onFileContent(part, bytes);
  }

  #onFieldContent(part: OpenPart, bytes: Buffer): Denial | null {
    const { fieldBytesMax, fieldsBytesMax } = this.#rules;
    const { name } = part.head;
    this.#fieldsBytes += bytes.length;
    const bytesMax = part.field?.bytesMax ?? fieldBytesMax;
    if (part.bytes > bytesMax) return this.#tooLong(name, "maxFieldBytes", bytesMax);
    if (this.#fieldsBytes > fieldsBytesMax) return this.#tooLong(null, "maxFieldsBytes", fieldsBytesMax);
    part.kept.add(bytes);
    part.kept.keep();
    return null;
  }

  #onFileContent(part: OpenPart, bytes: Buffer): Denial | null {
    const { head, file } = part;
    if (head.fileName === "") return this.malformed("content of a file without a name");
    if (file !== null && part.bytes > file.bytesMax) return this.#tooLong(file.name, "maxBytes", file.bytesMax, file);
    if (this.flows || part.isSeen) return null;
    part.kept.add(bytes.subarray(0, FILE_START_BYTES - part.kept.bytes));
    part.kept.keep();
    return part.kept.bytes < FILE_START_BYTES ? null : this.#lookInto(part);
  }

  #looksInto({ type }: PartHead, file: FileRule | null): boolean {
    return file?.checksContent === true && type !== null;
  }

  /** The beginning of a file is here, or all of it. */
  #lookInto(part: OpenPart): Denial | null {
    part.isSeen = true;
    this.flows = true;
    const start = part.kept.take() ?? Buffer.alloc(0);
    const { head, file } = part;
    if (file === null || !this.#looksInto(head, file)) return null;
    const seen = fileContentFault(head.type ?? "", start);
    if (seen === null) return null;
    const detail = "expected a file whose content is of the type that it has";
    const place = file.placeOf("types");
    return this.#fault({ reason: "file_content_mismatch", name: file.name, keyword: "content", detail, seen, place });
  }

  onPartEnd(): Stop | null {
    const part = this.#part;
    this.#part = null;
    if (part === null) return null;
    const { head, bytes } = part;
    if (head.contentBytes !== null && head.contentBytes !== bytes)
      return this.malformed("a part of another length than its Content-Length");
    const stop = head.fileName === null ? this.#endField(part) : this.#endFile(part);
    this.flows = false;
    return stop ?? this.#reading.pause;
  }

  #endFile(part: OpenPart): Denial | null {
    return part.head.fileName === "" || this.flows || part.isSeen ? null : this.#lookInto(part);
  }

  #endField({ head, field, kept }: OpenPart): Stop | null {
    const bytes = kept.take() ?? Buffer.alloc(0);
    if (!isUtf8(bytes)) return this.malformed("a field that is no UTF-8");
    const text = bytes.toString("utf8");
    if (isOtherCharset(head.name, text)) return this.malformed(OTHER_CHARSET);
    const isLater = field !== null && (field.isList || field.way === "deep");
    if (isLater || this.#rules.whole !== null) this.#keep(head.name, text, bytes.length);
    if (field === null || isLater) return null;
    if (!isLongField(field, [text])) return this.#judgeField(field, [text]);
    return async (turns) => this.#verdict([[head.name, await judgeFieldInTurns(field, [text], turns)]]);
  }

  #keep(name: string, text: string, bytes: number): void {
    const list = this.#kept.get(name);
    this.#keptBytes += bytes;
    if (list === undefined) this.#kept.set(name, [text]);
    else list.push(text);
  }

  // ---- faults ----------------------------------------------------------------------------------------------------

  /** What only the whole form shows. */
  #judgeWhole(): Verdict | Promise<Verdict> {
    const fields = [...this.#rules.fields].filter(
      ([name, { isList, way }]) => isList || way === "deep" || !this.#counts.has(name),
    );
    const sent = (name: string): readonly string[] => this.#kept.get(name) ?? [];
    if (!fields.some(([name, field]) => isLongField(field, sent(name)))) {
      return this.#endWhole(fields.map(([name, field]) => [name, this.#judgeKept(name, field)]));
    }
    return judgeInLine(this.#exchange, this.#rules, this.#keptBytes, async (begin) => {
      const turns = begin();
      const found: FieldFaults[] = [];
      for (const [name, field] of fields) {
        const isDeep = field.way === "deep";
        found.push([name, isDeep ? this.#judgeKept(name, field) : await judgeFieldInTurns(field, sent(name), turns)]);
      }
      return this.#endWhole(found);
    });
  }

  #judgeKept(name: string, field: FieldRule): readonly ParameterFault[] {
    if (field.way === "deep") return judgeDeep(field.parameter, sentOf(name, this.#kept));
    return judgeField(field, this.#kept.get(name) ?? []);
  }

  #endWhole(found: readonly FieldFaults[]): Verdict | Promise<Verdict> {
    const missing = [...this.#rules.files.values()].filter(({ name, required }) => {
      return required && (this.#counts.get(name) ?? 0) === 0;
    });
    const verdict = this.#verdict([...found, ...missing.map((file) => [file.name, [missingFile(file)]] as const)]);
    if (verdict !== CONTINUE) return verdict;
    const files = new Map([...this.#counts].filter(([name, count]) => count > 0 && !this.#kept.has(name)));
    return judgeWholeForm({ texts: this.#kept, files, bytes: this.#keptBytes }, this.#rules, this.#exchange);
  }

  #judgeField(field: FieldRule, values: readonly string[]): Denial | null {
    return this.#denyField(field.parameter.name, judgeField(field, values));
  }

  #denyField(name: string, faults: readonly ParameterFault[]): Denial | null {
    const verdict = this.#verdict([[name, faults]]);
    return verdict === CONTINUE ? null : verdict;
  }

  #verdict(found: readonly FieldFaults[]): Verdict {
    const faults = new ParameterFaults("form");
    for (const [name, own] of found) faults.add(name, own);
    return faults.verdict(this.#rules.showsErrors);
  }

  #unexpected(name: string, seen: string): Denial {
    return this.#deny("form_field_invalid", name, "undeclared", "no such field is expected", seen);
  }

  #tooLong(name: string | null, keyword: string, bytesMax: number, file?: FileRule): Denial {
    const place = (file ?? this.#rules).placeOf(keyword);
    const detail = `expected at most ${bytesMax} bytes`;
    return this.#fault({ reason: "form_part_too_large", name, keyword, detail, seen: "more bytes", place });
  }

  #deny(reason: FormFault["reason"], name: string | null, keyword: string, detail: string, seen: string): Denial {
    return this.#fault({ reason, name, keyword, detail, seen, place: this.#rules.placeOf(keyword) });
  }

  #fault(fault: FormFault): Denial {
    return formDenial(fault, this.#rules.showsErrors);
  }
}

/** Stands for the name of a file that has none. */
const BARE_FILE = "file";

/** A required file that did not come. */
export function missingFile(file: FileRule) {
  const place = file.placeOf("required");
  return { pointer: "", keyword: "required", detail: "expected a file in this field", seen: "missing", place };
}
