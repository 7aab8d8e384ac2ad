import type { ArrayRules, Rule, Subschema } from "../subschema.ts";
import type { Compiling } from "./compiling.ts";
import type { Complaint } from "./faults.ts";
import { Kept } from "./kept.ts";
import type { Marks } from "./marks.ts";
import type { Check, Run } from "./run.ts";
import { uniqueCheck } from "./values.ts";

type List = readonly unknown[];

/** Checks of arrays. */
export function arrayChecks({ array }: Subschema, compiler: Compiling): Check<List>[] {
  if (array === null) return [];
  const checks: Check<List>[] = [];
  const { minItems, maxItems, uniqueItems } = array;
  if (minItems !== undefined) checks.push(count(minItems, "minItems", "at least", (length, min) => length >= min));
  if (maxItems !== undefined) checks.push(count(maxItems, "maxItems", "at most", (length, max) => length <= max));
  if (array.prefix.length > 0 || array.rest !== null) checks.push(itemsCheck(array, compiler));
  if (array.contains !== null) checks.push(containsCheck(array, array.contains, compiler));
  if (uniqueItems !== undefined) checks.push(uniqueCheck(uniqueItems));
  return checks;
}

function count(
  { value: limit, site }: Rule<number>,
  keyword: string,
  words: string,
  holds: (length: number, limit: number) => boolean,
): Check<List> {
  const complaint: Complaint = { keyword, detail: `expected ${words} ${limit} item${limit === 1 ? "" : "s"}`, site };
  return (list, run) => holds(list.length, limit) || run.fail(complaint);
}

function itemsCheck({ prefix, rest }: ArrayRules, compiler: Compiling): Check<List> {
  const first = prefix.map((part) => compiler.child(part));
  const others = rest === null ? null : compiler.child(rest);
  const loop = compiler.nextIndex();
  const judgeAt = (list: List, at: number, run: Run): boolean => {
    const check = first[at] ?? others;
    return check === null || judgeItem(check, list[at], at, run);
  };
  return (list, run) => {
    const { marks } = run;
    run.marks = null;
    const length = others === null ? Math.min(first.length, list.length) : list.length;
    let good = true;
    if (run.isLong) good = run.each(loop, list, length, (at) => judgeAt(list, at, run));
    else {
      for (let at = 0; at < length; at++) {
        if (judgeAt(list, at, run)) continue;
        good = false;
        if (run.faults === null || run.faults.isFull) break;
      }
    }
    run.marks = marks;
    if (marks !== null) {
      if (others === null) marks.itemsTo = Math.max(marks.itemsTo, first.length);
      else marks.allItems = true;
    }
    return good;
  };
}

export function judgeItem(check: Check, item: unknown, at: number, run: Run): boolean {
  const { faults } = run;
  if (faults === null) return check(item, run);
  faults.enter(at, at, true);
  const good = check(item, run);
  faults.leave();
  return good;
}

function containsCheck(rules: ArrayRules, contains: Subschema, compiler: Compiling): Check<List> {
  const check = compiler.child(contains);
  const min = rules.minContains.value;
  const max = rules.maxContains?.value ?? Number.POSITIVE_INFINITY;
  const tooFew: Complaint = {
    keyword: min === 1 ? "contains" : "minContains",
    detail: `expected at least ${min} item${min === 1 ? "" : "s"} as 'contains' says`,
    site: rules.minContains.site,
  };
  const tooMany: Complaint = {
    keyword: "maxContains",
    detail: `expected at most ${max} item${max === 1 ? "" : "s"} as 'contains' says`,
    site: rules.maxContains?.site ?? null,
  };
  const counter = new Counter(check, compiler.nextIndex());
  // Of its own: one that marks counts on where the other has enough.
  const marker = new Counter(check, compiler.nextIndex());
  return (list, run) => {
    const marks = rules.containsEvaluates ? run.marks : null;
    const enough = marks === null && max === Number.POSITIVE_INFINITY ? min : Number.POSITIVE_INFINITY;
    const found = enough === 0 ? NO_ITEMS : (marks === null ? counter : marker).find(list, enough, run);
    marks?.addItems(found);
    if (found.size < min) return run.fail(tooFew);
    return found.size <= max || run.fail(tooMany);
  };
}

const NO_ITEMS: ReadonlySet<number> = new Set();

/** Finds the items that fit; in a long list over several turns. */
class Counter {
  readonly #check: Check;
  readonly #loop: number;
  readonly #kept = new Kept<List, Set<number>>();

  constructor(check: Check, loop: number) {
    this.#check = check;
    this.#loop = loop;
  }

  /** Their positions. Stops at `enough`. */
  find(list: List, enough: number, run: Run): ReadonlySet<number> {
    const found = this.#kept.find(run, list) ?? new Set<number>();
    const judge = (at: number): boolean => {
      // Where the loop begins anew, so does the count; where it is known to be done, the count is, too.
      if (at === 0) found.clear();
      if (run.ask(this.#check, list[at], null)) found.add(at);
      return found.size < enough;
    };
    if (run.isLong) this.#findInTurns(list, found, judge, run);
    else for (let at = 0; at < list.length && judge(at); at++);
    return found;
  }

  #findInTurns(list: List, found: Set<number>, judge: (at: number) => boolean, run: Run): void {
    const { faults, scope } = run;
    run.faults = null;
    try {
      run.each(this.#loop, list, list.length, judge);
    } finally {
      run.faults = faults;
      run.scope = scope;
      // What the loop does not do again, this does not count again.
      if (run.hasStretch(this.#loop, list)) this.#kept.keep(run, scope, list, found);
    }
  }
}

/** `unevaluatedItems`: what is left when all others have had their say. */
export function unevaluatedItemsCheck(
  rest: Subschema,
  compiler: Compiling,
): (list: List, marks: Marks, run: Run) => boolean {
  const check = compiler.child(rest);
  const loop = compiler.nextIndex();
  return (list, marks, run) => {
    run.marks = null;
    const judge = (at: number): boolean => marks.hasItem(at) || judgeItem(check, list[at], at, run);
    let good = true;
    if (run.isLong) good = run.each(loop, list, list.length, judge);
    else {
      for (let at = 0; at < list.length; at++) {
        if (judge(at)) continue;
        good = false;
        if (run.faults === null) break;
      }
    }
    marks.allItems = true;
    return good;
  };
}
