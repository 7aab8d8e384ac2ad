import { DEFAULTS } from "../support/defaults.ts";
import { excerpt } from "../support/excerpt.ts";
import type { Direction, TextChange, TextChanges } from "./text-changes.ts";

const DIRECTIONS: readonly Direction[] = ["opened", "closed", "loosened", "tightened", "changed"];

/** One bounded line for a log: how many of each, and the first of them by name. Empty where nothing that counts is other. */
export function changesLine({ routes, sections }: TextChanges): string {
  const ofRoutes = DIRECTIONS.flatMap((direction) => countText(direction, routes, direction));
  const words: Partial<Record<Direction, string>> = { opened: "added", closed: "removed", changed: "changed" };
  const ofSections = DIRECTIONS.flatMap((direction) => countText(words[direction] ?? direction, sections, direction));
  return [
    ...(ofRoutes.length === 0 ? [] : [`routes ${ofRoutes.join(", ")}`]),
    ...(ofSections.length === 0 ? [] : [`sections ${ofSections.join(", ")}`]),
  ].join("; ");
}

function countText(word: string, changes: readonly TextChange[], direction: Direction): string[] {
  const names = changes.filter((one) => one.direction === direction).map(({ what }) => excerpt(what, 80));
  if (names.length === 0) return [];
  const first = names.slice(0, DEFAULTS.changeNamesMax);
  const more = names.length > first.length ? ", …" : "";
  return [`${word} ${names.length} (${first.join(", ")}${more})`];
}
