import { jsonNumber } from "../bodies/json-number.ts";
import { zeroOf } from "./scalars.ts";
import type { FieldType, FieldValue, MessageValue, Scalar, SingleValue, ValueType } from "./types.ts";

const records = new WeakSet<object>();

/**
 * A message as an object, for rules that look at its members: fields by their names in the descriptor, bytes in base64, enums by
 * name, numbers of 64 bits as such. What a service reads as zero where it is not there is zero here, too; a message, and what
 * tells absence from zero, has no member then. Each member is made when it is first read.
 */
export function recordOf({ type, fields }: MessageValue): object {
  const record = {};
  for (const field of type.fields) {
    const value = fields.get(field.number) ?? absent(field);
    if (value === undefined) continue;
    Object.defineProperty(record, field.name, {
      enumerable: true,
      configurable: true,
      get: () => {
        const made = memberOf(field, value);
        Object.defineProperty(record, field.name, { enumerable: true, value: made });
        return made;
      },
    });
  }
  records.add(record);
  return record;
}

/** Whether it is a message, and not what the JSON of a body says. */
export function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && records.has(value);
}

function absent({ isRepeated, map, hasPresence, value }: FieldType): FieldValue | undefined {
  if (map !== null) return new Map();
  if (isRepeated) return [];
  return hasPresence || value.kind === "message" || value.kind === "group" ? undefined : (zeroOf(value) ?? undefined);
}

function memberOf({ map, value: type }: FieldType, value: FieldValue): unknown {
  if (map !== null && value instanceof Map) {
    const entries = [...(value as ReadonlyMap<Scalar, SingleValue>)];
    return Object.fromEntries(entries.map(([key, one]) => [String(key), singleOf(map.value.value, one)]));
  }
  if (Array.isArray(value)) return (value as readonly SingleValue[]).map((one) => singleOf(type, one));
  return singleOf(type, value as SingleValue);
}

function singleOf(type: ValueType, value: SingleValue): unknown {
  if (Buffer.isBuffer(value)) return value.toString("base64");
  if (typeof value === "bigint") return jsonNumber(String(value));
  if (type.kind === "enum" && typeof value === "number") return nameOf(type.type.byName, value);
  return typeof value === "object" ? recordOf(value) : value;
}

function nameOf(byName: ReadonlyMap<string, number>, number: number): string | number {
  for (const [name, one] of byName) if (one === number) return name;
  return number;
}
