import type { Reason } from "../decision/reason.ts";
import { Denial } from "../decision/verdict.ts";
import type { AssumedIdentity } from "../message/exchange.ts";
import type { Snapshot } from "../policy/snapshot.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { nearest } from "../support/schema.ts";

/** What authenticators say of a name that is none of their callers'. */
const UNKNOWN: ReadonlySet<Reason> = new Set(["api_key_unknown", "password_wrong", "proof_key_unknown"]);

/**
 * What is wrong with a supposed caller whom no authenticator of the policy knows, as by a slip of the pen: it is denied everything, and
 * a test that wants that would tell nothing. Null where somebody knows it. The text may be a whole key, and is not repeated.
 */
export function unknownCaller(identity: AssumedIdentity, { authenticators }: Snapshot): string | null {
  let seen = `no authenticator that takes '${identity.type}'`;
  const known: string[] = [];
  for (const authenticator of authenticators.values()) {
    const answer = authenticator.assume(identity);
    if (answer === null) continue;
    if (!(answer instanceof Denial && UNKNOWN.has(answer.reason))) return null;
    seen = answer.seen;
    for (const { id } of authenticator.callers?.() ?? []) {
      if (known.length >= DEFAULTS.callersSeenMax) break;
      known.push(id);
    }
  }
  const name = "caller" in identity ? identity.caller : "user" in identity ? identity.user : "";
  const near = nearest(name, known);
  return near === undefined ? seen : `${seen}; did you mean '${near}'?`;
}
