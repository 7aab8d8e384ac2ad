import { textApart } from "../schema/pattern/apart.ts";
import { sampleOf } from "../schema/pattern/index.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { SchemaSource } from "./schema-source.ts";
import { settingsOf } from "./settings.ts";
import type { Place } from "./sides.ts";

/** Of a text, in characters. */
export interface Length {
  readonly min: number;
  readonly max: number;
}

/** Texts that a pattern takes, the first of them usual, and texts that it does not. */
export interface PatternTexts {
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

const LIKED = ["1", "a", "a1", "A1", "abc", "A-1"];
const ANYTHING = "^[\\s\\S]*$";
const NOTHING = "[^\\s\\S]";

/** `others`: what else stands for texts of the place; of each a text is made that tells the two apart, both ways. */
export function textsOfPattern(pattern: string, length: Length, others: readonly string[]): PatternTexts | null {
  const usual = sampleOf([pattern], { lengthMin: length.min, lengthMax: length.max, liked: LIKED });
  const good = usual ?? apart(pattern, NOTHING, length);
  if (good === null) return null;
  const rest = others.filter((other) => other !== pattern);
  return {
    good: [good, ...rest.flatMap((other) => apart(pattern, other, length) ?? [])],
    bad: [ANYTHING, ...rest].flatMap((other) => apart(other, pattern, length) ?? []),
  };
}

const known = new Map<string, string | null>();

/** The same few patterns stand in many places. */
function apart(taking: string, refusing: string, length: Length): string | null {
  const key = JSON.stringify([taking, refusing, length]);
  let text = known.get(key);
  if (text === undefined) {
    text = textApart(taking, refusing, length);
    if (known.size >= DEFAULTS.diffPatternsKeptMax) known.clear();
    known.set(key, text);
  }
  return text;
}

const DEPTH_MAX = 16;
const NODES_MAX = 4_096;
const ofPlaces = new WeakMap<Place, readonly string[]>();

/** Patterns of all that both policies validate there, and of the schemas that they name. */
export function patternsOf(place: Place): readonly string[] {
  const before = ofPlaces.get(place);
  if (before !== undefined) return before;
  const found = new Set<string>();
  for (const { side, placed } of place.routes) {
    for (const settings of [side.defaults, placed.settings]) {
      collect(settingsOf(settings["validate"]), side.schemas, found);
    }
  }
  const patterns = [...found].slice(0, DEFAULTS.diffPatternsMax);
  ofPlaces.set(place, patterns);
  return patterns;
}

interface Left {
  readonly value: unknown;
  readonly file: string | null;
  readonly depth: number;
}

function collect(root: unknown, source: SchemaSource, found: Set<string>): void {
  const left: Left[] = [{ value: root, file: null, depth: 0 }];
  for (let nodes = 0; left.length > 0 && nodes < NODES_MAX; nodes++) {
    const { value, file, depth } = left.pop() as Left;
    if (typeof value !== "object" || value === null || depth > DEPTH_MAX) continue;
    for (const [key, inner] of Object.entries(value)) {
      const isReference = typeof inner === "string" && (key === "schema" || key === "$ref");
      if (key === "pattern" && typeof inner === "string") found.add(inner);
      else if (isReference) {
        const opened = source.open(key === "$ref" ? { $ref: inner } : inner, file);
        left.push({ value: opened.schema, file: opened.file, depth: depth + 1 });
      } else left.push({ value: inner, file, depth: depth + 1 });
    }
  }
}
