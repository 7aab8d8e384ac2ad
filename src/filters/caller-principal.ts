import type { Reason } from "../decision/reason.ts";
import type { Place } from "../decision/verdict.ts";
import { Denial } from "../decision/verdict.ts";
import type { Principal } from "../message/principal.ts";
import type { CallerFacts } from "./caller-schema.ts";

/** A caller of a file or of the policy → its principal, once. Third: of the credential, in place of the caller's. */
export function callerPrincipal(
  authenticator: string,
  type: "api-key" | "basic" | "signature",
  caller: CallerFacts,
  expiresAtMs: number,
  { limit = caller.limit, plan = caller.plan }: Pick<CallerFacts, "limit" | "plan"> = caller,
): Principal {
  const { name, scopes, roles, claims } = caller;
  const all = Object.assign(Object.create(null), claims, roles === undefined ? {} : { roles });
  return Object.freeze({
    authenticator,
    type,
    id: name,
    key: `${authenticator}/${name}`,
    scopes: new Set(scopes),
    claims: Object.freeze(all),
    expiresAtMs,
    ...(limit === undefined ? {} : { limit }),
    ...(plan === undefined ? {} : { plan }),
  });
}

/** When a credential is good, Unix milliseconds, both ends included. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Null while the credential is good. */
export function judgeValidity(
  { notBeforeMs, notAfterMs }: Validity,
  reasons: { readonly early: Reason; readonly late: Reason },
  what: string,
  place: Place,
  nowMs: number,
): Denial | null {
  if (nowMs > notAfterMs) {
    return new Denial(reasons.late, place, `${what}, not after ${timeText(notAfterMs)}`, "one that is still valid");
  }
  if (nowMs < notBeforeMs) {
    return new Denial(
      reasons.early,
      place,
      `${what}, not before ${timeText(notBeforeMs)}`,
      "one that is valid already",
    );
  }
  return null;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
