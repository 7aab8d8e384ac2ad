import { deprecatedSchema } from "../filters/deprecated/schema.ts";
import type { Conjunct } from "./atoms.ts";
import { edgesOfWindow } from "./hours.ts";
import { windowsOf } from "./rule-trials.ts";
import type { Place } from "./sides.ts";

/** Around each time from which, or until which, a route of the place is answered otherwise; Unix milliseconds. */
export function timesOf({ routes }: Place, nowMs: number): readonly number[] {
  const edges = routes.flatMap(({ side, placed }) =>
    [side.defaults, placed.settings].flatMap((settings) => {
      const parsed = deprecatedSchema.safeParse(settings["deprecated"]);
      if (!parsed.success) return [];
      const { sunset, brownouts = [], except = [] } = parsed.data;
      return [
        ...(sunset === undefined ? [] : [sunset]),
        ...brownouts.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs]),
        ...except.map(({ until }) => until),
      ];
    }),
  );
  const hours = routes.flatMap(({ side, placed }) =>
    [side.defaults, placed.settings].flatMap(({ authorize }) =>
      windowsOf(authorize).flatMap((window) => edgesOfWindow(window, nowMs)),
    ),
  );
  return [...new Set([...edges.flatMap((edge) => [edge - 1, edge, edge + 1]), ...hours])];
}

/** Parts of a time as CEL has them, in UTC. */
const PARTS: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfWeek: (date) => date.getUTCDay(),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
};

const STEPS = [
  { ms: 1000, count: 60 },
  { ms: 60_000, count: 60 },
  { ms: 60 * 60_000, count: 24 },
  { ms: 24 * 60 * 60_000, count: 2 * 366 },
] as const;

/** The first time from now on, or from one that is named, that has all the parts; null where none of it is wanted. */
export function timeWith(wanted: Conjunct, nowMs: number): number | null {
  const parts = new Map<string, number>();
  let fromMs: number | null = null;
  for (const atom of wanted) {
    if (atom.at === "time") fromMs = atom.atMs;
    if (atom.at === "timePart") parts.set(atom.part, atom.value);
  }
  if (parts.size === 0) return fromMs;
  let atMs = fromMs ?? nowMs;
  // From the smallest part to the greatest: what was met stays met.
  for (const { ms, count } of STEPS) {
    const own = [...parts].filter(([part]) => stepOf(part) === ms);
    for (let step = 0; step < count && !own.every(([part, value]) => has(atMs, part, value)); step++) atMs += ms;
  }
  return atMs;
}

function has(atMs: number, part: string, value: number): boolean {
  return PARTS[part]?.(new Date(atMs)) === value;
}

function stepOf(part: string): number {
  if (part === "getSeconds") return 1000;
  if (part === "getMinutes") return 60_000;
  return part === "getHours" ? 60 * 60_000 : 24 * 60 * 60_000;
}
