import { isDateTime } from "../../schema/formats/dates.ts";
import { isWrapper } from "../rules/rule.ts";
import type { FieldValue, MessageType, MessageValue } from "../types.ts";

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(?:\.(\d{1,9}))?(?:Z|[+-]\d\d:\d\d)$/;
const DURATION = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;
const DURATION_SECONDS_MAX = 315_576_000_000n;
const YEAR_1_SECONDS = -62_135_596_800n;
const FIELD_PATH = /^[a-zA-Z][a-zA-Z0-9]*(?:\.[a-zA-Z][a-zA-Z0-9]*)*$/;

/** Types that are no objects in JSON, or objects of any members. */
export type OwnForm = "moment" | "duration" | "mask" | "wrapper" | "any" | "free";

/** Null where messages of the type are objects of their fields. */
export function ownFormOf(type: MessageType): OwnForm | null {
  if (isWrapper(type)) return "wrapper";
  switch (type.name) {
    case "google.protobuf.Timestamp":
      return "moment";
    case "google.protobuf.Duration":
      return "duration";
    case "google.protobuf.FieldMask":
      return "mask";
    case "google.protobuf.Any":
      return "any";
    case "google.protobuf.Struct":
    case "google.protobuf.Value":
    case "google.protobuf.ListValue":
      return "free";
    default:
      return null;
  }
}

const message = (type: MessageType, fields: readonly (readonly [number, FieldValue])[]): MessageValue => {
  return { type, fields: new Map(fields) };
};

/** google.protobuf.Timestamp; null where the text is none. */
export function momentOf(type: MessageType, value: unknown): MessageValue | null {
  const match = typeof value === "string" ? MOMENT.exec(value) : null;
  if (match === null || typeof value !== "string" || !isDateTime(value)) return null;
  const ms = Date.parse(value.replace(/\.\d+/, ""));
  const seconds = BigInt(ms) / 1000n;
  if (Number.isNaN(ms) || seconds < YEAR_1_SECONDS) return null;
  return message(type, [
    [1, seconds],
    [2, nanosOf(match[1])],
  ]);
}

export function durationOf(type: MessageType, value: unknown): MessageValue | null {
  const match = typeof value === "string" ? DURATION.exec(value) : null;
  const seconds = BigInt(match?.[2] ?? 0);
  if (match === null || seconds > DURATION_SECONDS_MAX) return null;
  const isNegative = match[1] === "-";
  const nanos = nanosOf(match[3]);
  return message(type, [
    [1, isNegative ? -seconds : seconds],
    [2, isNegative ? -nanos : nanos],
  ]);
}

export function maskOf(type: MessageType, value: unknown): MessageValue | null {
  if (typeof value !== "string") return null;
  const paths = value === "" ? [] : value.split(",");
  if (!paths.every((path) => FIELD_PATH.test(path))) return null;
  return message(type, [[1, paths.map((path) => path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))]]);
}

/** What is within it is not looked into. */
export function anyOf(type: MessageType, value: unknown): MessageValue | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const url: unknown = "@type" in value ? value["@type"] : undefined;
  return typeof url === "string" ? message(type, [[1, url]]) : null;
}

/** Struct, Value and ListValue hold whatever JSON does. */
export function freeOf(type: MessageType, value: unknown): MessageValue | null {
  const isList = Array.isArray(value);
  const isObject = typeof value === "object" && value !== null && !isList;
  if (type.name.endsWith("Struct") && !isObject) return null;
  return type.name.endsWith("ListValue") && !isList ? null : message(type, []);
}

function nanosOf(fraction: string | undefined): number {
  return Number((fraction ?? "").padEnd(9, "0").slice(0, 9));
}
