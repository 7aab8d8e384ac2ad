import { err, ok, type Result } from "../../support/result.ts";
import type { SearchBuilder } from "../search/search.ts";
import type { Operator } from "../seclang/directive.ts";
import { dataLines, PATTERN_OPERATORS } from "./operators.ts";

/** Why a rule cannot be made to run. */
export interface RuleFault {
  readonly message: string;
  /** False where the rule is as it should be, and nothing that runs in linear time can do what it says. */
  readonly isProblem: boolean;
}

/** A data file by its name and the file that names it. */
export type DataFileOf = (name: string, from: string) => string | undefined;

/** What each operator that looks for a pattern or for words became: an id of the search, or why it has none. As plain data. */
export type KnownPatterns = readonly (readonly [operator: string, id: number | RuleFault])[];

/** Makes patterns of the operators of rules; of a rule set that was kept, tells what they became. */
export class PatternIds {
  readonly #ids: Map<string, number | RuleFault>;
  readonly #patterns: SearchBuilder | null;
  readonly #dataFile: DataFileOf;

  /** `patterns`: null where all are known. */
  constructor(patterns: SearchBuilder | null, dataFile: DataFileOf, known: KnownPatterns = []) {
    this.#ids = new Map(known);
    this.#patterns = patterns;
    this.#dataFile = dataFile;
  }

  /** `file`: the one whose rule it is. */
  of(operator: Operator, file: string): Result<number, RuleFault> {
    const { name, argument } = operator;
    const key = name === "pm" || PATTERN_OPERATORS.has(name) ? `${name} ${argument}` : `${name} ${argument} ${file}`;
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#make(operator, file);
      this.#ids.set(key, id);
    }
    return typeof id === "number" ? ok(id) : err(id);
  }

  known(): KnownPatterns {
    return [...this.#ids];
  }

  #make({ name, argument }: Operator, file: string): number | RuleFault {
    const patterns = this.#patterns;
    if (patterns === null) throw new Error("a rule set that was kept has a pattern that is not kept");
    if (PATTERN_OPERATORS.has(name)) {
      const id = patterns.rx(argument);
      if (id.ok) return id.value;
      return { message: `its pattern: ${id.error.message}`, isProblem: id.error.kind === "syntax" };
    }
    const words = name === "pm" ? argument.split(/\s+/) : this.#wordsOfFiles(argument, file);
    if (typeof words === "string") return { message: words, isProblem: true };
    return patterns.words(words.filter((word) => word !== ""));
  }

  /** Words of one file or several, or what is wrong. */
  #wordsOfFiles(names: string, from: string): string[] | string {
    const words: string[] = [];
    for (const name of names.trim().split(/\s+/)) {
      const lines = this.#dataFile(name, from);
      if (lines === undefined) return `its file '${name}' is not there`;
      words.push(...dataLines(lines));
    }
    return words;
  }
}
