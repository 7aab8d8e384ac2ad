import { type MessageFaults, step } from "../faults.ts";
import { emptyOf, isZero } from "../scalars.ts";
import type { FieldType, FieldValue, MessageValue, SingleValue, ValueType } from "../types.ts";
import { type FieldRules, isWrapper } from "./rule.ts";
import type { FieldPlan, MessagePlan, RuleBook } from "./rule-book.ts";

/** Holds a message, and all within it, against the rules of its descriptor. Ends once no more faults are told. */
export function judgeMessage(message: MessageValue, book: RuleBook, faults: MessageFaults): void {
  new Judge(book, faults).message(message, "");
}

class Judge {
  readonly #book: RuleBook;
  readonly #faults: MessageFaults;

  constructor(book: RuleBook, faults: MessageFaults) {
    this.#book = book;
    this.#faults = faults;
  }

  message(message: MessageValue, pointer: string): void {
    const plan = this.#book.planOf(message.type);
    if (plan === null || this.#faults.isFull) return;
    for (const field of plan.fields) this.#field(field, message.fields.get(field.field.number), pointer);
    this.#oneofs(plan, message, pointer);
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

  #field({ field, rules, isDeep }: FieldPlan, value: FieldValue | undefined, pointer: string): void {
    const at = `${pointer}${step(field.name)}`;
    const isThere = isSet(field, value);
    if (!isThere && (rules?.isRequired || (field.isRequired && value === undefined))) {
      this.#faults.add(at, "required", "expected a value");
      return;
    }
    if (!isThere && (field.hasPresence || rules === null || rules.ignoresZero)) return;
    if (field.map !== null) this.#map(field.map, rules, isDeep, value, at);
    else if (field.isRepeated) this.#list(field.value, rules, isDeep, value, at);
    else this.#single(field.value, rules, isDeep, value ?? emptyOf(field.value), at);
  }

  #list(type: ValueType, rules: FieldRules | null, isDeep: boolean, value: FieldValue | undefined, at: string): void {
    const list: readonly unknown[] = Array.isArray(value) ? value : [];
    this.#rules(rules, list, at);
    if (rules?.items == null && !isDeep) return;
    for (let index = 0; index < list.length && !this.#faults.isFull; index++)
      this.#single(type, rules?.items ?? null, isDeep, list[index], at, index);
  }

  #map(
    { key, value: type }: NonNullable<FieldType["map"]>,
    rules: FieldRules | null,
    isDeep: boolean,
    value: FieldValue | undefined,
    at: string,
  ): void {
    const map = value instanceof Map ? value : new Map<unknown, SingleValue>();
    this.#rules(rules, map, at);
    if (rules === null && !isDeep) return;
    // Keys are the client's: they are told by their place alone.
    let index = 0;
    for (const [name, item] of map) {
      if (this.#faults.isFull) return;
      if (rules?.keys) this.#single(key.value, rules.keys, false, name, at, index);
      this.#single(type.value, rules?.items ?? null, isDeep, item, at, index++);
    }
  }

  /** A single value, or with `index` one of a list or map. */
  #single(
    type: ValueType,
    rules: FieldRules | null,
    isDeep: boolean,
    value: unknown,
    at: string,
    index: number | null = null,
  ): void {
    const where = index === null || (rules === null && !isDeep) ? at : `${at}${step(index)}`;
    if (rules !== null) {
      const plain = plainOf(type, value);
      const isUnset = isZero(plain);
      if (isUnset && index !== null && rules.isRequired) this.#faults.add(where, "required", "expected a value");
      else if (!isUnset || !rules.ignoresZero) this.#rules(rules, plain, where);
    }
    if (isDeep && (type.kind === "message" || type.kind === "group")) this.message(value as MessageValue, where);
  }

  #rules(rules: FieldRules | null, value: unknown, at: string): void {
    if (rules === null) return;
    for (const { id, detail, holds } of rules.rules) if (!holds(value)) this.#faults.add(at, id, detail);
  }
}

/** Of a wrapper, what is in it. */
function plainOf(type: ValueType, value: unknown): unknown {
  if (type.kind !== "message" || !isWrapper(type.type)) return value;
  const inner = type.type.byNumber.get(1);
  return (value as MessageValue).fields.get(1) ?? (inner === undefined ? null : emptyOf(inner.value));
}

/** As the service sees it: without presence, zero and nothing are the same. */
function isSet(field: FieldType, value: FieldValue | undefined): boolean {
  if (value === undefined) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return field.hasPresence || !isZero(value);
}
