import { err, ok, type Result } from "./result.ts";

export type JsonObject = { readonly [name: string]: unknown };

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** In valid JSON a quote only opens a string, and a string before a colon is a member's name. */
const STRINGS = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g;

/**
 * UTF-8 JSON of an object that every parser reads alike → the object, frozen through and through and without
 * prototypes; or what is wrong, without any of the content. Refused: a member's name twice (parsers differ in which one counts), a
 * member named `__proto__` (it changes the object that some later code copies it to), and nesting beyond `depthMax`.
 */
export function parseJsonObject(bytes: Uint8Array, depthMax: number): Result<JsonObject, string> {
  let text: string;
  let parsed: unknown;
  try {
    text = decoder.decode(bytes);
    parsed = JSON.parse(text);
  } catch {
    return err("not JSON in UTF-8");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return err("not a JSON object");
  const copy = { members: 0, fault: null };
  const value = hardened(parsed, depthMax, copy);
  if (copy.fault !== null) return err(copy.fault);
  if (copy.members !== countMemberNames(text)) return err("a member's name twice in one object");
  return ok(value as JsonObject);
}

function countMemberNames(text: string): number {
  let count = 0;
  for (const match of text.matchAll(STRINGS)) if (match[1] !== undefined) count++;
  return count;
}

interface Copy {
  members: number;
  fault: string | null;
}

function hardened(value: unknown, depthLeft: number, copy: Copy): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depthLeft === 0) {
    copy.fault = "nested too deeply";
    return null;
  }
  if (Array.isArray(value)) return Object.freeze(value.map((item) => hardened(item, depthLeft - 1, copy)));
  const object: Record<string, unknown> = Object.create(null);
  for (const [name, member] of Object.entries(value)) {
    copy.members++;
    if (name === "__proto__") copy.fault = "a member named __proto__";
    object[name] = hardened(member, depthLeft - 1, copy);
  }
  return Object.freeze(object);
}
