import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { foldCase } from "./case-fold.ts";
import { type CharSet, complement, single, union } from "./char-set.ts";
import { everything, readCharacterEscape, readSetEscape, wordSet } from "./escapes.ts";
import { type GroupNames, readGroupName, surveyGroups } from "./groups.ts";
import { type PatternFault, Source, Stop } from "./source.ts";
import { EMPTY, type Node } from "./tree.ts";
import { LINE_ENDS } from "./unicode-sets.ts";

/** Groups inside each other; the parser and all that walks the tree go one call deeper for each. */
const DEPTH_MAX = 100;

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

/**
 * A pattern of ECMA-262 (section 22.2.1, with `u` as its flag says, without it with Annex B.1.2), as a tree. Flags are
 * those of `(?ims-ims:…)` alone. A reference back to a group is a fault of its own kind, told only where all else is right.
 */
export function parsePattern(text: string, unicode: boolean): Result<Node, PatternFault> {
  return parse(text, unicode, false);
}

/** Whether a text is a pattern, at a cost that is linear to it; one that is longer than a pattern may be is none. */
export function isPattern(text: string, unicode: boolean): boolean {
  if (text.length > DEFAULTS.patternCharactersMax) return false;
  const result = parse(text, unicode, true);
  return result.ok || result.error.kind === "backreference";
}

function parse(text: string, unicode: boolean, syntaxOnly: boolean): Result<Node, PatternFault> {
  try {
    return ok(new Parser(new Source(text, unicode, syntaxOnly)).parse());
  } catch (stop) {
    if (stop instanceof Stop) return err(stop.fault);
    throw stop;
  }
}

class Parser {
  readonly #source: Source;
  readonly #groups: { readonly count: number; readonly named: boolean };
  #depth = 0;
  /** The first reference back, and all names that references use. */
  #reference: number | null = null;
  readonly #namesUsed: { name: string; at: number }[] = [];

  constructor(source: Source) {
    this.#source = source;
    this.#groups = surveyGroups(source.text);
  }

  parse(): Node {
    const names: GroupNames = new Set();
    const tree = this.#disjunction({ i: false, m: false, s: false }, names);
    const source = this.#source;
    if (!source.ended) source.fail(`'${source.peek()}' closes nothing; write \\${source.peek()} for the character`);
    const unknown = this.#namesUsed.find(({ name }) => !names.has(name));
    if (unknown !== undefined) source.fail(`no group has the name '${unknown.name}'`, unknown.at);
    if (this.#reference !== null) {
      throw new Stop({
        kind: "backreference",
        at: this.#reference,
        message:
          "a reference back to a group takes time that grows with the square of the text, or worse; " +
          "write the texts that the group can hold as alternatives, as in 'a.a|b.b' for '([ab]).\\1'",
      });
    }
    return tree;
  }

  /** Names are told to the caller in `names`: one may come again in another alternative, never in the same. */
  #disjunction(flags: Flags, names: GroupNames): Node {
    if (++this.#depth > DEPTH_MAX) {
      const message = `more than ${DEPTH_MAX} groups inside each other; write it flatter`;
      throw new Stop({ kind: "size", at: this.#source.at, message });
    }
    const options: Node[] = [];
    do {
      const own: GroupNames = new Set();
      options.push(this.#alternative(flags, own));
      for (const name of own) names.add(name);
    } while (this.#source.take("|"));
    this.#depth--;
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "choice", options };
  }

  #alternative(flags: Flags, names: GroupNames): Node {
    const parts: Node[] = [];
    while (!this.#source.ended && this.#source.peek() !== "|" && this.#source.peek() !== ")") {
      parts.push(this.#term(flags, names));
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: "sequence", parts };
  }

  #term(flags: Flags, names: GroupNames): Node {
    const source = this.#source;
    const at = source.at;
    const assertion = this.#assertion(flags, names);
    // Without `u`, a look ahead may be repeated; no other assertion is ever an atom.
    const repeatable = assertion === null || (!source.unicode && assertion.kind === "look" && assertion.ahead);
    const atom = assertion ?? this.#atom(flags, names);
    const found = this.#quantifier();
    if (found === null) return atom;
    if (!repeatable) source.fail("an assertion cannot be repeated", at);
    return { kind: "repeat", body: atom, min: found.min, max: found.max };
  }

  #assertion(flags: Flags, names: GroupNames): Node | null {
    const source = this.#source;
    if (source.take("^")) return { kind: "edge", edge: flags.m ? "lineStart" : "textStart" };
    if (source.take("$")) return { kind: "edge", edge: flags.m ? "lineEnd" : "textEnd" };
    const edge = source.match(/\\([bB])/y)?.[1];
    if (edge !== undefined) {
      return { kind: "wordEdge", word: wordSet(source.unicode, flags.i), negated: edge === "B" };
    }
    const at = source.at;
    const look = source.match(/\(\?(<?)([=!])/y);
    if (look === null) return null;
    const body = this.#inside(flags, names, at);
    return { kind: "look", ahead: look[1] === "", negated: look[2] === "!", body };
  }

  /** What stands in a group that began at `at`, and its end. */
  #inside(flags: Flags, names: GroupNames, at: number): Node {
    const source = this.#source;
    const own: GroupNames = new Set();
    const body = this.#disjunction(flags, own);
    for (const name of own) {
      if (names.has(name)) source.fail(`two groups have the name '${name}'`, at);
      names.add(name);
    }
    if (!source.take(")")) source.fail("a group is not closed; write ) at its end", at);
    return body;
  }

  /** The smallest and the largest count, or null where none stands here. Laziness does not change what matches. */
  #quantifier(): { min: number; max: number } | null {
    const source = this.#source;
    const at = source.at;
    const found = source.match(/([*+?])|\{(\d+)(,?)(\d*)\}/y);
    if (found === null) {
      if (source.unicode && source.peek() === "{") source.fail("a { that begins no count; write \\{ for the character");
      return null;
    }
    const [, sign, low, comma, high] = found;
    // {3} has no comma and can have no second number.
    if (sign === undefined && comma === "" && high !== "") source.fail("expected a count as in {3}, {3,} or {3,5}", at);
    source.take("?");
    if (sign !== undefined) return { min: sign === "+" ? 1 : 0, max: sign === "?" ? 1 : Number.POSITIVE_INFINITY };
    const min = Number(low);
    const max = comma === "" ? min : high === "" ? Number.POSITIVE_INFINITY : Number(high);
    if (max < min) source.fail("the counts stand in the wrong order", at);
    return { min, max };
  }

  #atom(flags: Flags, names: GroupNames): Node {
    const source = this.#source;
    const { unicode } = source;
    const at = source.at;
    if (source.take(".")) {
      return { kind: "set", set: complement(flags.s ? [] : LINE_ENDS, everything(unicode)) };
    }
    if (source.take("(")) return this.#group(flags, names);
    if (source.take("[")) return this.#class(flags);
    if (source.take("\\")) return this.#escape(flags);
    if (/[*+?]/.test(source.peek()) || source.match(/\{\d+(?:,\d*)?\}/y) !== null) {
      source.fail("a count with nothing before it; write a backslash before it for the character", at);
    }
    if (unicode && /[{}\]]/.test(source.peek())) {
      source.fail(`'${source.peek()}' stands for nothing here; write \\${source.peek()} for the character`);
    }
    return this.#char(source.next(), flags);
  }

  #char(char: number, flags: Flags): Node {
    return { kind: "set", set: this.#folded(single(char), flags) };
  }

  #folded(set: CharSet, flags: Flags): CharSet {
    return flags.i && !this.#source.syntaxOnly ? foldCase(set, this.#source.unicode) : set;
  }

  #group(flags: Flags, names: GroupNames): Node {
    const source = this.#source;
    const at = source.at - 1;
    let inner = flags;
    if (source.take("?")) {
      if (source.take("<")) {
        const name = readGroupName(source);
        if (names.has(name)) source.fail(`two groups have the name '${name}'`, at);
        names.add(name);
      } else if (!source.take(":")) {
        inner = this.#modifiers(flags, at);
      }
    }
    return this.#inside(inner, names, at);
  }

  #modifiers(flags: Flags, at: number): Flags {
    const found = this.#source.match(/([ims]*)(?:(-)([ims]*))?:/y);
    const [, on = "", minus, off = ""] = found ?? [];
    const letters = on + off;
    if (found === null || letters === "" || new Set(letters).size < letters.length) {
      const known = "(?: (?= (?! (?<= (?<! (?<name> and flags as in (?i:";
      this.#source.fail(
        `no group begins so${minus === undefined ? "" : ", or its flags come twice"}; expected one of ${known}`,
        at,
      );
    }
    const pick = (flag: "i" | "m" | "s"): boolean =>
      on.includes(flag) ? true : off.includes(flag) ? false : flags[flag];
    return { i: pick("i"), m: pick("m"), s: pick("s") };
  }

  #escape(flags: Flags): Node {
    const source = this.#source;
    const at = source.at - 1;
    const set = readSetEscape(source, flags.i);
    if (set !== null) return { kind: "set", set: this.#folded(set, flags) };
    if (this.#isReference(at)) return EMPTY;
    return this.#char(readCharacterEscape(source, false, this.#groups.named), flags);
  }

  /** `\1` where there is such a group (with `u` there must be), and `\k<name>` where any group has a name or `u` is set. */
  #isReference(at: number): boolean {
    const source = this.#source;
    const number = /[1-9]\d*/y;
    number.lastIndex = source.at;
    const digits = number.exec(source.text)?.[0];
    if (digits !== undefined) {
      const exists = Number(digits) <= this.#groups.count;
      if (!exists && source.unicode) source.fail(`there is no group ${digits}`, at);
      if (!exists) return false;
      source.at += digits.length;
    } else {
      if (source.peek() !== "k" || !(source.unicode || this.#groups.named)) return false;
      source.at++;
      if (!source.take("<")) source.fail("expected the name of a group as in \\k<name>", at);
      this.#namesUsed.push({ name: readGroupName(source), at });
    }
    this.#reference ??= at;
    return true;
  }

  #class(flags: Flags): Node {
    const source = this.#source;
    const start = source.at - 1;
    const negated = source.take("^");
    const sets: CharSet[] = [];
    while (!source.take("]")) {
      if (source.ended) source.fail("a class is not closed; write ] at its end", start);
      const at = source.at;
      const first = this.#classAtom(flags);
      if (source.peek() !== "-" || source.peek(1) === "]" || source.peek(1) === "") {
        sets.push(typeof first === "number" ? single(first) : first);
        continue;
      }
      source.at++;
      const last = this.#classAtom(flags);
      sets.push(...this.#range(first, last, at));
    }
    const set = this.#folded(union(sets), flags);
    return { kind: "set", set: negated ? complement(set, everything(source.unicode)) : set };
  }

  #range(first: number | CharSet, last: number | CharSet, at: number): CharSet[] {
    if (typeof first === "number" && typeof last === "number") {
      if (first > last) this.#source.fail("the range's ends stand in the wrong order", at);
      return [[first, last]];
    }
    if (this.#source.unicode) this.#source.fail("a range needs a character at each end; write \\- for a dash", at);
    // Annex B: [\w-x] is \w, the dash and the x.
    return [first, 0x2d, last].map((part) => (typeof part === "number" ? single(part) : part));
  }

  #classAtom(flags: Flags): number | CharSet {
    const source = this.#source;
    if (source.ended) source.fail("a class is not closed; write ] at its end");
    if (!source.take("\\")) return source.next();
    return readSetEscape(source, flags.i) ?? readCharacterEscape(source, true, this.#groups.named);
  }
}
