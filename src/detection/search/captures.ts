import { type CharSet, contains } from "../../schema/pattern/char-set.ts";
import type { Node } from "../../schema/pattern/tree.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { codeAt } from "../../support/text-code.ts";
import type { Steps } from "../../support/turns.ts";
import type { ByteTree } from "./pcre.ts";
import type { Work } from "./work.ts";

/** Where a pattern matched, and what its groups hold, the first at 0; "" where one took no part. */
export interface SearchMatch {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly string[];
}

/** One step of a pattern; all but `match` go on at `next`. */
type Instruction =
  | { readonly op: "set"; readonly members: Uint8Array; next: number }
  /** First `next`, then `other`. */
  | { readonly op: "split"; next: number; other: number }
  | { readonly op: "save"; readonly slot: number; next: number }
  | { readonly op: "assert"; readonly holds: (text: string, at: number) => boolean; next: number }
  | { readonly op: "match" };

/** Where groups begin and end, as far as a way has come; shared by the ways that part later. */
type Slots = readonly number[];

const NO_SLOTS: Slots = [];

const OPS = ["set", "split", "save", "assert", "match"] as const;
const [SET, SPLIT, SAVE, ASSERT] = [0, 1, 2, 3] as const;

/**
 * Instructions as they run, by their numbers. Nothing of it is an object of its own: a long text goes by thousands of instructions
 * for each character of some, and what was made for each of them was collected in half of the time.
 */
interface Program {
  readonly size: number;
  readonly ops: Uint8Array;
  readonly next: Uint32Array;
  /** Of a split its other way, of a save its slot, of a set where its members stand. */
  readonly argument: Uint32Array;
  /** By 256 for each set. */
  readonly members: Uint8Array;
  readonly holds: readonly (((text: string, at: number) => boolean) | null)[];
}

const programs = new WeakMap<ByteTree, Program>();

function programOf(bytes: ByteTree): Program {
  const known = programs.get(bytes);
  if (known !== undefined) return known;
  const steps = new Writer(bytes).write();
  const sets = [...new Set(steps.flatMap((step) => (step.op === "set" ? [step.members] : [])))];
  const argumentOf = (step: Instruction): number => {
    if (step.op === "set") return 256 * sets.indexOf(step.members);
    return step.op === "split" ? step.other : step.op === "save" ? step.slot : 0;
  };
  const members = new Uint8Array(256 * sets.length);
  for (const [index, set] of sets.entries()) members.set(set, 256 * index);
  const program: Program = {
    size: steps.length,
    ops: Uint8Array.from(steps, ({ op }) => OPS.indexOf(op)),
    next: Uint32Array.from(steps, (step) => (step.op === "match" ? 0 : step.next)),
    argument: Uint32Array.from(steps, argumentOf),
    members,
    holds: steps.map((step) => (step.op === "assert" ? step.holds : null)),
  };
  programs.set(bytes, program);
  return program;
}

/**
 * The match that PCRE would find first, and what its groups hold: all ways are followed at once, the preferred first (Pike's
 * way; Russ Cox, "Regular Expression Matching: the Virtual Machine Approach"), so the time is linear. Only for texts
 * that are known to match. Null where the work is spent.
 */
export function* capture(bytes: ByteTree, text: string, work: Work): Steps<SearchMatch | null> {
  const slots = yield* new Run(programOf(bytes), text, work).run();
  const [start, end] = slots ?? [];
  if (slots === null || start === undefined || end === undefined) return null;
  const groups: string[] = [];
  for (let group = 1; group <= bytes.groupCount; group++) {
    const [from, to] = [slots[2 * group] ?? -1, slots[2 * group + 1] ?? -1];
    groups.push(from < 0 || to < 0 ? "" : text.slice(from, to));
  }
  return { start, end, groups };
}

/** Ways in their order: at which instruction each is, and what it has come by. */
class Ways {
  readonly at: Uint32Array;
  readonly slots: Slots[] = [];
  length = 0;

  constructor(size: number) {
    this.at = new Uint32Array(size);
  }

  push(at: number, slots: Slots): void {
    this.at[this.length] = at;
    this.slots[this.length++] = slots;
  }
}

class Run {
  readonly #program: Program;
  readonly #text: string;
  readonly #work: Work;
  /** The last place at which each instruction was come by. */
  readonly #visited: Int32Array;
  /** What is followed still; each instruction leads to at most two others. */
  readonly #open: Ways;
  /** Ways that wait for a character. */
  readonly #here: Ways;

  constructor(program: Program, text: string, work: Work) {
    this.#program = program;
    this.#text = text;
    this.#work = work;
    this.#visited = new Int32Array(program.size).fill(-1);
    this.#open = new Ways(2 * program.size + 1);
    this.#here = new Ways(program.size);
  }

  *run(): Steps<Slots | null> {
    const text = this.#text;
    const here = this.#here;
    const { ops, next, argument, members } = this.#program;
    const now = new Ways(this.#program.size);
    let turnAt = this.#work.left - DEFAULTS.captureSliceSteps;
    let best: Slots | null = null;
    const { length } = text;
    for (let at = 0; at <= length; at++) {
      here.length = 0;
      for (let index = 0; index < now.length; index++)
        this.#follow(now.at[index] as number, now.slots[index] as Slots, at);
      if (best === null) this.#follow(0, NO_SLOTS, at);
      this.#work.left -= here.length + 1;
      if (this.#work.isSpent) return null;
      if (this.#work.left < turnAt) {
        turnAt = this.#work.left - DEFAULTS.captureSliceSteps;
        yield;
      }
      const char = at < length ? codeAt(text, at) : -1;
      now.length = 0;
      for (let index = 0; index < here.length; index++) {
        const step = here.at[index] as number;
        if (ops[step] !== SET) {
          // What is less preferred than a match that is there does not count any more.
          best = here.slots[index] as Slots;
          break;
        }
        if (char >= 0 && members[(argument[step] as number) + char] === 1)
          now.push(next[step] as number, here.slots[index] as Slots);
      }
      if (best !== null && now.length === 0) return best;
    }
    return best;
  }

  /** The ways that one leads to without a character, in order of preference. */
  #follow(from: number, carried: Slots, at: number): void {
    const { ops, next, argument, holds } = this.#program;
    const visited = this.#visited;
    const open = this.#open;
    open.push(from, carried);
    while (open.length > 0) {
      const step = open.at[--open.length] as number;
      const slots = open.slots[open.length] as Slots;
      if (visited[step] === at) continue;
      visited[step] = at;
      this.#work.left--;
      const op = ops[step];
      if (op === SPLIT) {
        open.push(argument[step] as number, slots);
        open.push(next[step] as number, slots);
      } else if (op === SAVE) open.push(next[step] as number, saved(slots, argument[step] as number, at));
      else if (op !== ASSERT) this.#here.push(step, slots);
      else if (holds[step]?.(this.#text, at) === true) open.push(next[step] as number, slots);
    }
  }
}

function saved(slots: Slots, slot: number, at: number): Slots {
  const copy = slots.slice();
  while (copy.length <= slot) copy.push(-1);
  copy[slot] = at;
  return copy;
}

class Writer {
  readonly #bytes: ByteTree;
  readonly #program: Instruction[] = [];
  readonly #members = new Map<CharSet, Uint8Array>();

  constructor(bytes: ByteTree) {
    this.#bytes = bytes;
  }

  /** Begins at instruction 0. */
  write(): readonly Instruction[] {
    const first: Instruction = { op: "save", slot: 0, next: 0 };
    this.#program.push(first);
    const end = this.#add({ op: "save", slot: 1, next: this.#add({ op: "match" }) });
    first.next = this.#emit(this.#bytes.tree, end);
    return this.#program;
  }

  #add(step: Instruction): number {
    return this.#program.push(step) - 1;
  }

  /** Writes a node that goes on at `next`; gives where it begins. */
  #emit(node: Node, next: number): number {
    const group = this.#bytes.groups.get(node);
    if (group === undefined) return this.#emitBare(node, next);
    const body = this.#emitBare(node, this.#add({ op: "save", slot: 2 * group + 1, next }));
    return this.#add({ op: "save", slot: 2 * group, next: body });
  }

  #emitBare(node: Node, next: number): number {
    switch (node.kind) {
      case "set":
        return this.#add({ op: "set", members: this.#membersOf(node.set), next });
      case "sequence":
        return node.parts.reduceRight((entry, part) => this.#emit(part, entry), next);
      case "choice": {
        const entries = node.options.map((option) => this.#emit(option, next));
        return entries.reduceRight((other, entry) => this.#add({ op: "split", next: entry, other }));
      }
      case "repeat":
        return this.#repeat(node, next);
      default:
        return this.#add({ op: "assert", holds: assertionOf(node), next });
    }
  }

  #repeat(node: Extract<Node, { kind: "repeat" }>, next: number): number {
    const isLazy = this.#bytes.lazy.has(node);
    const split = (body: number, end: number): number =>
      this.#add(isLazy ? { op: "split", next: end, other: body } : { op: "split", next: body, other: end });
    let entry = next;
    if (node.max === Number.POSITIVE_INFINITY) {
      const loop: Instruction = isLazy ? { op: "split", next, other: 0 } : { op: "split", next: 0, other: next };
      entry = this.#add(loop);
      const body = this.#emit(node.body, entry);
      if (isLazy) loop.other = body;
      else loop.next = body;
    } else {
      for (let count = node.min; count < node.max; count++) entry = split(this.#emit(node.body, entry), next);
    }
    for (let count = 0; count < node.min; count++) entry = this.#emit(node.body, entry);
    return entry;
  }

  #membersOf(set: CharSet): Uint8Array {
    let members = this.#members.get(set);
    if (members === undefined) {
      members = Uint8Array.from({ length: 256 }, (_, byte) => (contains(set, byte) ? 1 : 0));
      this.#members.set(set, members);
    }
    return members;
  }
}

/** Looks of more than one character are taken to hold: the text is known to match, and only its groups are asked for. */
function assertionOf(node: Node): (text: string, at: number) => boolean {
  const isIn = (set: CharSet, text: string, at: number): boolean =>
    at >= 0 && at < text.length && contains(set, text.charCodeAt(at));
  if (node.kind === "edge") return node.edge === "textStart" ? (_, at) => at === 0 : (text, at) => at === text.length;
  if (node.kind === "wordEdge") {
    return (text, at) => (isIn(node.word, text, at - 1) !== isIn(node.word, text, at)) !== node.negated;
  }
  if (node.kind === "look" && node.body.kind === "set") {
    const { set } = node.body;
    return (text, at) => isIn(set, text, node.ahead ? at : at - 1) !== node.negated;
  }
  return () => true;
}
