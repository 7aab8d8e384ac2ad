import type { Template } from "./template.ts";

/** What a trie says of a path that it does not know. */
export const NO_LEAF = -1;

const SLASH = 0x2f;

// Nodes lie in one buffer, seen as 32-bit words and as bytes; a node is named by the index of its first word. All that a
// step needs lies together, for with thousands of routes a look-up spends its time waiting for memory.
//
//   word 0      length of the text (8 bits), number of children (8), lowest code of a child where they are a table (8)
//   word 1      the node behind a {parameter} that begins where this node's text ends, or 0
//   word 2, 3   the leaf of the template that ends here, and of the one that ends here with **; or NO_LEAF
//   children    each the node (24 bits) and its first character (8), or 0; few are a list, many a table by character
//   text        without its first character, which was compared when the node was chosen
const PARAM = 1;
const LEAF = 2;
const REST = 3;
const CHILDREN = 4;
const TEXT_LENGTH_MAX = 0xff;
const CHILD_LIST_MAX = 6;

/**
 * Path templates as a radix trie over characters. At every place a static segment wins over a parameter and a
 * parameter over `**`; a choice that leads nowhere is taken back. A place in the trie is reached by one place of the
 * path only, so a look-up visits no node twice: its cost is bounded by the table, whatever the path.
 */
export class PathTrie {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  /** Where the parameters of the last path found begin and end, two offsets each. Overwritten by the next look-up. */
  readonly bounds: Int32Array;

  /** The leaf of a template is its index; no two templates may have the same shape. */
  constructor(templates: readonly Template[]) {
    const root = newBranch("");
    for (const [leaf, template] of templates.entries()) insert(root, template, leaf);
    const words: number[] = [];
    place(root, words);
    this.#words = Int32Array.from(words);
    this.#bytes = new Uint8Array(this.#words.buffer);
    const segmentsMax = Math.max(0, ...templates.map((template) => template.segments.length));
    this.bounds = new Int32Array(2 * segmentsMax);
  }

  /** Canonical path → the leaf of the most specific template that matches it, or NO_LEAF. */
  find(path: string): number {
    return this.#walk(path, 0, 0, 0);
  }

  #walk(path: string, from: number, startNode: number, startParams: number): number {
    const words = this.#words;
    const bytes = this.#bytes;
    let at = from;
    let node = startNode;
    let params = startParams;
    for (;;) {
      const head = words[node] as number;
      const count = (head >> 8) & 0xff;
      const textFrom = (node + CHILDREN + count) << 2;
      const textTo = textFrom + (head & 0xff);
      for (let text = textFrom; text < textTo; text++, at++) {
        // Past the end charCodeAt is NaN, which equals nothing.
        if (path.charCodeAt(at) !== bytes[text]) return NO_LEAF;
      }
      const rest = words[node + REST] as number;
      if (at === path.length) {
        const leaf = words[node + LEAF] as number;
        return leaf !== NO_LEAF ? leaf : rest;
      }
      const code = path.charCodeAt(at);
      let child = 0;
      if (count > CHILD_LIST_MAX) {
        const slot = code - (head >>> 16);
        if (slot >= 0 && slot < count) child = (words[node + CHILDREN + slot] as number) >>> 8;
      } else {
        for (let slot = node + CHILDREN; slot < node + CHILDREN + count; slot++) {
          const entry = words[slot] as number;
          if ((entry & 0xff) === code) {
            child = entry >>> 8;
            break;
          }
        }
      }
      const param = code === SLASH ? 0 : (words[node + PARAM] as number);
      const isRest = rest !== NO_LEAF && code === SLASH;
      if (child !== 0) {
        if (param === 0 && !isRest) {
          node = child;
          at++;
          continue;
        }
        const leaf = this.#walk(path, at + 1, child, params);
        if (leaf !== NO_LEAF) return leaf;
      }
      if (param === 0) return isRest ? rest : NO_LEAF;
      const slash = path.indexOf("/", at);
      this.bounds[2 * params] = at;
      at = slash < 0 ? path.length : slash;
      this.bounds[2 * params + 1] = at;
      params++;
      node = param;
    }
  }
}

/** A node while the trie grows. */
interface Branch {
  text: string;
  children: Map<number, Branch>;
  param: Branch | null;
  leaf: number;
  rest: number;
}

function newBranch(text: string): Branch {
  return { text, children: new Map(), param: null, leaf: NO_LEAF, rest: NO_LEAF };
}

function insert(root: Branch, template: Template, leaf: number): void {
  let branch = root;
  for (const segment of template.segments) {
    branch = extend(branch, segment.kind === "static" ? `/${segment.text}` : "/");
    if (segment.kind === "param") {
      branch.param ??= newBranch("");
      branch = branch.param;
    }
  }
  if (template.hasRest) branch.rest = leaf;
  else branch.leaf = leaf;
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
  branch.leaf = NO_LEAF;
  branch.rest = NO_LEAF;
}

/** Lays `branch` and all below it down, depth first so that what is used together lies together; gives its node. */
function place(branch: Branch, words: number[]): number {
  const node = words.length;
  const codes = [...branch.children.keys()].sort((a, b) => a - b);
  const isTable = codes.length > CHILD_LIST_MAX;
  const first = isTable ? (codes[0] ?? 0) : 0;
  const count = isTable ? (codes.at(-1) ?? 0) - first + 1 : codes.length;
  const text = branch.text.slice(1);
  words.push(text.length | (count << 8) | (first << 16), 0, branch.leaf, branch.rest);
  for (let slot = 0; slot < count; slot++) words.push(0);
  for (let at = 0; at < text.length; at += 4) words.push(packText(text, at));
  for (const [index, code] of codes.entries()) {
    const slot = node + CHILDREN + (isTable ? code - first : index);
    words[slot] = (place(branch.children.get(code) as Branch, words) << 8) | code;
  }
  if (branch.param !== null) words[node + PARAM] = place(branch.param, words);
  return node;
}

/** Four characters as the bytes of one word, in the order in which this machine lays words down. */
function packText(text: string, at: number): number {
  const bytes = new Uint8Array(4);
  for (let index = 0; index < 4; index++) bytes[index] = text.charCodeAt(at + index);
  return new Int32Array(bytes.buffer)[0] ?? 0;
}
