import type { LimitPolicy, LimitScope } from "../../message/limit-state.ts";
import type { LimitContext } from "../filter.ts";
import type { Share } from "./share.ts";

/** What clients are told of a limit; null with a problem where its name cannot stand in a header. */
export function limitPolicy(
  facts: Pick<LimitPolicy, "name" | "quota" | "windowSeconds" | "unit" | "scope">,
  context: LimitContext,
): LimitPolicy | null {
  // It stands between quotes in the RateLimit fields (RFC 9651 section 3.3.3).
  if (/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(facts.name)) return { ...facts, fields: context.fields };
  context.problem(`the name '${facts.name}' stands in a response header; expected visible ASCII without quotes`);
  return null;
}

/** Who counts together, for `explain` and for clients. */
export function countedBy(hasStore: boolean, share: Share | null): { readonly scope: LimitScope; readonly by: string } {
  if (hasStore) return { scope: "replicas", by: "all replicas together" };
  return { scope: share === null ? "process" : "replicas", by: "this process" };
}
