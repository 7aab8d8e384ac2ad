import type { Steps } from "../../support/turns.ts";
import { triggersOf } from "../transform/index.ts";
import { Memo, type MemoRoom } from "./memo.ts";
import type { Link, NameTest } from "./rule.ts";
import type { Spending } from "./spending.ts";
import { StagedTexts, type StageTree } from "./stages.ts";

/** A link that looks at values of a collection. */
export interface Looker {
  readonly phase: number;
  /** Place of its rule in the phase. */
  readonly rule: number;
  readonly link: Link;
  /** Which of the link's targets, in order. */
  readonly target: number;
  readonly isNamed: NameTest;
  readonly exclusions: readonly NameTest[];
}

/** What was found in a value: which rule, in which text. */
export interface Found {
  readonly phase: number;
  readonly rule: number;
  readonly target: number;
  readonly text: string;
}

const NOTHING: readonly Found[] = [];
/** Longer values are searched each time, and in turns. */
const KEPT_CHARACTERS_MAX = 256;
const KEPT_VALUES_MAX = 512;
const KEPT_MASKS_MAX = 256;

interface Reference {
  readonly phase: number;
  readonly rule: number;
  readonly target: number;
  readonly stage: number;
}

interface DirectTest extends Reference {
  readonly link: Link;
}

/**
 * What is looked for in a value: each distinct text of its stages once, by the gate of the search first, which tells the
 * few patterns that can match at all.
 */
export class Plan {
  /** By id of the pattern. */
  readonly #references: (readonly Reference[] | undefined)[] = [];
  readonly #direct: DirectTest[] = [];
  readonly #stages = new Set<number>();
  readonly #liveByTriggers = new Map<number, readonly number[]>();
  readonly #tree: StageTree;
  readonly #texts: StagedTexts;
  readonly #known: Memo<readonly Found[]>;
  readonly #isSearched: boolean;
  readonly isEmpty: boolean;
  readonly lookers: readonly Looker[];
  /** The same for values that are numbers; made when there is one. */
  ofNumbers: Plan | null = null;
  looks = 0;

  constructor(lookers: readonly Looker[], tree: StageTree, room: MemoRoom) {
    this.#known = new Memo(KEPT_VALUES_MAX, room);
    this.lookers = lookers;
    this.#tree = tree;
    this.#texts = new StagedTexts(tree);
    for (const looker of lookers) for (const stage of looker.link.stages) this.#add(looker, stage);
    this.isEmpty = lookers.length === 0;
    this.#isSearched = this.#references.length > 0;
  }

  #add({ phase, rule, link, target }: Looker, stage: number): void {
    this.looks++;
    this.#stages.add(stage);
    const { test } = link;
    const reference = { phase, rule, target, stage };
    if (test.kind !== "pattern" || link.negated) this.#direct.push({ ...reference, link });
    else this.#references[test.id] = [...(this.#references[test.id] ?? []), reference];
  }

  /** What an earlier look at the same value found; undefined where it has to be searched. */
  known(value: string): readonly Found[] | undefined {
    return value.length <= KEPT_CHARACTERS_MAX ? this.#known.get(value) : undefined;
  }

  /** Searches a value: a short one in one go, so that its texts can stand where those of the last stood. */
  *search(value: string, spending: Spending): Steps<readonly Found[]> {
    const isShort = value.length <= KEPT_CHARACTERS_MAX;
    const triggers = triggersOf(value);
    const live = this.#liveOf(triggers);
    const texts = isShort ? this.#texts : new StagedTexts(this.#tree);
    texts.begin(value, triggers, live);
    for (const stage of live) {
      if (isShort) texts.make(stage);
      else yield* texts.makeInSteps(stage);
      if (!isShort && spending.isTurnOver(value.length)) yield;
    }
    const found: Found[] = [];
    for (let number = 0; this.#isSearched && number < texts.texts.length; number++) {
      const text = texts.texts[number] as string;
      const ids = isShort ? spending.candidates(text) : yield* spending.candidatesInSteps(text);
      if (!isShort && spending.isTurnOver(text.length)) yield;
      for (const id of ids) {
        const references = this.#references[id];
        if (references === undefined || !isAsked(references, number, texts)) continue;
        const matches = isShort ? spending.test(id, text) : yield* spending.testInSteps(id, text);
        if (!isShort && spending.isTurnOver(text.length)) yield;
        if (!matches) continue;
        for (const reference of references) if (texts.textOf(reference.stage) === number) push(found, reference, text);
      }
    }
    for (const direct of this.#direct) {
      const text = texts.texts[texts.textOf(direct.stage)] as string;
      const { test, negated } = direct.link;
      const holds = isShort ? spending.holds(test, text) : yield* spending.holdsInSteps(test, text);
      if (holds !== negated) push(found, direct, text);
      if (!isShort && spending.isTurnOver(text.length)) yield;
    }
    const result = found.length === 0 ? NOTHING : found;
    if (isShort && !spending.isOver) this.#known.set(value, result);
    return result;
  }

  #liveOf(triggers: number): readonly number[] {
    const known = this.#liveByTriggers.get(triggers);
    if (known !== undefined) return known;
    if (this.#liveByTriggers.size >= KEPT_MASKS_MAX) this.#liveByTriggers.clear();
    const live = this.#tree.liveOf(this.#stages, triggers);
    this.#liveByTriggers.set(triggers, live);
    return live;
  }
}

/** Whether one of the stages has this text. */
function isAsked(references: readonly Reference[], number: number, texts: StagedTexts): boolean {
  for (const { stage } of references) if (texts.textOf(stage) === number) return true;
  return false;
}

/** A text that several stages have in common is one match, not several. */
function push(found: Found[], { phase, rule, target }: Reference, text: string): void {
  const isKnown = (one: Found): boolean =>
    one.rule === rule && one.target === target && one.phase === phase && one.text === text;
  if (!found.some(isKnown)) found.push({ phase, rule, target, text });
}
