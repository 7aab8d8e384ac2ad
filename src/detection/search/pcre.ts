import { type CharSet, single, union } from "../../schema/pattern/char-set.ts";
import { type PatternFault, Source, Stop } from "../../schema/pattern/source.ts";
import { EMPTY, type Node } from "../../schema/pattern/tree.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import {
  ANY_BYTE,
  foldBytes,
  LAST_BYTE,
  LINE_FEED,
  otherBytes,
  POSIX_CLASSES,
  SET_ESCAPES,
  WORD,
} from "./byte-sets.ts";

/** Groups inside each other; all that walks the tree goes one call deeper for each. */
const DEPTH_MAX = 100;

/** A pattern as it was written, over bytes. */
export interface ByteTree {
  readonly tree: Node;
  /** What each group that captures holds, by its number; the first is 1. */
  readonly groups: ReadonlyMap<Node, number>;
  readonly groupCount: number;
  /** Repeats that take as little as they can. */
  readonly lazy: ReadonlySet<Node>;
}

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly x: boolean;
}

/**
 * A pattern of PCRE as rule sets write it, over bytes: `.` takes any byte, `$` is the very end (ModSecurity compiles with
 * DOTALL and DOLLAR_ENDONLY), `i` is about letters of ASCII. Possessive counts and atomic groups give nothing back in PCRE; here
 * they are read as plain ones, which match all that they do, and may match more. A reference back is a fault.
 */
export function parseBytes(text: string): Result<ByteTree, PatternFault> {
  if (text.length > DEFAULTS.searchPatternBytesMax) {
    return err({ kind: "size", at: 0, message: `longer than ${DEFAULTS.searchPatternBytesMax} bytes` });
  }
  try {
    return ok(new Parser(new Source(text, false, false)).parse());
  } catch (stop) {
    if (stop instanceof Stop) return err(stop.fault);
    throw stop;
  }
}

const CONTROLS: Readonly<Record<string, number>> = { a: 0x07, e: 0x1b, f: 0x0c, n: 0x0a, r: 0x0d, t: 0x09 };
const START: Node = { kind: "edge", edge: "textStart" };
const END: Node = { kind: "edge", edge: "textEnd" };

const isCount = (char: string): boolean => char === "*" || char === "+" || char === "?" || char === "{";

/** Letters, digits and what else stands for itself alone: most of a pattern. */
function isPlain(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x5f || (code >= 0x41 && code <= 0x5a)
  );
}

class Parser {
  readonly #source: Source;
  readonly #groups = new Map<Node, number>();
  readonly #lazy = new Set<Node>();
  /** Sets by what was written: long patterns say the same few thousands of times. */
  readonly #known = new Map<string, Node>();
  /** The same of characters by their code, of which most of a pattern is. */
  readonly #chars: Node[] = [];
  readonly #foldedChars: Node[] = [];
  #groupCount = 0;
  #depth = 0;
  /** Of the group that is read: `(?i)` changes them for its rest. */
  #flags: Flags = { i: false, m: false, s: true, x: false };

  constructor(source: Source) {
    this.#source = source;
  }

  parse(): ByteTree {
    const tree = this.#choice();
    if (!this.#source.ended) this.#source.fail("')' closes nothing; write \\) for the character");
    return { tree, groups: this.#groups, groupCount: this.#groupCount, lazy: this.#lazy };
  }

  #choice(): Node {
    if (++this.#depth > DEPTH_MAX) {
      const message = `more than ${DEPTH_MAX} groups inside each other; write it flatter`;
      throw new Stop({ kind: "size", at: this.#source.at, message });
    }
    const flags = this.#flags;
    const options: Node[] = [];
    do options.push(this.#sequence());
    while (this.#source.take("|"));
    this.#depth--;
    this.#flags = flags;
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "choice", options };
  }

  #sequence(): Node {
    const source = this.#source;
    const parts: Node[] = [];
    while (!source.ended && source.peek() !== "|" && source.peek() !== ")") {
      if (this.#flags.x && source.match(/[\t-\r ]+|#[^\n]*\n?/y) !== null) continue;
      const quoted = source.peek() === "\\" ? source.match(/\\Q([\s\S]*?)(?:\\E|$)/y)?.[1] : undefined;
      const chars = [...(quoted ?? "")].map((char) => this.#char(char.charCodeAt(0)));
      const last = quoted === undefined ? this.#atom() : (chars.pop() ?? EMPTY);
      parts.push(...chars);
      const part = isCount(this.#source.peek()) ? this.#counted(last) : last;
      if (part !== EMPTY) parts.push(part);
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: "sequence", parts };
  }

  /** With the counts behind it, which few have: apart, so that V8 has little to do for all others. */
  #counted(atom: Node): Node {
    const source = this.#source;
    let node = atom;
    while (isCount(source.peek())) {
      const found = source.match(/(?:([*+?])|\{(\d+)(,?)(\d*)\})([?+]?)/y);
      if (found === null) return node;
      const [, sign, low, comma, high, mode] = found;
      const min = sign === undefined ? Number(low) : sign === "+" ? 1 : 0;
      const most = sign === "?" ? 1 : Number.POSITIVE_INFINITY;
      const max =
        sign !== undefined ? most : comma === "" ? min : high === "" ? Number.POSITIVE_INFINITY : Number(high);
      if (max < min) source.fail("the counts stand in the wrong order");
      node = { kind: "repeat", body: node, min, max };
      if (mode === "?") this.#lazy.add(node);
    }
    return node;
  }

  #atom(): Node {
    const source = this.#source;
    if (isPlain(source.text.charCodeAt(source.at))) return this.#char(source.next());
    const { m, s } = this.#flags;
    if (source.take("^")) return m ? lineEdge(false) : START;
    if (source.take("$")) return m ? lineEdge(true) : END;
    if (source.take(".")) return { kind: "set", set: s ? ANY_BYTE : otherBytes(LINE_FEED) };
    if (source.take("(")) return this.#group(source.at - 1);
    if (source.peek() === "[") return this.#knownClass();
    if (source.take("\\")) return this.#escape(source.at - 1);
    if (/[*+?]/.test(source.peek())) source.fail("a count with nothing before it; write a backslash before it");
    return this.#char(source.next());
  }

  #char(char: number): Node {
    const { i } = this.#flags;
    const chars = i ? this.#foldedChars : this.#chars;
    const known = chars[char];
    if (known !== undefined) return known;
    const node: Node = { kind: "set", set: i ? foldBytes(single(char)) : single(char) };
    chars[char] = node;
    return node;
  }

  #knownClass(): Node {
    const source = this.#source;
    const at = source.at;
    // Where it is written in an unusual way this is another text than the class, which then is just not known.
    const text = source.match(/\[\^?\]?(?:\[:\^?[a-z]+:\]|\\[\s\S]|[^\]\\])*\]/y)?.[0];
    const key = `${this.#flags.i ? "i" : ""}${text}`;
    const known = text === undefined ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    source.at = at + 1;
    const node = this.#class(at);
    if (source.at === at + (text?.length ?? 0)) this.#known.set(key, node);
    return node;
  }

  #group(at: number): Node {
    const source = this.#source;
    if (!source.take("?")) return this.#captured(at);
    if (source.match(/#[^)]*\)/y) !== null) return EMPTY;
    if (source.match(/(?:P?<|')[A-Za-z_]\w*[>']/y) !== null) return this.#captured(at);
    const look = source.match(/(<?)([=!])/y);
    if (look !== null) {
      return { kind: "look", ahead: look[1] === "", negated: look[2] === "!", body: this.#inside(at) };
    }
    if (source.take(":") || source.take(">")) return this.#inside(at);
    const flags = source.match(/([a-z]*)(?:-([a-z]*))?([:)])/y);
    const [, on = "", off = "", end] = flags ?? [];
    if (flags === null || /[^imsxU]/.test(on + off)) {
      source.fail(
        "no group begins so that this build knows; expected one of (?: (?i) (?i: (?= (?! (?<= (?<! (?<name>",
        at,
      );
    }
    const outer = this.#flags;
    const pick = (flag: keyof Flags): boolean => (on.includes(flag) ? true : off.includes(flag) ? false : outer[flag]);
    this.#flags = { i: pick("i"), m: pick("m"), s: pick("s"), x: pick("x") };
    if (end === ")") return EMPTY;
    const body = this.#inside(at);
    this.#flags = outer;
    return body;
  }

  #captured(at: number): Node {
    const number = ++this.#groupCount;
    // A node of its own: two groups may hold the same.
    const group: Node = { kind: "sequence", parts: [this.#inside(at)] };
    this.#groups.set(group, number);
    return group;
  }

  #inside(at: number): Node {
    const body = this.#choice();
    if (!this.#source.take(")")) this.#source.fail("a group is not closed; write ) at its end", at);
    return body;
  }

  #escape(at: number): Node {
    const source = this.#source;
    const letter = source.peek();
    if (letter === "b" || letter === "B") {
      source.at++;
      return { kind: "wordEdge", word: WORD, negated: letter === "B" };
    }
    if (source.take("A")) return START;
    if (source.take("z")) return END;
    if (source.take("Z")) {
      const body: Node = {
        kind: "sequence",
        parts: [{ kind: "repeat", body: { kind: "set", set: LINE_FEED }, min: 0, max: 1 }, END],
      };
      return { kind: "look", ahead: true, negated: false, body };
    }
    if (/[1-9]/.test(letter) || source.match(/[gk](?=[{<'\d])/y) !== null) {
      const message = "a reference back to a group takes time that grows with the square of the text, or worse";
      throw new Stop({ kind: "backreference", at, message });
    }
    const set = this.#setEscape();
    return set === null ? this.#char(this.#charEscape(at, false)) : { kind: "set", set };
  }

  #setEscape(): CharSet | null {
    const letter = this.#source.peek();
    if (!Object.hasOwn(SET_ESCAPES, letter)) return null;
    this.#source.at++;
    return SET_ESCAPES[letter] ?? null;
  }

  /** The byte that an escape stands for, at what follows the backslash. */
  #charEscape(at: number, inClass: boolean): number {
    const source = this.#source;
    if (source.ended) source.fail("a backslash with nothing behind it; write \\\\ for the character", at);
    const letter = source.peek();
    if (Object.hasOwn(CONTROLS, letter)) {
      source.at++;
      return CONTROLS[letter] ?? 0;
    }
    if (inClass && source.take("b")) return 0x08;
    const braced = source.match(/x\{([0-9A-Fa-f]+)\}/y)?.[1];
    const hex = braced ?? source.match(/x([0-9A-Fa-f]{0,2})/y)?.[1];
    if (hex !== undefined) return this.#byte(Number.parseInt(hex || "0", 16), at);
    const octal = source.match(inClass ? /[0-7]{1,3}/y : /0[0-7]{0,2}/y)?.[0];
    if (octal !== undefined) return this.#byte(Number.parseInt(octal, 8), at);
    const control = source.match(/c([\x20-\x7e])/y)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) ^ 0x40;
    if (/[A-Za-z0-9]/.test(letter)) source.fail(`\\${letter} is no escape that this build knows`, at);
    return source.next();
  }

  #byte(value: number, at: number): number {
    if (value > LAST_BYTE) this.#source.fail("a character beyond one byte; patterns are over bytes", at);
    return value;
  }

  #class(start: number): Node {
    const source = this.#source;
    const negated = source.take("^");
    const sets: CharSet[] = [];
    for (let isFirst = true; isFirst || !source.take("]"); isFirst = false) {
      if (source.ended) source.fail("a class is not closed; write ] at its end", start);
      const at = source.at;
      const first = this.#classAtom();
      const isRange = source.peek() === "-" && source.peek(1) !== "]" && source.peek(1) !== "";
      if (typeof first !== "number" || !isRange) {
        sets.push(typeof first === "number" ? single(first) : first);
        continue;
      }
      source.at++;
      const last = this.#classAtom();
      if (typeof last !== "number") sets.push(single(first), single(0x2d), last);
      else if (last < first) source.fail("the range's ends stand in the wrong order", at);
      else sets.push([first, last]);
    }
    const set = union(sets);
    const folded = this.#flags.i ? foldBytes(set) : set;
    return { kind: "set", set: negated ? otherBytes(folded) : folded };
  }

  #classAtom(): number | CharSet {
    const source = this.#source;
    if (source.ended) source.fail("a class is not closed; write ] at its end");
    const at = source.at;
    const posix = source.match(/\[:(\^?)([a-z]+):\]/y);
    if (posix !== null) {
      const name = posix[2] ?? "";
      const set = Object.hasOwn(POSIX_CLASSES, name) ? POSIX_CLASSES[name] : undefined;
      if (set === undefined) return source.fail(`[:${name}:] is no class; expected one as [:alnum:]`, at);
      return posix[1] === "^" ? otherBytes(set) : set;
    }
    if (!source.take("\\")) return source.next();
    return this.#setEscape() ?? this.#charEscape(at, true);
  }
}

function lineEdge(ahead: boolean): Node {
  const beside: Node = { kind: "look", ahead, negated: false, body: { kind: "set", set: LINE_FEED } };
  return { kind: "choice", options: [ahead ? END : START, beside] };
}
