import type { CallAnswer, CallRequest } from "../../calls/call.ts";
import type { JsonObject } from "../../support/json.ts";
import type { Result } from "../../support/result.ts";

/** What was said of a token that is not good. */
export interface Inactive {
  /** In words, for the log; without the token. */
  readonly inactive: string;
}

/** What the provider says of a token: its members, named as claims are, or that it is not good. */
export type Introspected = { readonly claims: JsonObject } | Inactive;

/** How a provider is asked about a token, and what its answer means. */
export interface Protocol {
  /** An error says why nothing can be asked, without anything secret. */
  question(token: string): Promise<Result<CallRequest, string>>;
  /** An error: the answer is none, in words. Statuses other than 2xx come here too. */
  read(answer: CallAnswer, token: string): Result<Introspected, string>;
}

/** Whether an answer says that it is JSON. */
export function saysJson({ headers }: CallAnswer): boolean {
  return (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() === "application/json";
}
