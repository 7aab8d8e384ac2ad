import { codeAt } from "../../support/text-code.ts";
import type { NamedText, ValueConstraint } from "../facts.ts";
import { Memo, type MemoRoom } from "./memo.ts";
import { type Looker, Plan } from "./plan.ts";
import type { Shape } from "./shape.ts";
import type { StageTree } from "./stages.ts";

const KEPT_NAMES_MAX = 512;
const KEPT_PLANS_MAX = 256;

/** What all rules look for in one collection: which of them in a value depends on its name and its shape. */
export class Lens {
  readonly collection: number;
  readonly #lookers: readonly Looker[];
  readonly #tree: StageTree;
  readonly #numbers: Shape;
  readonly #room: MemoRoom;
  readonly #byName: Memo<Plan>;
  /** Apart from the others: names are a client's. */
  readonly #byShape: Memo<Plan>;
  readonly #bySet = new Map<string, Plan>();
  readonly #always: Plan | null;

  constructor(collection: number, lookers: readonly Looker[], tree: StageTree, numbers: Shape, room: MemoRoom) {
    this.collection = collection;
    this.#room = room;
    this.#byName = new Memo(KEPT_NAMES_MAX, room);
    this.#byShape = new Memo(KEPT_NAMES_MAX, room);
    this.#lookers = lookers;
    this.#tree = tree;
    this.#numbers = numbers;
    const isSame = lookers.every(({ isNamed, exclusions }) => isNamed === null && exclusions.length === 0);
    this.#always = isSame ? new Plan(lookers, tree, room) : null;
  }

  /** What is looked for in a value of a name. */
  planFor({ name, value }: NamedText, shape: Shape | undefined): Plan {
    const plan = this.planOf(name, shape);
    if (!this.#numbers.isReady || !isNumber(value)) return plan;
    plan.ofNumbers ??= this.#planOf(this.#narrowed(plan.lookers, this.#numbers), `number ${shape?.key ?? ""}`);
    return plan.ofNumbers;
  }

  planOf(name: string, shape: Shape | undefined): Plan {
    if (shape?.isReady === true) return this.#shapedPlan(name, shape);
    if (this.#always !== null) return this.#always;
    return this.#byName.get(name) ?? this.#byName.set(name, this.#planOf(this.#lookersOf(name), ""));
  }

  #shapedPlan(name: string, shape: Shape): Plan {
    const key = this.#always === null ? `${shape.key} ${name}` : shape.key;
    const known = this.#byShape.get(key);
    if (known !== undefined) return known;
    const plan = this.#planOf(this.#narrowed(this.#lookersOf(name), shape), `shape ${shape.key}`);
    return this.#byShape.set(key, plan);
  }

  #narrowed(lookers: readonly Looker[], shape: Shape): readonly Looker[] {
    return lookers.flatMap((looker) => {
      const stages = looker.link.stages.filter((stage) => shape.canMatch(looker.link, stage, this.#tree));
      return stages.length === 0 ? [] : [{ ...looker, link: { ...looker.link, stages } }];
    });
  }

  #lookersOf(name: string): readonly Looker[] {
    return this.#lookers.filter(
      ({ isNamed, exclusions }) =>
        (isNamed === null || isNamed(name)) &&
        exclusions.every((isExcluded) => isExcluded !== null && !isExcluded(name)),
    );
  }

  /** Names that the same rules look at share a plan, and what is remembered of values. */
  #planOf(lookers: readonly Looker[], shape: string): Plan {
    const key = `${shape} ${lookers.map(({ phase, rule, target }) => `${phase}.${rule}.${target}`).join()}`;
    const known = this.#bySet.get(key);
    if (known !== undefined) return known;
    if (this.#bySet.size >= KEPT_PLANS_MAX) this.#bySet.clear();
    const plan = new Plan(lookers, this.#tree, this.#room);
    this.#bySet.set(key, plan);
    return plan;
  }
}

const NUMBER_CHARACTERS_MAX = 20;

/** What the values of APIs mostly are, and hardly a rule can match. */
export const NUMBERS: ValueConstraint = {
  alphabet: [0x2d, 0x2e, 0x30, 0x39],
  lengthMax: NUMBER_CHARACTERS_MAX,
  isClosed: false,
};

function isNumber(value: string): boolean {
  const { length } = value;
  if (length > NUMBER_CHARACTERS_MAX) return false;
  for (let at = 0; at < length; at++) {
    const code = codeAt(value, at);
    if (code < 0x2d || code > 0x39 || code === 0x2f) return false;
  }
  return true;
}
