import type { RawMessage } from "../../bodies/protobuf/raw-message.ts";
import { compilePattern } from "../../schema/pattern/index.ts";
import { withPatternWork } from "../../schema/pattern/work.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { valueRules } from "./numbers.ts";
import { ecmaPattern } from "./re2.ts";
import { type Rule, type RuleSource, tellOthers } from "./rule.ts";
import { KNOWN_PATTERNS, STRING_FORMATS } from "./string-formats.ts";

/** Numbers of `buf.validate.StringRules` that are no formats. */
const KNOWN = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 19, 20, 23, 24, 25, 34];

export function stringRules(raw: RawMessage, source: RuleSource): readonly Rule[] {
  tellOthers(raw, [...KNOWN, ...STRING_FORMATS.keys()], "string", source);
  const rules = valueRules("string", raw.text(1) ?? undefined, raw.texts(10), raw.texts(11), (text) => `'${text}'`);
  const add = (id: string, detail: string, test: (text: string) => boolean): void => {
    rules.push({ id: `string.${id}`, detail, holds: (value) => typeof value === "string" && test(value) });
  };
  lengthRules(raw, add);
  const pattern = raw.text(6);
  if (pattern !== null) {
    const test = patternTest(pattern, source);
    if (test !== null) add("pattern", "expected text of the pattern", test);
  }
  const [prefix, suffix, part, none] = [7, 8, 9, 23].map((number) => raw.text(number));
  if (prefix != null) add("prefix", `expected '${prefix}' at the beginning`, (text) => text.startsWith(prefix));
  if (suffix != null) add("suffix", `expected '${suffix}' at the end`, (text) => text.endsWith(suffix));
  if (part != null) add("contains", `expected '${part}' in it`, (text) => text.includes(part));
  if (none != null) add("not_contains", `expected no '${none}' in it`, (text) => !text.includes(none));
  for (const [number, { name, detail, test }] of STRING_FORMATS) if (raw.flag(number)) add(name, detail, test);
  const known = KNOWN_PATTERNS[raw.uint(24) ?? 0];
  if (known !== undefined) {
    const [name, strict, loose] = known;
    const isLoose = raw.has(25) && !raw.flag(25);
    add(`well_known_regex.${name}`, `expected an HTTP ${name.replace("_", " ")}`, (text) =>
      (isLoose ? loose : strict).test(text),
    );
  }
  return rules;
}

type Add = (id: string, detail: string, test: (text: string) => boolean) => void;

function lengthRules(raw: RawMessage, add: Add): void {
  const [length, least, most] = [19, 2, 3].map((number) => raw.uint(number));
  const hasLeast = (text: string, count: number): boolean => text.length >= 2 * count || charactersOf(text) >= count;
  const hasMost = (text: string, count: number): boolean =>
    text.length <= count || (text.length <= 2 * count && charactersOf(text) <= count);
  if (length != null)
    add("len", `expected ${length} characters`, (text) => hasMost(text, length) && charactersOf(text) === length);
  if (least != null) add("min_len", `expected at least ${least} characters`, (text) => hasLeast(text, least));
  if (most != null) add("max_len", `expected at most ${most} characters`, (text) => hasMost(text, most));
  const [bytes, leastBytes, mostBytes] = [20, 4, 5].map((number) => raw.uint(number));
  if (bytes != null) add("len_bytes", `expected ${bytes} bytes`, (text) => Buffer.byteLength(text) === bytes);
  if (leastBytes != null)
    add("min_bytes", `expected at least ${leastBytes} bytes`, (text) => Buffer.byteLength(text) >= leastBytes);
  if (mostBytes != null)
    add("max_bytes", `expected at most ${mostBytes} bytes`, (text) => Buffer.byteLength(text) <= mostBytes);
}

/** Null, and told, where the pattern has no words in ECMA-262. */
export function patternTest(pattern: string, source: RuleSource): ((text: string) => boolean) | null {
  const ecma = ecmaPattern(pattern);
  const compiled = ecma === null ? null : compilePattern(ecma, { unicode: true });
  if (compiled === null || !compiled.ok) {
    source.loose("patterns that only RE2 has");
    return null;
  }
  const { value } = compiled;
  // A text that takes too long to hold against it does not fit.
  return (text) => withPatternWork(DEFAULTS.patternWorkAtOnceMax, () => value.test(text)) ?? false;
}

/** In code points. */
function charactersOf(text: string): number {
  let count = text.length;
  for (let at = 1; at < text.length; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) count--;
  }
  return count;
}
