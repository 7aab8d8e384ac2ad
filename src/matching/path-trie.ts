import type { Template } from "./template.ts";

/** What a trie says of a path that it does not know. */
export const NO_LEAF = -1;

const SLASH = 0x2f;

// A node is eight integers in one array: half a cache line, and no pointers to chase. It is named by its offset.
/** Its static text: from, to in the array of texts. The first character was compared when the node was chosen. */
const TEXT_FROM = 0;
const TEXT_TO = 1;
/** Its children by the next character: from here in the array of children, for codes from `FIRST_CODE`, `CODES` many. */
const CHILDREN = 2;
const FIRST_CODE = 3;
const CODES = 4;
/** The node behind a `{parameter}` that begins where this node's text ends, or 0. */
const PARAM = 5;
/** The leaf of templates that end here, and of those that end here with `**`; or NO_LEAF. */
const LEAF = 6;
const REST = 7;

/**
 * Path templates as a radix trie over characters, in flat arrays. At every place a static segment wins over a
 * parameter and a parameter over `**`; a choice that leads nowhere is taken back. A place in the trie is reached by
 * one place of the path only, so a look-up visits no node twice: its cost is bounded by the table, whatever the path.
 */
export class PathTrie {
  readonly #nodes: Int32Array;
  readonly #children: Int32Array;
  readonly #texts: Uint8Array;
  /** Where the parameters of the last path found begin and end, two offsets each. Overwritten by the next look-up. */
  readonly bounds: Int32Array;

  /** The leaf of a template is its index; no two templates may have the same shape. */
  constructor(templates: readonly Template[]) {
    const root = newBranch("");
    for (const [leaf, template] of templates.entries()) insert(root, template, leaf);
    const flat: Flat = { nodes: [], children: [], texts: [] };
    place(root, flat);
    this.#nodes = Int32Array.from(flat.nodes);
    this.#children = Int32Array.from(flat.children);
    this.#texts = Uint8Array.from(flat.texts);
    const paramsMax = Math.max(0, ...templates.map((template) => template.segments.length));
    this.bounds = new Int32Array(2 * paramsMax);
  }

  /** Canonical path → the leaf of the most specific template that matches it, or NO_LEAF. */
  find(path: string): number {
    return this.#walk(path, 0, 0, 0);
  }

  #walk(path: string, from: number, startNode: number, startParams: number): number {
    const nodes = this.#nodes;
    const texts = this.#texts;
    let at = from;
    let node = startNode;
    let params = startParams;
    for (;;) {
      const textTo = nodes[node + TEXT_TO] as number;
      for (let text = nodes[node + TEXT_FROM] as number; text < textTo; text++, at++) {
        // Past the end charCodeAt is NaN, which equals nothing.
        if (path.charCodeAt(at) !== texts[text]) return NO_LEAF;
      }
      const rest = nodes[node + REST] as number;
      if (at === path.length) {
        const leaf = nodes[node + LEAF] as number;
        return leaf !== NO_LEAF ? leaf : rest;
      }
      const code = path.charCodeAt(at);
      const slot = code - (nodes[node + FIRST_CODE] as number);
      const isChild = slot >= 0 && slot < (nodes[node + CODES] as number);
      const child = isChild ? (this.#children[(nodes[node + CHILDREN] as number) + slot] as number) : 0;
      const param = code === SLASH ? 0 : (nodes[node + PARAM] as number);
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
    const grown = newBranch(text);
    from.children.set(text.charCodeAt(0), grown);
    return grown;
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

interface Flat {
  readonly nodes: number[];
  readonly children: number[];
  readonly texts: number[];
}

/** Lays `branch` and all below it down, depth first so that what is used together lies together; gives its offset. */
function place(branch: Branch, flat: Flat): number {
  const node = flat.nodes.length;
  const codes = [...branch.children.keys()];
  const firstCode = codes.length === 0 ? 0 : Math.min(...codes);
  const codeCount = codes.length === 0 ? 0 : Math.max(...codes) - firstCode + 1;
  const children = flat.children.length;
  const textFrom = flat.texts.length;
  for (let at = 1; at < branch.text.length; at++) flat.texts.push(branch.text.charCodeAt(at));
  for (let slot = 0; slot < codeCount; slot++) flat.children.push(0);
  flat.nodes.push(textFrom, flat.texts.length, children, firstCode, codeCount, 0, branch.leaf, branch.rest);
  for (const [code, child] of branch.children) flat.children[children + code - firstCode] = place(child, flat);
  if (branch.param !== null) flat.nodes[node + PARAM] = place(branch.param, flat);
  return node;
}
