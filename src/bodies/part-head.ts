import { isUtf8 } from "node:buffer";
import { excerpt } from "../support/excerpt.ts";
import { err, ok, type Result } from "../support/result.ts";
import { isJson, type MediaType, mediaTypeOf } from "./media-type.ts";

/** Headers of one part of a multipart body, of which every parser makes the same. */
export interface MimeHead {
  /** By its Content-Disposition; null where that gives none. */
  readonly name: string | null;
  /** Null: the part is no file. Empty where a page's file field has none. */
  readonly fileName: string | null;
  /** Media type in lower case, without parameters; null where none is told. */
  readonly type: string | null;
  /** It is text in a charset that agrees with UTF-8 on ASCII alone, so that its content may be nothing else. */
  readonly isAscii: boolean;
  /** All of its lines, names in lower case. */
  readonly lines: ReadonlyMap<string, string>;
  /** Length of the content that the part itself tells, in bytes; null where it tells none. */
  readonly contentBytes: number | null;
}

/** The same of a form's part, which has the name of its field. */
export interface PartHead extends MimeHead {
  readonly name: string;
}

/** What reads the headers of one part: the lines between a boundary and the empty line, without the last line end. The error says what is wrong. */
export type ReadHead<Head> = (head: Buffer) => Result<Head, string>;

const LINE = /^([!#$%&'*+.^`|~0-9A-Za-z_-]+):[ \t]*(.*?)[ \t]*$/;
/** Controls of either kind, and line ends of Unicode, at which some parsers part lines. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const UTF8 = /^utf-?8$/i;
/** They agree with UTF-8 on ASCII alone; Java's HTTP clients name one of them where nobody has said another. */
const LIKE_ASCII = /^(?:us-ascii|iso-8859-1|windows-1252)$/i;
/** With these the content is what it is (RFC 2045 section 6.2); RFC 7578 section 4.7 knows no others. */
const PLAIN_ENCODINGS: ReadonlySet<string> = new Set(["7bit", "8bit", "binary"]);
const KNOWN = ["content-disposition", "content-type", "content-transfer-encoding", "content-length"] as const;

/** Of multipart/form-data (RFC 7578). */
export const readPartHead: ReadHead<PartHead> = (head) => readFieldHead(head, FORM_DATA);

/** Of another type whose parts have names by Content-Disposition. */
export const readNamedHead: ReadHead<PartHead> = (head) => readFieldHead(head, ANY_DISPOSITION);

/** Of a type whose parts are told apart by their place (RFC 2046 section 5.1). */
export const readMimeHead: ReadHead<MimeHead> = (head) => {
  const lines = readLines(head);
  if (!lines.ok) return lines;
  const disposition = lines.value.get("content-disposition");
  const read = disposition === undefined ? ok(NO_NAMES) : readDisposition(disposition, ANY_DISPOSITION);
  if (!read.ok) return read;
  const told = lines.value.get("content-type");
  const type = typeOf(told);
  if (!type.ok) return type;
  const names = mailNamesOf(told, read.value);
  return names.ok ? headOf(lines.value, names.value, type.value) : names;
};

/** Readers of mail (Python, JavaMail) take the `name` of a Content-Type for a file's where the disposition has none. */
function mailNamesOf(type: string | undefined, names: Names): Result<Names, string> {
  const parameters = [...(type === undefined ? [] : (mediaTypeOf(type)?.parameters ?? []))];
  if (parameters.some(([key]) => key.startsWith("name*"))) return err("a 'name*' in the Content-Type of a part");
  const fileName = readFileName(parameters.find(([key]) => key === "name")?.[1], undefined);
  if (!fileName.ok || fileName.value === null) return fileName.ok ? ok(names) : fileName;
  if (names.fileName !== null && names.fileName !== fileName.value)
    return err("a 'name' in the Content-Type that is another than 'filename'");
  return ok({ ...names, fileName: fileName.value });
}

const NO_NAMES: Names = { name: null, fileName: null };

function readFieldHead(head: Buffer, kinds: RegExp): Result<PartHead, string> {
  const lines = readLines(head);
  if (!lines.ok) return lines;
  const disposition = readDisposition(lines.value.get("content-disposition") ?? "", kinds);
  if (!disposition.ok) return disposition;
  const { name, fileName } = disposition.value;
  if (name === null) return err("a part without a name");
  const text = lines.value.get("content-type");
  const type = kinds === FORM_DATA ? fieldTypeOf(text, fileName !== null) : typeOf(text);
  if (!type.ok) return type;
  // Files within files (RFC 7578 section 4.3): some read them as fields of the form, some as one file.
  if (type.value.type !== null && holdsParts(type.value.type)) return err(`a part of type ${excerpt(type.value.type)}`);
  // Browsers send a field in which nobody chose a file so; of another type busboy takes it for an empty field.
  if (fileName === "" && type.value.type !== "application/octet-stream")
    return err("a file without a name that has a type");
  const read = headOf(lines.value, { name, fileName }, type.value);
  return read.ok ? ok({ ...read.value, name }) : read;
}

function readLines(head: Buffer): Result<ReadonlyMap<string, string>, string> {
  if (!isUtf8(head)) return err("headers of a part that are no UTF-8");
  const lines = new Map<string, string>();
  for (const line of head.toString("utf8").split("\r\n")) {
    if (CONTROL.test(line)) return err("a control character in the headers of a part");
    const [, name, value] = LINE.exec(line) ?? [];
    // A line that begins with a blank is folded (RFC 5322 section 2.2.3): to some the end of the one before.
    if (name === undefined || value === undefined) return err("a line in the headers of a part that is no header");
    const known = name.toLowerCase();
    if (lines.has(known)) return err(`two headers ${excerpt(known)} in a part`);
    const respelled = KNOWN.find((one) => one !== known && one === known.replaceAll("_", "-"));
    if (respelled !== undefined) return err(`header ${respelled} of a part in another spelling`);
    lines.set(known, value);
  }
  return ok(lines);
}

function headOf(
  lines: ReadonlyMap<string, string>,
  { name, fileName }: Names,
  { type, isAscii }: PartType,
): Result<MimeHead, string> {
  const encoding = lines.get("content-transfer-encoding");
  if (encoding !== undefined && !PLAIN_ENCODINGS.has(encoding.toLowerCase()))
    return err(`Content-Transfer-Encoding ${excerpt(encoding)} of a part`);
  const length = lines.get("content-length");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return err("Content-Length of a part that is no number");
  return ok({ name, fileName, type, isAscii, lines, contentBytes: length === undefined ? null : Number(length) });
}

interface PartType {
  readonly type: string | null;
  readonly isAscii: boolean;
}

const NO_TYPE: PartType = { type: null, isAscii: false };

function typeOf(text: string | undefined): Result<PartType, string> {
  if (text === undefined) return ok(NO_TYPE);
  const parsed = mediaTypeOf(text);
  if (parsed === null) return err(`type ${excerpt(text)} of a part`);
  return textType(parsed, isJson(parsed.type) || parsed.type.startsWith("text/"));
}

function fieldTypeOf(text: string | undefined, isFile: boolean): Result<PartType, string> {
  if (text === undefined) return ok(NO_TYPE);
  const parsed = mediaTypeOf(text);
  if (parsed === null) return err(`type ${excerpt(text)} of a part`);
  const { type } = parsed;
  // busboy and what is made of it take such a part for a file, others for a field.
  if (!isFile && type === "application/octet-stream") return err(`a field of type ${type} without a file name`);
  return textType(parsed, !isFile || isJson(type));
}

/** What is read as text in another charset is another text. */
function textType({ type, parameters }: MediaType, isText: boolean): Result<PartType, string> {
  const charset = parameters.get("charset");
  if (!isText || charset === undefined || UTF8.test(charset)) return ok({ type, isAscii: false });
  return LIKE_ASCII.test(charset) ? ok({ type, isAscii: true }) : err(`a part in charset ${excerpt(charset)}`);
}

/** Whether a part of this type is made of others, or of a message with headers of its own. */
export function holdsParts(type: string): boolean {
  return type.startsWith("multipart/") || type.startsWith("message/");
}

interface Names {
  readonly name: string | null;
  readonly fileName: string | null;
}

/** What a part is for, then parameters: a word in quotes, or a token without the apostrophes that PHP takes for quotes. */
const FORM_DATA = /^form-data[ \t]*(?=;|$)/i;
const ANY_DISPOSITION = /^(?:form-data|attachment|inline)[ \t]*(?=;|$)/i;
const PARAMETER =
  /[ \t]*;[ \t]*(?:(filename\*)=([^\s;"]*)|([!#$%&+.^`|~0-9A-Za-z_*-]+)=(?:"([^"]*)"|([!#$%&*+.^`|~0-9A-Za-z_-]+)))[ \t]*/iy;

function readDisposition(text: string, kinds: RegExp): Result<Names, string> {
  const start = kinds.exec(text)?.[0].length;
  if (start === undefined)
    return err(
      kinds === FORM_DATA
        ? "a part without 'Content-Disposition: form-data'"
        : "a part whose Content-Disposition is not form-data, attachment or inline",
    );
  // An escape to some, a letter to others; browsers write `%22` for a quote.
  if (text.includes("\\")) return err("a backslash in a Content-Disposition");
  const parameters = new Map<string, string>();
  for (let at = start; at < text.length; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (match === null) return err("a Content-Disposition of a part that services read differently");
    const key = (match[1] ?? match[3] ?? "").toLowerCase();
    if (parameters.has(key)) return err(`two parameters ${excerpt(key)} in a Content-Disposition`);
    // `name*`, `filename*0` (RFC 2231): some put them together, some never saw them, and busboy drops a part for `x*`.
    if (/name|\*/.test(key) && !KNOWN_PARAMETERS.has(key))
      return err(`parameter ${excerpt(key)} in a Content-Disposition`);
    parameters.set(key, match[2] ?? match[4] ?? match[5] ?? "");
  }
  const name = parameters.get("name");
  if (name === "") return err("a part without a name");
  const fileName = readFileName(parameters.get("filename"), parameters.get("filename*"));
  return fileName.ok ? ok({ name: name ?? null, fileName: fileName.value }) : fileName;
}

const KNOWN_PARAMETERS: ReadonlySet<string> = new Set(["name", "filename", "filename*"]);

/** Of `filename*` (RFC 8187) nothing may depend: it says what `filename` says, or the part is refused. */
function readFileName(plain: string | undefined, extended: string | undefined): Result<string | null, string> {
  if (plain === undefined) return extended === undefined ? ok(null) : err("'filename*' without 'filename'");
  const word = ENCODED_WORD.exec(plain);
  if (extended === undefined) {
    return /=\?.*\?=/.test(plain) ? err("a file name in an encoding of mail") : ok(plain);
  }
  const told = extendedValue(extended);
  if (told === null) return err("a 'filename*' that is no UTF-8");
  // .NET writes other letters than ASCII's so, and the name itself behind `filename*`.
  const meant = word === null ? plain : Buffer.from(word[1] ?? "", "base64").toString("utf8");
  return told === meant ? ok(told) : err("a 'filename*' that is another than 'filename'");
}

const ENCODED_WORD = /^=\?utf-8\?B\?([A-Za-z0-9+/=]*)\?=$/i;

function extendedValue(text: string): string | null {
  const [, encoded] = /^utf-8'[A-Za-z0-9-]*'((?:[!#$&+.^_`|~0-9A-Za-z-]|%[0-9A-Fa-f]{2})*)$/i.exec(text) ?? [];
  if (encoded === undefined) return null;
  try {
    const decoded = decodeURIComponent(encoded);
    return CONTROL.test(decoded) ? null : decoded;
  } catch {
    return null;
  }
}
