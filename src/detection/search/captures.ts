import { type CharSet, contains } from "../../schema/pattern/char-set.ts";
import type { Node } from "../../schema/pattern/tree.ts";
import { DEFAULTS } from "../../support/defaults.ts";
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

interface Thread {
  readonly at: number;
  readonly slots: readonly number[];
}

const programs = new WeakMap<ByteTree, readonly Instruction[]>();

/**
 * The match that PCRE would find first, and what its groups hold: all ways are followed at once, the preferred first (Pike's
 * way; Russ Cox, "Regular Expression Matching: the Virtual Machine Approach"), so the time is linear. Only for texts
 * that are known to match. Null where the work is spent.
 */
export function* capture(bytes: ByteTree, text: string, work: Work): Steps<SearchMatch | null> {
  let program = programs.get(bytes);
  if (program === undefined) {
    program = new Writer(bytes).write();
    programs.set(bytes, program);
  }
  const slots = yield* new Run(program, text, work).run();
  const [start, end] = slots ?? [];
  if (slots === null || start === undefined || end === undefined) return null;
  const groups: string[] = [];
  for (let group = 1; group <= bytes.groupCount; group++) {
    const [from, to] = [slots[2 * group] ?? -1, slots[2 * group + 1] ?? -1];
    groups.push(from < 0 || to < 0 ? "" : text.slice(from, to));
  }
  return { start, end, groups };
}

class Run {
  readonly #program: readonly Instruction[];
  readonly #text: string;
  readonly #work: Work;
  /** The last place at which each instruction was come by. */
  readonly #visited: Int32Array;

  constructor(program: readonly Instruction[], text: string, work: Work) {
    this.#program = program;
    this.#text = text;
    this.#work = work;
    this.#visited = new Int32Array(program.length).fill(-1);
  }

  *run(): Steps<readonly number[] | null> {
    const text = this.#text;
    let turnAt = this.#work.left - DEFAULTS.captureSliceSteps;
    let now: Thread[] = [];
    let best: readonly number[] | null = null;
    for (let at = 0; at <= text.length; at++) {
      const next: Thread[] = [];
      const threads: Thread[] = [];
      for (const thread of now) this.#follow(thread, at, threads);
      if (best === null) this.#follow({ at: 0, slots: [] }, at, threads);
      this.#work.left -= threads.length + 1;
      if (this.#work.isSpent) return null;
      if (this.#work.left < turnAt) {
        turnAt = this.#work.left - DEFAULTS.captureSliceSteps;
        yield;
      }
      const char = text.charCodeAt(at);
      for (const thread of threads) {
        const step = this.#program[thread.at];
        if (step?.op === "match") {
          // What is less preferred than a match that is there does not count any more.
          best = thread.slots;
          break;
        }
        if (step?.op === "set" && at < text.length && step.members[char] === 1)
          next.push({ at: step.next, slots: thread.slots });
      }
      if (best !== null && next.length === 0) return best;
      now = next;
    }
    return best;
  }

  /** The threads that a place leads to without a character, in order of preference. */
  #follow(first: Thread, at: number, threads: Thread[]): void {
    const stack = [first];
    for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
      if (this.#visited[thread.at] === at) continue;
      this.#visited[thread.at] = at;
      this.#work.left--;
      const step = this.#program[thread.at] as Instruction;
      if (step.op === "set" || step.op === "match") threads.push(thread);
      else if (step.op === "split") {
        stack.push({ at: step.other, slots: thread.slots }, { at: step.next, slots: thread.slots });
      } else if (step.op === "save") {
        const slots = thread.slots.slice();
        while (slots.length <= step.slot) slots.push(-1);
        slots[step.slot] = at;
        stack.push({ at: step.next, slots });
      } else if (step.holds(this.#text, at)) stack.push({ at: step.next, slots: thread.slots });
    }
  }
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
