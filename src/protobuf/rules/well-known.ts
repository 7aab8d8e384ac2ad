import type { RawMessage } from "../../bodies/protobuf/raw-message.ts";
import type { StepBudget } from "../../expression/index.ts";
import type { Clock } from "../../support/clock.ts";
import type { MessageValue } from "../types.ts";
import { boundRules, valueRules } from "./numbers.ts";
import { type Rule, type RuleSource, tellOthers } from "./rule.ts";

const NANOS = 1_000_000_000n;

/** google.protobuf.Duration or Timestamp → nanoseconds, of a moment since 1970. */
export function nanosOf(value: unknown): bigint {
  const { fields } = value as MessageValue;
  const seconds = fields.get(1);
  const nanos = fields.get(2);
  return (typeof seconds === "bigint" ? seconds : 0n) * NANOS + BigInt(typeof nanos === "number" ? nanos : 0);
}

function rawNanos(raw: RawMessage | null): bigint {
  const [low = 0, high = 0] = raw?.bits(1, 0).at(-1) ?? [];
  const [nanos = 0] = raw?.bits(2, 0).at(-1) ?? [];
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)) * NANOS + BigInt(nanos | 0);
}

function secondsText(nanos: bigint): string {
  return `${Number(nanos) / 1e9}s`;
}

function momentText(nanos: bigint): string {
  const ms = Number(nanos / 1_000_000n);
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : "another moment";
}

export function durationRules(raw: RawMessage, source: RuleSource): readonly Rule[] {
  tellOthers(raw, [2, 3, 4, 5, 6, 7, 8, 9], "duration", source);
  const read = (number: number): readonly bigint[] => raw.messages(number).map(rawNanos);
  const first = (number: number): bigint | undefined => (raw.has(number) ? rawNanos(raw.message(number)) : undefined);
  const bounds = { lt: first(3), lte: first(4), gt: first(5), gte: first(6) };
  return [
    ...valueRules("duration", first(2), read(7), read(8), secondsText),
    ...boundRules("duration", bounds, secondsText),
  ].map(ofNanos);
}

export function timestampRules(raw: RawMessage, source: RuleSource, clock: Pick<Clock, "wallMs">): readonly Rule[] {
  tellOthers(raw, [2, 3, 4, 5, 6, 7, 8, 9, 10], "timestamp", source);
  const first = (number: number): bigint | undefined => (raw.has(number) ? rawNanos(raw.message(number)) : undefined);
  const bounds = { lt: first(3), lte: first(4), gt: first(5), gte: first(6) };
  const rules = [
    ...valueRules("timestamp", first(2), [], [], momentText),
    ...boundRules("timestamp", bounds, momentText),
  ].map(ofNanos);
  const now = (): bigint => BigInt(Math.trunc(clock.wallMs())) * 1_000_000n;
  const add = (id: string, detail: string, test: (nanos: bigint) => boolean): void => {
    rules.push({ id: `timestamp.${id}`, detail, holds: (value) => test(nanosOf(value)) });
  };
  if (raw.flag(7)) add("lt_now", "expected a moment that is over", (nanos) => nanos < now());
  if (raw.flag(8)) add("gt_now", "expected a moment to come", (nanos) => nanos > now());
  const within = first(9);
  if (within !== undefined)
    add("within", `expected a moment within ${secondsText(within)} of now`, (nanos) => {
      const apart = nanos - now();
      return (apart < 0n ? -apart : apart) <= within;
    });
  return rules;
}

function ofNanos(rule: Rule): Rule {
  return { ...rule, holds: (value, budget) => rule.holds(nanosOf(value), budget) };
}

export function anyRules(raw: RawMessage, source: RuleSource): readonly Rule[] {
  tellOthers(raw, [2, 3], "any", source);
  const urlOf = (value: unknown): unknown => (value as MessageValue).fields.get(1) ?? "";
  return valueRules("any", undefined, raw.texts(2), raw.texts(3), String).map((rule) => {
    return { ...rule, holds: (value: unknown, budget: StepBudget) => rule.holds(urlOf(value), budget) };
  });
}

export function fieldMaskRules(raw: RawMessage, source: RuleSource): readonly Rule[] {
  tellOthers(raw, [1, 2, 3, 4], "field_mask", source);
  const pathsOf = (value: unknown): readonly string[] => {
    const paths = (value as MessageValue).fields.get(1);
    return Array.isArray(paths) ? paths.map(String) : [];
  };
  const covers = (known: string, path: string): boolean => path === known || path.startsWith(`${known}.`);
  const rules: Rule[] = [];
  const wanted = raw.message(1)?.texts(1);
  if (wanted !== undefined)
    rules.push({
      id: "field_mask.const",
      detail: "expected the one mask that is allowed",
      holds: (value) => JSON.stringify(pathsOf(value)) === JSON.stringify(wanted),
    });
  const [among, notAmong] = [raw.texts(2), raw.texts(3)];
  if (among.length > 0)
    rules.push({
      id: "field_mask.in",
      detail: "expected paths that are listed",
      holds: (value) => pathsOf(value).every((path) => among.some((known) => covers(known, path))),
    });
  if (notAmong.length > 0)
    rules.push({
      id: "field_mask.not_in",
      detail: "a path that is not allowed",
      holds: (value) => !pathsOf(value).some((path) => notAmong.some((known) => covers(known, path))),
    });
  return rules;
}
