import type { Denial } from "../../src/decision/verdict.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import type { Principal } from "../../src/message/principal.ts";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import type { FinishedRequest } from "../../src/records/make-facts.ts";
import { createExchange, type RequestOptions } from "../fixtures/route-context.ts";

/** A request that is over, and whatever is other: answered by the service if nothing else is said. */
export function finishedOf(
  options: RequestOptions = {},
  changes: Partial<FinishedRequest> = {},
  alter: (exchange: Exchange) => void = () => {},
): FinishedRequest {
  const exchange = createExchange(options);
  alter(exchange);
  return {
    id: "abcdefgh-1",
    listener: "inbound",
    route: "unmatched",
    protocol: "http/1.1",
    policyHash: "0123456789abcdef",
    exchange,
    clientAddress: "192.0.2.7",
    status: 200,
    grpcStatus: null,
    reason: null,
    denial: null,
    decisionMs: 0.1,
    upstreamMs: 1,
    durationMs: 2,
    requestBodyBytes: 0,
    responseBodyBytes: 2,
    denied: false,
    ...changes,
  };
}

/** The policy refused it. */
export function refusal(denial: Denial): Partial<FinishedRequest> {
  return { status: 403, reason: denial.reason, denial, denied: true, upstreamMs: -1 };
}

/** The service has nothing there. */
export const MISSING: Partial<FinishedRequest> = { status: 404 };

export function callerOf(id: string, changes: Partial<Principal> = {}): Principal {
  return {
    authenticator: "partners",
    type: "api-key",
    id,
    key: `partners/${id}`,
    scopes: new Set(),
    claims: {},
    expiresAtMs: Number.POSITIVE_INFINITY,
    ...changes,
  };
}

/** Tells the policy's inventory of a request that the route with this template took; none: `unmatched`. */
export function note(snapshot: Snapshot, template: string | null, finished: FinishedRequest): void {
  const { method } = finished.exchange;
  const route = snapshot.routeList.find((one) => {
    return one.template === template && (one.methods.length === 0 || one.methods.includes(method));
  });
  if (template !== null && route === undefined) throw new Error(`no route ${method} ${template}`);
  snapshot.records?.note(finished, route?.place ?? null, null);
}

export interface Row {
  readonly status: string;
  readonly method: string;
  readonly path: string;
  readonly requests: number;
  readonly findings: readonly string[];
  readonly exposure: string;
  readonly threat: string;
  readonly callers: readonly { readonly caller: string; readonly requests: number; readonly weak: readonly string[] }[];
  readonly sensitive: readonly unknown[];
  readonly [name: string]: unknown;
}

/** What the admin port answers to a query. */
export async function asked(snapshot: Snapshot, query = ""): Promise<Record<string, unknown>> {
  const room = snapshot.records?.rooms.find(({ path }) => path === "/inventory");
  const answer = await room?.show(new URLSearchParams(query));
  if (answer?.ok !== true) throw new Error(answer?.error.text ?? "no inventory");
  return answer.value;
}

export async function rowsOf(snapshot: Snapshot): Promise<readonly Row[]> {
  return (await asked(snapshot))["operations"] as readonly Row[];
}

/** `used GET /orders/{id} 3`, one for each. */
export async function linesOf(snapshot: Snapshot): Promise<readonly string[]> {
  const rows = await rowsOf(snapshot);
  return rows.map(({ status, method, path, requests }) => `${status} ${method} ${path} ${requests}`);
}
