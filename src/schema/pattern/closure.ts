import type { Alphabet } from "./alphabet.ts";
import { OP, type Program } from "./program.ts";

/** What lies on one side of a place: the text's edge, or in which of the watched sets the character is, one bit each. */
export const TEXT_EDGE = 1;
export const LINE_END = 2;

/** A place's `left` in two halves, and the instructions that the characters so far lead to, in order: what tells places apart. */
export type State = string;

const CHUNK = 4096;

/**
 * One place in a text: which instructions it leads to, and which one more character does. Nothing is allocated on the way
 * from place to place.
 */
export class Closure {
  readonly #program: Program;
  readonly #alphabet: Alphabet;
  readonly #leftMask: number;
  /** What the last character was, as far as the program asks. */
  #left = 0;
  /** Instructions that the last character led to, in order where there are conditions. */
  readonly #kernel: Uint32Array;
  #kernelCount = 0;
  /** Instructions of the present place that take a character. */
  readonly #takers: Uint32Array;
  #takersCount = 0;
  /** The last round that came by an instruction, and the last that led to it by a character. */
  readonly #visited: Uint32Array;
  readonly #led: Uint32Array;
  #round = 0;
  readonly #stack: Uint32Array;
  #stackCount = 0;
  /** Which conditions hold at the present place. */
  readonly #holds: Uint8Array;

  constructor(program: Program, alphabet: Alphabet) {
    const size = program.op.length;
    this.#program = program;
    this.#alphabet = alphabet;
    this.#leftMask = leftMaskOf(program);
    this.#kernel = new Uint32Array(size);
    this.#takers = new Uint32Array(size);
    this.#visited = new Uint32Array(size);
    this.#led = new Uint32Array(size);
    // Each instruction is gone through once and leads to two at most, beside those that a place begins with.
    this.#stack = new Uint32Array(3 * size + program.parts.length);
    this.#holds = new Uint8Array(program.parts.length);
  }

  /** The place before the first character. */
  begin(): void {
    this.#left = TEXT_EDGE & this.#leftMask;
    this.#kernelCount = 0;
    if (this.#program.anchored) this.#kernel[this.#kernelCount++] = this.#program.parts.at(-1)?.entry ?? 0;
  }

  get state(): State {
    const kernel = this.#kernel.subarray(0, this.#kernelCount);
    if (this.#program.parts.length === 1) kernel.sort();
    let state = String.fromCharCode(this.#left & 0xffff, this.#left >>> 16);
    for (let from = 0; from < kernel.length; from += CHUNK) {
      state += String.fromCharCode.apply(null, [...kernel.subarray(from, from + CHUNK)]);
    }
    return state;
  }

  /** How many instructions the last character led to. */
  get size(): number {
    return this.#kernelCount + 1;
  }

  load(state: State): void {
    this.#left = state.charCodeAt(0) | (state.charCodeAt(1) << 16);
    this.#kernelCount = state.length - 2;
    for (let index = 2; index < state.length; index++) this.#kernel[index - 2] = state.charCodeAt(index);
  }

  /** Goes through all that costs no character, with `right` beside the place; tells whether the pattern ends here. */
  follow(right: number): boolean {
    const { parts, anchored } = this.#program;
    this.#round++;
    this.#takersCount = 0;
    let at = 0;
    for (let part = 0; part < parts.length; part++) {
      const { entry, end } = parts[part] as Program["parts"][number];
      const isMain = part === parts.length - 1;
      this.#holds[part] = 0;
      if (!isMain || !anchored) this.#push(entry);
      for (; at < this.#kernelCount && (isMain || (this.#kernel[at] as number) < end); at++) {
        this.#push(this.#kernel[at] as number);
      }
      this.#run(part, right);
    }
    return this.#holds[parts.length - 1] === 1;
  }

  #push(at: number): void {
    if (this.#visited[at] === this.#round) return;
    this.#visited[at] = this.#round;
    this.#stack[this.#stackCount++] = at;
  }

  #run(part: number, right: number): void {
    const { op, argument, next } = this.#program;
    while (this.#stackCount > 0) {
      const at = this.#stack[--this.#stackCount] as number;
      const code = op[at] as number;
      if (code === OP.set) {
        this.#takers[this.#takersCount++] = at;
      } else if (code === OP.split) {
        this.#push(next[at] as number);
        this.#push(argument[at] as number);
      } else if (code === OP.match) {
        this.#holds[part] = 1;
      } else if (this.#allows(code, argument[at] as number, right)) {
        this.#push(next[at] as number);
      }
    }
  }

  #allows(op: number, argument: number, right: number): boolean {
    if (op === OP.condition) return this.#holds[argument >> 1] !== (argument & 1);
    if (op === OP.wordEdge) {
      const bit = LINE_END << (argument >> 1);
      return ((this.#left & bit) !== (right & bit)) !== ((argument & 1) === 1);
    }
    if (op === OP.beside) {
      const bit = LINE_END << (argument >> 2);
      return ((((argument & 2) === 0 ? this.#left : right) & bit) !== 0) !== ((argument & 1) === 1);
    }
    const side = argument === 0 ? this.#left : right;
    return (side & (op === OP.textEdge ? TEXT_EDGE : TEXT_EDGE | LINE_END)) !== 0;
  }

  /** Goes on by a character of `column`, which is `right` of the place followed last; false where nothing can match any more. */
  take(column: number, right: number): boolean {
    const { argument, next, parts, anchored } = this.#program;
    const { columns, members } = this.#alphabet;
    let count = 0;
    for (let index = 0; index < this.#takersCount; index++) {
      const at = this.#takers[index] as number;
      if (members[(argument[at] as number) * columns + column] !== 1) continue;
      const target = next[at] as number;
      if (this.#led[target] === this.#round) continue;
      this.#led[target] = this.#round;
      this.#kernel[count++] = target;
    }
    this.#kernelCount = count;
    this.#left = right & this.#leftMask;
    if (parts.length > 1) this.#kernel.subarray(0, count).sort();
    const conditionsEnd = parts.at(-2)?.end ?? 0;
    return !anchored || (count > 0 && (this.#kernel[count - 1] as number) >= conditionsEnd);
  }
}

/** What of the last character the assertions of a program ask for. */
function leftMaskOf(program: Program): number {
  let mask = 0;
  for (const [index, op] of program.op.entries()) {
    const argument = program.argument[index] ?? 0;
    if (op === OP.textEdge && argument === 0) mask |= TEXT_EDGE;
    if (op === OP.lineEdge && argument === 0) mask |= TEXT_EDGE | LINE_END;
    if (op === OP.wordEdge) mask |= LINE_END << (argument >> 1);
    if (op === OP.beside && (argument & 2) === 0) mask |= LINE_END << (argument >> 2);
  }
  return mask;
}
