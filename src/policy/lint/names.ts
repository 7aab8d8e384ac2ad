import type { Steps } from "../../support/turns.ts";
import { DEFAULTS_KEY } from "../compile-defaults.ts";
import { isMapping, JOINED_MAPPINGS } from "../joined.ts";
import type { Path } from "../path.ts";
import { lineWords } from "../problems.ts";
import type { Work } from "../work.ts";
import { rulesWithin } from "./rules.ts";

/** What of a rule names something that callers bring. */
const BROUGHT = { scopes: "scope", groups: "group", roles: "role", callers: "caller" } as const;

/** What is named twice, in spellings that differ in their case alone: whoever reads them takes one for the other. */
export function* lintNames(work: Work): Steps<void> {
  for (const section of JOINED_MAPPINGS) {
    const names = new Spellings(work, `name of '${section}'`);
    const entries = work.reader.raw([section]);
    for (const name of isMapping(entries) ? Object.keys(entries) : []) names.key(name, [section, name]);
    yield;
  }
  const brought = new Map(Object.entries(BROUGHT).map(([key, what]) => [key, new Spellings(work, what)]));
  const count = work.reader.listLength(["routes"]);
  const routes = Array.from({ length: count }, (_, at): Path => ["routes", at]);
  for (const owner of [[DEFAULTS_KEY], ...routes]) {
    lintParameters(work, [...owner, "validate", "query"]);
    for (const { path, rule } of rulesWithin(work, [...owner, "authorize"])) {
      for (const [key, spellings] of brought) lintRule(rule[key], [...path, key], spellings);
    }
    yield;
  }
}

function lintRule(value: unknown, path: Path, spellings: Spellings): void {
  const [list, at] = isMapping(value) ? [value["has"], [...path, "has"]] : [value, path];
  if (!Array.isArray(list)) return;
  for (const [index, one] of list.entries()) if (typeof one === "string") spellings.value(one, [...at, index]);
}

/** Of one request: many frameworks take parameters of the query without their case. */
function lintParameters(work: Work, path: Path): void {
  const parameters = work.reader.raw(path);
  const names = new Spellings(work, "parameter");
  for (const name of isMapping(parameters) ? Object.keys(parameters) : []) names.key(name, [...path, name]);
}

class Spellings {
  readonly #work: Work;
  readonly #what: string;
  /** By lower case: the first spelling, and where it stands. */
  readonly #first = new Map<string, { readonly text: string; readonly path: Path; readonly isKey: boolean }>();
  readonly #told = new Set<string>();

  constructor(work: Work, what: string) {
    this.#work = work;
    this.#what = what;
  }

  key(text: string, path: Path): void {
    this.#note(text, path, true);
  }

  value(text: string, path: Path): void {
    this.#note(text, path, false);
  }

  #note(text: string, path: Path, isKey: boolean): void {
    const lower = text.toLowerCase();
    const first = this.#first.get(lower);
    if (first === undefined) {
      this.#first.set(lower, { text, path, isKey });
      return;
    }
    if (first.text === text || this.#told.has(text)) return;
    this.#told.add(text);
    const { document } = this.#work.reader;
    const place = isKey ? document.keyPlace(path) : document.place(path);
    const there = first.isKey ? document.keyPlace(first.path) : document.place(first.path);
    const where = lineWords(there, place);
    this.#work.warning(
      "names_alike",
      `${this.#what} '${text}' differs from '${first.text}' at ${where} in case alone`,
      place,
    );
  }
}
