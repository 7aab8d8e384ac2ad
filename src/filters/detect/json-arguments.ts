import { JsonNumber } from "../../bodies/json-number.ts";
import { byteText } from "../../detection/byte-text.ts";
import type { NamedText } from "../../detection/facts.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import { nestedStringsInSteps } from "./json-strings.ts";
import type { ShapePlace } from "./value-shapes.ts";

const UNSHAPED = -1;

/**
 * Leaves of a JSON value by their path: `json.items.0.name`. Names of members that lead to no leaf are leaves without text. Behind them
 * stand the strings of leaves that are JSON themselves.
 */
export function* jsonArguments(value: unknown, root: ShapePlace | null): Steps<NamedText[]> {
  const leaves: NamedText[] = [];
  collect(value, "json", root, leaves);
  const escaped = leaves.filter((leaf) => leaf.value.includes("\\"));
  for (const leaf of escaped) {
    if (leaves.length > DEFAULTS.detectValuesMax) break;
    leaves.push(...(yield* nestedStringsInSteps(leaf.value, leaf.name)));
  }
  return leaves;
}

/** Depth is the parser's: DEFAULTS.jsonDepthMax. */
function collect(value: unknown, name: string, place: ShapePlace | null, leaves: NamedText[]): void {
  if (Array.isArray(value)) {
    // By its own name, too: rules look for what a name ends with, as in `roles__contained_by`.
    leaves.push({ name, value: "", shape: UNSHAPED });
    for (let at = 0; at < value.length && hasRoom(leaves); at++)
      collect(value[at], `${name}.${at}`, place?.item(at) ?? null, leaves);
    return;
  }
  if (typeof value === "object" && value !== null && !(value instanceof JsonNumber)) {
    const members = Object.entries(value);
    if (members.length === 0) leaves.push({ name, value: "", shape: UNSHAPED });
    for (const [key, member] of members) {
      if (!hasRoom(leaves)) return;
      collect(member, `${name}.${byteText(key)}`, place?.member(key) ?? null, leaves);
    }
    return;
  }
  const text = leafText(value);
  leaves.push({ name, value: text, shape: place?.shape ?? UNSHAPED });
}

/** For one more than the most, so that whoever counts them sees that there are too many. */
function hasRoom(leaves: readonly NamedText[]): boolean {
  return leaves.length <= DEFAULTS.detectValuesMax;
}

function leafText(value: unknown): string {
  if (typeof value === "string") return byteText(value);
  return value instanceof JsonNumber ? value.text : String(value ?? "");
}
