import { JsonNumber } from "../../bodies/json-number.ts";
import type { Site } from "../document.ts";
import type { Pattern } from "../pattern/index.ts";
import { TYPE_NAMES } from "../shapes.ts";
import { ALL_TYPES, childParts, inPlaceParts, isLeaf, type Numeric, type Subschema, TYPE } from "../subschema.ts";
import { arrayChecks, unevaluatedItemsCheck } from "./array.ts";
import type { Compiling } from "./compiling.ts";
import { contentChecks } from "./content.ts";
import type { Complaint } from "./faults.ts";
import { inPlaceChecks } from "./in-place.ts";
import { Marks } from "./marks.ts";
import { DeclaredMembers, memberCaseCheck } from "./member-case.ts";
import { isWhole, numberChecks } from "./number.ts";
import { type JsonObject, objectChecks, unevaluatedMembersCheck } from "./object.ts";
import { patternCaseCheck } from "./pattern-case.ts";
import { ALWAYS, type Check, type Run } from "./run.ts";
import { textChecks } from "./text.ts";
import { valueChecks } from "./values.ts";

export interface CompilerOptions {
  /** Compiles a pattern, or reports why it cannot. */
  patternOf(source: string, site: Site | null): Pattern;
  /** The same for letters of either case; null where case is told apart, or the pattern cannot be read so. */
  anyCasePatternOf(source: string): Pattern | null;
  /** Whether members in another case than declared are refused. */
  readonly refusesOtherCase: boolean;
  /** Some reference depends on the way that led to it. */
  readonly isDynamic: boolean;
  /** A value may be judged so often that answers are to be kept. */
  readonly isForking: boolean;
}

/** A schema as a check: for a value of its own place, and for a value that another schema judges, too. */
interface Compiled {
  child: Check | null;
  inPlace: Check | null;
}

/** Subschemas → checks, each once. What a schema needs is compiled before it, so that long chains take no stack. */
export class Compiler implements Compiling {
  readonly #options: CompilerOptions;
  readonly #compiled: Compiled[] = [];
  readonly #parents = new Map<Subschema, number>();
  #current: Subschema | null = null;
  #nextIndex: number;

  /** `all`: every schema of the plan. */
  constructor(all: readonly Subschema[], options: CompilerOptions) {
    this.#options = options;
    this.#nextIndex = all.length;
    // Only where answers are kept it matters who else asks.
    for (const schema of options.isForking ? all : []) {
      if (isLeaf(schema)) continue;
      for (const part of [...inPlaceParts(schema), ...childParts(schema)]) {
        this.#parents.set(part, (this.#parents.get(part) ?? 0) + 1);
      }
    }
  }

  compile(root: Subschema): Check {
    const pending: { schema: Subschema; isReady: boolean }[] = [{ schema: root, isReady: false }];
    const begun = new Set<Subschema>();
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { schema, isReady } = next;
      if (isReady) this.#compile(schema);
      else if (!begun.has(schema)) {
        begun.add(schema);
        if (isLeaf(schema)) {
          this.#compile(schema);
          continue;
        }
        pending.push({ schema, isReady: true });
        for (const part of [...inPlaceParts(schema), ...childParts(schema)])
          pending.push({ schema: part, isReady: false });
      }
    }
    return this.child(root);
  }

  /** A number of its own for a loop. */
  nextIndex(): number {
    return this.#nextIndex++;
  }

  patternOf(source: string, site: Site | null): Pattern {
    return this.#options.patternOf(source, site);
  }

  anyCasePatternOf(source: string): Pattern | null {
    return this.#options.anyCasePatternOf(source);
  }

  /** For a member or item, which no other schema of the current one judges. */
  child(schema: Subschema): Check {
    return this.#entered(schema, "child");
  }

  /** For the value that the current schema judges. */
  inPlace(schema: Subschema): Check {
    return this.#entered(schema, "inPlace");
  }

  #entered(schema: Subschema, role: keyof Compiled): Check {
    const check = this.#checkOf(schema, role);
    const { resource } = schema;
    if (check === ALWAYS || !this.#options.isDynamic || this.#current?.resource === resource) return check;
    return (value, run) => {
      const { scope } = run;
      run.scope = scope?.enter(resource) ?? null;
      const result = check(value, run);
      run.scope = scope;
      return result;
    };
  }

  #checkOf(schema: Subschema, role: keyof Compiled): Check {
    const known = this.#compiled[schema.index];
    const check = known?.[role] ?? null;
    if (check !== null) return check;
    // It leads back to itself: looked up when it is needed.
    const compiled = this.#slot(schema);
    return (value, run) => (compiled[role] ?? ALWAYS)(value, run);
  }

  #slot(schema: Subschema): Compiled {
    let compiled = this.#compiled[schema.index];
    if (compiled === undefined) {
      compiled = { child: null, inPlace: null };
      this.#compiled[schema.index] = compiled;
    }
    return compiled;
  }

  #compile(schema: Subschema): void {
    const compiled = this.#slot(schema);
    this.#current = schema;
    const declared = this.#options.refusesOtherCase && !isLeaf(schema) ? new DeclaredMembers(schema) : null;
    const inPlace = this.#remembered(schema, nodeCheck(schema, this, null));
    compiled.inPlace = inPlace;
    if (declared === null || declared.isEmpty) compiled.child = inPlace;
    else if (inPlaceParts(schema).length === 0)
      compiled.child = this.#remembered(schema, nodeCheck(schema, this, declared));
    else compiled.child = both(memberCaseCheck(declared, this.nextIndex()), inPlace);
    const patternCase = this.#options.refusesOtherCase && !isLeaf(schema) ? patternCaseCheck(schema, this) : null;
    if (patternCase !== null) compiled.child = both(patternCase, compiled.child);
    this.#current = null;
  }

  /** Keeps answers, where a value can be judged again or its judgement be broken off. */
  #remembered(schema: Subschema, check: Check): Check {
    if (check === ALWAYS || isLeaf(schema)) return check;
    if (inPlaceParts(schema).length + childParts(schema).length === 0) return check;
    const always = this.#options.isForking && (this.#parents.get(schema) ?? 0) > 1;
    const index = this.nextIndex();
    return (value, run) => {
      if (!run.isLong) return check(value, run);
      return run.recall(index, value) ?? run.remember(index, value, check, always);
    };
  }
}

function both(first: Check<JsonObject>, second: Check): Check {
  return (value, run) => {
    const good = !isJsonObject(value) || first(value, run);
    if (!good && run.faults === null) return false;
    return second(value, run) && good;
  };
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);
}

const NEVER = ["false", "no value is expected here"] as const;
const READ_ONLY = ["readOnly", "no value is expected: the service alone sets it"] as const;
const WRITE_ONLY = ["writeOnly", "no value is expected: the client alone knows it"] as const;

/** All checks of a schema in one: by the type of the value first, then what is said of that type. */
function nodeCheck(schema: Subschema, compiler: Compiling, declared: DeclaredMembers | null): Check {
  if (schema.isNever) {
    const [keyword, detail] = schema.isReadOnly ? (schema.isWriteOnly ? WRITE_ONLY : READ_ONLY) : NEVER;
    const complaint: Complaint = { keyword, detail, site: schema.site };
    return (_, run) => run.fail(complaint);
  }
  const { types } = schema;
  const typeComplaint: Complaint = { keyword: "type", detail: `expected ${typeText(types)}`, site: schema.typeSite };
  const any = [...valueChecks(schema), ...inPlaceChecks(schema, compiler)];
  const text = all([
    ...textChecks(schema, (source) => compiler.patternOf(source, schema.text.pattern?.site ?? null)),
    ...contentChecks(schema, compiler),
    ...any,
  ]);
  if (types === TYPE.string)
    return (value, run) => (typeof value === "string" ? text(value, run) : run.fail(typeComplaint));
  const other = all(any);
  const number = numberCheck(types, all<Numeric>([...numberChecks(schema), ...any]), typeComplaint);
  const list = evaluatedItems(schema, compiler, all<readonly unknown[]>([...arrayChecks(schema, compiler), ...any]));
  const object = evaluatedMembers(
    schema,
    compiler,
    all<JsonObject>([...objectChecks(schema, compiler, declared), ...any]),
  );
  if (types === ALL_TYPES && [text, other, number, list, object].every((check) => check === ALWAYS)) return ALWAYS;
  const allows = (bit: number): boolean => (types & bit) !== 0;
  const [allowsText, allowsBoolean, allowsNull] = [allows(TYPE.string), allows(TYPE.boolean), allows(TYPE.null)];
  const [allowsList, allowsObject] = [allows(TYPE.array), allows(TYPE.object)];
  return (value, run) => {
    if (typeof value === "string") return allowsText ? text(value, run) : run.fail(typeComplaint);
    if (typeof value === "number") return number(value, run);
    if (typeof value === "boolean") return allowsBoolean ? other(value, run) : run.fail(typeComplaint);
    if (value === null) return allowsNull ? other(value, run) : run.fail(typeComplaint);
    if (Array.isArray(value)) return allowsList ? list(value, run) : run.fail(typeComplaint);
    if (value instanceof JsonNumber) return number(value, run);
    return allowsObject ? object(value as JsonObject, run) : run.fail(typeComplaint);
  };
}

const TYPE_TEXTS = new Map<number, string>();

function typeText(types: number): string {
  let text = TYPE_TEXTS.get(types);
  if (text === undefined) {
    text = namesOf(types);
    TYPE_TEXTS.set(types, text);
  }
  return text;
}

function namesOf(types: number): string {
  const names = TYPE_NAMES.filter(
    (name) => (types & TYPE[name]) !== 0 && !(name === "integer" && (types & TYPE.number) !== 0),
  );
  return names.length === 0 ? "nothing" : names.join(" or ");
}

function numberCheck(types: number, check: Check<Numeric>, complaint: Complaint): Check<Numeric> {
  if ((types & TYPE.number) !== 0) return check;
  if ((types & TYPE.integer) === 0) return (_, run) => run.fail(complaint);
  return (value, run) => (isWhole(value) ? check(value, run) : run.fail(complaint));
}

/** One after the other, until one says no; all of them where faults are collected. */
function all<Value>(checks: readonly Check<Value>[]): Check<Value> {
  const [first, second] = checks;
  if (first === undefined) return ALWAYS;
  if (second === undefined) return first;
  if (checks.length === 2) {
    return (value, run) => {
      const good = first(value, run);
      if (!good && run.faults === null) return false;
      return second(value, run) && good;
    };
  }
  return (value, run) => {
    let good = true;
    for (const check of checks) {
      if (check(value, run)) continue;
      if (run.faults === null) return false;
      good = false;
    }
    return good;
  };
}

function evaluatedItems(
  { unevaluatedItems: rest }: Subschema,
  compiler: Compiling,
  check: Check<readonly unknown[]>,
): Check<readonly unknown[]> {
  return rest === null ? check : withMarks(check, unevaluatedItemsCheck(rest, compiler));
}

function evaluatedMembers(
  { unevaluatedProperties: rest }: Subschema,
  compiler: Compiling,
  check: Check<JsonObject>,
): Check<JsonObject> {
  return rest === null ? check : withMarks(check, unevaluatedMembersCheck(rest, compiler));
}

/** Judges with marks of its own, and then what they leave out. */
function withMarks<Value>(
  check: Check<Value>,
  judgeRest: (value: Value, marks: Marks, run: Run) => boolean,
): Check<Value> {
  return (value, run) => {
    const outer = run.marks;
    const marks = new Marks();
    run.marks = marks;
    const good = check(value, run) && judgeRest(value, marks, run);
    run.marks = outer;
    if (good) outer?.merge(marks);
    return good;
  };
}
