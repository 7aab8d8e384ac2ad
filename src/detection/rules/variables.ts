import type { NamedText } from "../facts.ts";
import { collectionNumber, entriesOf, type Facts } from "./collections.ts";
import type { MacroName } from "./macro.ts";
import { filled } from "./macro.ts";
import { integer } from "./operators.ts";
import type { SetVarStep, Target } from "./rule.ts";

/** A value that a test matched, and whose it is: `ARGS:name`. */
export interface Matched {
  readonly target: string;
  readonly value: string;
}

/** Names that one request may write; what a rule writes beyond is not kept. */
const WRITTEN_NAMES_MAX = 4096;
const WRITTEN_CHARACTERS_MAX = 64 * 1024;

/** All that rules see of one request: what came, what they wrote, what the last test matched. */
export class Variables {
  readonly facts: Facts;
  readonly #constants: ReadonlyMap<string, string>;
  readonly #written = new Map<string, string | undefined>();
  readonly #entries: (readonly NamedText[] | undefined)[] = [];
  /** How many groups the last capture had. */
  #groups = 0;
  matched: readonly Matched[] = [];
  ruleId = 0;

  constructor(facts: Facts, constants: ReadonlyMap<string, string>) {
    this.facts = facts;
    this.#constants = constants;
  }

  /** More is known of the request than before. */
  forget(): void {
    this.#entries.length = 0;
  }

  entries(collection: number): readonly NamedText[] {
    this.#entries[collection] ??= entriesOf(collection, this.facts);
    return this.#entries[collection];
  }

  tx(name: string): string | undefined {
    return this.#written.has(name) ? this.#written.get(name) : this.#constants.get(name);
  }

  /** What a target has that no request brought. */
  runEntries({ name, member, isNamed }: Target): readonly NamedText[] {
    if (name === "TX") return member === null ? this.#txEntries(isNamed ?? any) : this.#txEntry(member);
    const last = this.matched.at(-1);
    switch (name) {
      case "MATCHED_VAR":
        return last === undefined ? [] : [entry(last.target, last.value)];
      case "MATCHED_VAR_NAME":
        return last === undefined ? [] : [entry(last.target, last.target)];
      case "MATCHED_VARS":
        return this.matched.map(({ target, value }) => entry(target, value));
      case "MATCHED_VARS_NAMES":
        return this.matched.map(({ target }) => entry(target, target));
      default:
        return [entry("id", `${this.ruleId}`)];
    }
  }

  #txEntry(name: string): readonly NamedText[] {
    const value = this.tx(name);
    return value === undefined ? [] : [entry(name, value)];
  }

  #txEntries(isNamed: NonNullable<Target["isNamed"]>): readonly NamedText[] {
    const entries: NamedText[] = [];
    for (const name of constantsNamed(this.#constants, isNamed)) {
      const value = this.tx(name);
      if (value !== undefined) entries.push(entry(name, value));
    }
    for (const [name, value] of this.#written)
      if (value !== undefined && isNamed(name) && !this.#constants.has(name)) entries.push(entry(name, value));
    return entries;
  }

  /** What a place of a text is filled with. */
  readonly read = ({ collection, member }: MacroName): string | undefined => {
    if (collection === "TX") return this.tx(member);
    const last = this.matched.at(-1);
    if (collection === "MATCHED_VAR") return last?.value;
    if (collection === "MATCHED_VAR_NAME") return last?.target;
    if (collection === "RULE") return `${this.ruleId}`;
    const number = collectionNumber(collection);
    if (number < 0) return undefined;
    const entries = this.entries(number);
    if (member === "") return entries[0]?.value;
    return entries.find(({ name }) => name.toLowerCase() === member)?.value;
  };

  /** Gives by how much the value changed. */
  set({ name, change, value }: SetVarStep): number {
    const key = filled(name, this.read).toLowerCase();
    const text = filled(value, this.read);
    if (change === "unset") this.write(key, undefined);
    else if (change === "set") this.write(key, text);
    else {
      const by = change === "add" ? integer(text) : -integer(text);
      this.write(key, `${integer(this.tx(key) ?? "0") + by}`);
      return by;
    }
    return 0;
  }

  /** What a pattern found, and its groups: TX:0 to TX:9. */
  capture(found: string, groups: readonly string[]): void {
    this.write("0", found);
    const count = Math.max(groups.length, this.#groups);
    for (let index = 0; index < count && index < 9; index++) this.write(`${index + 1}`, groups[index]);
    this.#groups = groups.length;
  }

  /** A name in small letters. */
  write(name: string, value: string | undefined): void {
    if (this.#written.size >= WRITTEN_NAMES_MAX && !this.#written.has(name)) return;
    this.#written.set(name, value?.slice(0, WRITTEN_CHARACTERS_MAX));
  }
}

const any = (): boolean => true;
const constantNames = new WeakMap<ReadonlyMap<string, string>, Map<unknown, readonly string[]>>();

/** The names of constants that a target of the rules means: the same for each request. */
function constantsNamed(
  constants: ReadonlyMap<string, string>,
  isNamed: NonNullable<Target["isNamed"]>,
): readonly string[] {
  const byTarget = constantNames.get(constants) ?? new Map<unknown, readonly string[]>();
  constantNames.set(constants, byTarget);
  const known = byTarget.get(isNamed);
  if (known !== undefined) return known;
  const names = [...constants.keys()].filter((name) => isNamed(name));
  byTarget.set(isNamed, names);
  return names;
}

function entry(name: string, value: string): NamedText {
  return { name, value, shape: -1 };
}
