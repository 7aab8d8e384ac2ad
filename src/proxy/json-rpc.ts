import { REASONS, type Reason } from "../decision/reason.ts";
import type { Denial } from "../decision/verdict.ts";
import type { CallIds, Exchange } from "../message/exchange.ts";
import type { Route } from "../policy/snapshot.ts";

/** Codes that JSON-RPC 2.0 section 5.1 gives a meaning; all other refusals have one of a server's own. */
const CODES: Partial<Record<Reason, number>> = {
  jsonrpc_invalid: -32600,
  jsonrpc_method_denied: -32601,
  body_schema_mismatch: -32602,
  internal_error: -32603,
};
const NOT_JSON = -32700;
const OTHER = -32000;

/** Whether the client looks for refusals among answers to its calls. */
export function callsJsonRpc({ method }: Exchange, route: Pick<Route, "checks"> | null): boolean {
  return method === "POST" && (route?.checks.some(({ refusals }) => refusals === "jsonrpc") ?? false);
}

/**
 * A refusal as an answer to each call of the body that asks for one, or to none where the body was not read as calls
 * (JSON-RPC 2.0 sections 5 and 6). Of a list no call has reached the service.
 */
export function jsonRpcErrors(denial: Denial, id: string, calls: CallIds | null): string {
  const { reason, body } = denial;
  const { status, text } = REASONS[reason];
  const code = calls?.isJson === false && reason === "jsonrpc_invalid" ? NOT_JSON : (CODES[reason] ?? OTHER);
  // A list's error is repeated for each of its calls.
  const shown = calls?.isBatch === true ? body.errors.slice(0, 1) : body.errors;
  const errors = shown.length === 0 ? {} : { errors: shown };
  const error = JSON.stringify({ code, message: text, data: { reason, status, id, ...errors } });
  const answers = (calls?.ids ?? []).map((one) => answerOf(one, error));
  return calls?.isBatch === true && answers.length > 0
    ? `[${answers.join(",")}]`
    : (answers[0] ?? answerOf("null", error));
}

function answerOf(id: string, error: string): string {
  return `{"jsonrpc":"2.0","error":${error},"id":${id}}`;
}
