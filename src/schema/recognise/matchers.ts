import { CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from "../../bodies/json-bytes.ts";
import type { Check } from "../judge/run.ts";
import type { Pattern } from "../pattern/index.ts";
import type { Numeric } from "../subschema.ts";
import { type Cursor, Literal } from "./cursor.ts";

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
    if (cursor.byte !== QUOTE || !cursor.readString()) return false;
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
  const literal = new Literal(word);
  return (cursor) => cursor.takes(literal);
}

export interface ListRules {
  readonly min: number;
  readonly max: number;
  readonly prefix: readonly Slot[];
  readonly rest: Slot;
}

export function listMatcher({ min, max, prefix, rest }: ListRules): Matcher {
  return (cursor) => {
    let count = 0;
    const left = cursor.goOn();
    if (left !== null) count = left.count;
    else {
      if (cursor.byte !== OPEN_BRACKET || !cursor.open()) return false;
      if (cursor.skipBlanks() === CLOSE_BRACKET) {
        cursor.close();
        return min <= 0;
      }
    }
    for (;;) {
      if (cursor.at >= cursor.stop) return cursor.leave({ ...NO_MEMBERS, count });
      if (count >= max) return false;
      if (!(prefix[count] ?? rest).match(cursor)) return cursor.isPaused && cursor.leave({ ...NO_MEMBERS, count });
      count++;
      const code = cursor.skipBlanks();
      if (code === CLOSE_BRACKET) break;
      if (code !== COMMA) return false;
      cursor.at++;
      cursor.skipBlanks();
    }
    cursor.close();
    return count >= min;
  };
}

/** Of a list that is left. */
const NO_MEMBERS = { opening: OPEN_BRACKET, seen: 0, alsoSeen: null, required: 0, next: 0, within: -1 };

export interface MemberRules {
  readonly min: number;
  readonly max: number;
  readonly members: readonly { readonly name: string; readonly slot: Slot; readonly isRequired: boolean }[];
}

class Member {
  readonly at: number;
  readonly slot: Slot;
  readonly isRequired: boolean;
  /** The name in its quotes with the colon, as it comes first and behind another; null where it cannot be written without escapes. */
  readonly first: Literal | null;
  readonly further: Literal | null;

  constructor(at: number, name: string, slot: Slot, isRequired: boolean) {
    this.at = at;
    this.slot = slot;
    this.isRequired = isRequired;
    this.first = literalName("", name);
    this.further = literalName(",", name);
  }
}

/** So many names that were seen fit into one number. */
const BITS = 31;

/** Takes declared members only, each once. Most clients write them in one order and without blanks, which is tried first. */
export function objectMatcher({ min, max, members }: MemberRules): Matcher {
  const list: readonly Member[] = members.map(
    ({ name, slot, isRequired }, at) => new Member(at, name, slot, isRequired),
  );
  const byName = new Map(members.map(({ name }, at) => [name, list[at]]));
  const requiredCount = members.filter(({ isRequired }) => isRequired).length;
  const opening = OPEN_BRACE;
  return (cursor) => {
    let seen = 0;
    let alsoSeen = list.length > BITS ? new Set<number>() : null;
    let count = 0;
    let required = 0;
    let next = 0;
    let member: Member | undefined;
    const left = cursor.goOn();
    if (left !== null) {
      ({ seen, alsoSeen, count, required, next } = left);
      member = list[left.within];
    } else if (cursor.byte !== OPEN_BRACE || !cursor.open()) return false;
    for (;;) {
      if (member === undefined) {
        if (cursor.at >= cursor.stop)
          return cursor.leave({ opening, seen, alsoSeen, count, required, next, within: -1 });
        member = usual(cursor, list, next, count);
        if (member === undefined) {
          if (cursor.skipBlanks() === CLOSE_BRACE) break;
          member = unusual(cursor, byName, count);
          if (member === undefined) return false;
        }
        if (alsoSeen === null) {
          const bit = 1 << member.at;
          if ((seen & bit) !== 0) return false;
          seen |= bit;
        } else if (alsoSeen.size === alsoSeen.add(member.at).size) return false;
        cursor.skipBlanks();
      }
      if (!member.slot.match(cursor))
        return cursor.isPaused && cursor.leave({ opening, seen, alsoSeen, count, required, next, within: member.at });
      count++;
      if (member.isRequired) required++;
      next = member.at + 1;
      member = undefined;
    }
    cursor.close();
    return required === requiredCount && count >= min && count <= max;
  };
}

/** The next member, or one behind it, up to the colon. */
function usual(cursor: Cursor, list: readonly Member[], next: number, count: number): Member | undefined {
  for (let at = next; at < list.length; at++) {
    const member = list[at] as Member;
    const literal = count === 0 ? member.first : member.further;
    if (literal !== null && cursor.takes(literal)) return member;
  }
  return undefined;
}

/** Any member, however it is written, up to the colon. */
function unusual(cursor: Cursor, byName: ReadonlyMap<string, Member | undefined>, count: number): Member | undefined {
  if (count > 0) {
    if (cursor.byte !== COMMA) return undefined;
    cursor.at++;
  }
  if (cursor.skipBlanks() !== QUOTE || !cursor.readString()) return undefined;
  const member = byName.get(cursor.text);
  if (cursor.skipBlanks() !== COLON) return undefined;
  cursor.at++;
  return member;
}

function literalName(before: string, name: string): Literal | null {
  const quoted = `"${name}"`;
  return name.isWellFormed() && JSON.stringify(name) === quoted ? new Literal(`${before}${quoted}:`) : null;
}
