import { DEFAULTS } from "../support/defaults.ts";
import type { Charset } from "./answer-format.ts";
import { ALL_TOLD, type AskedNames, type Others } from "./json-asked.ts";
import { OPEN_BRACE, OPEN_BRACKET } from "./json-bytes.ts";
import { JsonStream } from "./json-stream.ts";
import type { JsonVisitor } from "./json-visitor.ts";

/** What becomes of a value. */
export type Fate = typeof KEEP | typeof DROP | typeof REPLACE;
export const KEEP = 0;
export const DROP = 1;
/** A scalar becomes another one; a container is kept, and what is in it has its own fate. */
export const REPLACE = 2;

/** What is to be changed of a JSON text. `Node` is a place in it, as far as anybody asks for what is there. */
export interface JsonEdit<Node> {
  readonly root: Node;
  /** Names that lead where others do not, and what is asked of others within a node; all of them if absent. */
  readonly asked?: AskedNames;
  others?(of: Node): Others;
  /** Where a member or an item leads; null where all that is there stays as it is. */
  child(of: Node, key: string | number): Node | null;
  /** `byte`: the value's first. */
  fate(node: Node, byte: number): Fate;
  /** The scalar in place of another; `raw` has its bytes, quotes and escapes included, or is null where it was too long. */
  replacement(node: Node, raw: Buffer | null): Buffer;
}

const NOTHING: Buffer = Buffer.alloc(0);
const NULL: Buffer = Buffer.from("null");

/**
 * Takes values out of JSON texts, or puts others in their place, as they go by in pieces. What it is not asked to change
 * leaves as the very same bytes; a member goes with its comma. It keeps no more than a name, or a scalar to be replaced.
 */
export class JsonRewriter<Node> implements JsonVisitor<Node> {
  readonly #edit: JsonEdit<Node>;
  readonly #stream: JsonStream<Node>;
  /** Of each container that is looked into: whether something in it stays. */
  readonly #kept: boolean[] = [];
  #bytes: Buffer = NOTHING;
  #carry: Buffer = NOTHING;
  /** What goes on: stretches of the bytes, as two positions each, and what stands in place of others, as -1 and its number. */
  #spans: number[] = [];
  #placed: Buffer[] = [];
  /** What was not given out yet begins here. */
  #from = 0;
  #isDropping = false;
  #replaceFrom = -1;
  #replaced: Node | null = null;

  constructor(edit: JsonEdit<Node>, charset: Charset = "utf8") {
    this.#edit = edit;
    this.#stream = new JsonStream<Node>(this, { charset, asked: edit.asked ?? null });
  }

  /** Why no more is read. What came is in `rest`. */
  get fault(): string | null {
    return this.#stream.fault;
  }

  /** Texts that began. */
  get texts(): number {
    return this.#stream.texts;
  }

  /** What was kept of the pieces that came. */
  get rest(): Buffer {
    return this.#carry;
  }

  /** What goes on now; the piece itself where nothing is changed. */
  take(piece: Buffer): Buffer {
    const carried = this.#carry.length;
    const bytes = carried === 0 ? piece : Buffer.concat([this.#carry, piece]);
    this.#bytes = bytes;
    this.#from = 0;
    this.#stream.feed(bytes, carried);
    this.#limitReplaced();
    const held = this.#held(bytes.length);
    if (!this.#isDropping) this.#give(held);
    this.#carry = held < bytes.length ? Buffer.from(bytes.subarray(held)) : NOTHING;
    this.#stream.shift(held);
    if (this.#replaceFrom >= 0) this.#replaceFrom -= held;
    return this.#given();
  }

  /** What was held back; a text that is cut is a fault. */
  end(): Buffer {
    this.#bytes = this.#carry;
    this.#from = 0;
    this.#stream.end(this.#carry.length);
    if (this.fault !== null) return NOTHING;
    if (!this.#isDropping) this.#give(this.#carry.length);
    this.#carry = NOTHING;
    return this.#given();
  }

  #held(length: number): number {
    if (this.#replaceFrom >= 0) return this.#replaceFrom;
    return this.#stream.heldFrom >= 0 ? this.#stream.heldFrom : length;
  }

  #give(to: number): void {
    if (to > this.#from) this.#spans.push(this.#from, to);
    this.#from = to;
  }

  #place(bytes: Buffer): void {
    this.#spans.push(-1, this.#placed.length);
    this.#placed.push(bytes);
  }

  #given(): Buffer {
    const spans = this.#spans;
    const placed = this.#placed;
    if (spans.length === 0) return NOTHING;
    this.#spans = [];
    this.#placed = [];
    const [from = 0, to = 0] = spans;
    if (spans.length === 2) return from < 0 ? (placed[to] ?? NOTHING) : this.#stretch(from, to);
    let length = 0;
    for (let at = 0; at < spans.length; at += 2) {
      const start = spans[at] as number;
      const last = spans[at + 1] as number;
      length += start < 0 ? (placed[last] as Buffer).length : last - start;
    }
    const out = Buffer.allocUnsafe(length);
    const bytes = this.#bytes;
    let end = 0;
    for (let at = 0; at < spans.length; at += 2) {
      const start = spans[at] as number;
      const last = spans[at + 1] as number;
      end += start < 0 ? (placed[last] as Buffer).copy(out, end) : bytes.copy(out, end, start, last);
    }
    return out;
  }

  #stretch(from: number, to: number): Buffer {
    return from === 0 && to === this.#bytes.length ? this.#bytes : this.#bytes.subarray(from, to);
  }

  #limitReplaced(): void {
    if (this.#replaceFrom < 0 || this.#bytes.length - this.#replaceFrom <= DEFAULTS.maskedBytesMax) return;
    this.#putInPlace(null);
    this.#isDropping = true;
  }

  #putInPlace(raw: Buffer | null): void {
    if (this.#replaced !== null) this.#place(this.#edit.replacement(this.#replaced, raw));
    this.#replaceFrom = -1;
    this.#replaced = null;
  }

  // ---- what the stream tells (JsonVisitor) -----------------------------------------------------------------------

  beginText(byte: number, at: number): Node | null {
    const { root } = this.#edit;
    const fate = this.#edit.fate(root, byte);
    if (fate === DROP) {
      // Nothing at all would be no JSON.
      this.#give(at);
      this.#place(NULL);
      this.#isDropping = true;
      return null;
    }
    return this.#entered(root, fate, byte, at);
  }

  begin(of: Node, key: string | number, byte: number, from: number, own: number, at: number): Node | null {
    const node = this.#edit.child(of, key);
    const fate = node === null ? KEEP : this.#edit.fate(node, byte);
    if (fate === DROP) {
      this.#give(from);
      this.#isDropping = true;
      return null;
    }
    const top = this.#kept.length - 1;
    if (this.#kept[top] === false) {
      this.#kept[top] = true;
      // The comma was that of a member which is gone.
      if (own > from) {
        this.#give(from);
        this.#from = own;
      }
    }
    return node === null ? null : this.#entered(node, fate, byte, at);
  }

  /** Where members have gone, a comma is put right with the first that stays. */
  others(of: Node, isFirst: boolean): Others {
    const isRight = isFirst || this.#kept[this.#kept.length - 1] === true;
    return isRight ? (this.#edit.others?.(of) ?? ALL_TOLD) : ALL_TOLD;
  }

  passed(): void {
    this.#kept[this.#kept.length - 1] = true;
  }

  #entered(node: Node, fate: Fate, byte: number, at: number): Node | null {
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#kept.push(false);
    else if (fate === REPLACE) {
      this.#give(at);
      this.#replaceFrom = at;
      this.#replaced = node;
    }
    return node;
  }

  endText(at: number): void {
    this.endValue(null, at);
  }

  close(): void {
    this.#kept.pop();
  }

  endValue(_of: Node | null, at: number): void {
    if (this.#replaceFrom >= 0) this.#putInPlace(this.#bytes.subarray(this.#replaceFrom, at));
    else if (!this.#isDropping) return;
    this.#isDropping = false;
    this.#from = at;
  }
}
