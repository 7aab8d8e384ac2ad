import { canonicalName, HOP_BY_HOP, isNeverForwarded } from "../../message/reserved-names.ts";
import { DEFAULTS } from "../../support/defaults.ts";

/** Names that `setHeaders` may not have, because postern writes them itself. */
export function isReserved(name: string): boolean {
  const canonical = canonicalName(name);
  return (
    HOP_BY_HOP.has(canonical) ||
    canonical === "host" ||
    canonical === "forwarded" ||
    canonical.startsWith("x-postern-") ||
    canonical.startsWith("x-forwarded-")
  );
}

/** What becomes of a client's header, whatever the route: forwarded, dropped, or to be looked at by its other spelling. */
const PASS = 0;
export const DROP = 1;
export const RESPELLED = 2;
export type HeaderFate = typeof PASS | typeof DROP | typeof RESPELLED;

function judge(name: string): HeaderFate {
  const canonical = canonicalName(name);
  if (isNeverForwarded(canonical)) return DROP;
  return canonical === name ? PASS : RESPELLED;
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
