import { err, ok, type Result } from "../../support/result.ts";
import type { Member, Variable } from "./directive.ts";
import { nextOf } from "./lines.ts";

const ONE = /^([!&]?)([A-Za-z_]+)(?::(.+))?$/s;

/** `ARGS|!ARGS:x|&TX:y` → its targets, or what is wrong with it. */
export function variablesOf(text: string): Result<readonly Variable[], string> {
  const variables: Variable[] = [];
  for (const part of partsOf(text)) {
    const [, mark, name = "", selector] = ONE.exec(part) ?? [];
    if (name === "") return err(`'${part}' is no variable`);
    const collection = name.toUpperCase();
    variables.push({ collection, member: memberOf(collection, selector), use: USES[mark ?? ""] ?? "value" });
  }
  return variables.length === 0 ? err("it has no variable") : ok(variables);
}

const USES: Readonly<Record<string, Variable["use"]>> = { "!": "exclude", "&": "count" };

const MARKS = /[|,:]/g;

/** Parted at each `|` that is not inside of a pattern or of quotes. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  let begin = 0;
  for (let at = 0; ; at++) {
    at = nextOf(MARKS, text, at);
    if (text.charAt(at) === ":") {
      at = selectorEnd(text, begin, at);
      continue;
    }
    const part = text.slice(begin, at).trim();
    if (part !== "") parts.push(part);
    if (at === text.length) return parts;
    begin = at + 1;
  }
}

/** Where the pattern or the quoted name ends that begins behind the colon at `at`; `at` where none does. */
function selectorEnd(text: string, begin: number, at: number): number {
  if (text.slice(begin, at).includes(":")) return at;
  if (/^[!&]?XML$/i.test(text.slice(begin, at).trim())) return at;
  const quote = text.charAt(at + 1);
  if (quote !== "/" && quote !== "'") return at;
  for (let end = at + 2; end < text.length; end++) {
    if (text.charAt(end) === "\\") end++;
    else if (text.charAt(end) === quote && /^\s*(?:[|,]|$)/.test(text.slice(end + 1))) return end;
  }
  return at;
}

/** Selectors of XML are XPath, of which no pattern is meant. */
function memberOf(collection: string, selector: string | undefined): Member {
  if (selector === undefined) return { kind: "all" };
  const plain = /^'(.*)'$/s.exec(selector)?.[1] ?? selector;
  const pattern = collection === "XML" ? null : /^\/(.*)\/$/s.exec(plain);
  if (pattern !== null) return { kind: "pattern", source: pattern[1] ?? "" };
  return { kind: "name", name: plain };
}
