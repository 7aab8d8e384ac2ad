import { HEAD_COLLECTIONS } from "./collections.ts";
import type { DraftItem, DraftRule } from "./draft.ts";
import { Lens } from "./lens.ts";
import { MemoRoom } from "./memo.ts";
import type { Looker } from "./plan.ts";
import type { NameTest, Rule } from "./rule.ts";
import type { Shape } from "./shape.ts";
import type { StageTree } from "./stages.ts";

/** Of values and names, with what was found in them. */
const REMEMBERED_CHARACTERS_MAX = 4 * 1024 * 1024;

/** The rules of one phase, in order. */
export interface Phase {
  readonly rules: readonly Rule[];
  /** Places of those that run whatever was found. */
  readonly controls: readonly number[];
  /** What is searched before the phase begins. */
  readonly lenses: readonly Lens[];
}

/** What a request is held against. */
export interface RuleProgram {
  /** Phases 1 to 4. */
  readonly phases: readonly Phase[];
  readonly constants: ReadonlyMap<string, string>;
  readonly tree: StageTree;
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

/**
 * What is looked for in the values that rules name. What a request's head has is searched for phases 1 and 2 at once: in each
 * value one time.
 */
export function programOf(
  phases: readonly (readonly Rule[])[],
  constants: ReadonlyMap<string, string>,
  tree: StageTree,
  numbers: Shape,
): RuleProgram {
  const room = new MemoRoom(REMEMBERED_CHARACTERS_MAX);
  const lookers = phases.map(() => new Map<number, Looker[]>());
  const controls: number[][] = phases.map(() => []);
  for (const [index, rules] of phases.entries()) {
    for (const [place, rule] of rules.entries()) {
      if (!rule.searched) controls[index]?.push(place);
      else
        for (const { collection, looker } of lookersOf(rule, index + 1, place)) {
          const searchedIn = index === 1 && HEAD_COLLECTIONS.has(collection) ? 0 : index;
          const lists = lookers[searchedIn] as Map<number, Looker[]>;
          lists.set(collection, lists.get(collection) ?? []);
          lists.get(collection)?.push(looker);
        }
    }
  }
  const compiled = phases.map((rules, index) => ({
    rules,
    controls: controls[index] ?? [],
    lenses: [...(lookers[index] ?? [])].map(([collection, list]) => new Lens(collection, list, tree, numbers, room)),
  }));
  return { phases: compiled, constants, tree };
}

function lookersOf({ links: [link] }: Rule, phase: number, rule: number): { collection: number; looker: Looker }[] {
  return link.targets.map(({ collection, isNamed }, target) => {
    const exclusions: NameTest[] = link.exclusions
      .filter((exclusion) => exclusion.collection === collection)
      .map((exclusion) => exclusion.isNamed);
    return { collection, looker: { phase, rule, link, target, isNamed, exclusions } };
  });
}
