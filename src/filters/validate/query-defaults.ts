import type { CompiledSchema } from "../../schema/compile.ts";
import { defaultOf } from "../../schema/requests.ts";
import type { RouteContext } from "../filter.ts";
import type { Parameter } from "./parameters.ts";

/** ASCII, as names are compared byte by byte where a query is written. */
const PLAIN_NAME = /^[\x20-\x7e]+$/;

/** A parameter's default as it stands in a query, `limit=20`; null where it has none, or, with a problem, no text. */
export function filledPair(
  { name, styled, isJson }: Parameter,
  compiled: CompiledSchema,
  context: RouteContext,
): string | null {
  const value = defaultOf(compiled.root);
  if (value === undefined) return null;
  const problem = (text: string): null => {
    context.problem(`the default of '${name}' ${text}`, "query", name);
    return null;
  };
  const [fault] = compiled.validator.judge(value) ?? [];
  if (fault !== undefined) return problem(`does not fit its schema: ${fault.pointer || "/"} ${fault.keyword}`);
  if (!PLAIN_NAME.test(name)) return problem("cannot be filled in: its name is not ASCII");
  const own = encodeURIComponent(name);
  if (isJson) return `${own}=${encodeURIComponent(JSON.stringify(value))}`;
  if (styled.style !== "form") return problem(`cannot be filled in: expected 'style: form', not ${styled.style}`);
  const texts = textsOf(value);
  if (texts === null || texts.length === 0)
    return problem("cannot be filled in: expected text, a number or a list of them");
  const escaped = texts.map((text) => encodeURIComponent(text));
  return styled.explode ? escaped.map((text) => `${own}=${text}`).join("&") : `${own}=${escaped.join(",")}`;
}

function textsOf(value: unknown): readonly string[] | null {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = list.map((one) => (typeof one === "string" ? one : isPlain(one) ? JSON.stringify(one) : null));
  return texts.every((text) => text !== null) ? texts : null;
}

function isPlain(value: unknown): boolean {
  return typeof value === "number" || typeof value === "boolean";
}
