import { isUtf8 } from "node:buffer";
import { excerpt } from "../support/excerpt.ts";
import { err, ok, type Result } from "../support/result.ts";
import { isJson, mediaTypeOf } from "./media-type.ts";

/** Headers of one part of multipart/form-data, of which every parser makes the same. */
export interface PartHead {
  /** Of the field. */
  readonly name: string;
  /** Null: the part is no file. Empty where a page's file field has none. */
  readonly fileName: string | null;
  /** Media type in lower case, without parameters; null where none is told. */
  readonly type: string | null;
  /** All of its lines, names in lower case. */
  readonly lines: ReadonlyMap<string, string>;
  /** Length of the content that the part itself tells, in bytes; null where it tells none. */
  readonly contentBytes: number | null;
}

const LINE = /^([!#$%&'*+.^`|~0-9A-Za-z_-]+):[ \t]*(.*?)[ \t]*$/;
/** Controls of either kind, and line ends of Unicode, at which some parsers part lines. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const UTF8 = /^(?:utf-?8|us-ascii)$/i;
/** With these the content is what it is (RFC 2045 section 6.2); RFC 7578 section 4.7 knows no others. */
const PLAIN_ENCODINGS: ReadonlySet<string> = new Set(["7bit", "8bit", "binary"]);
const KNOWN = ["content-disposition", "content-type", "content-transfer-encoding", "content-length"] as const;

/** `head`: the lines between a boundary and the empty line, without the last line end. The error says what is wrong. */
export function readPartHead(head: Buffer): Result<PartHead, string> {
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
  return partHeadOf(lines);
}

function partHeadOf(lines: ReadonlyMap<string, string>): Result<PartHead, string> {
  const disposition = readDisposition(lines.get("content-disposition") ?? "");
  if (!disposition.ok) return disposition;
  const { name, fileName } = disposition.value;
  const encoding = lines.get("content-transfer-encoding");
  if (encoding !== undefined && !PLAIN_ENCODINGS.has(encoding.toLowerCase()))
    return err(`Content-Transfer-Encoding ${excerpt(encoding)} of a part`);
  const length = lines.get("content-length");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return err("Content-Length of a part that is no number");
  const type = typeOf(lines.get("content-type"), fileName !== null);
  if (!type.ok) return type;
  // Browsers send a field in which nobody chose a file so; of another type busboy takes it for an empty field.
  if (fileName === "" && type.value !== "application/octet-stream") return err("a file without a name that has a type");
  return ok({ name, fileName, type: type.value, lines, contentBytes: length === undefined ? null : Number(length) });
}

function typeOf(text: string | undefined, isFile: boolean): Result<string | null, string> {
  if (text === undefined) return ok(null);
  const parsed = mediaTypeOf(text);
  if (parsed === null) return err(`type ${excerpt(text)} of a part`);
  const { type, parameters } = parsed;
  // Files within files (RFC 7578 section 4.3): some read them as fields of the form, some as one file.
  if (type.startsWith("multipart/") || type.startsWith("message/")) return err(`a part of type ${excerpt(type)}`);
  // busboy and what is made of it take such a part for a file, others for a field.
  if (!isFile && type === "application/octet-stream") return err(`a field of type ${type} without a file name`);
  const charset = parameters.get("charset");
  if ((!isFile || isJson(type)) && charset !== undefined && !UTF8.test(charset))
    return err(`a part in charset ${excerpt(charset)}`);
  return ok(type);
}

/** `form-data`, then parameters: a word in quotes, or a token without the apostrophes that PHP takes for quotes. */
const FORM_DATA = /^form-data[ \t]*(?=;|$)/i;
const PARAMETER =
  /[ \t]*;[ \t]*(?:(filename\*)=([^\s;"]*)|([!#$%&+.^`|~0-9A-Za-z_*-]+)=(?:"([^"]*)"|([!#$%&*+.^`|~0-9A-Za-z_-]+)))[ \t]*/iy;

function readDisposition(text: string): Result<{ name: string; fileName: string | null }, string> {
  const start = FORM_DATA.exec(text)?.[0].length;
  if (start === undefined) return err("a part without 'Content-Disposition: form-data'");
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
  if (name === undefined || name === "") return err("a part without a name");
  const fileName = readFileName(parameters.get("filename"), parameters.get("filename*"));
  return fileName.ok ? ok({ name, fileName: fileName.value }) : fileName;
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
