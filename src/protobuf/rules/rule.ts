import type { RawMessage } from "../../bodies/protobuf/raw-message.ts";
import type { StepBudget } from "../../expression/index.ts";
import type { FieldType, MessageType, ValueType } from "../types.ts";

/** What one rule asks of a value of the type that it was made for. */
export interface Rule {
  /** As protovalidate has it: `string.min_len`. */
  readonly id: string;
  /** For the client, in plain words: `expected at least 3 characters`. Nothing of the value. */
  readonly detail: string;
  /** A text in place of false says what was expected. `budget`: of all conditions of one message. */
  holds(value: unknown, budget: StepBudget): boolean | string;
}

/** What is asked of one field, or of the items, keys or values of one. */
export interface FieldRules {
  readonly isRequired: boolean;
  /** `IGNORE_IF_ZERO_VALUE`. */
  readonly ignoresZero: boolean;
  readonly rules: readonly Rule[];
  /** Of each item of a list, or each value of a map. */
  readonly items: FieldRules | null;
  /** Of each key of a map. */
  readonly keys: FieldRules | null;
}

/** Where rules of a field are read. */
export interface RuleSource {
  readonly value: ValueType;
  /** The field, where the rules are about all of its value; null for items, keys and values. */
  readonly field: FieldType | null;
  /** Name of the type and field, for what is told. */
  readonly user: string;
  /** A rule that nobody enforces, and why. */
  loose(what: string): void;
}

/** The kind of value that rules of this one are about: of a wrapper, what is in it. */
export function ruledKind(value: ValueType): string {
  return value.kind === "message" ? (WRAPPED[value.type.name] ?? value.type.name) : value.kind;
}

/** google/protobuf/wrappers.proto */
export const WRAPPED: Readonly<Record<string, string>> = {
  "google.protobuf.DoubleValue": "double",
  "google.protobuf.FloatValue": "float",
  "google.protobuf.Int64Value": "int64",
  "google.protobuf.UInt64Value": "uint64",
  "google.protobuf.Int32Value": "int32",
  "google.protobuf.UInt32Value": "uint32",
  "google.protobuf.BoolValue": "bool",
  "google.protobuf.StringValue": "string",
  "google.protobuf.BytesValue": "bytes",
};

export function isWrapper({ name }: MessageType): boolean {
  return WRAPPED[name] !== undefined;
}

/** Tells of rules that have none of the known numbers. `examples` and texts ask nothing. */
export function tellOthers(raw: RawMessage, known: readonly number[], word: string, source: RuleSource): void {
  for (const number of raw.numbers) {
    if (!known.includes(number)) source.loose(`rule ${number} of ${word}`);
  }
}
