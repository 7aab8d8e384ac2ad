import { type CharSet, complement, toSet } from "../../schema/pattern/char-set.ts";
import type { Steps } from "../../support/turns.ts";
import type { RuleSet } from "./rule-set.ts";

/** Signs in the order in which people miss them in a text: what stands first is given back first. */
const MISSED_FIRST = ".,-'()?!:/@\"&+#%_=*;~[]{}<>|^\\$`";
const LAST_CODE_POINT = 0x10ffff;

/**
 * The signs that a field would have to do without so that none of these rules can match in it, as few as go, decided by the rules'
 * own patterns; null where letters and digits are enough for one of them.
 */
export function* signsToClose(rules: RuleSet, ids: readonly number[]): Steps<string | null> {
  let closed = MISSED_FIRST;
  if (yield* canFindAny(rules, ids, without(closed))) return null;
  for (const sign of MISSED_FIRST) {
    const fewer = closed.replace(sign, "");
    if (!(yield* canFindAny(rules, ids, without(fewer)))) closed = fewer;
  }
  return closed;
}

function* canFindAny(rules: RuleSet, ids: readonly number[], alphabet: CharSet): Steps<boolean> {
  for (const id of ids) if (yield* rules.canFind(id, { alphabet, lengthMax: null, isClosed: false })) return true;
  return false;
}

/** All characters but these. */
function without(signs: string): CharSet {
  return complement(toSet([...signs].map((sign) => [sign.charCodeAt(0), sign.charCodeAt(0)])), LAST_CODE_POINT);
}
