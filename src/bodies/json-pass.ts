import type { Charset } from "./answer-format.ts";
import { ALL_TOLD, type AskedNames, NONE_TOLD, type Others } from "./json-asked.ts";
import { CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from "./json-bytes.ts";
import { BEGINNINGS, BLANK, CLASSES, CLOSING, ENDS_NAME, OPENING, PLAIN } from "./json-classes.ts";
import { LayoutPass } from "./json-layout.ts";
import { nameOf } from "./json-names.ts";
import { DEAD_BYTES_MAX, endOfContainer, SKIPPED_DEPTH_MAX } from "./json-skip.ts";
import type { JsonVisitor } from "./json-visitor.ts";
import type { StringEnds } from "./string-search.ts";

/** In place of the index of an item. */
export const OBJECT = -1;

const KINDS: Uint8Array = CLASSES;

/** The containers that a text is in, from the outermost on. */
export interface Within<Node> {
  /** Of each, the index of its item, or OBJECT. */
  readonly indexes: number[];
  /** What is known of each; null where nobody asks for what is in it. */
  readonly nodes: (Node | null)[];
}

/**
 * Goes by members and items, and into those in which somebody asks for something, in one loop as long as they are usual and
 * here whole: nearly all of an answer is. The rest is for who reads byte by byte.
 */
export class UsualPass<Node> {
  /** Of what comes next: it stands behind a value; or it begins a container that nobody asks for and that ends later. */
  isBehind = false;
  isDead = false;
  /** The comma before it; -1 for none. */
  heldFrom = -1;
  readonly #visitor: JsonVisitor<Node>;
  readonly #asked: AskedNames;
  readonly #charset: Charset;
  readonly #depthMax: number;
  readonly #within: Within<Node>;
  readonly #alike: LayoutPass<Node>;

  constructor(visitor: JsonVisitor<Node>, asked: AskedNames, charset: Charset, depthMax: number, within: Within<Node>) {
    this.#visitor = visitor;
    this.#asked = asked;
    this.#charset = charset;
    this.#depthMax = depthMax - SKIPPED_DEPTH_MAX;
    this.#within = within;
    this.#alike = new LayoutPass(visitor, asked, charset);
  }

  /**
   * From where a member or an item begins, `held` as `heldFrom`. Gives where what comes next begins. What is walked begins
   * before the last quote, and that stops all walks: none has to look where the bytes end.
   */
  over(bytes: Buffer, from: number, held: number, ends: StringEnds): number {
    const visitor = this.#visitor;
    const asked = this.#asked;
    const { last } = ends;
    const { indexes, nodes } = this.#within;
    let of = nodes[nodes.length - 1] as Node;
    let index = indexes[indexes.length - 1] as number;
    let others = this.#othersOf(of, index, held < 0);
    let isPassed = false;
    let comma = held;
    let at = from;
    this.isBehind = false;
    this.isDead = false;
    this.heldFrom = -1;
    this.#alike.reset();
    while (at < last) {
      if (KINDS[bytes[at] as number] === BLANK) at = skipBlanks(bytes, at);
      let key: string | number | null = index;
      let nameEnd = at;
      let begin = at;
      if (index === OBJECT) {
        if (bytes[at] !== QUOTE) break;
        nameEnd = at + 1;
        while (ENDS_NAME[bytes[nameEnd] as number] === 0) nameEnd++;
        begin = nameEnd + 2;
        if (begin > last || bytes[nameEnd] !== QUOTE || bytes[nameEnd + 1] !== COLON) break;
        if (KINDS[bytes[begin] as number] === BLANK) begin = skipBlanks(bytes, begin);
        key = asked.find(bytes, at + 1, nameEnd);
      }
      const byte = bytes[begin] as number;
      let end = begin + 1;
      let isEntered = false;
      if (KINDS[byte] !== OPENING) {
        if (byte === QUOTE) end = ends.of(bytes, end) + 1;
        else if (BEGINNINGS[byte] === 1) while (KINDS[bytes[end] as number] === PLAIN) end++;
        else break;
        if (end === 0) break;
        if (key === null && others === ALL_TOLD) key = nameOf(bytes, at + 1, nameEnd, false, this.#charset);
        if (key !== null) visitor.begin(of, key, byte, comma < 0 ? at : comma, at, begin);
      } else {
        if (indexes.length >= this.#depthMax) break;
        if (key === null && others !== NONE_TOLD) key = nameOf(bytes, at + 1, nameEnd, false, this.#charset);
        const inside = key === null ? null : visitor.begin(of, key, byte, comma < 0 ? at : comma, at, begin);
        const alike =
          inside === null || index === OBJECT || byte !== OPEN_BRACE
            ? -1
            : this.#alike.over(bytes, begin, last, inside, indexes.length);
        if (alike >= 0) end = alike;
        else if (inside !== null) {
          of = inside;
          index = byte === OPEN_BRACKET ? 0 : OBJECT;
          indexes.push(index);
          nodes.push(of);
          others = this.#othersOf(of, index, true);
          isPassed = false;
          isEntered = true;
        } else {
          end = endOfContainer(bytes, begin, Math.min(bytes.length, begin + DEAD_BYTES_MAX), ends);
          if (end < 0 && key === null) break;
          if (end < 0) {
            this.isDead = true;
            return begin;
          }
        }
      }
      comma = -1;
      if (isEntered) {
        at = end > last ? end : skipBlanks(bytes, end);
        if (at >= last || KINDS[bytes[at] as number] !== CLOSING) continue;
        end = at;
      } else if (key === null) {
        if (!isPassed) visitor.passed?.(of);
        isPassed = true;
      } else {
        visitor.endValue(of, end);
        others = this.#othersOf(of, index, false);
      }
      for (;;) {
        if (end > last) {
          this.isBehind = true;
          return end;
        }
        const mark = bytes[end] as number;
        if (mark === COMMA) {
          comma = end;
          at = end + 1;
          if (index !== OBJECT) indexes[indexes.length - 1] = ++index;
          break;
        }
        if (KINDS[mark] === BLANK) {
          end = skipBlanks(bytes, end);
          continue;
        }
        if (mark !== (index === OBJECT ? CLOSE_BRACE : CLOSE_BRACKET) || indexes.length === 1) {
          this.isBehind = true;
          return end;
        }
        indexes.pop();
        nodes.pop();
        visitor.close(of);
        of = nodes[nodes.length - 1] as Node;
        index = indexes[indexes.length - 1] as number;
        end++;
        visitor.endValue(of, end);
        others = this.#othersOf(of, index, false);
        isPassed = false;
      }
    }
    this.heldFrom = comma;
    return at;
  }

  #othersOf(of: Node, index: number, isFirst: boolean): Others {
    return index === OBJECT ? (this.#visitor.others?.(of, isFirst) ?? ALL_TOLD) : ALL_TOLD;
  }
}

function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  while (KINDS[bytes[at] as number] === BLANK) at++;
  return at;
}
