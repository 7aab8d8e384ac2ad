import { RawMessage } from "../bodies/protobuf/raw-message.ts";
import { WIRE } from "../bodies/protobuf/wire.ts";
import { judgeBinary } from "../protobuf/message-judge.ts";
import { BUF_VALIDATE } from "../protobuf/rules/field-rules.ts";
import type { RuleBook } from "../protobuf/rules/rule-book.ts";
import { wireOf } from "../protobuf/scalars.ts";
import type { FieldType, MessageType, ScalarKind, ValueType } from "../protobuf/types.ts";
import { atOnce } from "../support/turns.ts";
import { textsOfPattern } from "./patterns.ts";

const DEPTH_MAX = 6;
/** Values of one field that are tried, and messages of one type. */
const VALUES_MAX = 24;
const MESSAGES_MAX = 256;
const LENGTH_MAX = 1_024;
/** Of no descriptor: the last number that a field may have. */
const UNKNOWN_NUMBER = 536_870_911;

/** What the messages of a method are made by. */
export interface CallMessages {
  readonly type: MessageType;
  /** Null where no rules are asked for. */
  readonly book: RuleBook | null;
  /** What texts of the place are held against. */
  readonly patterns: readonly string[];
}

/** Messages around what the method takes; the first is one that it takes, as far as one is found. */
export function callMessages(of: CallMessages): readonly Buffer[] {
  const usual = usualMessage(of, of.type, 0);
  const whole = Buffer.concat([...usual.values()]);
  const messages: Buffer[] = [
    whole,
    Buffer.alloc(0),
    Buffer.concat([whole, tagged(UNKNOWN_NUMBER, WIRE.varint, varint(1n))]),
  ];
  for (const message of mutations(of, of.type, usual, 0)) {
    if (messages.length >= MESSAGES_MAX) break;
    messages.push(message);
  }
  return messages;
}

/** Messages of so many bytes, by a text that no rule speaks of; none where the type has no such field. */
export function messagesOfSize(of: CallMessages, sizes: readonly number[]): readonly Buffer[] {
  const usual = usualMessage(of, of.type, 0);
  const isOpen = ({ value, isRepeated, oneof, options }: FieldType): boolean =>
    (value.kind === "string" || value.kind === "bytes") &&
    !isRepeated &&
    (oneof === null || oneof.fields.every(({ number }) => !usual.has(number))) &&
    !options.has(BUF_VALIDATE);
  const field = of.type.fields.find(isOpen);
  if (field === undefined) return [];
  const rest = Buffer.concat([...usual.values()]);
  return sizes.flatMap((size) => {
    const filled = (length: number): Buffer =>
      Buffer.concat([rest, tagged(field.number, WIRE.len, sized(Buffer.alloc(length, "a")))]);
    // What tells the length is longer, the longer it is.
    for (let length = size - rest.length; length >= 0 && length > size - rest.length - 16; length--) {
      if (filled(length).length === size) return [filled(length)];
    }
    return [];
  });
}

/** Each field with other values than in the usual message, and without it; then so within each message of it. */
function* mutations(of: CallMessages, type: MessageType, usual: Fields, depth: number): Generator<Buffer> {
  const having = (number: number, bytes: Buffer): Buffer => {
    const fields = new Map<number, Buffer>(usual);
    fields.set(number, bytes);
    return Buffer.concat([...fields.values()]);
  };
  for (const field of type.fields) {
    if (usual.has(field.number)) yield having(field.number, Buffer.alloc(0));
    for (const bytes of fieldValues(of, field, depth)) yield having(field.number, bytes);
  }
  for (const { number, value, map } of type.fields) {
    if (value.kind !== "message" || map !== null || depth >= DEPTH_MAX) continue;
    const within = usualMessage(of, value.type, depth + 1);
    for (const message of mutations(of, value.type, within, depth + 1))
      yield having(number, tagged(number, WIRE.len, sized(message)));
  }
}

type Fields = ReadonlyMap<number, Buffer>;

/** The least that its rules take: a field is there where they are not met without it. */
function usualMessage(of: CallMessages, type: MessageType, depth: number): Fields {
  const fields = new Map<number, Buffer>();
  if (of.book === null || depth > DEPTH_MAX) return fields;
  const taken = new Set<FieldType["oneof"]>();
  for (const field of type.fields) {
    if (field.oneof !== null && taken.has(field.oneof)) continue;
    const faultOf = (bytes: Buffer): boolean => isFaulty(of, type, Buffer.concat([...fields.values(), bytes]), field);
    if (!faultOf(Buffer.alloc(0))) continue;
    const good = fieldValues(of, field, depth).find((bytes) => !faultOf(bytes));
    if (good === undefined) continue;
    fields.set(field.number, good);
    if (field.oneof !== null) taken.add(field.oneof);
  }
  return fields;
}

function isFaulty({ book }: CallMessages, type: MessageType, message: Buffer, field: FieldType): boolean {
  const { faults } = atOnce(judgeBinary(message, { type, book, unknownFields: "pass" }));
  const own = `/${field.name}`;
  const oneof = field.oneof === null ? null : `/${field.oneof.name}`;
  return faults.list.some(({ pointer }) => pointer === own || pointer.startsWith(`${own}/`) || pointer === oneof);
}

/** The field with each of some values, in bytes. */
function fieldValues(of: CallMessages, field: FieldType, depth: number): readonly Buffer[] {
  if (field.map !== null) {
    const [key, value] = [field.map.key, field.map.value].map((one) => scalarsOf(of, one, depth)[0] ?? Buffer.alloc(0));
    return [tagged(field.number, WIRE.len, sized(Buffer.concat([key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)])))];
  }
  const values = scalarsOf(of, field, depth);
  if (!field.isRepeated) return values;
  const [first] = values;
  if (first === undefined) return values;
  const counts = constantsOf(field.options).lengths.filter((count) => count <= 64);
  return [...values, ...counts.map((count) => Buffer.concat(Array.from({ length: count }, () => first)))];
}

function scalarsOf(of: CallMessages, field: FieldType, depth: number): readonly Buffer[] {
  const { value, number } = field;
  const wire = wireOf(value);
  if (value.kind === "message") {
    if (depth >= DEPTH_MAX) return [];
    const message = Buffer.concat([...usualMessage(of, value.type, depth + 1).values()]);
    return [tagged(number, WIRE.len, sized(message))];
  }
  if (value.kind === "group") return [];
  return contentsOf(of, field, value).map((content) => tagged(number, wire, content));
}

function contentsOf(of: CallMessages, field: FieldType, value: ValueType): readonly Buffer[] {
  const { numbers, lengths, texts } = constantsOf(field.options);
  switch (value.kind) {
    case "string": {
      const made = texts.flatMap((text) => {
        const found = textsOfPattern(text, { min: 0, max: LENGTH_MAX }, of.patterns);
        return found === null ? [] : [...found.good, ...found.bad];
      });
      const long = lengths.map((length) => "a".repeat(length));
      const all = ["a", ...made, ...FORMATS, ...texts, ...long, "", ...long.map((text) => text.replaceAll("a", "1"))];
      return [...new Set(all)].slice(0, VALUES_MAX).map((text) => sized(Buffer.from(text)));
    }
    case "bytes":
      return [1, ...lengths].slice(0, VALUES_MAX).map((length) => sized(Buffer.alloc(length, "a")));
    case "bool":
      return [varint(1n), varint(0n)];
    case "enum":
      return [...value.type.numbers, 127].slice(0, VALUES_MAX).map((one) => varint(BigInt.asUintN(64, BigInt(one))));
    case "message":
    case "group":
      return [];
    default: {
      const { kind } = value;
      return [...new Set([1, ...numbers, 0])].slice(0, VALUES_MAX).flatMap((one) => numberBytes(kind, one) ?? []);
    }
  }
}

/** What formats of texts ask for. */
const FORMATS = [
  "0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1",
  "a@example.org",
  "example.org",
  "192.0.2.1",
  "2001:db8::1",
  "https://example.org/a",
];

interface Constants {
  readonly numbers: readonly number[];
  readonly lengths: readonly number[];
  readonly texts: readonly string[];
}

/** All numbers and texts that the rules of a field hold, wherever they stand in them, and the neighbours of numbers. */
function constantsOf(options: RawMessage): Constants {
  const numbers = new Set<number>();
  const texts = new Set<string>();
  collect(options.message(BUF_VALIDATE), numbers, texts, 0);
  const around = [...numbers].flatMap((one) => [one, one - 1, one + 1]);
  const lengths = around.filter((one) => Number.isInteger(one) && one >= 0 && one <= LENGTH_MAX);
  return { numbers: [...new Set(around)], lengths: [...new Set(lengths)], texts: [...texts] };
}

function collect(raw: RawMessage | null, numbers: Set<number>, texts: Set<string>, depth: number): void {
  if (raw === null || depth > 4) return;
  for (const number of raw.numbers) {
    for (const [low, high] of raw.bits(number, WIRE.varint)) {
      const value = BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
      if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) numbers.add(Number(value));
    }
    for (const [low, high] of raw.bits(number, WIRE.i64)) numbers.add(doubleOf(low, high));
    for (const [low] of raw.bits(number, WIRE.i32)) numbers.add(floatOf(low));
    for (const bytes of raw.bytes(number)) {
      const text = bytes.toString("utf8");
      if (/^[\x20-\x7e]+$/.test(text)) texts.add(text);
      collect(RawMessage.read(bytes), numbers, texts, depth + 1);
    }
  }
}

function doubleOf(low: number, high: number): number {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(low >>> 0, 0);
  bytes.writeUInt32LE(high >>> 0, 4);
  return bytes.readDoubleLE();
}

function floatOf(low: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(low >>> 0, 0);
  return bytes.readFloatLE();
}

/** Null where the kind has no such number. */
function numberBytes(kind: ScalarKind, value: number): Buffer | null {
  if (kind === "double" || kind === "float") {
    const bytes = Buffer.alloc(kind === "double" ? 8 : 4);
    if (kind === "double") bytes.writeDoubleLE(value);
    else bytes.writeFloatLE(value);
    return bytes;
  }
  if (!Number.isInteger(value)) return null;
  const bits = kind.endsWith("64") ? 64 : 32;
  const isUnsigned = kind.startsWith("u") || kind.startsWith("fixed");
  const [least, most] = isUnsigned ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  if (value < least || value > most) return null;
  const whole = BigInt(value);
  if (kind.startsWith("sint")) return varint(whole < 0n ? -2n * whole - 1n : 2n * whole);
  if (kind.includes("fixed")) {
    const bytes = Buffer.alloc(bits / 8);
    for (let at = 0; at < bytes.length; at++) bytes[at] = Number((whole >> BigInt(8 * at)) & 0xffn);
    return bytes;
  }
  return varint(BigInt.asUintN(64, whole));
}

function tagged(number: number, wire: number, content: Buffer): Buffer {
  return Buffer.concat([varint(BigInt(number) * 8n + BigInt(wire)), content]);
}

function sized(content: Buffer): Buffer {
  return Buffer.concat([varint(BigInt(content.length)), content]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value;
  do {
    bytes.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
    left >>= 7n;
  } while (left > 0n);
  return Buffer.from(bytes);
}
