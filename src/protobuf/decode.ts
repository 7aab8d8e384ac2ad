import { WIRE, WireReader } from "../bodies/protobuf/wire.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { MessageFaults, step } from "./faults.ts";
import { emptyOf, numberOf, textOf, wireOf, zeroOf } from "./scalars.ts";
import type { FieldType, FieldValue, MessageType, MessageValue, Scalar, SingleValue, ValueType } from "./types.ts";

/** What of a message could be read. */
export interface Decoded {
  /** Null where the bytes are no message of the type, or one that readers do not agree on: `faults` says why. */
  readonly value: MessageValue | null;
  readonly faults: MessageFaults;
  /** Fields that the type does not have. */
  readonly unknown: MessageFaults;
  /** Numbers that a closed enum does not have: every reader takes them for unknown fields. */
  readonly unknownValues: MessageFaults;
}

/**
 * Bytes → the one reading of a message that every reader has. Refused is what readers do not agree on: a field twice that may
 * be there once (some merge its messages, some take the last), two fields of one oneof, a key of a map twice, numbers beyond
 * their type, text that is no UTF-8, a field of another wire type (some take it for unknown, some for damage).
 */
export function decodeMessage(bytes: Buffer, type: MessageType): Decoded {
  const decoder = new Decoder(bytes);
  const value = decoder.message(new WireReader(bytes), type, 0, 0);
  return { value, faults: decoder.faults, unknown: decoder.unknown, unknownValues: decoder.unknownValues };
}

class Decoder {
  readonly faults = new MessageFaults();
  readonly unknown = new MessageFaults();
  readonly unknownValues = new MessageFaults();
  readonly #bytes: Buffer;
  /** Where the value that is being read stands; nothing is taken off once there is a fault. */
  readonly #path: (string | number)[] = [];
  #valuesLeft: number = DEFAULTS.messageValuesMax;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** `group`: number of the field whose end tag ends it; 0 for none. */
  message(reader: WireReader, type: MessageType, depth: number, group: number): MessageValue | null {
    if (depth > DEFAULTS.messageDepthMax) return this.#fault(`nested deeper than ${DEFAULTS.messageDepthMax}`);
    const fields = new Map<number, FieldValue>();
    while (!reader.isOver) {
      if (!reader.readTag()) return this.#fault("a tag that is none");
      const { number, wire } = reader;
      if (wire === WIRE.groupEnd) {
        return number === group ? { type, fields } : this.#fault("the end of a group that is not open");
      }
      if (--this.#valuesLeft < 0) return this.#tooMany();
      const field = type.byNumber.get(number);
      if (field === undefined) {
        // Some readers do not pass over it, and go on in the middle of it.
        if (type.isMapEntry) return this.#fault("an unknown field in an entry of a map");
        if (this.unknown.isFull) this.unknown.count++;
        else this.unknown.add(this.#pointer + step(number), "unknown", "no such field is declared");
        if (!reader.skip(DEFAULTS.messageDepthMax - depth)) return this.#fault("an unknown field that does not end");
        continue;
      }
      this.#path.push(field.name);
      if (!this.#field(reader, field, fields, depth)) return null;
      this.#path.pop();
    }
    return group === 0 ? { type, fields } : this.#fault("a group that does not end");
  }

  #field(reader: WireReader, field: FieldType, fields: Map<number, FieldValue>, depth: number): boolean {
    const { number, value, isRepeated, map, oneof } = field;
    const wanted = wireOf(value);
    const isPacked = isRepeated && reader.wire === WIRE.len && wanted !== WIRE.len && wanted !== WIRE.groupStart;
    if (!isPacked && reader.wire !== wanted) return this.#bad("a field of another wire type");
    if (map !== null) return this.#entry(reader, field, fields, depth);
    if (isRepeated) {
      const list = (fields.get(number) as SingleValue[] | undefined) ?? [];
      if (list.length === 0) fields.set(number, list);
      return isPacked ? this.#packed(reader, field, list) : this.#item(reader, field, list, depth);
    }
    if (fields.has(number)) return this.#bad("a field twice that may be there once");
    if (oneof?.fields.some((other) => fields.has(other.number)))
      return this.#bad(`two fields of the oneof '${oneof.name}'`);
    const one = this.#value(reader, field, depth);
    if (one !== null && one !== UNKNOWN) fields.set(number, one);
    return one !== null;
  }

  #item(reader: WireReader, field: FieldType, list: SingleValue[], depth: number): boolean {
    this.#path.push(list.length);
    const item = this.#value(reader, field, depth);
    if (item === null) return false;
    this.#path.pop();
    if (item !== UNKNOWN) list.push(item);
    return true;
  }

  #value(reader: WireReader, { value, number }: FieldType, depth: number): SingleValue | null {
    switch (value.kind) {
      case "message":
      case "string":
      case "bytes": {
        const end = reader.readLength();
        if (end < 0) return this.#fault("a length beyond the end");
        const start = reader.at;
        reader.at = end;
        if (value.kind === "message")
          return this.message(new WireReader(this.#bytes, start, end), value.type, depth + 1, 0);
        const content = this.#bytes.subarray(start, end);
        if (value.kind === "bytes") return content;
        return textOf(content) ?? this.#fault("text that is not UTF-8");
      }
      case "group":
        return this.message(reader, value.type, depth + 1, number);
      default:
        return this.#number(reader, value);
    }
  }

  #number(reader: WireReader, value: NumberType): Scalar | null {
    const wire = wireOf(value);
    const read =
      wire === WIRE.varint ? reader.readVarint() : wire === WIRE.i32 ? reader.readFixed32() : reader.readFixed64();
    if (!read) return this.#fault("a number that does not end");
    const number = numberOf(value.kind, reader.low, reader.high);
    if (number === null) return this.#fault(`a number that is no ${value.kind}`);
    if (value.kind !== "enum" || !value.type.isClosed || value.type.numbers.has(Number(number))) return number;
    this.unknownValues.add(this.#pointer, "unknown", "no such value of the enum is declared");
    return UNKNOWN;
  }

  #packed(reader: WireReader, { value }: FieldType, list: SingleValue[]): boolean {
    const end = reader.readLength();
    if (end < 0) return this.#bad("a length beyond the end");
    const inner = new WireReader(this.#bytes, reader.at, end);
    reader.at = end;
    if (!isNumber(value)) return false;
    while (!inner.isOver) {
      if (--this.#valuesLeft < 0) return this.#tooMany() !== null;
      const number = this.#number(inner, value);
      if (number === null) return false;
      if (number !== UNKNOWN) list.push(number);
    }
    return true;
  }

  #entry(reader: WireReader, field: FieldType, fields: Map<number, FieldValue>, depth: number): boolean {
    const { map, number, value } = field;
    if (map === null || value.kind !== "message") return false;
    const entries = (fields.get(number) as Map<Scalar, SingleValue> | undefined) ?? new Map<Scalar, SingleValue>();
    if (entries.size === 0) fields.set(number, entries);
    const end = reader.readLength();
    if (end < 0) return this.#bad("a length beyond the end");
    const inner = new WireReader(this.#bytes, reader.at, end);
    reader.at = end;
    const entry = this.message(inner, value.type, depth + 1, 0);
    if (entry === null) return false;
    const key = (entry.fields.get(1) ?? zeroOf(map.key.value)) as Scalar;
    if (entries.has(key)) return this.#bad("a key of the map twice");
    entries.set(key, (entry.fields.get(2) ?? emptyOf(map.value.value)) as SingleValue);
    return true;
  }

  get #pointer(): string {
    return this.#path.map(step).join("");
  }

  #tooMany(): null {
    return this.#fault(`more than ${DEFAULTS.messageValuesMax} values`);
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

type NumberType = Exclude<ValueType, { readonly kind: "message" | "group" | "string" | "bytes" }>;

function isNumber(value: ValueType): value is NumberType {
  return !["message", "group", "string", "bytes"].includes(value.kind);
}

/** Stands for a value that was told as unknown, and is none. */
const UNKNOWN: Buffer = Buffer.alloc(0);
