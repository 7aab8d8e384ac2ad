import { isUtf8 } from "node:buffer";
import { cidrTable } from "../../matching/cidr-table.ts";
import { parseAddress } from "../../message/address.ts";
import { type CharSet, contains } from "../../schema/pattern/char-set.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { atOnce } from "../../support/turns.ts";

/** Whether a text is what an operator looks for. */
export interface TextTest {
  (text: string): boolean;
  /** Whether no text of these bytes is. */
  readonly isNever?: (bytes: CharSet) => boolean;
}

/** Data file by its name, as text of bytes; undefined where there is none. */
export type DataFile = (name: string) => string | undefined;

type Compile = (argument: string, dataFile: DataFile) => Result<TextTest, string>;

/** Operators that look for a pattern or for words, all of them at once; `pm` takes its words from the argument. */
export const PATTERN_OPERATORS: ReadonlySet<string> = new Set(["rx", "rxglobal"]);
export const WORD_OPERATORS: ReadonlySet<string> = new Set(["pm", "pmfromfile", "pmf"]);
export const RECOGNISERS: ReadonlySet<string> = new Set(["detectsqli", "detectxss"]);

const compare =
  (holds: (value: number, limit: number) => boolean): Compile =>
  (argument) => {
    const limit = integer(argument);
    return ok((text) => holds(integer(text), limit));
  };
const text =
  (holds: (value: string, argument: string) => boolean): Compile =>
  (argument) =>
    ok((value) => holds(value, argument));
const constantly =
  (answer: boolean): Compile =>
  () =>
    ok(() => answer);

const PLAIN: Readonly<Record<string, Compile>> = {
  eq: compare((value, limit) => value === limit),
  ge: compare((value, limit) => value >= limit),
  gt: compare((value, limit) => value > limit),
  le: compare((value, limit) => value <= limit),
  lt: compare((value, limit) => value < limit),
  streq: text((value, argument) => value === argument),
  contains: text((value, argument) => value.includes(argument)),
  strmatch: text((value, argument) => value.includes(argument)),
  containsword: text(containsWord),
  beginswith: text((value, argument) => value.startsWith(argument)),
  endswith: text((value, argument) => value.endsWith(argument)),
  within: text((value, argument) => argument.includes(value)),
  unconditionalmatch: constantly(true),
  nomatch: constantly(false),
  ipmatch: (argument) => addressTest(argument.split(",")),
  ipmatchfromfile: (name, dataFile) => addressesOf(name, dataFile),
  ipmatchf: (name, dataFile) => addressesOf(name, dataFile),
  validatebyterange: byteRangeTest,
  validateurlencoding: () => ok(hasBadPercent),
  validateutf8encoding: () => ok(Object.assign(isNotUtf8, { isNever: isAscii })),
};

/** All that a rule may name, in small letters. */
export const OPERATOR_NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(PLAIN),
  ...PATTERN_OPERATORS,
  ...WORD_OPERATORS,
  ...RECOGNISERS,
]);

/** Operators of ModSecurity that are not done, and why. */
export const NOT_OPERATED: ReadonlyMap<string, string> = new Map([
  ["geolookup", "countries and networks are the policy's address lists"],
  ["rbl", "requests do not wait for name servers; address lists are the policy's"],
  ["gsblookup", "no list of Google's is asked"],
  ["inspectfile", "rules start no programs"],
  ["fuzzyhash", "files are not compared"],
  ["rsub", "rules do not change what passes"],
  ["validatedtd", "XML with a DTD is refused"],
  ["validateschema", "bodies are judged by the policy's 'validate'"],
  ["validatehash", "links are not signed"],
  ...["verifycc", "verifycpf", "verifyssn", "verifysvnr"].map(
    (name) => [name, "numbers of persons and cards are the policy's 'leaks'"] as const,
  ),
]);

/** A test of one text alone; null where the operator is of another kind. */
export function plainTest(name: string, argument: string, dataFile: DataFile): Result<TextTest, string> | null {
  return PLAIN[name]?.(argument, dataFile) ?? null;
}

/** As C's `atoi`: what is no number is 0. */
export function integer(value: string): number {
  return Number(/^\s*([+-]?\d{1,15})/.exec(value)?.[1] ?? 0);
}

function containsWord(value: string, argument: string): boolean {
  for (let at = value.indexOf(argument); at >= 0; at = value.indexOf(argument, at + 1)) {
    if (!isWord(value, at - 1) && !isWord(value, at + argument.length)) return true;
    if (argument === "") return false;
  }
  return false;
}

const isWord = (value: string, at: number): boolean => /\w/.test(value.charAt(at));

function addressTest(prefixes: readonly string[]): Result<TextTest, string> {
  const list = prefixes.map((prefix) => prefix.trim()).filter((prefix) => prefix !== "");
  const table = atOnce(cidrTable(list, true));
  if (!table.ok) return err(`'${list[table.error[0]?.index ?? 0] ?? ""}' is no address`);
  return ok((value) => {
    const address = parseAddress(value);
    return address !== null && table.value.has(address);
  });
}

function addressesOf(name: string, dataFile: DataFile): Result<TextTest, string> {
  const lines = dataFile(name);
  return lines === undefined ? err(`its file '${name}' is not there`) : addressTest(dataLines(lines));
}

/** Lines of a data file, without comments. */
export function dataLines(lines: string): string[] {
  return lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Matches where a byte stands outside of the ranges. */
function byteRangeTest(argument: string): Result<TextTest, string> {
  const allowed = new Uint8Array(256);
  for (const part of argument.split(",")) {
    const [, first, last] = /^\s*(\d{1,3})(?:\s*-\s*(\d{1,3}))?\s*$/.exec(part) ?? [];
    if (first === undefined || Number(last ?? first) > 255) return err(`'${part.trim()}' is no range of bytes`);
    allowed.fill(1, Number(first), Number(last ?? first) + 1);
  }
  const test = (value: string): boolean => other.test(value);
  const escaped = [...allowed.keys()].filter((byte) => allowed[byte] === 1).map((byte) => `\\x${hex(byte)}`);
  const other = new RegExp(`[^${escaped.join("")}]`);
  const isNever = (bytes: CharSet): boolean =>
    isAscii(bytes) && allowed.every((isAllowed, byte) => isAllowed === 1 || !contains(bytes, byte));
  return ok(Object.assign(test, { isNever }));
}

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");

const isAscii = (bytes: CharSet): boolean => (bytes.at(-1) ?? 0) <= 0x7f;

function isNotUtf8(value: string): boolean {
  return HIGH.test(value) && !isUtf8(Buffer.from(value, "latin1"));
}

const HIGH = /[\x80-\xff]/;
const BAD_PERCENT = /%(?![0-9A-Fa-f]{2})/;

function hasBadPercent(value: string): boolean {
  return BAD_PERCENT.test(value);
}
