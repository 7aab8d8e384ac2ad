import type { CallShape } from "../bodies/call-shape.ts";
import { REASONS, type Reason } from "../decision/reason.ts";
import { type Denial, EndDenial, LimitDenial } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import { HeaderBlock } from "../message/headers.ts";
import type { LimitState } from "../message/limit-state.ts";
import type { RewriteResponse, Route } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import { reasonPhrase } from "../support/http-status.ts";
import { callDenial, calledAs } from "./call-denial.ts";
import { GRAPHQL_RESPONSE, graphqlErrors, isForGraphql, readsGraphql } from "./graphql.ts";
import { callsJsonRpc, jsonRpcErrors } from "./json-rpc.ts";
import { limitLines, singleFields } from "./limit-fields.ts";
import type { OwnAnswer } from "./own-page.ts";
import { PROBLEM_TYPES } from "./problem-types.ts";

/** An answer of postern's own before it is framed. */
export interface OwnResponse {
  readonly status: number;
  readonly lines: string;
  readonly body: Buffer;
}

export interface DenialResponse extends OwnResponse {
  /** Of an answer to a call, whose `status` is 200 or what Connect has for it; null for any other. */
  readonly grpcStatus: number | null;
}

/** Everything of a problem document that the reason decides (RFC 9457), up to the decision's id. */
const PROBLEMS: Readonly<Record<Reason, string>> = Object.fromEntries(
  Object.entries(REASONS).map(([reason, { status, text }]) => {
    const kind = PROBLEM_TYPES[reason as Reason] ?? { type: "about:blank", title: reasonPhrase(status) };
    const problem = { ...kind, status, detail: text, reason, id: "" };
    return [reason, JSON.stringify(problem).slice(0, -2)];
  }),
) as Record<Reason, string>;

const PROBLEM_HEADERS = new HeaderBlock(["content-type", "cache-control"], ["application/problem+json", "no-store"]);

const GRAPHQL_HEADERS = new HeaderBlock(["content-type", "cache-control"], [GRAPHQL_RESPONSE, "no-store"]);
const JSON_HEADERS = new HeaderBlock(["content-type", "cache-control"], ["application/json", "no-store"]);

/**
 * The answer to a refused request: status, RFC 9457 problem document, and the header lines that its status asks for. It
 * names the reason and the decision's id; what was seen and what was wanted stay in the log.
 */
function denialResponse(
  denial: Denial,
  id: string,
  rewrite: RewriteResponse,
  secure: boolean,
  rateLimit: LimitState | null,
  wallMs: number,
): DenialResponse {
  const status = REASONS[denial.reason].status;
  const lines = rewrite(PROBLEM_HEADERS, secure) + denialLines(denial, rateLimit, wallMs);
  const { errors } = denial.body;
  if (errors.length === 0) {
    const text = `${PROBLEMS[denial.reason]}${id}"${furtherMembers(denial)}}`;
    return { status, grpcStatus: null, lines, body: Buffer.from(text, "latin1") };
  }
  // Names that the schema declares may be in any script.
  return {
    status,
    grpcStatus: null,
    lines,
    body: Buffer.from(`${PROBLEMS[denial.reason]}${id}","errors":${JSON.stringify(errors)}}`),
  };
}

/** What a denial says beyond its reason, in visible ASCII. */
function furtherMembers(denial: Denial): string {
  if (denial instanceof EndDenial) {
    const members = JSON.stringify(denial.members).slice(1, -1);
    return members === "" ? "" : `,${members}`;
  }
  // A name without quotes and backslashes.
  const violated = denial instanceof LimitDenial ? denial.violated : null;
  return violated === null ? "" : `,"violated-policies":["${violated}"]`;
}

/** The same to a call of gRPC, gRPC-Web or Connect, as its protocol has it. */
function callDenialResponse(
  denial: Denial,
  id: string,
  shape: CallShape,
  rewrite: RewriteResponse,
  secure: boolean,
  rateLimit: LimitState | null,
  wallMs: number,
): DenialResponse {
  const { status, headers, lines, body } = callDenial(denial, id, shape);
  const all = rewrite(headers, secure) + denialLines(denial, rateLimit, wallMs) + lines;
  return { status, grpcStatus: REASONS[denial.reason].grpcStatus, lines: all, body };
}

/** The same to a client that reads GraphQL's answers, or looks for one. */
function graphqlDenialResponse(
  denial: Denial,
  id: string,
  rewrite: RewriteResponse,
  secure: boolean,
  rateLimit: LimitState | null,
  wallMs: number,
  accepts: boolean,
): DenialResponse {
  const { status } = REASONS[denial.reason];
  const headers = accepts ? GRAPHQL_HEADERS : JSON_HEADERS;
  const lines = rewrite(headers, secure) + denialLines(denial, rateLimit, wallMs);
  return { status, grpcStatus: null, lines, body: Buffer.from(graphqlErrors(denial, id)) };
}

/** The same to a client of JSON-RPC. */
function jsonRpcDenialResponse(
  denial: Denial,
  id: string,
  { callIds, connection, rateLimit }: Exchange,
  rewrite: RewriteResponse,
  wallMs: number,
): DenialResponse {
  const { status } = REASONS[denial.reason];
  const lines = rewrite(JSON_HEADERS, connection.secure) + denialLines(denial, rateLimit, wallMs);
  return { status, grpcStatus: null, lines, body: Buffer.from(jsonRpcErrors(denial, id, callIds)) };
}

/** One of them, as the exchange's client understands it. */
export function refusal(
  denial: Denial,
  id: string,
  exchange: Exchange,
  route: Pick<Route, "checks"> | null,
  rewrite: RewriteResponse,
  wallMs: number,
): DenialResponse {
  const response = refusalInForm(denial, id, exchange, route, rewrite, wallMs);
  return exchange.answerLines === "" ? response : { ...response, lines: response.lines + exchange.answerLines };
}

function refusalInForm(
  denial: Denial,
  id: string,
  exchange: Exchange,
  route: Pick<Route, "checks"> | null,
  rewrite: RewriteResponse,
  wallMs: number,
): DenialResponse {
  const { connection, rateLimit } = exchange;
  if (callsJsonRpc(exchange, route)) return jsonRpcDenialResponse(denial, id, exchange, rewrite, wallMs);
  const isGraphql = readsGraphql(exchange);
  if (isGraphql || isForGraphql(denial))
    return graphqlDenialResponse(denial, id, rewrite, connection.secure, rateLimit, wallMs, isGraphql);
  const shape = calledAs(exchange, route);
  if (shape !== null) return callDenialResponse(denial, id, shape, rewrite, connection.secure, rateLimit, wallMs);
  return denialResponse(denial, id, rewrite, connection.secure, rateLimit, wallMs);
}

function denialLines(denial: Denial, rateLimit: LimitState | null, wallMs: number): string {
  let lines = "";
  for (const [name, value] of denial.headers) lines += `${name}: ${value}\r\n`;
  return lines + usualLines(rateLimit, wallMs);
}

/** What every answer of postern's own says. */
function usualLines(rateLimit: LimitState | null, wallMs: number): string {
  const date = `date: ${new Date(wallMs).toUTCString()}\r\n`;
  return rateLimit === null ? date : date + limitLines(rateLimit, wallMs);
}

/** An answer of postern's own that refuses nothing. */
export function ownResponse(
  { headers, body, status }: OwnAnswer,
  { connection, rateLimit, answerLines }: Exchange,
  rewrite: RewriteResponse,
  wallMs: number,
): OwnResponse {
  return { status, lines: rewrite(headers, connection.secure) + usualLines(rateLimit, wallMs) + answerLines, body };
}

/** What of the service's headers may go with what the answer tells of limits. */
export function besideLimits(headers: HeaderBlock, { rateLimit }: Exchange): HeaderBlock {
  return rateLimit === null ? headers : headers.without(singleFields(rateLimit));
}

/** Header lines of an answer, and what it tells of limits and to pages of other origins. */
export function withLines(lines: string, { answerLines, rateLimit }: Exchange, clock: Pick<Clock, "wallMs">): string {
  const own = answerLines === "" ? lines : lines + answerLines;
  return rateLimit === null ? own : own + limitLines(rateLimit, clock.wallMs());
}
