import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { contains } from "./char-set.ts";
import { compilePattern } from "./index.ts";
import { parsePattern } from "./parse.ts";
import { OP, type Program, toProgram } from "./program.ts";
import type { PatternFault } from "./source.ts";
import { isBeside, lengthsOf, type Node, walk } from "./tree.ts";
import { withPatternWork } from "./work.ts";

/** Where a pattern matches, in UTF-16 code units. */
export interface Match {
  readonly start: number;
  readonly end: number;
}

/** Finds where in a text a pattern matches, in time linear to the text. */
export interface Finder {
  /** Longest match, in code points. */
  readonly lengthMax: number;
  /** Stands in each match; empty where none is known. */
  readonly literal: string;
  /** The first match from there on, and the longest of those that begin there. */
  find(text: string, from: number): Match | null;
}

/**
 * A pattern, by ECMA-262 with the flag `u`, that is looked for inside of texts: at the first place where one begins, the
 * longest. A fault where it matches nothing, or at most at one end of a text, or texts of any length.
 */
export function compileFinder(source: string): Result<Finder, PatternFault> {
  const pattern = compilePattern(source, { unicode: true });
  if (!pattern.ok) return pattern;
  const parsed = parsePattern(source, true);
  if (!parsed.ok) return parsed;
  const tree = parsed.value;
  const fault = faultOf(tree);
  if (fault !== null) return err(fault);
  const program = toProgram(tree, false, false);
  const search = new Search(program);
  const isThere = (text: string): boolean =>
    withPatternWork(DEFAULTS.patternWorkMax, () => pattern.value.test(text)) ?? true;
  return ok({
    lengthMax: lengthsOf(tree).max,
    literal: literalOf(tree),
    find: (text, from) => (from > 0 || isThere(text) ? search.find(text, from) : null),
  });
}

function faultOf(tree: Node): PatternFault | null {
  const nodes = [...walk(tree)];
  const fault = (message: string): PatternFault => ({ kind: "syntax", at: 0, message });
  if (nodes.some((node) => node.kind === "edge" && (node.edge === "textStart" || node.edge === "textEnd")))
    return fault(
      "^ and $ are the ends of the whole text, so it never matches inside of one; take them off, or write \\b",
    );
  if (nodes.some((node) => node.kind === "look" && !isBeside(node)))
    return fault("looks at more than the one character beside find no place in a text; leave them out");
  const { min, max } = lengthsOf(tree);
  if (min === 0)
    return fault("it matches the empty text, which is everywhere; write what it has to have, as with + for *");
  if (max > DEFAULTS.leakPatternLengthMax) {
    const most = DEFAULTS.leakPatternLengthMax;
    return fault(`it matches texts of more than ${most} characters; write a count, as {1,64} for +`);
  }
  return null;
}

/** The longest run of characters that each match has. */
function literalOf(tree: Node): string {
  const parts = tree.kind === "sequence" ? tree.parts : [tree];
  let longest = "";
  let run = "";
  for (const part of parts) {
    const [first, last] = part.kind === "set" ? part.set : [];
    const isOne = part.kind === "set" && part.set.length === 2 && first === last && first !== undefined;
    if (isOne) run += String.fromCodePoint(first);
    else if (part.kind !== "wordEdge") run = "";
    if (run.length > longest.length) longest = run;
  }
  return longest;
}

/** Places of a program that a text is at, each with where its match began; the earliest first. */
class Threads {
  readonly at: number[] = [];
  readonly starts: number[] = [];

  clear(): void {
    this.at.length = 0;
    this.starts.length = 0;
  }
}

class Search {
  readonly #program: Program;
  readonly #entry: number;
  /** The last round that came by an instruction. */
  readonly #visited: Uint32Array;
  #round = 0;
  #now = new Threads();
  #next = new Threads();
  #best: Match | null = null;

  constructor(program: Program) {
    this.#program = program;
    this.#entry = program.parts.at(-1)?.entry ?? 0;
    this.#visited = new Uint32Array(program.op.length);
  }

  find(text: string, from: number): Match | null {
    this.#best = null;
    this.#now.clear();
    for (let at = from; ; ) {
      const char = text.codePointAt(at) ?? -1;
      this.#place(text, at, char);
      const best = this.#best as Match | null;
      if (char < 0 || (best !== null && this.#now.at.length === 0)) return best;
      this.#take(char);
      at += char > 0xffff ? 2 : 1;
    }
  }

  /** Goes through all that takes no character; what is left in `now` takes one. */
  #place(text: string, at: number, char: number): void {
    if (++this.#round === 0xffffffff) this.#visited.fill(0);
    const came = this.#now;
    this.#now = this.#next;
    this.#next = came;
    this.#now.clear();
    for (const [index, place] of came.at.entries()) this.#follow(place, came.starts[index] ?? at, text, at, char);
    if (this.#best === null) this.#follow(this.#entry, at, text, at, char);
  }

  #follow(first: number, start: number, text: string, at: number, char: number): void {
    const { op, argument, next } = this.#program;
    const stack = [first];
    for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
      if (this.#visited[place] === this.#round || (this.#best !== null && start > this.#best.start)) continue;
      this.#visited[place] = this.#round;
      const code = op[place];
      if (code === OP.match) this.#best = { start, end: at };
      else if (code === OP.set) {
        this.#now.at.push(place);
        this.#now.starts.push(start);
      } else if (code === OP.split) stack.push(argument[place] ?? 0, next[place] ?? 0);
      else if (this.#holds(code ?? 0, argument[place] ?? 0, text, at, char)) stack.push(next[place] ?? 0);
    }
  }

  #holds(code: number, argument: number, text: string, at: number, char: number): boolean {
    const before = at === 0 ? -1 : (text.codePointAt(isLow(text, at - 1) ? at - 2 : at - 1) ?? -1);
    const isIn = (index: number, one: number): boolean => one >= 0 && contains(this.#program.watched[index] ?? [], one);
    if (code === OP.wordEdge) {
      const index = argument >> 1;
      return (isIn(index, before) !== isIn(index, char)) !== ((argument & 1) === 1);
    }
    const isBehind = code === OP.beside ? (argument & 2) !== 0 : argument !== 0;
    const one = isBehind ? char : before;
    if (code === OP.beside) return isIn(argument >> 2, one) !== ((argument & 1) === 1);
    return one < 0 || (code === OP.lineEdge && isIn(0, one));
  }

  #take(char: number): void {
    const { argument, next, sets } = this.#program;
    const { at, starts } = this.#now;
    let kept = 0;
    for (let index = 0; index < at.length; index++) {
      const place = at[index] as number;
      if (!contains(sets[argument[place] ?? 0] ?? [], char)) continue;
      at[kept] = next[place] ?? 0;
      starts[kept] = starts[index] as number;
      kept++;
    }
    at.length = kept;
    starts.length = kept;
  }
}

function isLow(text: string, at: number): boolean {
  return at > 0 && (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}
