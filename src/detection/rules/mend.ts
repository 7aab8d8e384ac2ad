import { type CharSet, complement, toSet } from "../../schema/pattern/char-set.ts";
import type { Steps } from "../../support/turns.ts";
import type { RuleSet } from "./rule-set.ts";

/** Signs in the order in which people miss them in a text: what stands first is given back first. */
const MISSED_FIRST = ".,-'()?!:/@\"&+#%_=*;~[]{}<>|^\\$`";
const LAST_OF_ASCII = 0x7f;
const LAST_CODE_POINT = 0x10ffff;

/** What a field would have to do without. */
export interface Closing {
  readonly signs: string;
  /** And without all letters beyond ASCII, of which transformations make others. */
  readonly isAscii: boolean;
}

/**
 * What a field would have to do without so that none of these rules can match in it, as little as goes, decided by the rules' own
 * patterns; null where letters and digits are enough for one of them, and where none of them finds anything whatever there is.
 */
export function* closingOf(rules: RuleSet, ids: readonly number[]): Steps<Closing | null> {
  for (const isAscii of [false, true]) {
    let signs = MISSED_FIRST;
    if (yield* canFindAny(rules, ids, without(signs, isAscii))) continue;
    for (const sign of MISSED_FIRST) {
      const fewer = signs.replace(sign, "");
      if (!(yield* canFindAny(rules, ids, without(fewer, isAscii)))) signs = fewer;
    }
    return signs === "" && !isAscii ? null : { signs, isAscii };
  }
  return null;
}

function* canFindAny(rules: RuleSet, ids: readonly number[], alphabet: CharSet): Steps<boolean> {
  for (const id of ids) if (yield* rules.canFind(id, { alphabet, lengthMax: null, isClosed: false })) return true;
  return false;
}

/** All characters but these. */
function without(signs: string, isAscii: boolean): CharSet {
  const out = toSet([...signs].map((sign) => [sign.charCodeAt(0), sign.charCodeAt(0)]));
  return complement(out, isAscii ? LAST_OF_ASCII : LAST_CODE_POINT);
}
