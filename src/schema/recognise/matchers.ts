import { CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from "../../bodies/json-bytes.ts";
import type { Check } from "../judge/run.ts";
import type { Pattern } from "../pattern/index.ts";
import type { Numeric } from "../subschema.ts";
import type { Cursor } from "./cursor.ts";

/** Takes a value that fits, whose first byte is the next one; false where that is not certain. */
export type Matcher = (cursor: Cursor) => boolean;

/** A matcher that may still have to be made. */
export interface Slot {
  match: Matcher;
}

export interface TextLimits {
  readonly min: number;
  readonly max: number;
  readonly pattern: Pattern | null;
}

/** `check`: of what else the schema says; null for nothing. */
export function textMatcher({ min, max, pattern }: TextLimits, check: Check<string> | null): Matcher {
  return (cursor) => {
    if (cursor.bytes[cursor.at] !== QUOTE || !cursor.readString()) return false;
    const { codePoints } = cursor;
    if (codePoints < min || codePoints > max || (pattern !== null && !cursor.matches(pattern))) return false;
    return check === null || check(cursor.text, cursor.run);
  };
}

/** A number of which no more is said. */
export function boundedMatcher(min: number, max: number, isWhole: boolean): Matcher {
  return (cursor) => cursor.takesNumber(min, max, isWhole);
}

export function numberMatcher(check: Check<Numeric>): Matcher {
  return (cursor) => {
    const value = cursor.readNumber();
    return value !== null && check(value, cursor.run);
  };
}

/** One of the words that stand for themselves. */
export function wordMatcher(word: "true" | "false" | "null"): Matcher {
  const bytes = Buffer.from(word);
  return (cursor) => cursor.takes(bytes);
}

export interface ListRules {
  readonly min: number;
  readonly max: number;
  readonly prefix: readonly Slot[];
  readonly rest: Slot;
}

export function listMatcher({ min, max, prefix, rest }: ListRules): Matcher {
  return (cursor) => {
    if (cursor.bytes[cursor.at] !== OPEN_BRACKET || !cursor.open()) return false;
    let count = 0;
    let code = cursor.skipBlanks();
    while (code !== CLOSE_BRACKET || count > 0) {
      if (count >= max || !(prefix[count] ?? rest).match(cursor)) return false;
      count++;
      code = cursor.skipBlanks();
      if (code === CLOSE_BRACKET) break;
      if (code !== COMMA) return false;
      cursor.at++;
      cursor.skipBlanks();
    }
    cursor.close();
    return count >= min;
  };
}

export interface MemberRules {
  readonly min: number;
  readonly max: number;
  readonly members: readonly { readonly name: string; readonly slot: Slot; readonly isRequired: boolean }[];
}

interface Member {
  readonly at: number;
  /** The name in its quotes; null where it cannot be written without escapes. */
  readonly quoted: Buffer | null;
  readonly slot: Slot;
  readonly isRequired: boolean;
}

/** So many names that were seen fit into one number. */
const BITS = 31;

/** Takes declared members only, each once. Most clients write them in one order, which is tried first. */
export function objectMatcher({ min, max, members }: MemberRules): Matcher {
  const list: readonly Member[] = members.map(({ name, ...rest }, at) => ({ ...rest, at, quoted: quotedName(name) }));
  const byName = new Map(members.map(({ name }, at) => [name, list[at]]));
  const requiredCount = members.filter(({ isRequired }) => isRequired).length;
  const find = (cursor: Cursor, next: number): Member | undefined => {
    const expected = list[next];
    if (expected !== undefined && expected.quoted !== null && cursor.takes(expected.quoted)) return expected;
    return cursor.bytes[cursor.at] === QUOTE && cursor.readString() ? byName.get(cursor.text) : undefined;
  };
  return (cursor) => {
    if (cursor.bytes[cursor.at] !== OPEN_BRACE || !cursor.open()) return false;
    let seen = 0;
    const alsoSeen = list.length > BITS ? new Set<Member>() : null;
    let count = 0;
    let required = 0;
    let next = 0;
    while (cursor.skipBlanks() !== CLOSE_BRACE || count > 0) {
      const member = find(cursor, next);
      if (member === undefined) return false;
      if (alsoSeen === null) {
        const bit = 1 << member.at;
        if ((seen & bit) !== 0) return false;
        seen |= bit;
      } else if (alsoSeen.size === alsoSeen.add(member).size) return false;
      if (cursor.skipBlanks() !== COLON) return false;
      cursor.at++;
      cursor.skipBlanks();
      if (!member.slot.match(cursor)) return false;
      count++;
      if (member.isRequired) required++;
      next = member.at + 1;
      const code = cursor.skipBlanks();
      if (code === CLOSE_BRACE) break;
      if (code !== COMMA) return false;
      cursor.at++;
    }
    cursor.close();
    return required === requiredCount && count >= min && count <= max;
  };
}

function quotedName(name: string): Buffer | null {
  const quoted = `"${name}"`;
  return name.isWellFormed() && JSON.stringify(name) === quoted ? Buffer.from(quoted) : null;
}
