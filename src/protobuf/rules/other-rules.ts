import { isUtf8 } from "node:buffer";
import type { RawMessage } from "../../bodies/protobuf/raw-message.ts";
import type { EnumType } from "../types.ts";
import { valueRules } from "./numbers.ts";
import { type Rule, type RuleSource, tellOthers } from "./rule.ts";
import { patternTest } from "./strings.ts";

export function boolRules(raw: RawMessage, source: RuleSource): readonly Rule[] {
  tellOthers(raw, [1, 2], "bool", source);
  return valueRules("bool", raw.has(1) ? raw.flag(1) : undefined, [], [], String);
}

export function enumRules(type: EnumType, raw: RawMessage, source: RuleSource): readonly Rule[] {
  tellOthers(raw, [1, 2, 3, 4, 5], "enum", source);
  const read = (number: number): readonly number[] => raw.bits(number, 0).map(([low]) => low | 0);
  const rules = valueRules("enum", read(1).at(-1), read(3), read(4), String);
  const { numbers } = type;
  if (raw.flag(2)) {
    const holds = (value: unknown): boolean => typeof value === "number" && numbers.has(value);
    rules.push({ id: "enum.defined_only", detail: "expected a value that the enum has", holds });
  }
  return rules;
}

export function bytesRules(raw: RawMessage, source: RuleSource): readonly Rule[] {
  tellOthers(raw, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], "bytes", source);
  const rules: Rule[] = [];
  const add = (id: string, detail: string, test: (bytes: Buffer) => boolean): void => {
    rules.push({ id: `bytes.${id}`, detail, holds: (value) => Buffer.isBuffer(value) && test(value) });
  };
  const [constant] = raw.bytes(1).slice(-1);
  if (constant !== undefined) add("const", "expected the one value that is allowed", (bytes) => bytes.equals(constant));
  const [length, least, most] = [13, 2, 3].map((number) => raw.uint(number));
  if (length != null) add("len", `expected ${length} bytes`, (bytes) => bytes.length === length);
  if (least != null) add("min_len", `expected at least ${least} bytes`, (bytes) => bytes.length >= least);
  if (most != null) add("max_len", `expected at most ${most} bytes`, (bytes) => bytes.length <= most);
  const pattern = raw.text(4);
  const test = pattern === null ? null : patternTest(pattern, source);
  if (test !== null)
    add("pattern", "expected text of the pattern", (bytes) => isUtf8(bytes) && test(bytes.toString("utf8")));
  const [prefix, suffix, part] = [5, 6, 7].map((number) => raw.bytes(number).at(-1));
  if (prefix) add("prefix", "expected another beginning", (bytes) => bytes.subarray(0, prefix.length).equals(prefix));
  if (suffix)
    add(
      "suffix",
      "expected another end",
      (bytes) => bytes.length >= suffix.length && bytes.subarray(-suffix.length || bytes.length).equals(suffix),
    );
  if (part) add("contains", "expected other bytes in it", (bytes) => bytes.includes(part));
  const hex = (number: number): readonly string[] => raw.bytes(number).map((bytes) => bytes.toString("hex"));
  for (const rule of valueRules("bytes", undefined, hex(8), hex(9), () => ""))
    rules.push({
      ...rule,
      holds: (value, budget) => Buffer.isBuffer(value) && rule.holds(value.toString("hex"), budget),
    });
  if (raw.flag(10)) add("ip", "expected an IP address", ({ length: bytes }) => bytes === 4 || bytes === 16);
  if (raw.flag(11)) add("ipv4", "expected an IPv4 address", ({ length: bytes }) => bytes === 4);
  if (raw.flag(12)) add("ipv6", "expected an IPv6 address", ({ length: bytes }) => bytes === 16);
  if (raw.flag(15)) add("uuid", "expected a UUID", ({ length: bytes }) => bytes === 16);
  return rules;
}

/** Of a list as a whole. */
export function listRules(raw: RawMessage, source: RuleSource): readonly Rule[] {
  tellOthers(raw, [1, 2, 3, 4], "repeated", source);
  const rules: Rule[] = [];
  const [least, most] = [1, 2].map((number) => raw.uint(number));
  const add = (id: string, detail: string, test: (list: readonly unknown[]) => boolean): void => {
    rules.push({ id: `repeated.${id}`, detail, holds: (value) => Array.isArray(value) && test(value) });
  };
  if (least != null) add("min_items", `expected at least ${least} items`, ({ length }) => length >= least);
  if (most != null) add("max_items", `expected at most ${most} items`, ({ length }) => length <= most);
  if (raw.flag(3)) add("unique", "expected items that are all different", areUnique);
  return rules;
}

export function areUnique(list: readonly unknown[]): boolean {
  const seen = new Set<unknown>();
  for (const item of list) {
    // NaN is never another's equal.
    if (typeof item === "number" && Number.isNaN(item)) continue;
    const key = Buffer.isBuffer(item) ? `bytes ${item.toString("latin1")}` : item;
    if (seen.has(key)) return false;
    seen.add(key);
  }
  return true;
}

/** Of a map as a whole. */
export function mapRules(raw: RawMessage, source: RuleSource): readonly Rule[] {
  tellOthers(raw, [1, 2, 4, 5], "map", source);
  const [least, most] = [1, 2].map((number) => raw.uint(number));
  const rules: Rule[] = [];
  const sizeOf = (value: unknown): number => (value instanceof Map ? value.size : 0);
  if (least != null)
    rules.push({
      id: "map.min_pairs",
      detail: `expected at least ${least} entries`,
      holds: (map) => sizeOf(map) >= least,
    });
  if (most != null)
    rules.push({
      id: "map.max_pairs",
      detail: `expected at most ${most} entries`,
      holds: (map) => sizeOf(map) <= most,
    });
  return rules;
}
