import { JsonNumber } from "../../bodies/json-number.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import type { Decoded } from "../decode.ts";
import { MessageFaults, step } from "../faults.ts";
import type { FieldType, FieldValue, MessageType, MessageValue, Scalar, SingleValue, ValueType } from "../types.ts";
import { enumOf, keyOf, scalarOf } from "./scalars.ts";
import { anyOf, durationOf, freeOf, maskOf, momentOf, ownFormOf } from "./well-known.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** What of a message in JSON could be read. */
export interface DecodedJson extends Decoded {
  /** Objects of the value, and those of their members that nobody declared. */
  readonly undeclared: ReadonlyMap<object, ReadonlySet<string>>;
}

/**
 * A value of JSON as the message that it is by the mapping of proto3. Refused is what readers do not agree on: a field by both
 * of its names, two fields of one oneof, numbers beyond their type, a null in a list.
 */
export function* messageOfJson(value: unknown, type: MessageType): Steps<DecodedJson> {
  const reader = new JsonReader();
  const message = yield* reader.message(value, type);
  const { faults, unknown, unknownValues, undeclared } = reader;
  return { value: message, faults, unknown, unknownValues, undeclared };
}

class JsonReader {
  readonly faults = new MessageFaults();
  readonly unknown = new MessageFaults();
  readonly unknownValues = new MessageFaults();
  readonly undeclared = new Map<object, Set<string>>();
  readonly #path: (string | number)[] = [];
  #valuesLeft: number = DEFAULTS.messageValuesMax;

  *message(value: unknown, type: MessageType): Steps<MessageValue | null> {
    const form = ownFormOf(type);
    if (form === null) return isObject(value) ? yield* this.#members(value, type) : this.#fault("no object");
    const special = this.#special(form, value, type);
    return special ?? this.#fault(`no ${type.name}`);
  }

  #special(form: NonNullable<ReturnType<typeof ownFormOf>>, value: unknown, type: MessageType): MessageValue | null {
    switch (form) {
      case "moment":
        return momentOf(type, value);
      case "duration":
        return durationOf(type, value);
      case "mask":
        return maskOf(type, value);
      case "any":
        return anyOf(type, value);
      case "free":
        return freeOf(type, value);
      case "wrapper": {
        const kind = type.byNumber.get(1)?.value.kind;
        if (kind === undefined || kind === "enum" || kind === "message" || kind === "group") return null;
        const inner = scalarOf(kind, value);
        return inner === null ? null : { type, fields: new Map([[1, inner]]) };
      }
    }
  }

  *#members(object: JsonObject, type: MessageType): Steps<MessageValue | null> {
    const fields = new Map<number, FieldValue>();
    for (const name of Object.keys(object)) {
      if (--this.#valuesLeft < 0) return this.#fault(`more than ${DEFAULTS.messageValuesMax} values`);
      if (this.#isStep) yield;
      const field = type.byName.get(name);
      if (field === undefined) {
        this.#undeclared(object, name);
        continue;
      }
      this.#path.push(field.name);
      if (!(yield* this.#field(field, object[name], object, fields))) return null;
      this.#path.pop();
    }
    return { type, fields };
  }

  *#field(field: FieldType, value: unknown, object: JsonObject, fields: Map<number, FieldValue>): Steps<boolean> {
    const { number, name, jsonName, oneof, map, isRepeated } = field;
    if (name !== jsonName && Object.hasOwn(object, name) && Object.hasOwn(object, jsonName))
      return this.#bad("a field by both of its names");
    if (value === null && !takesNull(field.value)) return true;
    if (oneof?.fields.some((other) => fields.has(other.number)))
      return this.#bad(`two fields of the oneof '${oneof.name}'`);
    const read =
      map !== null
        ? yield* this.#map(map, value)
        : isRepeated
          ? yield* this.#list(field, value)
          : holdsMembers(field.value)
            ? yield* this.message(value, field.value.type)
            : this.#scalar(field.value, value);
    if (read !== null && read !== UNKNOWN) fields.set(number, read);
    return read !== null;
  }

  *#list({ value: type }: FieldType, value: unknown): Steps<FieldValue | null> {
    if (!Array.isArray(value)) return this.#fault("no list");
    const list: SingleValue[] = [];
    for (const [at, item] of value.entries()) {
      if (--this.#valuesLeft < 0) return this.#fault(`more than ${DEFAULTS.messageValuesMax} values`);
      if (this.#isStep) yield;
      this.#path.push(at);
      const one = holdsMembers(type) ? yield* this.message(item, type.type) : this.#scalar(type, item);
      if (one === null) return null;
      this.#path.pop();
      if (one !== UNKNOWN) list.push(one);
    }
    return list;
  }

  *#map({ key: keyType, value: valueType }: NonNullable<FieldType["map"]>, value: unknown): Steps<FieldValue | null> {
    if (!isObject(value)) return this.#fault("no object");
    const map = new Map<Scalar, SingleValue>();
    const { kind } = keyType.value;
    if (kind === "enum" || kind === "message" || kind === "group") return this.#fault("no key");
    for (const name of Object.keys(value)) {
      if (--this.#valuesLeft < 0) return this.#fault(`more than ${DEFAULTS.messageValuesMax} values`);
      if (this.#isStep) yield;
      const key = keyOf(kind, name);
      if (key === null) return this.#fault(`a key that is no ${kind}`);
      // `1` and `1.0` are one.
      if (map.has(key)) return this.#fault("a key of the map twice");
      const { value: of } = valueType;
      const one = holdsMembers(of) ? yield* this.message(value[name], of.type) : this.#scalar(of, value[name]);
      if (one === null) return null;
      if (one !== UNKNOWN) map.set(key, one);
    }
    return map;
  }

  get #isStep(): boolean {
    return this.#valuesLeft % DEFAULTS.messageValuesInOneStep === 0;
  }

  #scalar(type: Exclude<ValueType, OfMessage>, value: unknown): SingleValue | null {
    if (type.kind !== "enum") return scalarOf(type.kind, value) ?? this.#fault(`no ${type.kind}`);
    const number = type.type.name === NULL_VALUE && value === null ? 0 : enumOf(type.type, value);
    if (number === undefined) {
      this.unknownValues.add(this.#pointer, "unknown", "no such value of the enum is declared");
      return UNKNOWN;
    }
    return number ?? this.#fault("no value of an enum");
  }

  #undeclared(object: JsonObject, name: string): void {
    const names = this.undeclared.get(object);
    if (names === undefined) this.undeclared.set(object, new Set([name]));
    else names.add(name);
    // Such a name is the client's alone, and not told.
    if (this.unknown.isFull) this.unknown.count++;
    else this.unknown.add(this.#pointer, "unknown", "a field that is not declared");
  }

  get #pointer(): string {
    return this.#path.map(step).join("");
  }

  #fault(detail: string): null {
    this.faults.add(this.#pointer, "protobuf", detail);
    return null;
  }

  #bad(detail: string): false {
    this.faults.add(this.#pointer, "protobuf", detail);
    return false;
  }
}

const NULL_VALUE = "google.protobuf.NullValue";
/** Stands for a value that was told as unknown, and is none. */
const UNKNOWN: Buffer = Buffer.alloc(0);

type OfMessage = Extract<ValueType, { readonly kind: "message" | "group" }>;

function holdsMembers(type: ValueType): type is OfMessage {
  return type.kind === "message" || type.kind === "group";
}

function takesNull(type: ValueType): boolean {
  return (
    (type.kind === "message" && type.type.name === "google.protobuf.Value") ||
    (type.kind === "enum" && type.type.name === NULL_VALUE)
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);
}
