import { REASONS } from "../decision/reason.ts";
import type { Denial } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";

export const GRAPHQL_RESPONSE = "application/graphql-response+json";

/** With a weight that is not zero, as `;q=0.0` is. */
const ACCEPTED = /(?:^|,)\s*application\/graphql-response\+json\s*(?:;(?!\s*q=0(?:\.0*)?\s*(?:[,;]|$))[^,]*)?(?:,|$)/i;

/** Whether the client reads GraphQL's own answers, so that a refusal may be one (GraphQL over HTTP, section 6.4). */
export function readsGraphql({ headers }: Exchange): boolean {
  return ACCEPTED.test(headers.list("accept") ?? "");
}

/** A client that may send a hash alone looks for this answer in `errors`, whatever it accepts. */
export function isForGraphql({ reason }: Pick<Denial, "reason">): boolean {
  return reason === "graphql_persisted_unknown";
}

/**
 * The members of a refusal that a GraphQL client understands: no data, and errors with a text and what stands in a problem
 * document besides.
 */
export function graphqlErrors({ reason, body }: Denial, id: string): string {
  const { status, text } = REASONS[reason];
  const code = isForGraphql({ reason }) ? "PERSISTED_QUERY_NOT_FOUND" : reason.toUpperCase();
  const extensions = { code, reason, status, id };
  const details = isForGraphql({ reason }) ? [] : body.errors;
  const errors =
    details.length === 0
      ? [{ message: text, extensions }]
      : details.map((error) => ({
          message: `${text.slice(0, -1)}: ${error.detail}`,
          extensions: { ...extensions, ...error },
        }));
  return JSON.stringify({ errors });
}
