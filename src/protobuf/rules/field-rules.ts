import { RawMessage } from "../../bodies/protobuf/raw-message.ts";
import type { Clock } from "../../support/clock.ts";
import type { FieldType, ScalarKind, ValueType } from "../types.ts";
import { celRules, FIELD_CEL } from "./cel.ts";
import { numberRules } from "./numbers.ts";
import { boolRules, bytesRules, enumRules, listRules, mapRules } from "./other-rules.ts";
import { type FieldRules, type Rule, type RuleSource, ruledKind } from "./rule.ts";
import { stringRules } from "./strings.ts";
import { anyRules, durationRules, fieldMaskRules, timestampRules } from "./well-known.ts";

/** Number of `buf.validate`'s extensions of options. */
export const BUF_VALIDATE = 1159;
/** That of protoc-gen-validate, which it came after. */
export const OLD_VALIDATE = 1071;

/** `buf.validate.FieldRules`: the member of its oneof for each kind of value. */
const KINDS: ReadonlyMap<number, string> = new Map([
  [1, "float"],
  [2, "double"],
  [3, "int32"],
  [4, "int64"],
  [5, "uint32"],
  [6, "uint64"],
  [7, "sint32"],
  [8, "sint64"],
  [9, "fixed32"],
  [10, "fixed64"],
  [11, "sfixed32"],
  [12, "sfixed64"],
  [13, "bool"],
  [14, "string"],
  [15, "bytes"],
  [16, "enum"],
  [20, "google.protobuf.Any"],
  [21, "google.protobuf.Duration"],
  [22, "google.protobuf.Timestamp"],
  [28, "google.protobuf.FieldMask"],
]);
const REPEATED = 18;
const MAP = 19;
const REQUIRED = 25;
const IGNORE = 27;
const CEL = Object.values(FIELD_CEL);
const IF_ZERO = 1;
const ALWAYS = 3;

export type RuleClock = Pick<Clock, "wallMs">;

/** What is asked of a field; null for nothing, `ignored` where nothing within it is judged either. */
export function fieldRulesOf(
  field: FieldType,
  owner: string,
  clock: RuleClock,
  loose: Loose,
): FieldRules | "ignored" | null {
  const user = `${owner}.${field.name}`;
  const source = { value: field.value, field, user, loose: (what: string) => loose(what, user) };
  if (field.options.has(OLD_VALIDATE)) source.loose("rules of protoc-gen-validate");
  const raw = field.options.message(BUF_VALIDATE);
  if (raw === null) return null;
  if (raw.uint(IGNORE) === ALWAYS) return "ignored";
  if (field.map !== null) return mapFieldRules(raw, field.map, source, clock);
  if (field.isRepeated) {
    const own = raw.message(REPEATED);
    return {
      ...usualOf(raw),
      rules: [...(own === null ? [] : listRules(own, source)), ...celOf(raw, source, clock)],
      items: own === null ? null : innerRules(own.message(4), { ...source, field: null }, clock),
      keys: null,
    };
  }
  return innerRules(raw, source, clock);
}

export type Loose = (what: string, user: string) => void;

function mapFieldRules(
  raw: RawMessage,
  { key, value }: NonNullable<FieldType["map"]>,
  source: RuleSource,
  clock: RuleClock,
): FieldRules {
  const own = raw.message(MAP);
  return {
    ...usualOf(raw),
    rules: [...(own === null ? [] : mapRules(own, source)), ...celOf(raw, source, clock)],
    items: own === null ? null : innerRules(own.message(5), { ...source, field: null, value: value.value }, clock),
    keys: own === null ? null : innerRules(own.message(4), { ...source, field: null, value: key.value }, clock),
  };
}

/** Of a single value. */
function innerRules(raw: RawMessage | null, source: RuleSource, clock: RuleClock): FieldRules | null {
  if (raw === null || raw.uint(IGNORE) === ALWAYS) return null;
  const rules: Rule[] = [];
  const wanted = ruledKind(source.value);
  for (const number of raw.numbers) {
    const kind = KINDS.get(number);
    const own = kind === undefined ? null : (raw.message(number) ?? RawMessage.empty);
    if (own === null) {
      if (![REQUIRED, IGNORE, ...CEL].includes(number)) source.loose(`rule ${number} of fields`);
    } else if (kind !== wanted) source.loose("rules of another type than the field's");
    else rules.push(...rulesOf(wanted, source.value, own, source, clock));
  }
  return { ...usualOf(raw), rules: [...rules, ...celOf(raw, source, clock)], items: null, keys: null };
}

function celOf(raw: RawMessage, { value, field, user, loose }: RuleSource, clock: RuleClock): readonly Rule[] {
  const subject = field === null ? ({ is: "value", type: value } as const) : ({ is: "field", field } as const);
  return celRules(raw, FIELD_CEL, subject, user, clock, loose);
}

function usualOf(raw: RawMessage): Pick<FieldRules, "isRequired" | "ignoresZero"> {
  return { isRequired: raw.flag(REQUIRED), ignoresZero: raw.uint(IGNORE) === IF_ZERO };
}

function rulesOf(
  kind: string,
  value: ValueType,
  raw: RawMessage,
  source: RuleSource,
  clock: RuleClock,
): readonly Rule[] {
  switch (kind) {
    case "string":
      return stringRules(raw, source);
    case "bytes":
      return bytesRules(raw, source);
    case "bool":
      return boolRules(raw, source);
    case "enum":
      return value.kind === "enum" ? enumRules(value.type, raw, source) : [];
    case "google.protobuf.Any":
      return anyRules(raw, source);
    case "google.protobuf.Duration":
      return durationRules(raw, source);
    case "google.protobuf.Timestamp":
      return timestampRules(raw, source, clock);
    case "google.protobuf.FieldMask":
      return fieldMaskRules(raw, source);
    default:
      return numberRules(kind as ScalarKind, raw, source);
  }
}
