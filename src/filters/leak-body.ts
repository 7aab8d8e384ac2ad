import { type BodyFormat, type BodyKind, bodyFormatOf } from "../bodies/answer-format.ts";
import { JsonSniffer } from "../bodies/json-sniffer.ts";
import { type Blocked, type Leak, type LeakAction, type LeakFormat, LeakStream } from "../leaks/leak-stream.ts";
import type { Scanner } from "../leaks/scanner.ts";
import type { HeaderBlock } from "../message/headers.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** What a body is read as. What begins as JSON does is JSON, whatever its label. */
const FORMATS: Readonly<Record<BodyKind, LeakFormat>> = {
  json: "json",
  ndjson: "json",
  "json-seq": "json",
  events: "events",
  csv: "csv",
  html: "markup",
  xml: "markup",
  text: "text",
  form: "form",
  data: "text",
  other: "text",
};

/** Byte order marks of UTF-16, and of UTF-32 as it mostly is. */
const WIDE_MARKS: readonly number[] = [0xfffe, 0xfeff];

/** Types in which bytes are no characters. */
const NO_TEXT = /^\s*(?:image|audio|video|font)\//i;

/** Nobody here reads it. */
export class Unreadable {
  readonly seen: string;
  constructor(seen: string) {
    this.seen = seen;
  }
}

/** What a body is looked at as; `none`: its bytes are no text. Null where that has no single reading. */
export type LeakBodyFormat = BodyFormat | "none" | null;

/** The body of one message, piece by piece, in whatever format it is. */
export class LeakBody {
  readonly #format: LeakBodyFormat;
  readonly #scanner: Scanner;
  readonly #decide: (leak: Leak) => LeakAction;
  /** Null until it is asked. */
  #sniffer: JsonSniffer | null = null;
  /** The first two bytes, as far as they are here. */
  #mark = 0;
  #markBytes = 0;
  /** Null until it is known what is read. */
  #stream: LeakStream | null = null;

  constructor(format: LeakBodyFormat, scanner: Scanner, decide: (leak: Leak) => LeakAction) {
    this.#format = format;
    this.#scanner = scanner;
    this.#decide = decide;
    if (format !== null && format !== "none" && (FORMATS[format.kind] === "json" || format.kind === "events"))
      this.#open(format);
  }

  /** Bytes that wait for what follows them. */
  get heldBytes(): number {
    return this.#stream?.heldBytes ?? 0;
  }

  #open({ kind }: BodyFormat): void {
    const format = this.#sniffer?.found === "json" ? "json" : FORMATS[kind];
    this.#stream = new LeakStream(this.#scanner, format, this.#decide);
  }

  take(piece: Buffer): Buffer | Blocked | Unreadable {
    const fault = this.#fault(piece);
    if (fault !== null) return new Unreadable(fault);
    return this.#stream === null ? piece : this.#stream.take(piece);
  }

  /** In place of both, for a body that is here whole. */
  takeAll(body: Buffer): Buffer | Blocked | Unreadable {
    const fault = this.#fault(body);
    if (fault !== null) return new Unreadable(fault);
    return this.#stream === null ? body : this.#stream.takeAll(body);
  }

  end(): Buffer | Blocked {
    return this.#stream === null ? NOTHING : this.#stream.end();
  }

  /** Why nobody here reads it; looks what it is, where that is not known. */
  #fault(piece: Buffer): string | null {
    if (this.#format === null) return "a Content-Type with more than one reading";
    if (this.#format === "none")
      return this.#isNoPicture(piece) ? "JSON that is called a picture, sound or font" : null;
    if (this.#format.charset === null) return "a charset that nobody here reads";
    this.#sniffer ??= new JsonSniffer();
    if (this.#sniffer.found !== null) return null;
    for (let at = 0; this.#markBytes < 2 && at < piece.length; at++, this.#markBytes++)
      this.#mark = (this.#mark << 8) | (piece[at] as number);
    if (WIDE_MARKS.includes(this.#mark)) return "UTF-16 or UTF-32";
    const isOpen = this.#stream !== null;
    if (this.#sniffer.look(piece) < 0) return null;
    if (this.#sniffer.found === "wide") return "UTF-16 or UTF-32";
    if (!isOpen) this.#open(this.#format);
    return null;
  }

  /** Clients of APIs read JSON whatever its label; no picture, sound or font begins as it does. */
  #isNoPicture(piece: Buffer): boolean {
    this.#sniffer ??= new JsonSniffer();
    return this.#sniffer.found === null && this.#sniffer.look(piece) >= 0 && this.#sniffer.found === "json";
  }
}

export function leakFormatOf(headers: HeaderBlock): LeakBodyFormat {
  if (headers.count("content-type") > 1) return null;
  const type = headers.get("content-type");
  const format = bodyFormatOf(type);
  return format?.kind === "other" && NO_TEXT.test(type ?? "") ? "none" : format;
}
