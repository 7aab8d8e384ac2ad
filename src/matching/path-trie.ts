import type { Steps } from "../support/turns.ts";
import type { Template } from "./template.ts";

/** What a trie answers for a path that it does not know. */
export const NO_ROW = 0;

const SLASH = 0x2f;

// Nodes and rows lie in one buffer, seen as 32-bit words and as bytes; a node is named by the index of its first word.
// All that a step needs lies together, for with thousands of routes a look-up spends its time waiting for memory.
//
//   head        length of the text (8 bits), number of children (7), lowest code of a child where they are a table (7),
//               and which of the last three are there (3)
//   children    each the node (24 bits) and its first character (8), or 0; few are a list, many a table by character
//   text        without its first character, which was compared when the node was chosen
//   param       the node behind a {parameter} that begins where this node's text ends
//   rest        index of the row of the template that ends here with **
//   row         of the template that ends here, itself
const COUNT_SHIFT = 8;
const FIRST_SHIFT = 15;
const SEVEN_BITS = 0x7f;
const HAS_PARAM = 1 << 22;
const HAS_REST = 1 << 23;
const HAS_ROW = 1 << 24;
const TEXT_LENGTH_MAX = 0xff;
const CHILD_LIST_MAX = 6;
const WORDS_MAX = 1 << 24;

/** A template and what it leads to: a few integers of the caller's own, laid down beside the template's node. */
export interface TrieEntry {
  readonly template: Template;
  readonly row: readonly number[];
}

/**
 * Path templates as a radix trie over characters. At every place a static segment wins over a parameter and a
 * parameter over `**`; a choice that leads nowhere is taken back. A place in the trie is reached by one place of the
 * path only, so a look-up visits no node twice: its cost is bounded by the table, whatever the path.
 */
export class PathTrie {
  /** Rows are read here, from the index that `find` gives. */
  readonly words: Int32Array;
  readonly #bytes: Uint8Array;
  /** Where the parameters of the last path found begin and end, two offsets each. Overwritten by the next look-up. */
  readonly bounds: Int32Array;

  private constructor(words: Int32Array<ArrayBuffer>, segmentsMax: number) {
    this.words = words;
    this.#bytes = new Uint8Array(words.buffer);
    this.bounds = new Int32Array(2 * segmentsMax);
  }

  /** No two templates may have the same shape. */
  static *build(entries: readonly TrieEntry[]): Steps<PathTrie> {
    const root = newBranch("");
    let segmentsMax = 0;
    for (const entry of entries) {
      insert(root, entry);
      segmentsMax = Math.max(segmentsMax, entry.template.segments.length);
      yield;
    }
    const words: number[] = [];
    yield* place(joinOnlyChild(root), words);
    if (words.length > WORDS_MAX) throw new RangeError("too many routes for one table");
    return new PathTrie(Int32Array.from(words), segmentsMax);
  }

  /** Canonical path → index of the row of the most specific template that matches it, or NO_ROW. */
  find(path: string): number {
    return this.#walk(path, 0, 0, 0);
  }

  #walk(path: string, from: number, startNode: number, startParams: number): number {
    const words = this.words;
    const bytes = this.#bytes;
    let at = from;
    let node = startNode;
    let params = startParams;
    for (;;) {
      const head = words[node] as number;
      const children = node + 1;
      const childrenTo = children + ((head >> COUNT_SHIFT) & SEVEN_BITS);
      const textTo = (childrenTo << 2) + (head & TEXT_LENGTH_MAX);
      // Reading past the end would make every charCodeAt slower from then on.
      const toByte = (childrenTo << 2) - at;
      const end = at + (head & TEXT_LENGTH_MAX);
      if (end > path.length) return NO_ROW;
      for (; at < end; at++) {
        if (path.charCodeAt(at) !== bytes[at + toByte]) return NO_ROW;
      }
      if (at === path.length) return rowAtEnd(words, head, (textTo + 3) >> 2);
      const code = path.charCodeAt(at);
      const child = childAt(words, children, childrenTo, (head >> FIRST_SHIFT) & SEVEN_BITS, code);
      if ((head & (HAS_PARAM | HAS_REST)) === 0) {
        if (child === 0) return NO_ROW;
        node = child;
        at++;
        continue;
      }
      let extra = (textTo + 3) >> 2;
      const param = (head & HAS_PARAM) === 0 ? 0 : (words[extra++] as number);
      const isParam = param !== 0 && code !== SLASH;
      const rest = (head & HAS_REST) === 0 || code !== SLASH ? NO_ROW : (words[extra] as number);
      if (child !== 0) {
        if (!isParam && rest === NO_ROW) {
          node = child;
          at++;
          continue;
        }
        const found = this.#walk(path, at + 1, child, params);
        if (found !== NO_ROW) return found;
      }
      if (!isParam) return rest;
      const slash = path.indexOf("/", at);
      this.bounds[2 * params] = at;
      at = slash < 0 ? path.length : slash;
      this.bounds[2 * params + 1] = at;
      params++;
      node = param;
    }
  }
}

/** The row for a path that ends with a node's text; `extra` is where the words behind the text begin. */
function rowAtEnd(words: Int32Array, head: number, extra: number): number {
  const restAt = (head & HAS_PARAM) === 0 ? extra : extra + 1;
  if ((head & HAS_ROW) === 0) return (head & HAS_REST) === 0 ? NO_ROW : (words[restAt] as number);
  return (head & HAS_REST) === 0 ? restAt : restAt + 1;
}

/** The child for character `code` among the words from `from` to `to`, or 0. */
function childAt(words: Int32Array, from: number, to: number, firstCode: number, code: number): number {
  if (to - from > CHILD_LIST_MAX) {
    const slot = from + code - firstCode;
    return slot >= from && slot < to ? (words[slot] as number) >>> 8 : 0;
  }
  for (let slot = from; slot < to; slot++) {
    const entry = words[slot] as number;
    if ((entry & 0xff) === code) return entry >>> 8;
  }
  return 0;
}

/** A node while the trie grows. */
interface Branch {
  text: string;
  children: Map<number, Branch>;
  param: Branch | null;
  row: readonly number[] | null;
  rest: readonly number[] | null;
}

function newBranch(text: string): Branch {
  return { text, children: new Map(), param: null, row: null, rest: null };
}

function insert(root: Branch, { template, row }: TrieEntry): void {
  let branch = root;
  for (const segment of template.segments) {
    branch = extend(branch, segment.kind === "static" ? `/${segment.text}` : "/");
    if (segment.kind === "param") {
      branch.param ??= newBranch("");
      branch = branch.param;
    }
  }
  if (template.hasRest) branch.rest = row;
  else branch.row = row;
}

/** The branch that `text` leads to from `from`, grown or split where there was none. */
function extend(from: Branch, text: string): Branch {
  if (text === "") return from;
  const child = from.children.get(text.charCodeAt(0));
  if (child === undefined) {
    const grown = newBranch(text.slice(0, TEXT_LENGTH_MAX));
    from.children.set(text.charCodeAt(0), grown);
    return extend(grown, text.slice(TEXT_LENGTH_MAX));
  }
  let shared = 1;
  while (shared < child.text.length && child.text[shared] === text[shared]) shared++;
  if (shared < child.text.length) splitBranch(child, shared);
  return extend(child, text.slice(shared));
}

/** Keeps the first `length` characters in `branch` and moves all else one down. */
function splitBranch(branch: Branch, length: number): void {
  const lower: Branch = { ...branch, text: branch.text.slice(length) };
  branch.text = branch.text.slice(0, length);
  branch.children = new Map([[lower.text.charCodeAt(0), lower]]);
  branch.param = null;
  branch.row = null;
  branch.rest = null;
}

/** The root begins with an empty text, and often leads to one child only: then they are one node. */
function joinOnlyChild(root: Branch): Branch {
  const [child] = root.children.values();
  const isAlone = root.children.size === 1 && root.param === null && root.row === null && root.rest === null;
  // No choice compares the root's first character, so one that is not compared stands before its text.
  return child !== undefined && isAlone && child.text.length < TEXT_LENGTH_MAX
    ? { ...child, text: ` ${child.text}` }
    : root;
}

/** Lays `branch` and all below it down, depth first so that what is used together lies together; gives its node. */
function* place(branch: Branch, words: number[]): Steps<number> {
  yield;
  const node = words.length;
  const codes = [...branch.children.keys()].sort((a, b) => a - b);
  const isTable = codes.length > CHILD_LIST_MAX;
  const first = isTable ? (codes[0] ?? 0) : 0;
  const count = isTable ? (codes.at(-1) ?? 0) - first + 1 : codes.length;
  const text = branch.text.slice(1);
  words.push(text.length | (count << COUNT_SHIFT) | (first << FIRST_SHIFT) | presence(branch));
  const children = words.length;
  for (let slot = 0; slot < count; slot++) words.push(0);
  for (let at = 0; at < text.length; at += 4) words.push(packText(text, at));
  // Filled in below, once it is known where they lie.
  const paramAt = branch.param === null ? -1 : words.push(0) - 1;
  const restAt = branch.rest === null ? -1 : words.push(0) - 1;
  if (branch.row !== null) words.push(...branch.row);
  if (branch.rest !== null) words[restAt] = words.push(...branch.rest) - branch.rest.length;
  for (const [index, code] of codes.entries()) {
    const slot = children + (isTable ? code - first : index);
    const child = yield* place(branch.children.get(code) as Branch, words);
    words[slot] = (child << 8) | code;
  }
  if (branch.param !== null) words[paramAt] = yield* place(branch.param, words);
  return node;
}

function presence(branch: Branch): number {
  const param = branch.param === null ? 0 : HAS_PARAM;
  const row = branch.row === null ? 0 : HAS_ROW;
  return param | row | (branch.rest === null ? 0 : HAS_REST);
}

/** Four characters as the bytes of one word, in the order in which this machine lays words down. */
function packText(text: string, at: number): number {
  const bytes = new Uint8Array(4);
  for (let index = 0; index < 4; index++) bytes[index] = text.charCodeAt(at + index);
  return new Int32Array(bytes.buffer)[0] ?? 0;
}
