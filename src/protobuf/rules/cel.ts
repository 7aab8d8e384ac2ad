import type { RawMessage } from "../../bodies/protobuf/raw-message.ts";
import { partsOf } from "../../expression/compared.ts";
import { compileValue, type Environment, EvalFault, PRESENCE, type Variable } from "../../expression/index.ts";
import { parseExpression } from "../../expression/parser.ts";
import type { Node } from "../../expression/syntax.ts";
import { BOOL, DYN, isDyn, STRING, TIMESTAMP, type Type } from "../../expression/types.ts";
import { momentOfMs } from "../../expression/values.ts";
import type { Clock } from "../../support/clock.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { FieldType, FieldValue, MessageType, MessageValue, Scalar, SingleValue, ValueType } from "../types.ts";
import { CEL_FUNCTIONS } from "./cel-functions.ts";
import { celField, celFieldType, celRecord, celType, celValue } from "./cel-values.ts";
import { isWrapper, type Rule } from "./rule.ts";

/** Where conditions stand in `buf.validate.FieldRules` and `MessageRules`: with an id and a message, and alone. */
export const FIELD_CEL = { rules: 23, expressions: 29 } as const;
export const MESSAGE_CEL = { rules: 3, expressions: 5 } as const;

/** What a condition calls `this`. */
export type CelSubject =
  | { readonly is: "message"; readonly type: MessageType }
  | { readonly is: "field"; readonly field: FieldType }
  /** An item of a list, a key or a value of a map. */
  | { readonly is: "value"; readonly type: ValueType };

type Loose = (what: string, user: string) => void;

/** Conditions in CEL as rules; `loose` hears of each that is not understood. */
export function celRules(
  raw: RawMessage,
  numbers: typeof FIELD_CEL | typeof MESSAGE_CEL,
  subject: CelSubject,
  user: string,
  clock: Pick<Clock, "wallMs">,
  loose: Loose,
): readonly Rule[] {
  const written = raw.messages(numbers.rules).map((rule) => ({
    id: rule?.text(1) ?? "",
    message: rule?.text(2) ?? "",
    source: rule?.text(3) ?? "",
  }));
  const alone = raw
    .texts(numbers.expressions)
    .map((source) => ({ id: source.slice(0, ID_SHOWN_MAX), message: "", source }));
  return [...written, ...alone].flatMap(({ id, message, source }) => {
    const rule = ruleOf(id === "" ? "cel" : id, message, source, subject, clock);
    if (rule.ok) return [rule.value];
    loose(`CEL: ${rule.error}`, user);
    return [];
  });
}

const ID_SHOWN_MAX = 64;

function ruleOf(
  id: string,
  message: string,
  source: string,
  subject: CelSubject,
  clock: Pick<Clock, "wallMs">,
): Result<Rule, string> {
  const compiled = compileValue(source, environmentOf(subject, clock));
  if (!compiled.ok) return err(compiled.error.text);
  const { evaluate, type } = compiled.value;
  if (type.name !== BOOL.name && type.name !== STRING.name && !isDyn(type)) return err("no condition, and no text");
  const unclear = unclearIn(source, subject);
  if (unclear !== null) return err(unclear);
  const detail = message === "" ? "expected what the rule asks for" : message;
  const holds: Rule["holds"] = (value, budget) => {
    const found = evaluate(thisOf(subject, value), budget);
    if (found instanceof EvalFault) return `${detail} (${found.text})`;
    if (typeof found !== "string") return found === true;
    // A text of the rule's own is told; one that is made of values is not.
    return found === "" || (source.includes(found) ? found : false);
  };
  return ok({ id, detail, holds });
}

function thisOf(subject: CelSubject, value: unknown): unknown {
  if (subject.is === "message") return celRecord(value as MessageValue);
  const type = subject.is === "field" ? subject.field.value : subject.type;
  const inner = type.kind === "message" && isWrapper(type.type) ? type.type.byNumber.get(1) : undefined;
  // Of a wrapper, what is in it was taken out.
  if (inner !== undefined && (typeof value !== "object" || Buffer.isBuffer(value)))
    return celField(inner, value as Scalar);
  return subject.is === "field" ? celField(subject.field, value as FieldValue) : celValue(type, value as SingleValue);
}

function environmentOf(subject: CelSubject, clock: Pick<Clock, "wallMs">): Environment<unknown> {
  const now: Variable<unknown> = { text: "now", type: TIMESTAMP, read: () => momentOfMs(clock.wallMs()) };
  return {
    functions: CEL_FUNCTIONS,
    variable: ([first = "", ...names]) => {
      if (first === "now" && names.length === 0) return ok(now);
      if (first !== "this") return err(`'${first}' means nothing here; expected this or now`);
      const type = typeAt(subject, names);
      if (!type.ok) return type;
      const text = ["this", ...names].join(".");
      const walk = (value: unknown, path: readonly string[]): unknown =>
        path.reduce<unknown>((of, name) => (isObject(of) && name in of ? of[name] : undefined), value);
      const last = names.at(-1);
      const read = (value: unknown): unknown => walk(value, names);
      if (last === undefined) return ok({ text, type: type.value, read });
      const has = (value: unknown): boolean => {
        const owner = walk(value, names.slice(0, -1));
        const came: unknown = isObject(owner) ? Reflect.get(owner, PRESENCE) : undefined;
        return typeof came === "function" ? came(last) === true : read(value) !== undefined;
      };
      return ok({ text, type: type.value, read, has });
    },
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** What a chain of names behind `this` comes to. */
function typeAt(subject: CelSubject, names: readonly string[]): Result<Type, string> {
  let type =
    subject.is === "message" ? DYN : subject.is === "field" ? celFieldType(subject.field) : celType(subject.type);
  let message = messageOf(subject);
  for (const name of names) {
    if (message === null && !isDyn(type)) return err(`'${name}' of what has no members`);
    const field = message?.byName.get(name);
    if (message !== null && field?.name !== name) return err(`a ${message.name} has no field '${name}'`);
    type = field === undefined ? DYN : celFieldType(field);
    message = field === undefined ? null : messageOf({ is: "field", field });
  }
  return ok(type);
}

function messageOf(subject: CelSubject): MessageType | null {
  if (subject.is === "message") return subject.type;
  if (subject.is === "field" && (subject.field.isRepeated || subject.field.map !== null)) return null;
  const value = subject.is === "field" ? subject.field.value : subject.type;
  return value.kind === "message" || value.kind === "group" ? value.type : null;
}

// ---- what the engine has no words for ------------------------------------------------------------------------------

const WITHOUT_WORDS: ReadonlySet<string> = new Set([
  "google.protobuf.Any",
  "google.protobuf.Struct",
  "google.protobuf.Value",
  "google.protobuf.ListValue",
]);

const UNSIGNED: ReadonlySet<string> = new Set(["uint32", "uint64", "fixed32", "fixed64"]);
const ARITHMETIC: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%"]);

/** Why a condition is not understood though it has a plan: it looks at what it would take for something else; null for nothing. */
function unclearIn(source: string, subject: CelSubject): string | null {
  const names = new Set<string>();
  const unique = new Set<string>();
  let computes = false;
  const left: Node[] = [parseExpression(source)];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.kind === "select") names.add(node.name);
    if (node.kind === "index" && node.key.kind === "literal") names.add(String(node.key.value));
    if (node.kind === "call" && node.name === "unique" && node.target?.kind === "select") unique.add(node.target.name);
    computes ||= node.kind === "binary" && ARITHMETIC.has(node.op);
    left.push(...partsOf(node));
  }
  const own =
    subject.is === "field"
      ? fieldFault(subject.field, computes)
      : subject.is === "value"
        ? valueFault(subject.type, computes)
        : null;
  if (own !== null) return own;
  const start =
    subject.is === "message" ? subject.type : typeWithin(subject.is === "field" ? subject.field : null, subject);
  for (const type of start === null ? [] : reachedFrom(start)) {
    for (const field of type.fields) {
      const fault = names.has(field.name) ? fieldFault(field, computes) : null;
      if (fault !== null) return fault;
      if (unique.has(field.name) && field.map === null && isDyn(celType(field.value))) return "'unique' of messages";
    }
  }
  return null;
}

function typeWithin(field: FieldType | null, subject: CelSubject): MessageType | null {
  const value =
    field === null ? (subject.is === "value" ? subject.type : null) : (field.map?.value.value ?? field.value);
  return value !== null && (value.kind === "message" || value.kind === "group") ? value.type : null;
}

function fieldFault({ map, value }: FieldType, computes: boolean): string | null {
  if (map === null) return valueFault(value, computes);
  return map.key.value.kind === "string" ? valueFault(map.value.value, computes) : "maps whose keys are no texts";
}

function valueFault(value: ValueType, computes: boolean): string | null {
  if (value.kind === "bytes") return "bytes";
  if (UNSIGNED.has(value.kind) && computes) return "arithmetic with unsigned numbers";
  if (value.kind !== "message" && value.kind !== "group") return null;
  const inner = isWrapper(value.type) ? value.type.byNumber.get(1) : undefined;
  if (inner !== undefined) return valueFault(inner.value, computes);
  return WITHOUT_WORDS.has(value.type.name) ? `a ${value.type.name}` : null;
}

const reached = new WeakMap<MessageType, ReadonlySet<MessageType>>();

/** A type and all types that messages of it may hold. */
function reachedFrom(start: MessageType): ReadonlySet<MessageType> {
  const known = reached.get(start);
  if (known !== undefined) return known;
  const found = new Set<MessageType>([start]);
  for (const type of found) {
    for (const { value } of type.fields) if (value.kind === "message" || value.kind === "group") found.add(value.type);
  }
  reached.set(start, found);
  return found;
}
