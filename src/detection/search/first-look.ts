import type { Node } from "../../schema/pattern/tree.ts";
import type { Steps } from "../../support/turns.ts";
import { buildGate, Gate } from "./gate.ts";
import { requiredLiterals } from "./literals.ts";
import { requiredKinds } from "./requirements.ts";
import { KINDS_PER_ITEM, type SearchItem, type SearchTables } from "./tables.ts";

/** What all texts are held against before any pattern is. */
export interface FirstLook extends Pick<SearchTables, "always" | "kinds"> {
  readonly gate: Gate;
}

export function* makeFirstLook(
  items: readonly SearchItem[],
  treeOf: (id: number, source: string) => Node,
): Steps<FirstLook> {
  const literals = new Map<number, readonly string[]>();
  const kinds = new Int32Array(KINDS_PER_ITEM * items.length).fill(-1);
  const always: number[] = [];
  for (const [id, item] of items.entries()) {
    yield;
    if ("words" in item) {
      literals.set(id, item.words);
      continue;
    }
    const tree = treeOf(id, item.rx);
    const texts = yield* requiredLiterals(tree);
    if (texts === null) always.push(id);
    else literals.set(id, texts);
    yield;
    kinds.set(requiredKinds(tree, KINDS_PER_ITEM), KINDS_PER_ITEM * id);
  }
  const gate = new Gate(yield* buildGate(literals));
  return { gate, always: Uint16Array.from(always), kinds };
}
