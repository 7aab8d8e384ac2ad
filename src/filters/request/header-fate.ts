import { canonicalName, isPlainName, isReserved } from "../../message/reserved-names.ts";
import { trustedRow } from "../../message/trusted-headers.ts";
import { DEFAULTS } from "../../support/defaults.ts";

/** What becomes of a client's header where no policy says anything of it. */
export const PASSES = 0;
/** Comes off unless the policy names it. */
export const WITHHELD = 1;
/** Never passes: postern writes it or answers it itself. */
export const RESERVED = 2;
export type HeaderFate = typeof PASSES | typeof WITHHELD | typeof RESERVED;

/**
 * Servers turn names into variables, each in its own way; what is more than letters, digits and dashes could become
 * another header on the way (SCRIPT_NAME, X.Env). Of the others, those that somebody is known to trust come off.
 */
function judge(name: string): HeaderFate {
  const canonical = canonicalName(name);
  if (isReserved(canonical)) return RESERVED;
  return isPlainName(name) && trustedRow(canonical) === null ? PASSES : WITHHELD;
}

const remembered = new Map<string, HeaderFate>();

/**
 * The fate of `name` (lower case). Names are remembered, so that it is one look-up; a client that sends ever new ones
 * empties the memory now and then and slows nobody but itself.
 */
export function fateOf(name: string): HeaderFate {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const fate = judge(name);
  if (name.length <= DEFAULTS.headerNameBytesMax) {
    if (remembered.size >= DEFAULTS.headerNamesRememberedMax) remembered.clear();
    // A copy: a name cut out of a head would keep the whole head in memory.
    remembered.set(Buffer.from(name, "latin1").toString("latin1"), fate);
  }
  return fate;
}
