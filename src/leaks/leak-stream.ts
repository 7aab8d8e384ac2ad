import { Decoded } from "./decoded.ts";
import { decode, joinData, type LeakCoding } from "./decoders.ts";
import type { LeakKind, Tail } from "./kind.ts";
import {
  CsvPlaces,
  EventPlaces,
  JsonPlaces,
  type LeakPath,
  type LeakPlace,
  NO_PLACES,
  NOWHERE,
  type Places,
} from "./places.ts";
import { type PlacedFind, type Scanner, WORDS_BYTES } from "./scanner.ts";

/** What a text is. `events`: lines of an event stream, whose data may be JSON. */
export type LeakFormat = "json" | "events" | "csv" | "markup" | "form" | "text";

/** What becomes of a find: it passes, something else stands in its place, or nothing more goes on. */
export type LeakAction = "pass" | "mask" | "block";

export interface Leak {
  readonly kind: LeakKind;
  /** Where it stands; empty where that is not known. */
  readonly path: LeakPath;
}

/** Nothing more goes on, because of this. */
export class Blocked {
  readonly leak: Leak;
  constructor(leak: Leak) {
    this.leak = leak;
  }
}

const NOTHING: Buffer = Buffer.alloc(0);
const CONTEXT_BYTES = 2 * WORDS_BYTES;
/** Most bytes that are held back to see what follows them; whatever is not told by then is judged as if nothing followed. */
export const HELD_BYTES_MAX = 16 * 1024;

const UNREAD_BYTES_MAX = 16 * 1024;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;

const CODINGS: Readonly<Record<LeakFormat, LeakCoding>> = {
  json: "json",
  events: "json",
  csv: "none",
  markup: "markup",
  form: "form",
  text: "none",
};

function placesOf(format: LeakFormat): Places {
  if (format === "json") return new JsonPlaces();
  if (format === "events") return new EventPlaces();
  return format === "csv" ? new CsvPlaces() : NO_PLACES;
}

/** A stretch of the text, as it came and as its reader has it. */
interface Window {
  readonly source: Buffer;
  /** The source, or the joined data of events. */
  readonly lines: Decoded;
  readonly text: Decoded;
  /** The text, and before it the end of what was looked at. */
  readonly bytes: Buffer;
  readonly isWhole: boolean;
}

/** What was found and its mask may be much longer than any shape: the rest of a key, of a token. */
interface OpenTail {
  readonly tail: Tail;
  readonly isMasked: boolean;
  left: number;
  /** Its last bytes so far, which the mark of its end may begin with. */
  seen: Buffer;
}

/**
 * Looks for leaks in a text that comes in pieces, wherever it is cut, and gives on what is left of it. What it holds back is
 * the beginning of something that may be a find, and no more than HELD_BYTES_MAX.
 */
export class LeakStream {
  readonly #scanner: Scanner;
  readonly #format: LeakFormat;
  readonly #decide: (leak: Leak) => LeakAction;
  /** Made where somebody asks. */
  #places: Places | null = null;
  /** What has gone on and no places were told of. */
  readonly #unread: Buffer[] = [];
  #unreadBytes = 0;
  /** What was asked for beyond what has gone on: it is asked for again. */
  #asked: { readonly at: number; readonly place: LeakPlace }[] = [];
  #held: Buffer = NOTHING;
  /** The end of what was looked at. */
  #context: Buffer = NOTHING;
  #isLineBegun = false;
  #tail: OpenTail | null = null;
  /** Of the lines: from where the present window begins, and up to where places know of. */
  #at = 0;
  #placed = 0;

  constructor(scanner: Scanner, format: LeakFormat, decide: (leak: Leak) => LeakAction) {
    this.#scanner = scanner;
    this.#format = format;
    this.#decide = decide;
  }

  get heldBytes(): number {
    return this.#held.length;
  }

  /** What goes on now: the piece itself where nothing is changed. */
  take(piece: Buffer): Buffer | Blocked {
    const taken = this.#look(this.#windowOf(piece, false), false);
    if (taken instanceof Blocked || this.#held.length <= HELD_BYTES_MAX) return taken;
    const rest = this.#look(this.#windowOf(NOTHING, true), false);
    return rest instanceof Blocked ? rest : Buffer.concat([taken, rest]);
  }

  /** Nothing follows. */
  end(): Buffer | Blocked {
    return this.#held.length === 0 ? NOTHING : this.takeAll(NOTHING);
  }

  /** All of a text at once, or the rest of it: nothing is kept. */
  takeAll(source: Buffer): Buffer | Blocked {
    return this.#look(this.#windowOf(source, true), true);
  }

  /** What was held, and what comes behind it. Where nothing is decoded, it is copied behind its context at once. */
  #windowOf(piece: Buffer, isWhole: boolean): Window {
    const before = this.#context.length;
    const isFirst = before + this.#held.length === 0;
    const all = isFirst ? piece : Buffer.concat([this.#context, this.#held, piece]);
    const source = before === 0 ? all : all.subarray(before);
    const lines =
      this.#format === "events"
        ? joinData(source, this.#isLineBegun, isWhole)
        : new Decoded(source, source.length, null);
    const text = decode(lines.bytes, CODINGS[this.#format], isWhole);
    const isAsItCame = text.bytes === source;
    const bytes = isAsItCame ? all : before === 0 ? text.bytes : Buffer.concat([this.#context, text.bytes]);
    return { source, lines, text, bytes, isWhole };
  }

  #look(window: Window, isLast: boolean): Buffer | Blocked {
    const { text, bytes, isWhole } = window;
    const start = this.#context.length;
    const masks = new Masks(window, start);
    const from = this.#tail === null ? start : this.#endTail(this.#tail, bytes, start, masks);
    const { found, upTo } = this.#scanner.scan(bytes, from, isWhole, (at) => this.#placeAt(window, at - start));
    let end = upTo;
    let covered = from;
    for (const one of found) {
      const leak: Leak = { kind: one.kind, path: one.place.path };
      const action = this.#decide(leak);
      if (action === "block") return new Blocked(leak);
      if (one.start < covered) continue;
      if (action === "mask") masks.add(one.start, one.end, maskOf(one, bytes));
      if (one.tail === null) continue;
      covered = this.#endTail(
        { tail: one.tail, isMasked: action === "mask", left: one.tail.bytesMax, seen: NOTHING },
        bytes,
        one.end,
        masks,
      );
      end = Math.max(end, covered);
    }
    const lineEnd = text.sourceStart(end - start);
    const sourceEnd = window.lines.sourceStart(lineEnd);
    const out = masks.applied(sourceEnd);
    this.#held = NOTHING;
    if (!isLast) this.#keep(window, lineEnd, sourceEnd, bytes.subarray(Math.max(0, end - CONTEXT_BYTES), end));
    return out;
  }

  /** Takes as much of a tail as is here; gives where it ends. */
  #endTail(open: OpenTail, bytes: Buffer, from: number, masks: Masks): number {
    const { set, until } = open.tail;
    const most = Math.min(bytes.length, from + open.left);
    let end = from;
    while (end < most && set[bytes[end] as number] === 1) end++;
    const taken = Buffer.concat([open.seen, bytes.subarray(from, end)]);
    const mark = until === "" ? -1 : taken.indexOf(until);
    if (mark >= 0) end = from - open.seen.length + mark + until.length;
    open.seen = taken.subarray(Math.max(0, taken.length - Math.max(until.length - 1, 0)));
    open.left -= end - from;
    const goesOn = mark < 0 && end === bytes.length && open.left > 0;
    if (open.isMasked) masks.addTail(from, end, goesOn);
    this.#tail = goesOn ? open : null;
    return end;
  }

  /** For what follows: the source from `sourceEnd` on, the end of what was looked at, and where it stands. */
  #keep({ source, lines }: Window, lineEnd: number, sourceEnd: number, context: Buffer): void {
    this.#keepForPlaces(lines.bytes, lineEnd);
    this.#at += lineEnd;
    if (this.#asked.length > 0) this.#asked = this.#asked.filter(({ at }) => at >= this.#at);
    if (sourceEnd < source.length) this.#held = Buffer.from(source.subarray(sourceEnd));
    const last = sourceEnd === 0 ? undefined : source[sourceEnd - 1];
    if (last !== undefined) this.#isLineBegun = last !== LINE_FEED && last !== RETURN;
    this.#context = Buffer.from(context);
  }

  #placeAt({ lines, text }: Window, at: number): LeakPlace {
    const line = this.#at + text.sourceStart(Math.max(at, 0));
    const asked = this.#asked.find((one) => one.at === line);
    if (asked !== undefined) return asked.place;
    this.#feedPlaces(lines.bytes, line + 1 - this.#at);
    const place = this.#places?.place() ?? NOWHERE;
    this.#asked.push({ at: line, place });
    return place;
  }

  /** Most answers are short and have nothing to find: then nobody asks for places, and nothing need be read for them. */
  #keepForPlaces(lines: Buffer, to: number): void {
    const from = this.#placed + this.#unreadBytes - this.#at;
    if (this.#places !== null || this.#unreadBytes + to - from > UNREAD_BYTES_MAX) this.#feedPlaces(lines, to);
    else if (to > from) {
      this.#unread.push(Buffer.from(lines.subarray(from, to)));
      this.#unreadBytes += to - from;
    }
  }

  /** Tells places of the lines, up to there, what they have not been told. */
  #feedPlaces(lines: Buffer, to: number): void {
    this.#places ??= placesOf(this.#format);
    for (const bytes of this.#unread) this.#places.feed(bytes, 0, bytes.length);
    this.#placed += this.#unreadBytes;
    this.#unreadBytes = 0;
    this.#unread.length = 0;
    const from = this.#placed - this.#at;
    const end = Math.min(to, lines.length);
    if (end <= from) return;
    this.#places.feed(lines, from, end);
    this.#placed += end - from;
  }
}

/** A number stays one, so that JSON stays JSON. */
function maskOf({ kind, place, start, end }: PlacedFind, bytes: Buffer): string {
  const isNumber = place.isInNumber && /^\d+$/.test(bytes.toString("latin1", start, end));
  return isNumber ? "0" : `[${kind.name}]`;
}

interface Mask {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** What is put in place of stretches of the source. */
class Masks {
  readonly #window: Window;
  readonly #start: number;
  /** Null where nothing was found. */
  #masks: Mask[] | null = null;

  constructor(window: Window, start: number) {
    this.#window = window;
    this.#start = start;
  }

  /** Of the text; where two meet, the first one's stands for both. */
  add(start: number, end: number, text: string): void {
    if (start >= end) return;
    const { lines, text: decoded } = this.#window;
    const from = lines.sourceStart(decoded.sourceStart(start - this.#start));
    this.#put(from, lines.sourceEnd(decoded.sourceEnd(end - this.#start)), text);
  }

  /** Nothing stands in its place. It takes what parts one window of it from the next, as `data:` does. */
  addTail(start: number, end: number, goesOn: boolean): void {
    const { lines, text } = this.#window;
    const from = start === this.#start ? 0 : lines.sourceStart(text.sourceStart(start - this.#start));
    const last = goesOn ? lines.sourceStart(text.sourceLength) : lines.sourceEnd(text.sourceEnd(end - this.#start));
    if (last > from) this.#put(from, last, "");
  }

  #put(from: number, to: number, text: string): void {
    this.#masks ??= [];
    const last = this.#masks.at(-1);
    if (last === undefined || from > last.to || (from === last.to && text !== "")) this.#masks.push({ from, to, text });
    else if (to > last.to) this.#masks[this.#masks.length - 1] = { ...last, to };
  }

  /** The source up to there. */
  applied(end: number): Buffer {
    const { source } = this.#window;
    if (this.#masks === null) return end === source.length ? source : source.subarray(0, end);
    const parts: Buffer[] = [];
    let at = 0;
    for (const { from, to, text } of this.#masks) {
      parts.push(source.subarray(at, from), Buffer.from(text, "latin1"));
      at = to;
    }
    return Buffer.concat([...parts, source.subarray(at, end)]);
  }
}
