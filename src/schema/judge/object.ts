import { memberNames } from "../../bodies/json-parser.ts";
import type { Pattern } from "../pattern/index.ts";
import type { ObjectRules, Rule, Subschema } from "../subschema.ts";
import type { Compiling } from "./compiling.ts";
import type { Complaint } from "./faults.ts";
import type { Marks } from "./marks.ts";
import { type DeclaredMembers, failMember } from "./member-case.ts";
import { ALWAYS, type Check, type Run } from "./run.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Checks of objects. `declared` where members in another case are looked for here, in the same pass. */
export function objectChecks(
  { object, dependentSchemas }: Subschema,
  compiler: Compiling,
  declared: DeclaredMembers | null,
): Check<JsonObject>[] {
  const checks: Check<JsonObject>[] = [];
  if (object !== null) {
    const { minProperties, maxProperties } = object;
    checks.push(new Members(object, compiler, declared).check);
    if (minProperties !== undefined || maxProperties !== undefined)
      checks.push(countCheck(minProperties, maxProperties));
    if (object.dependentRequired.length > 0) checks.push(dependentCheck(object));
  }
  for (const { name, schema } of dependentSchemas) {
    const check = compiler.inPlace(schema);
    checks.push((value, run) => !Object.hasOwn(value, name) || check(value, run));
  }
  return checks;
}

function countCheck(min: Rule<number> | undefined, max: Rule<number> | undefined): Check<JsonObject> {
  const members = (count: number): string => (count === 1 ? "1 member" : `${count} members`);
  const least = min?.value ?? 0;
  const most = max?.value ?? Number.POSITIVE_INFINITY;
  const tooFew: Complaint = {
    keyword: "minProperties",
    detail: `expected at least ${members(least)}`,
    site: min?.site ?? null,
  };
  const tooMany: Complaint = {
    keyword: "maxProperties",
    detail: `expected at most ${members(most)}`,
    site: max?.site ?? null,
  };
  return (object, run) => {
    const count = run.isLong ? memberNames(object).length : sizeOf(object);
    if (count < least) return run.fail(tooFew);
    return count <= most || run.fail(tooMany);
  };
}

function sizeOf(object: JsonObject): number {
  let count = 0;
  for (const _ in object) count++;
  return count;
}

function dependentCheck({ dependentRequired }: ObjectRules): Check<JsonObject> {
  const rules = dependentRequired.map(({ name, needs, site }) => ({
    name,
    needs: needs.map((needed) => ({
      needed,
      complaint: missing(needed, "dependentRequired", site, ` beside '${name}'`),
    })),
  }));
  const byName = Map.groupBy(rules, ({ name }) => name);
  return (object, run) => {
    let good = true;
    for (const { name, needs } of rules.length > DEPENDENT_FEW ? rulesOf(object, byName) : rules) {
      if (!Object.hasOwn(object, name)) continue;
      for (const { needed, complaint } of needs) if (!Object.hasOwn(object, needed)) good = run.fail(complaint);
    }
    return good;
  };
}

/** So many rules are asked one by one; of more, those of the members that an object has: it may have none. */
const DEPENDENT_FEW = 16;

function rulesOf<Rule>(object: JsonObject, byName: ReadonlyMap<string, readonly Rule[]>): readonly Rule[] {
  return memberNames(object).flatMap((name) => byName.get(name) ?? []);
}

function missing(name: string, keyword: string, site: Complaint["site"], more: string): Complaint {
  return { keyword, detail: `expected the member '${name.slice(0, NAME_SHOWN_MAX)}'${more}`, site };
}

const NAME_SHOWN_MAX = 64;

/** What a schema says of the member of one name. */
interface Declared {
  /** Null where it is only required. */
  readonly check: Check | null;
  readonly isRequired: boolean;
}

interface PatternRule {
  readonly pattern: Pattern;
  readonly check: Check;
}

/** `properties`, `patternProperties`, `additionalProperties`, `propertyNames` and `required`, in one pass over the members. */
class Members {
  readonly #table: ReadonlyMap<string, Declared>;
  readonly #required: readonly { readonly name: string; readonly complaint: Complaint }[];
  readonly #patterns: readonly PatternRule[];
  readonly #additional: Check | null;
  readonly #unwanted: Complaint | null;
  readonly #names: Check | null;
  readonly #badName: Complaint;
  readonly #declared: DeclaredMembers | null;
  readonly #loop: number;
  /** Nothing is to be looked at but what is declared. */
  readonly #isOpen: boolean;
  /** Whether `properties` or `patternProperties` have the name. */
  readonly #knows = (name: string): boolean => {
    const declared = this.#table.get(name);
    return (
      (declared !== undefined && declared.check !== null) || this.#patterns.some(({ pattern }) => pattern.test(name))
    );
  };

  constructor(rules: ObjectRules, compiler: Compiling, declared: DeclaredMembers | null) {
    const required = new Set(rules.required.map(({ value }) => value));
    const table = new Map<string, Declared>();
    for (const [name, schema] of rules.properties) {
      table.set(name, { check: compiler.child(schema), isRequired: required.has(name) });
    }
    for (const name of required) if (!table.has(name)) table.set(name, { check: null, isRequired: true });
    this.#table = table;
    this.#required = rules.required.map(({ value, site }) => ({
      name: value,
      complaint: missing(value, "required", site, ""),
    }));
    this.#patterns = rules.patterns.map(({ source, schema, site }) => ({
      pattern: compiler.patternOf(source, site),
      check: compiler.child(schema),
    }));
    const { additional } = rules;
    this.#unwanted =
      additional?.isNever === true
        ? { keyword: "additionalProperties", detail: "no member of this name is expected", site: additional.site }
        : null;
    this.#additional = additional === null || this.#unwanted !== null ? null : compiler.child(additional);
    this.#names = rules.names === null ? null : compiler.child(rules.names);
    this.#badName = { keyword: "propertyNames", detail: "the name is not as it is expected", site: rules.namesSite };
    this.#declared = declared;
    this.#loop = compiler.nextIndex();
    this.#isOpen =
      this.#patterns.length === 0 &&
      this.#names === null &&
      declared === null &&
      this.#unwanted === null &&
      (this.#additional === null || this.#additional === ALWAYS);
  }

  get check(): Check<JsonObject> {
    return (object, run) => {
      const { marks } = run;
      run.marks = null;
      const good = run.faults === null && !run.isLong ? this.#isFine(object, run) : this.#judge(object, run);
      run.marks = marks;
      if (marks !== null) this.#mark(marks);
      return good;
    };
  }

  /** The way of nearly all: short, and nobody asks why not. */
  #isFine(object: JsonObject, run: Run): boolean {
    let missing = this.#required.length;
    const table = this.#table;
    for (const name in object) {
      const declared = table.get(name);
      if (declared?.isRequired === true) missing--;
      if (declared === undefined || declared.check === null || !this.#isOpen) {
        if (this.#isOpen) continue;
        if (!this.#judgeMember(object, name, 0, declared, run)) return false;
      } else if (declared.check !== ALWAYS && !declared.check(object[name], run)) return false;
    }
    return missing <= 0;
  }

  #judge(object: JsonObject, run: Run): boolean {
    let good = true;
    for (const { name, complaint } of this.#required) {
      if (Object.hasOwn(object, name)) continue;
      good = run.fail(complaint);
      if (run.faults === null) return false;
    }
    const keys = memberNames(object);
    const judge = (at: number): boolean => {
      const name = keys[at] ?? "";
      return this.#judgeMember(object, name, at, this.#table.get(name), run);
    };
    if (run.isLong) return run.each(this.#loop, object, keys.length, judge) && good;
    for (let at = 0; at < keys.length && run.faults?.isFull !== true; at++) if (!judge(at)) good = false;
    return good;
  }

  #judgeMember(object: JsonObject, name: string, at: number, declared: Declared | undefined, run: Run): boolean {
    const value = object[name];
    let good = true;
    let isKnown = false;
    if (declared !== undefined && declared.check !== null) {
      isKnown = true;
      good = enterMember(declared.check, value, name, at, true, run);
    }
    for (const { pattern, check } of this.#patterns) {
      if (!run.matches(pattern, name)) continue;
      isKnown = true;
      if (!enterMember(check, value, name, at, false, run)) good = false;
    }
    if (this.#names !== null && !run.ask(this.#names, name, null)) good = failMember(this.#badName, name, at, run);
    if (declared === undefined && this.#declared !== null) {
      const complaint = this.#declared.respelled(name);
      if (complaint !== null) good = failMember(complaint, name, at, run);
    }
    if (isKnown) return good;
    if (this.#unwanted !== null) return failMember(this.#unwanted, name, at, run);
    if (this.#additional === null) return good;
    return enterMember(this.#additional, value, name, at, false, run) && good;
  }

  #mark(marks: Marks): void {
    if (this.#additional !== null || this.#unwanted !== null) marks.allMembers = true;
    else marks.addMembers(this.#knows);
  }
}

export function enterMember(
  check: Check,
  value: unknown,
  name: string,
  at: number,
  isDeclared: boolean,
  run: Run,
): boolean {
  const { faults } = run;
  if (faults === null) return check(value, run);
  faults.enter(name, at, isDeclared);
  const good = check(value, run);
  faults.leave();
  return good;
}

/** `unevaluatedProperties`: what is left when all others have had their say. */
export function unevaluatedMembersCheck(
  rest: Subschema,
  compiler: Compiling,
): (object: JsonObject, marks: Marks, run: Run) => boolean {
  const unwanted: Complaint = {
    keyword: "unevaluatedProperties",
    detail: "no member of this name is expected",
    site: rest.site,
  };
  const check = compiler.child(rest);
  const loop = compiler.nextIndex();
  return (object, marks, run) => {
    run.marks = null;
    const keys = memberNames(object);
    const judge = (at: number): boolean => {
      const name = keys[at] ?? "";
      if (marks.hasMember(name)) return true;
      return rest.isNever
        ? failMember(unwanted, name, at, run)
        : enterMember(check, object[name], name, at, false, run);
    };
    let good = true;
    if (run.isLong) good = run.each(loop, object, keys.length, judge);
    else {
      for (let at = 0; at < keys.length; at++) {
        if (judge(at)) continue;
        good = false;
        if (run.faults === null) break;
      }
    }
    marks.allMembers = true;
    return good;
  };
}
