import { noteMembers } from "../../bodies/json-parser.ts";
import { PRESENCE } from "../../expression/index.ts";
import { BOOL, DOUBLE, DURATION, DYN, INT, listOf, STRING, TIMESTAMP, type Type } from "../../expression/types.ts";
import { Duration, momentOf } from "../../expression/values.ts";
import { emptyOf, isSet } from "../scalars.ts";
import type { FieldType, FieldValue, MessageType, MessageValue, Scalar, SingleValue, ValueType } from "../types.ts";
import { isWrapper } from "./rule.ts";
import { nanosOf } from "./well-known.ts";

/** What CEL knows of a value before one comes. */
export function celType(value: ValueType): Type {
  switch (value.kind) {
    case "double":
    case "float":
      return DOUBLE;
    case "string":
      return STRING;
    case "bool":
      return BOOL;
    case "message":
    case "group":
      if (value.type.name === MOMENT) return TIMESTAMP;
      return value.type.name === DURATION_NAME ? DURATION : DYN;
    case "bytes":
      return DYN;
    default:
      return INT;
  }
}

export function celFieldType({ map, isRepeated, value }: FieldType): Type {
  if (map !== null) return DYN;
  return isRepeated ? listOf(celType(value)) : celType(value);
}

/** The value of a field as CEL has it; of one that did not come, what the language gives in its place. */
export function celField({ map, isRepeated, value: type }: FieldType, value: FieldValue | undefined): unknown {
  if (map !== null) return celMap(map.value.value, value instanceof Map ? value : new Map<Scalar, SingleValue>());
  if (isRepeated) return (Array.isArray(value) ? value : []).map((one: SingleValue) => celValue(type, one));
  if (value === undefined && type.kind === "message" && isWrapper(type.type)) return null;
  return celValue(type, (value as SingleValue | undefined) ?? emptyOf(type));
}

/** Whole numbers are bigint, moments and lengths of time those of the language, messages objects that are made as they are looked at. */
export function celValue(type: ValueType, value: SingleValue): unknown {
  if (typeof value === "number") return type.kind === "double" || type.kind === "float" ? value : BigInt(value);
  if ((type.kind !== "message" && type.kind !== "group") || typeof value !== "object" || Buffer.isBuffer(value))
    return value;
  const { name } = type.type;
  if (name === MOMENT) return momentOf(nanosOf(value));
  if (name === DURATION_NAME) return new Duration(nanosOf(value));
  const inner = isWrapper(type.type) ? type.type.byNumber.get(1) : undefined;
  return inner === undefined ? celRecord(value) : celField(inner, value.fields.get(1));
}

const MOMENT = "google.protobuf.Timestamp";
const DURATION_NAME = "google.protobuf.Duration";

function celMap(type: ValueType, map: ReadonlyMap<Scalar, SingleValue>): object {
  const entries = [...map].map(([key, value]) => [String(key), celValue(type, value)] as const);
  // Nothing is in it but these, `__proto__` among them where it came.
  const object: Record<string, unknown> = Object.create(null);
  for (const [name, member] of entries) object[name] = member;
  noteMembers(
    object,
    entries.map(([key]) => key),
  );
  Object.defineProperty(object, PRESENCE, { value: (name: string) => Object.hasOwn(object, name) });
  return object;
}

/** A message: each member is made when it is first read, and is there whether it came or not. */
export function celRecord(message: MessageValue): object {
  const record: CelRecord = Object.create(shapeOf(message.type));
  record[SOURCE] = message;
  return record;
}

/** Of which message a record is. */
const SOURCE = Symbol("source");
interface CelRecord {
  [SOURCE]: MessageValue;
}

const SHAPES = new WeakMap<MessageType, object>();

/** What all records of a type have: made once, for a client may send many messages of many fields in few bytes. */
function shapeOf(type: MessageType): object {
  const known = SHAPES.get(type);
  if (known !== undefined) return known;
  const shape: object = Object.create(null);
  for (const field of type.fields) {
    Object.defineProperty(shape, field.name, {
      get(this: CelRecord) {
        const value = celField(field, this[SOURCE].fields.get(field.number));
        Object.defineProperty(this, field.name, { value });
        return value;
      },
    });
  }
  Object.defineProperty(shape, PRESENCE, {
    get(this: CelRecord) {
      return (name: string) => {
        const field = type.byName.get(name);
        return field !== undefined && isSet(field, this[SOURCE].fields.get(field.number));
      };
    },
  });
  SHAPES.set(type, shape);
  return shape;
}
