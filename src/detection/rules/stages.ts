import type { Steps } from "../../support/turns.ts";
import {
  mayChange,
  type Transform,
  type TransformInSteps,
  transformInStepsOf,
  transformOf,
  triggersOf,
} from "../transform/index.ts";

interface Stage {
  readonly parent: number;
  /** Number of the transformation, which other stages may have, too. */
  readonly kind: number;
  readonly step: string;
  readonly transform: Transform;
  readonly inSteps: TransformInSteps | undefined;
}

const same: Transform = (text) => text;

/**
 * The texts that rules make of a value, as a tree: what two lists of transformations begin with is done once. Stage 0 is the
 * value itself, and a stage stands behind the one that it is made of.
 */
export class StageTree {
  readonly #stages: Stage[] = [{ parent: 0, kind: 0, step: "none", transform: same, inSteps: undefined }];
  readonly #kinds = new Map<string, number>();
  readonly #numbers = new Map<string, number>();

  get size(): number {
    return this.#stages.length;
  }

  /** Numbers of all stages of a list of transformations, from the value itself to the last. */
  stagesOf(steps: readonly string[]): readonly number[] {
    const numbers = [0];
    for (const step of steps) numbers.push(this.#number(numbers.at(-1) ?? 0, step));
    return numbers;
  }

  #number(parent: number, step: string): number {
    const key = `${parent} ${step}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const kind = this.#kinds.get(step) ?? this.#kinds.size;
    this.#kinds.set(step, kind);
    const transform = transformOf(step) ?? same;
    const inSteps = transformInStepsOf(step);
    const number = this.#stages.push({ parent, kind, step, transform, inSteps }) - 1;
    this.#numbers.set(key, number);
    return number;
  }

  /** Those of the stages, and of all that they are made of, that may differ from a value with these triggers. In order. */
  liveOf(stages: ReadonlySet<number>, triggers: number): readonly number[] {
    const changed = new Set<number>();
    const wanted = new Set(stages);
    for (let stage = this.#stages.length - 1; stage > 0; stage--)
      if (wanted.has(stage)) wanted.add(this.#stages[stage]?.parent ?? 0);
    for (let stage = 1; stage < this.#stages.length; stage++) {
      const { parent, step } = this.#stages[stage] as Stage;
      if (wanted.has(stage) && (changed.has(parent) || mayChange(step, triggers))) changed.add(stage);
    }
    return [...changed];
  }

  /** The text of a stage alone. */
  textAt(stage: number, value: string): string {
    if (stage === 0) return value;
    const { parent, transform } = this.#stages[stage] as Stage;
    return transform(this.textAt(parent, value));
  }

  /** The same of a long text. */
  *textAtInSteps(stage: number, value: string): Steps<string> {
    if (stage === 0) return value;
    const { parent, transform, inSteps } = this.#stages[stage] as Stage;
    const from = yield* this.textAtInSteps(parent, value);
    return inSteps === undefined ? transform(from) : yield* inSteps(from);
  }

  /** One step: from the text of the stage that it is made of. */
  step(stage: number, text: string, triggers: number): string {
    const { step, transform } = this.#stages[stage] as Stage;
    return mayChange(step, triggers) ? transform(text) : text;
  }

  /** The same of a long text. */
  *stepInSteps(stage: number, text: string, triggers: number): Steps<string> {
    const { step, transform, inSteps } = this.#stages[stage] as Stage;
    if (!mayChange(step, triggers)) return text;
    return inSteps === undefined ? transform(text) : yield* inSteps(text);
  }

  /** Names of the transformations from the value itself to a stage. */
  stepsOf(stage: number): readonly string[] {
    if (stage === 0) return [];
    const { parent, step } = this.#stages[stage] as Stage;
    return [...this.stepsOf(parent), step];
  }

  parentOf(stage: number): number {
    return this.#stages[stage]?.parent ?? 0;
  }

  kindOf(stage: number): number {
    return this.#stages[stage]?.kind ?? 0;
  }

  /** How many transformations there are. */
  get kinds(): number {
    return this.#kinds.size;
  }
}

/** The distinct texts of one value. Used again for each value. */
export class StagedTexts {
  readonly #tree: StageTree;
  readonly #textOf: Uint16Array;
  readonly #triggers: number[] = [];
  /** What a transformation has made of a text: the number of the text that came of it, or -1. */
  readonly #made: Int16Array[] = [];
  #live: readonly number[] = [];
  texts: string[] = [];

  constructor(tree: StageTree) {
    this.#tree = tree;
    this.#textOf = new Uint16Array(tree.size);
  }

  begin(value: string, triggers: number, live: readonly number[]): void {
    for (const stage of this.#live) this.#textOf[stage] = 0;
    this.#live = live;
    this.texts = [];
    this.#add(value);
    this.#triggers.length = 1;
    this.#triggers[0] = triggers;
  }

  /** Makes the text of a live stage; they are to be made in order. */
  make(stage: number): void {
    const parent = this.#textOf[this.#tree.parentOf(stage)] as number;
    if (this.#isMade(stage, parent)) return;
    this.#note(stage, parent, this.#tree.step(stage, this.texts[parent] as string, this.#triggersAt(parent)));
  }

  /** The same of a long text. */
  *makeInSteps(stage: number): Steps<void> {
    const parent = this.#textOf[this.#tree.parentOf(stage)] as number;
    if (this.#isMade(stage, parent)) return;
    const from = this.texts[parent] as string;
    this.#note(stage, parent, yield* this.#tree.stepInSteps(stage, from, this.#triggersAt(parent)));
  }

  /** Another stage has made the same of the same. */
  #isMade(stage: number, parent: number): boolean {
    const known = (this.#made[parent] as Int16Array)[this.#tree.kindOf(stage)] as number;
    if (known < 0) return false;
    this.#textOf[stage] = known;
    return true;
  }

  #note(stage: number, parent: number, text: string): void {
    const number = text === this.texts[parent] ? parent : this.#numberOf(text);
    (this.#made[parent] as Int16Array)[this.#tree.kindOf(stage)] = number;
    this.#textOf[stage] = number;
  }

  /** Which of the texts a stage has. */
  textOf(stage: number): number {
    return this.#textOf[stage] as number;
  }

  #triggersAt(text: number): number {
    this.#triggers[text] ??= triggersOf(this.texts[text] as string);
    return this.#triggers[text];
  }

  #numberOf(text: string): number {
    const known = this.texts.indexOf(text);
    return known >= 0 ? known : this.#add(text);
  }

  #add(text: string): number {
    const number = this.texts.push(text) - 1;
    const made = this.#made[number];
    if (made === undefined) this.#made[number] = new Int16Array(this.#tree.kinds).fill(-1);
    else made.fill(-1);
    return number;
  }
}
