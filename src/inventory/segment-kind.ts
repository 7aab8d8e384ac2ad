import { TEXT_KINDS, textKindOf } from "../message/text-kind.ts";
import { DEFAULTS } from "../support/defaults.ts";

/** What a step of a path is, where it is no name. Closed: they stand in templates. */
export const SEGMENT_KINDS = [
  ...TEXT_KINDS,
  "slug", // one of many texts at one place
  "rest", // behind the steps that are looked at
  "", // a slash at the end
] as const;

export type SegmentKind = (typeof SEGMENT_KINDS)[number];

/** Stands for all steps behind those that are looked at; no path has it. */
const REST = "\0";

/** What kind of value a step is; null for a name, which alone is kept as it stands. */
export function kindOf(segment: string): SegmentKind | null {
  if (segment.length === 0) return "";
  return segment === REST ? "rest" : textKindOf(segment);
}

/** A template's steps as OpenAPI wants them: each parameter another name. `{number}`, `{number2}`. */
export function templateOf(prefix: string, steps: readonly string[]): string {
  const taken = new Map<string, number>();
  for (const [, name = ""] of prefix.matchAll(/\{([^}]*)\}/g)) taken.set(name, 1);
  const texts = steps.map((step) => {
    if (!step.startsWith("{")) return step;
    const name = step.slice(1, -1);
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count === 1 ? step : `{${name}${count}}`;
  });
  return texts.length === 0 ? prefix || "/" : `${prefix}/${texts.join("/")}`;
}

/** A kind as a step of a template. */
export function stepOf(kind: SegmentKind): string {
  return kind === "" ? "" : `{${kind}}`;
}

/** A path between its slashes, from the empty text before the first: at most `stepsMax` behind that. Bounded, whatever the path is. */
export function segmentsOf(path: string, stepsMax: number): readonly string[] {
  if (path === "/") return ROOT;
  const { inventoryPathCharsMax } = DEFAULTS;
  const cut = path.length > inventoryPathCharsMax ? path.slice(0, inventoryPathCharsMax) : path;
  const segments = cut.split("/", stepsMax + 2);
  return segments.length < stepsMax + 2 ? segments : [...segments.slice(0, -1), REST];
}

const ROOT: readonly string[] = [""];

/** A name, or a kind in braces: what of a step may be kept. */
export function stepOfSegment(segment: string): string {
  const kind = kindOf(segment);
  // A copy: a piece of a text would hold all of the request's head in memory.
  return kind === null ? Buffer.from(segment, "latin1").toString("latin1") : stepOf(kind);
}
