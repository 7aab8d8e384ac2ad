import { readUnicodeEscape } from "./escapes.ts";
import type { Source } from "./source.ts";

export type GroupNames = Set<string>;

/** How many groups a pattern captures and whether any has a name: `\1` and `\k` mean different things by that. */
export function surveyGroups(text: string): { count: number; named: boolean } {
  const tokens = /\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]?|\((\?<[=!]|\?<|\?|)/g;
  let count = 0;
  let named = false;
  for (const [, opening] of text.matchAll(tokens)) {
    if (opening === "" || opening === "?<") count++;
    named ||= opening === "?<";
  }
  return { count, named };
}

/** RegExpIdentifierName and its `>`, at what follows the `<`; escapes stand for what they name, with `u` or not. */
export function readGroupName(source: Source): string {
  const at = source.at;
  let name = "";
  while (!source.take(">")) {
    const part = readNamePart(source);
    const allowed = name === "" ? /^[$_\p{ID_Start}]$/u : /^(?:[$_\p{ID_Continue}]|\u200c|\u200d)$/u;
    if (!allowed.test(part)) source.fail("expected a name of letters, digits, $ and _ between < and >", at);
    name += part;
  }
  return name;
}

function readNamePart(source: Source): string {
  const escaped = source.take("\\");
  const point = escaped ? readUnicodeEscape(source, true) : (source.text.codePointAt(source.at) ?? null);
  if (point === null) return "";
  const part = String.fromCodePoint(point);
  if (!escaped) source.at += part.length;
  return part;
}
