import type { Operator, Variable } from "../seclang/directive.ts";
import { transformOf } from "../transform/index.ts";
import type { SetVar } from "./actions.ts";
import type { DraftLink } from "./draft.ts";
import { type MacroName, macroOf, partlyFilled } from "./macro.ts";
import { integer, plainTest } from "./operators.ts";
import type { WrittenNames } from "./written-names.ts";

/** What TX holds at a place of the rules, as far as it is the same for each request. */
export class KnownValues {
  readonly #values: Map<string, string>;
  readonly #pinned: ReadonlyMap<string, string>;
  /** Names that a rule has set. */
  readonly #set = new Set<string>();
  readonly #written: WrittenNames;

  constructor(pinned: ReadonlyMap<string, string>, begin: ReadonlyMap<string, string>, written: WrittenNames) {
    this.#values = new Map([...begin, ...pinned]);
    this.#pinned = pinned;
    this.#written = written;
  }

  constants(): ReadonlyMap<string, string> {
    return this.#values;
  }

  /** "" where the name is surely not set; undefined where a request decides. */
  reader(): (name: MacroName) => string | undefined {
    return ({ collection, member }) => {
      if (collection !== "TX" || this.#written.has(member)) return undefined;
      return this.#values.get(member) ?? "";
    };
  }

  filledOperator(operator: Operator): Operator {
    const { parts } = partlyFilled(macroOf(operator.argument), this.reader());
    const argument = parts.map((part) => (typeof part === "string" ? part : `%{${part.collection}.${part.member}}`));
    return { ...operator, argument: argument.join("") };
  }

  /** Whether a link holds; null where a request decides. */
  test({ variables, operator, actions }: DraftLink): boolean | null {
    if (variables.length === 0) return true;
    const values: string[] = [];
    for (const variable of variables) {
      const known = this.#valuesOf(variable);
      if (known === null) return null;
      values.push(...known);
    }
    const { argument, name, negated } = this.filledOperator(operator);
    const macro = macroOf(argument);
    if (macro.constant === null) return null;
    const test = plainTest(name, argument, () => undefined);
    if (test === null || !test.ok || actions.multiMatch || actions.capture) return null;
    const steps = (actions.transforms ?? []).map((step) => transformOf(step));
    return values.some((value) => test.value(steps.reduce((text, step) => step?.(text) ?? text, value)) !== negated);
  }

  #valuesOf({ collection, member, use }: Variable): string[] | null {
    if (collection !== "TX" || member.kind !== "name" || use === "exclude") return null;
    const name = member.name.toLowerCase();
    if (this.#written.has(name)) return null;
    const value = this.#values.get(name);
    if (use === "count") return [value === undefined ? "0" : "1"];
    return value === undefined ? [] : [value];
  }

  /**
   * Whether a request has no say in them. A name that requests write later on may begin with what is set here, as long as
   * no rule that runs before has `touched` it.
   */
  canApply(sets: readonly SetVar[], touched: WrittenNames): boolean {
    const read = this.reader();
    return sets.every(({ name, value, change }) => {
      const key = partlyFilled(name, read).constant?.toLowerCase();
      if (key === undefined || partlyFilled(value, read).constant === null) return false;
      return !this.#written.has(key) || (change === "set" && !touched.has(key));
    });
  }

  /** Sets what `canApply` allows. A name that gets another value later is a request's: rules between would see the wrong one. */
  apply(sets: readonly SetVar[]): void {
    const read = this.reader();
    for (const { name, value, change } of sets) {
      const key = (partlyFilled(name, read).constant ?? "").toLowerCase();
      const text = partlyFilled(value, read).constant ?? "";
      if (this.#pinned.has(key)) continue;
      const before = this.#values.get(key);
      if (this.#set.has(key) && (change !== "set" || before !== text)) this.#written.addName(key);
      this.#set.add(key);
      const sum = integer(before ?? "0") + (change === "subtract" ? -integer(text) : integer(text));
      if (change === "unset") this.#values.delete(key);
      else this.#values.set(key, change === "set" ? text : `${sum}`);
    }
  }
}
