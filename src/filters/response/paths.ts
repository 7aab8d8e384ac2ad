import { type EntryPath, type JsonPath, parseJsonPath } from "../../bodies/json-paths.ts";
import type { Steps } from "../../support/turns.ts";
import type { RouteContext } from "../filter.ts";

/** Paths of one entry; null where a problem was reported. */
export function* compilePaths(
  texts: readonly string[],
  entry: number,
  at: (index: number) => readonly (string | number)[],
  context: RouteContext,
): Steps<readonly EntryPath[] | null> {
  const paths: EntryPath[] = [];
  for (const [index, text] of texts.entries()) {
    const path = compilePath(text, at(index), context);
    if (path !== null) paths.push({ path, entry });
    yield;
  }
  return paths.length === texts.length ? paths : null;
}

function compilePath(text: string, at: readonly (string | number)[], context: RouteContext): JsonPath | null {
  const path = parseJsonPath(text);
  if (!path.ok) context.problem(path.error, ...at);
  else if (path.value.length === 0) context.problem("'$' is the whole answer; expected a path to a field", ...at);
  else return path.value;
  return null;
}

/** Most paths of a rule that `explain` names. */
const TOLD_MAX = 5;

/** Paths as the policy writes them, for `explain`. */
export function describePaths(texts: readonly string[]): string {
  const more = texts.length - TOLD_MAX;
  return `${texts.slice(0, TOLD_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** What rules for a caller come to, for `explain`; `words` of those that apply, `otherwise` where none does. */
export function describeRules(words: readonly string[], otherwise: string, enforcePercent: number): string {
  if (words.length === 0) return `the caller gets ${otherwise}: it is none of those for whom the rules are`;
  const only = enforcePercent === 0 ? ", were it enforced" : "";
  const share = enforcePercent > 0 && enforcePercent < 100 ? `, for ${enforcePercent} % of callers` : "";
  return `the caller gets ${words.join("; ")}${only}${share}`;
}
