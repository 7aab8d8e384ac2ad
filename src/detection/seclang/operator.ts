import type { Operator } from "./directive.ts";

const NAMED = /^@([A-Za-z0-9_]+)(?:[ \t]+(.*))?$/s;

/** `@rx a`, `!@eq 0`, or a pattern alone. */
export function operatorOf(text: string): Operator {
  const negated = /^!\s*/.exec(text)?.[0] ?? "";
  const rest = text.slice(negated.length);
  const [, name, argument] = NAMED.exec(rest.trimStart()) ?? [];
  if (name === undefined) return { name: "rx", negated: negated !== "", argument: rest };
  return { name: name.toLowerCase(), negated: negated !== "", argument: argument ?? "" };
}
