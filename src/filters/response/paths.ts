import { type EntryPath, type JsonPath, parseJsonPath } from "../../bodies/json-paths.ts";
import type { RouteContext } from "../filter.ts";

/** Paths of one entry; null where a problem was reported. */
export function compilePaths(
  texts: readonly string[],
  entry: number,
  at: (index: number) => readonly (string | number)[],
  context: RouteContext,
): readonly EntryPath[] | null {
  const paths = texts.map((text, index) => compilePath(text, at(index), context));
  const sound = paths.filter((path) => path !== null);
  return sound.length === paths.length ? sound.map((path) => ({ path, entry })) : null;
}

function compilePath(text: string, at: readonly (string | number)[], context: RouteContext): JsonPath | null {
  const path = parseJsonPath(text);
  if (!path.ok) context.problem(path.error, ...at);
  else if (path.value.length === 0) context.problem("'$' is the whole answer; expected a path to a field", ...at);
  else return path.value;
  return null;
}
