import type { DraftItem, DraftRule } from "./draft.ts";
import { Lens, type Looker } from "./lens.ts";
import type { NameTest, Rule } from "./rule.ts";
import type { StageTree } from "./stages.ts";

/** The rules of one phase, in order. */
export interface Phase {
  readonly rules: readonly Rule[];
  /** Places of those that run whatever was found. */
  readonly controls: readonly number[];
  readonly lenses: readonly Lens[];
}

/** Rules of a phase with the place where each of them goes on. */
export function inPhase(items: readonly DraftItem[], phase: number): { rule: DraftRule; next: number }[] {
  const rules: DraftRule[] = [];
  const markers = new Map<string, number[]>();
  for (const item of items) {
    if (item.kind === "marker") markers.set(item.name, [...(markers.get(item.name) ?? []), rules.length]);
    else if (item.phase === phase) rules.push(item);
  }
  return rules.map((rule, at) => {
    const [{ actions }] = rule.links;
    if (actions.skipAfter !== null) {
      const places = markers.get(actions.skipAfter) ?? [];
      return { rule, next: places.find((place) => place > at) ?? rules.length };
    }
    return { rule, next: Math.min(rules.length, at + 1 + actions.skip) };
  });
}

/** What is looked for in the values that a phase's rules name. `rules` may be fewer than there are: a route's. */
export function phaseOf(rules: readonly Rule[], tree: StageTree): Phase {
  const lookers = new Map<number, Looker[]>();
  const controls: number[] = [];
  for (const [place, rule] of rules.entries()) {
    if (!rule.searched) controls.push(place);
    else
      for (const looker of lookersOf(rule, place))
        lookers.set(looker.collection, [...(lookers.get(looker.collection) ?? []), looker]);
  }
  const lenses = [...lookers].map(([collection, list]) => new Lens(collection, list, tree));
  return { rules, controls, lenses };
}

function lookersOf({ links: [link] }: Rule, place: number): (Looker & { collection: number })[] {
  return link.targets.map(({ collection, isNamed }, target) => {
    const exclusions: NameTest[] = link.exclusions
      .filter((exclusion) => exclusion.collection === collection)
      .map((exclusion) => exclusion.isNamed);
    return { collection, rule: place, link, target, isNamed, exclusions };
  });
}
