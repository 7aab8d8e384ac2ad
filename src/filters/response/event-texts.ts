import { OPEN_BRACE } from "../../bodies/json-bytes.ts";
import type { Denial } from "../../decision/verdict.ts";
import { GrowingBytes } from "../../message/growing-bytes.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { TextsReader } from "./texts-reader.ts";

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const BLANK = 0x20;
const NOTHING: Buffer = Buffer.alloc(0);
const NEWLINE: Buffer = Buffer.from("\n");
const DATA: Buffer = Buffer.from("data: ");
const COMMENT: Buffer = Buffer.from(":");
const BYTE_ORDER_MARK: Buffer = Buffer.from([0xef, 0xbb, 0xbf]);

interface Line {
  readonly from: number;
  /** Behind its last character, and behind what ends it. */
  readonly to: number;
  readonly next: number;
}

/**
 * The JSON of an event stream's data, event by event, as its reader joins it
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6). An event leaves when it is here whole,
 * which is when its reader would tell of it; one of which nothing is changed leaves as it came.
 */
export class EventTexts implements TextsReader {
  fault: string | null = null;
  denial: Denial | null = null;
  readonly #open: () => TextsReader;
  readonly #isListOfAll: boolean;
  /** The event that is not here whole. */
  readonly #carry = new GrowingBytes(DEFAULTS.answerEventBytesMax, null);
  /** Its last line has nothing yet. */
  #isLineEmpty = true;
  /** A line end of CR may have its LF in the next piece. */
  #wasCr = false;
  #isFirst = true;

  /** `isListOfAll`: data that is no JSON is a fault, but for the end mark of some, and what no reader is told of stays behind. */
  constructor(open: () => TextsReader, isListOfAll: boolean) {
    this.#open = open;
    this.#isListOfAll = isListOfAll;
  }

  get rest(): Buffer {
    return this.#carry.bytes;
  }

  take(piece: Buffer): Buffer {
    const out: Buffer[] = [];
    let from = 0;
    while (this.fault === null && this.denial === null) {
      const end = this.#endOfEvent(piece, from);
      if (end < 0) break;
      const bytes = this.#withCarry(piece.subarray(from, end));
      from = end;
      const event = this.#event(bytes);
      if (this.fault === null) out.push(event);
      else this.#carry.add(bytes);
    }
    this.#carry.add(piece.subarray(from));
    if (this.#carry.length > DEFAULTS.answerEventBytesMax)
      this.fault ??= `an event of more than ${DEFAULTS.answerEventBytesMax} bytes`;
    return out.length === 1 ? (out[0] ?? NOTHING) : Buffer.concat(out);
  }

  /** Behind the last empty line stands no event, for readers that keep to the letter; others take it for one. */
  end(): Buffer {
    const left = this.#carry.take();
    const event = left.length === 0 ? NOTHING : this.#event(left);
    if (this.fault !== null) this.#carry.add(left);
    return event;
  }

  /** Behind its empty line; -1 where that is not here. Each byte is looked at once, however an event is cut. */
  #endOfEvent(piece: Buffer, from: number): number {
    for (let at = from; at < piece.length; at++) {
      const byte = piece[at];
      const endsLine = byte === CR || (byte === LF && !this.#wasCr);
      const isEmpty = endsLine && this.#isLineEmpty;
      this.#isLineEmpty = endsLine || (byte === LF && this.#isLineEmpty);
      this.#wasCr = byte === CR;
      if (!isEmpty) continue;
      this.#wasCr = false;
      return byte === CR && piece[at + 1] === LF ? at + 2 : at + 1;
    }
    return -1;
  }

  #withCarry(end: Buffer): Buffer {
    if (this.#carry.length === 0) return end;
    this.#carry.add(end);
    return this.#carry.take();
  }

  #event(whole: Buffer): Buffer {
    const first = this.#isFirst && whole.indexOf(BYTE_ORDER_MARK) === 0 ? 3 : 0;
    this.#isFirst = false;
    const bytes = this.#isListOfAll ? withoutComments(whole, first) : whole;
    const lines = linesOf(bytes, first);
    const data = lines.flatMap((line) => dataOf(bytes, line) ?? []);
    if (data.length === 0) return bytes;
    const text = Buffer.concat(data.flatMap((one, at) => (at === 0 ? [one] : [NEWLINE, one])));
    const texts = this.#open();
    const edited = Buffer.concat([texts.take(text), texts.end()]);
    this.denial = texts.denial ?? null;
    if (texts.fault === null) return edited.equals(text) ? bytes : rewritten(bytes, lines, edited);
    if (this.#isListOfAll ? !isEndMark(text) : text.includes(OPEN_BRACE)) this.fault = texts.fault;
    return this.fault === null ? bytes : NOTHING;
  }
}

/** As APIs of models end their streams. */
function isEndMark(text: Buffer): boolean {
  return text.toString("latin1").trim() === "[DONE]";
}

function linesOf(bytes: Buffer, first: number): Line[] {
  const lines: Line[] = [];
  let from = first;
  for (let at = first; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte !== LF && byte !== CR) continue;
    const next = byte === CR && bytes[at + 1] === LF ? at + 2 : at + 1;
    lines.push({ from, to: at, next });
    from = next;
    at = next - 1;
  }
  if (from < bytes.length) lines.push({ from, to: bytes.length, next: bytes.length });
  return lines;
}

/** What a reader is told of, an empty line, or a comment that says nothing. */
const FIELD = /^(?:(?:data|event|id|retry)(?::|$)|:?$)/;

/** Without other fields and without what comments say, which may keep the connection alive by being there. */
function withoutComments(bytes: Buffer, first: number): Buffer {
  const lines = linesOf(bytes, first);
  const isField = ({ from, to }: Line): boolean => FIELD.test(bytes.toString("latin1", from, Math.min(to, from + 6)));
  if (lines.every(isField)) return bytes;
  const left = lines.map((line) => {
    if (isField(line)) return bytes.subarray(line.from, line.next);
    return bytes[line.from] === COLON ? Buffer.concat([COMMENT, bytes.subarray(line.to, line.next)]) : NOTHING;
  });
  return Buffer.concat([bytes.subarray(0, first), ...left]);
}

/** What a line `data: …` says; null for other lines. */
function dataOf(bytes: Buffer, { from, to }: Line): Buffer | null {
  const isData = to - from >= 4 && bytes.toString("latin1", from, from + 4) === "data";
  if (!isData) return null;
  if (to === from + 4) return NOTHING;
  if (bytes[from + 4] !== COLON) return null;
  return bytes.subarray(bytes[from + 5] === BLANK && from + 5 < to ? from + 6 : from + 5, to);
}

/** The event with other data: in place of its first line of data, its other fields as they are. */
function rewritten(bytes: Buffer, lines: readonly Line[], text: Buffer): Buffer {
  const out: Buffer[] = [bytes.subarray(0, lines[0]?.from ?? 0)];
  let isWritten = false;
  for (const line of lines) {
    if (dataOf(bytes, line) === null) out.push(bytes.subarray(line.from, line.next));
    else if (!isWritten) {
      isWritten = true;
      const ending = line.next > line.to ? bytes.subarray(line.to, line.next) : NEWLINE;
      for (const one of text.toString("latin1").split("\n")) out.push(DATA, Buffer.from(one, "latin1"), ending);
    }
  }
  return Buffer.concat(out);
}
