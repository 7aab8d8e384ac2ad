import type { HeaderBlock } from "../message/headers.ts";
import { excerpt } from "../support/excerpt.ts";
import { err, ok, type Result } from "../support/result.ts";
import { boundaryOf } from "./boundary.ts";
import { FormMethodScanner } from "./form-method.ts";
import { JsonMethodScanner } from "./json-method.ts";
import type { MethodParameters } from "./method-parameters.ts";
import type { MethodScanner } from "./method-scanner.ts";
import { MultipartMethodScanner } from "./multipart-method.ts";
import { SniffedJsonScanner } from "./sniffed-json.ts";

/** Why a body cannot be searched for a method. */
export interface UnreadableBody {
  readonly reason: "content_type_unsupported" | "content_encoding_unsupported";
  readonly seen: string;
  readonly wanted: string;
}

/** What a body may be to the services that read a method from it: more than one where they read its type differently. */
export interface MethodBody {
  readonly form: boolean;
  readonly json: boolean;
  /**
   * JSON whatever the type says, where it begins as JSON does: Parse Server parses every body of a POST. `opaque`: in a
   * charset that such a parser reads and whose letters are not ASCII's.
   */
  readonly sniffed: "json" | "opaque" | null;
  /** Of a multipart body. */
  readonly boundary: string | null;
  /** The content encoding of JSON, behind which it cannot be seen what it names. */
  readonly hiddenBy: string | null;
}

/**
 * By the loosest reading of the type that is known: PHP takes `application/x-www-form-urlencoded, x` for a form, Laravel
 * whatever has `/json` anywhere for JSON, Rack a POST without any type for a form, and Parse Server a POST of any type for
 * JSON. GET and HEAD have no body to anybody. Null where nobody reads a method from such a body.
 */
export function methodBodyOf(method: string, headers: HeaderBlock): Result<MethodBody | null, UnreadableBody> {
  if (method === "GET" || method === "HEAD") return ok(null);
  const type = headers.list("content-type") ?? "";
  const coding = (headers.list("content-encoding") ?? "").trim();
  if (type === "application/json" && coding === "") return ok(JSON_BODY);
  const isEncoded = coding !== "" && coding.toLowerCase() !== "identity";
  if (type.trim() === "") return ok(isEncoded || method !== "POST" ? null : FORM);
  const form = /x-www-form-urlencoded/i.test(type);
  const isMultipart = /multipart\//i.test(type);
  const json = /json/i.test(type);
  if (!form && !isMultipart && !json) return ok(isEncoded || method !== "POST" ? null : sniffedBody(type));
  // Express inflates both. Few honest forms are compressed; JSON is, by clients that send much of it.
  if (isEncoded && !form && !isMultipart)
    return ok({ form, json: false, sniffed: null, boundary: null, hiddenBy: coding });
  if (isEncoded) {
    const seen = `a form in content encoding ${excerpt(coding)}`;
    return err({ reason: "content_encoding_unsupported", seen, wanted: "identity" });
  }
  const charset = strangeCharset(type);
  if (charset !== null) return err(typeFault(`charset ${excerpt(charset)}`));
  const sniffed = json || method !== "POST" ? null : "json";
  if (!isMultipart) return ok({ form, json, sniffed, boundary: null, hiddenBy: null });
  const boundary = boundaryOf(type);
  if (boundary === null) return err(typeFault("a boundary of many readings, or none"));
  return ok({ form, json, sniffed, boundary, hiddenBy: null });
}

const FORM: MethodBody = { form: true, json: false, sniffed: "json", boundary: null, hiddenBy: null };
const JSON_BODY: MethodBody = { form: false, json: true, sniffed: null, boundary: null, hiddenBy: null };
const SNIFFED: MethodBody = { form: false, json: false, sniffed: "json", boundary: null, hiddenBy: null };
const OPAQUE: MethodBody = { ...SNIFFED, sniffed: "opaque" };

/** Of a type that nobody reads a method from but who parses every body; body-parser reads JSON in any `utf-` charset. */
function sniffedBody(type: string): MethodBody {
  return /^utf-/i.test(strangeCharset(type) ?? "") ? OPAQUE : SNIFFED;
}

function typeFault(seen: string): UnreadableBody {
  const wanted = "one reading of the body, or 'methodParameters: []' under 'request' where the service reads no method";
  return { reason: "content_type_unsupported", seen, wanted };
}

/** Charsets whose ASCII letters are ASCII bytes; ASP.NET and body-parser read UTF-16 and EBCDIC where they are told to. */
const USUAL_CHARSET =
  /^(?:utf-?8|us-ascii|ascii|iso-?8859-\d+|latin1|windows-\d+|cp125\d|koi8-[ru]|shift[_-]jis|euc-(?:jp|kr)|gbk|gb2312|gb18030|big5)$/i;

function strangeCharset(type: string): string | null {
  for (const [, charset = ""] of type.matchAll(/charset\s*=\s*["']?([^\s"';,]*)/gi)) {
    if (!USUAL_CHARSET.test(charset)) return charset;
  }
  return null;
}

/** `announcedBytes`: the body's length, negative where it is not known. */
export function methodScannerOf(
  { form, json, sniffed, boundary }: MethodBody,
  parameters: MethodParameters,
  announcedBytes: number,
): MethodScanner {
  const scanners: MethodScanner[] = [];
  if (form) scanners.push(new FormMethodScanner(parameters));
  if (json) scanners.push(new JsonMethodScanner(parameters, announcedBytes));
  if (sniffed !== null) scanners.push(new SniffedJsonScanner(parameters, announcedBytes, sniffed === "opaque"));
  if (boundary !== null) scanners.push(new MultipartMethodScanner(parameters, boundary));
  const [first] = scanners;
  return first !== undefined && scanners.length === 1 ? first : new AllScanners(scanners);
}

/** A body that is one form to one service and another to the next. */
class AllScanners implements MethodScanner {
  readonly #scanners: readonly MethodScanner[];

  constructor(scanners: readonly MethodScanner[]) {
    this.#scanners = scanners;
  }

  scan(piece: Buffer, found: string[]): number {
    return Math.min(...this.#scanners.map((scanner) => scanner.scan(piece, found)));
  }

  end(found: string[]): void {
    for (const scanner of this.#scanners) scanner.end(found);
  }
}
