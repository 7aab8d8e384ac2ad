import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";

/** Names of members and indexes of items, from the root. */
export interface JsonPath {
  readonly segments: readonly (string | number)[];
  /** Of names the bytes in UTF-8, each as one character; null of indexes. */
  readonly bytes: readonly (string | null)[];
}

const { budgetPathSegmentsMax, budgetPathNameCharsMax } = DEFAULTS;

const SEGMENT = /\.([A-Za-z_][\w-]*)|\[(0|[1-9]\d{0,5})\]|\['((?:[^'\\]|\\['\\])*)'\]/y;
const EXPECTED = "expected a path to one value, as in $.usage.total_tokens, $.items[0].cost or $['total-cost']";

/** `$.usage.total_tokens` → its segments: the part of JSONPath (RFC 9535) that leads to one value at most. */
export function parseJsonPath(text: string): Result<JsonPath, string> {
  if (!text.startsWith("$")) return err(EXPECTED);
  const segments: (string | number)[] = [];
  SEGMENT.lastIndex = 1;
  while (SEGMENT.lastIndex < text.length) {
    const match = SEGMENT.exec(text);
    if (match === null) return err(EXPECTED);
    const [, name, index, quoted] = match;
    segments.push(index === undefined ? (name ?? quoted?.replace(/\\(.)/g, "$1") ?? "") : Number(index));
  }
  if (segments.length === 0) return err(EXPECTED);
  const isTooLong =
    segments.length > budgetPathSegmentsMax || segments.some((one) => String(one).length > budgetPathNameCharsMax);
  return isTooLong
    ? err(`at most ${budgetPathSegmentsMax} names of ${budgetPathNameCharsMax} characters`)
    : ok({ segments, bytes: segments.map(bytesOf) });
}

function bytesOf(segment: string | number): string | null {
  return typeof segment === "number" ? null : Buffer.from(segment).toString("latin1");
}
