import { WIRE, WireReader } from "../bodies/protobuf/wire.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
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
export function* decodeMessage(bytes: Buffer, type: MessageType): Steps<Decoded> {
  const decoder = new Decoder(bytes);
  const value = yield* decoder.message(new WireReader(bytes), type, 0, 0);
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
  *message(reader: WireReader, type: MessageType, depth: number, group: number): Steps<MessageValue | null> {
    if (depth > DEFAULTS.messageDepthMax) return this.#fault(`nested deeper than ${DEFAULTS.messageDepthMax}`);
    const fields = new Map<number, FieldValue>();
    while (!reader.isOver) {
      if (!reader.readTag()) return this.#fault("a tag that is none");
      const { number, wire } = reader;
      if (wire === WIRE.groupEnd) {
        return number === group ? { type, fields } : this.#fault("the end of a group that is not open");
      }
      if (--this.#valuesLeft < 0) return this.#tooMany();
      if (this.#isStep) yield;
      const field = type.byNumber.get(number);
      if (field === undefined) {
        if (!(yield* this.#unknownField(reader, type, depth))) return null;
        continue;
      }
      this.#path.push(field.name);
      const { value } = field;
      if (value.kind === "message" || value.kind === "group") {
        const inner = this.#open(reader, field, fields);
        if (inner === null) return null;
        const end = value.kind === "group" ? number : 0;
        const one: MessageValue | null = yield* this.message(inner, value.type, depth + 1, end);
        if (one === null || !this.#put(one, field, fields)) return null;
      } else if (isPacked(field, wire)) {
        if (!(yield* this.#packed(reader, field, fields))) return null;
      } else if (!this.#plain(reader, field, fields)) return null;
      this.#path.pop();
    }
    return group === 0 ? { type, fields } : this.#fault("a group that does not end");
  }

  *#unknownField(reader: WireReader, type: MessageType, depth: number): Steps<boolean> {
    // Some readers do not pass over it, and go on in the middle of it.
    if (type.isMapEntry) return this.#bad("an unknown field in an entry of a map");
    if (this.unknown.isFull) this.unknown.count++;
    else this.unknown.add(this.#pointer + step(reader.number), "unknown", "no such field is declared");
    if (yield* this.#skip(reader, DEFAULTS.messageDepthMax - depth)) return true;
    return this.faults.count > 0 ? false : this.#bad("an unknown field that does not end");
  }

  /** What is in a group counts, though nobody knows it. */
  *#skip(reader: WireReader, depthMax: number): Steps<boolean> {
    const { wire, number } = reader;
    if (wire !== WIRE.groupStart) return reader.skip(0);
    while (depthMax > 0 && reader.readTag()) {
      if (reader.wire === WIRE.groupEnd) return reader.number === number;
      if (--this.#valuesLeft < 0) return this.#tooMany() !== null;
      if (this.#isStep) yield;
      if (!(yield* this.#skip(reader, depthMax - 1))) return false;
    }
    return false;
  }

  /** A value that holds no others. */
  #plain(reader: WireReader, field: FieldType, fields: Map<number, FieldValue>): boolean {
    if (reader.wire !== wireOf(field.value)) return this.#bad("a field of another wire type");
    if (field.isRepeated) {
      const list = listIn(fields, field);
      this.#path.push(list.length);
      return this.#keep(this.#scalar(reader, field.value), list);
    }
    if (!this.#isFirst(field, fields)) return false;
    const one = this.#scalar(reader, field.value);
    if (one !== null && one !== UNKNOWN) fields.set(field.number, one);
    return one !== null;
  }

  /** Where a message, a group or an entry of a map is read, which may be there; null where it may not. */
  #open(reader: WireReader, field: FieldType, fields: Map<number, FieldValue>): WireReader | null {
    const { value, isRepeated, map } = field;
    if (reader.wire !== wireOf(value)) return this.#fault("a field of another wire type");
    if (isRepeated && map === null) this.#path.push(listIn(fields, field).length);
    else if (!isRepeated && !this.#isFirst(field, fields)) return null;
    if (value.kind === "group") return reader;
    const end = reader.readLength();
    if (end < 0) return this.#fault("a length beyond the end");
    const start = reader.at;
    reader.at = end;
    return new WireReader(this.#bytes, start, end);
  }

  /** Keeps what was read there. */
  #put(one: MessageValue, field: FieldType, fields: Map<number, FieldValue>): boolean {
    const { number, isRepeated, map } = field;
    if (map === null) {
      if (isRepeated) return this.#keep(one, listIn(fields, field));
      fields.set(number, one);
      return true;
    }
    const entries = (fields.get(number) as Map<Scalar, SingleValue> | undefined) ?? new Map<Scalar, SingleValue>();
    if (entries.size === 0) fields.set(number, entries);
    const key = (one.fields.get(1) ?? zeroOf(map.key.value)) as Scalar;
    if (entries.has(key)) return this.#bad("a key of the map twice");
    entries.set(key, (one.fields.get(2) ?? emptyOf(map.value.value)) as SingleValue);
    return true;
  }

  #isFirst({ number, oneof }: FieldType, fields: ReadonlyMap<number, FieldValue>): boolean {
    if (fields.has(number)) return this.#bad("a field twice that may be there once");
    if (oneof?.fields.some((other) => fields.has(other.number)))
      return this.#bad(`two fields of the oneof '${oneof.name}'`);
    return true;
  }

  /** An item whose place stands at the end of the path. */
  #keep(item: SingleValue | null, list: SingleValue[]): boolean {
    if (item === null) return false;
    this.#path.pop();
    if (item !== UNKNOWN) list.push(item);
    return true;
  }

  #scalar(reader: WireReader, value: ValueType): SingleValue | null {
    const { kind } = value;
    if (isNumber(value)) return this.#number(reader, value);
    const end = reader.readLength();
    if (end < 0) return this.#fault("a length beyond the end");
    const content = this.#bytes.subarray(reader.at, end);
    reader.at = end;
    if (kind === "bytes") return content;
    return textOf(content) ?? this.#fault("text that is not UTF-8");
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

  *#packed(reader: WireReader, field: FieldType, fields: Map<number, FieldValue>): Steps<boolean> {
    const { value } = field;
    const end = reader.readLength();
    if (end < 0) return this.#bad("a length beyond the end");
    const inner = new WireReader(this.#bytes, reader.at, end);
    reader.at = end;
    if (!isNumber(value)) return false;
    const list = listIn(fields, field);
    while (!inner.isOver) {
      if (--this.#valuesLeft < 0) return this.#tooMany() !== null;
      if (this.#isStep) yield;
      const number = this.#number(inner, value);
      if (number === null) return false;
      if (number !== UNKNOWN) list.push(number);
    }
    return true;
  }

  get #isStep(): boolean {
    return this.#valuesLeft % DEFAULTS.messageValuesInOneStep === 0;
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
  const { kind } = value;
  return kind !== "message" && kind !== "group" && kind !== "string" && kind !== "bytes";
}

/** Whether a field holds many numbers in one. */
function isPacked({ value, isRepeated }: FieldType, wire: number): boolean {
  return isRepeated && wire === WIRE.len && isNumber(value);
}

function listIn(fields: Map<number, FieldValue>, { number }: FieldType): SingleValue[] {
  const known = fields.get(number) as SingleValue[] | undefined;
  if (known !== undefined) return known;
  const list: SingleValue[] = [];
  fields.set(number, list);
  return list;
}

/** Stands for a value that was told as unknown, and is none. */
const UNKNOWN: Buffer = Buffer.alloc(0);
