import { isUtf8 } from "node:buffer";
import { WIRE } from "../bodies/protobuf/wire.ts";
import type { FieldType, FieldValue, Scalar, ScalarKind, SingleValue, ValueType } from "./types.ts";

/** The wire type of a value outside packed lists. */
export function wireOf({ kind }: ValueType): number {
  switch (kind) {
    case "double":
    case "fixed64":
    case "sfixed64":
      return WIRE.i64;
    case "float":
    case "fixed32":
    case "sfixed32":
      return WIRE.i32;
    case "string":
    case "bytes":
    case "message":
      return WIRE.len;
    case "group":
      return WIRE.groupStart;
    default:
      return WIRE.varint;
  }
}

const SIGN_EXTENDED = 0xffff_ffff;
const SIGN = 0x8000_0000;

/**
 * A number by its low and high 32 bits, as a value of its type; null where it is beyond the type, which some readers cut and others do
 * not.
 */
export function numberOf(kind: ScalarKind | "enum", low: number, high: number): Scalar | null {
  switch (kind) {
    case "int32":
    case "enum":
      // A negative number has ten bytes, from some writers five.
      return high === 0 || (high === SIGN_EXTENDED && low >= SIGN) ? low | 0 : null;
    case "uint32":
      return high === 0 ? low : null;
    case "sint32":
      return high === 0 ? (low >>> 1) ^ -(low & 1) : null;
    case "bool":
      return high === 0 && low <= 1 ? low === 1 : null;
    case "int64":
    case "sfixed64":
      return BigInt.asIntN(64, unsigned(low, high));
    case "uint64":
    case "fixed64":
      return unsigned(low, high);
    case "sint64":
      return zigzag(unsigned(low, high));
    case "fixed32":
      return low;
    case "sfixed32":
      return low | 0;
    case "float":
      return floatOf(low);
    case "double":
      return doubleOf(low, high);
    default:
      return null;
  }
}

function unsigned(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

function zigzag(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}

const view = new DataView(new ArrayBuffer(8));

function floatOf(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

function doubleOf(low: number, high: number): number {
  view.setUint32(0, high);
  view.setUint32(4, low);
  return view.getFloat64(0);
}

/** Null where the text is no UTF-8, which some readers refuse and others mend. */
export function textOf(bytes: Buffer): string | null {
  return isUtf8(bytes) ? bytes.toString("utf8") : null;
}

/** What a field without presence is where nothing of it came. */
export function zeroOf({ kind }: ValueType): Scalar | null {
  switch (kind) {
    case "message":
    case "group":
      return null;
    case "string":
      return "";
    case "bytes":
      return NO_BYTES;
    case "bool":
      return false;
    case "int64":
    case "uint64":
    case "sint64":
    case "fixed64":
    case "sfixed64":
      return 0n;
    default:
      return 0;
  }
}

const NO_BYTES: Buffer = Buffer.alloc(0);

/** The same of any value: a message without fields. */
export function emptyOf(value: ValueType): SingleValue {
  if (value.kind === "message" || value.kind === "group") return { type: value.type, fields: new Map() };
  return zeroOf(value) ?? 0;
}

export function isZero(value: unknown): boolean {
  // Minus zero is another value than zero, and is told.
  if (typeof value === "number") return Object.is(value, 0);
  return value === 0n || value === false || value === "" || (Buffer.isBuffer(value) && value.length === 0);
}

/** Whether a field is set as its service sees it: without presence, zero and nothing are the same. */
export function isSet(field: FieldType, value: FieldValue | undefined): boolean {
  if (value === undefined) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return field.hasPresence || !isZero(value);
}
