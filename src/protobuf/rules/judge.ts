import type { StepBudget } from "../../expression/index.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import { type MessageFaults, step } from "../faults.ts";
import { emptyOf, isSet, isZero } from "../scalars.ts";
import type { FieldType, FieldValue, MessageValue, SingleValue, ValueType } from "../types.ts";
import { type FieldRules, isWrapper, type Rule } from "./rule.ts";
import type { FieldPlan, MessagePlan, RuleBook } from "./rule-book.ts";

/** Holds a message, and all within it, against the rules of its descriptor. Ends once no more faults are told. */
export function judgeMessage(message: MessageValue, book: RuleBook, faults: MessageFaults): Steps<void> {
  return new Judge(book, faults).message(message, "");
}

class Judge {
  readonly #book: RuleBook;
  readonly #faults: MessageFaults;
  /** Characters and values since the last step. */
  #work = 0;
  /** Of conditions in CEL. */
  readonly #budget: StepBudget = { stepsLeft: DEFAULTS.messageStepsMax };

  constructor(book: RuleBook, faults: MessageFaults) {
    this.#book = book;
    this.#faults = faults;
  }

  *message(message: MessageValue, pointer: string): Steps<void> {
    const plan = this.#book.planOf(message.type);
    if (plan === null || this.#faults.isFull) return;
    for (const field of plan.fields) {
      const value = message.fields.get(field.field.number);
      if (this.#isDue(field, value, pointer)) yield* this.#inner(field, value, `${pointer}${step(field.field.name)}`);
      if (this.#isStep()) yield;
    }
    this.#oneofs(plan, message, pointer);
    this.#hold(plan.rules, message, pointer);
  }

  /** Whether a step has been made that others may have their turn behind. */
  #isStep(): boolean {
    if (this.#work < DEFAULTS.messageWorkInOneStep) return false;
    this.#work = 0;
    return true;
  }

  #oneofs({ oneofs, groups }: MessagePlan, message: MessageValue, pointer: string): void {
    for (const { name, fields } of oneofs) {
      if (!fields.some(({ number }) => message.fields.has(number)))
        this.#faults.add(`${pointer}${step(name)}`, "required", "expected one of the fields of the oneof");
    }
    for (const { names, fields, isRequired } of groups) {
      const count = fields.filter((field) => isSet(field, message.fields.get(field.number))).length;
      if (count > 1 || (count === 0 && isRequired))
        this.#faults.add(pointer, "message.oneof", `expected ${isRequired ? "one" : "at most one"} of ${names}`);
    }
  }

  /** Judges all but values that hold others, of which it says that they are still to be judged. */
  #isDue({ field, rules, isDeep }: FieldPlan, value: FieldValue | undefined, pointer: string): boolean {
    const isThere = isSet(field, value);
    if (!isThere && (rules?.isRequired || (field.isRequired && value === undefined))) {
      this.#faults.add(`${pointer}${step(field.name)}`, "required", "expected a value");
      return false;
    }
    if (!isThere && (field.hasPresence || rules === null || rules.ignoresZero)) return false;
    if (field.map !== null || field.isRepeated || isDeep) return true;
    this.#ruled(field.value, rules, value ?? emptyOf(field.value), `${pointer}${step(field.name)}`, null);
    return false;
  }

  #inner({ field, rules, isDeep }: FieldPlan, value: FieldValue | undefined, at: string): Steps<void> {
    if (field.map !== null) return this.#map(field.map, rules, isDeep, value, at);
    if (field.isRepeated) return this.#list(field.value, rules, isDeep, value, at);
    const one = value ?? emptyOf(field.value);
    this.#ruled(field.value, rules, one, at, null);
    return this.message(one as MessageValue, at);
  }

  *#list(
    type: ValueType,
    rules: FieldRules | null,
    isDeep: boolean,
    value: FieldValue | undefined,
    at: string,
  ): Steps<void> {
    const list: readonly unknown[] = Array.isArray(value) ? value : [];
    this.#rules(rules, list, at);
    if (rules?.items == null && !isDeep) return;
    for (let index = 0; index < list.length && !this.#faults.isFull; index++) {
      this.#ruled(type, rules?.items ?? null, list[index], at, index);
      if (isDeep) yield* this.message(list[index] as MessageValue, `${at}${step(index)}`);
      if (this.#isStep()) yield;
    }
  }

  *#map(
    { key, value: type }: NonNullable<FieldType["map"]>,
    rules: FieldRules | null,
    isDeep: boolean,
    value: FieldValue | undefined,
    at: string,
  ): Steps<void> {
    const map = value instanceof Map ? value : new Map<unknown, SingleValue>();
    this.#rules(rules, map, at);
    if (rules === null && !isDeep) return;
    // Keys are the client's: they are told by their place alone.
    let index = 0;
    for (const [name, item] of map) {
      if (this.#faults.isFull) return;
      if (rules?.keys) this.#ruled(key.value, rules.keys, name, at, index);
      this.#ruled(type.value, rules?.items ?? null, item, at, index);
      if (isDeep) yield* this.message(item as MessageValue, `${at}${step(index)}`);
      if (this.#isStep()) yield;
      index++;
    }
  }

  /** A single value by its own rules, or with `index` one of a list or map. */
  #ruled(type: ValueType, rules: FieldRules | null, value: unknown, at: string, index: number | null): void {
    if (rules === null) return;
    const where = index === null ? at : `${at}${step(index)}`;
    const plain = plainOf(type, value);
    const isUnset = isZero(plain);
    if (isUnset && index !== null && rules.isRequired) this.#faults.add(where, "required", "expected a value");
    else if (!isUnset || !rules.ignoresZero) this.#rules(rules, plain, where);
  }

  #rules(rules: FieldRules | null, value: unknown, at: string): void {
    if (rules === null) return;
    this.#work += DEFAULTS.messageWorkOfValue + lengthOf(value);
    this.#hold(rules.rules, value, at);
  }

  #hold(rules: readonly Rule[], value: unknown, at: string): void {
    for (const rule of rules) {
      const { stepsLeft } = this.#budget;
      const judged = rule.holds(value, this.#budget);
      this.#work += (stepsLeft - this.#budget.stepsLeft) * DEFAULTS.messageWorkOfStep;
      if (judged !== true) this.#faults.add(at, rule.id, judged === false ? rule.detail : judged);
    }
  }
}

/** Of a wrapper, what is in it. */
function plainOf(type: ValueType, value: unknown): unknown {
  if (type.kind !== "message" || !isWrapper(type.type)) return value;
  const inner = type.type.byNumber.get(1);
  return (value as MessageValue).fields.get(1) ?? (inner === undefined ? null : emptyOf(inner.value));
}

/** In characters, bytes or items. */
function lengthOf(value: unknown): number {
  return typeof value === "string" || Buffer.isBuffer(value) || Array.isArray(value) ? value.length : 0;
}
