import type { Verdict } from "../../src/decision/verdict.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { parseAddress } from "../../src/message/address.ts";
import { Answer } from "../../src/message/answer.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock, NO_HEADERS } from "../../src/message/headers.ts";
import type { Principal } from "../../src/message/principal.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import { systemClock } from "../../src/support/clock.ts";
import { err, ok } from "../../src/support/result.ts";
import { type Figure, type Lane, medians, time } from "./measure.ts";

const BATCH = 256;
const ROUNDS = 101;
const CALLERS = 10_000;
const ORDERS_MAX = 10_000;

/** What a 2 KB answer of JSON says of its cost, behind all the rest. */
const ANSWER = Buffer.from(JSON.stringify({ text: "x".repeat(2_000), usage: { total_tokens: 3 } }));
const JSON_HEADERS = new HeaderBlock(["content-type"], ["application/json"]);

const POLICY = (limit: string): string => `version: 1
service: bench
listeners: [{ name: inbound, address: 127.0.0.1:1, upstream: app }]
upstreams: { app: { address: 'http://127.0.0.1:2' } }
limits: { it: ${limit} }
routes: [{ path: '/orders/{orderId}', public: true, limit: [it] }]
`;

const BUDGET = "{ budget: 900000000/hour, key: principal, cost: { estimate: 10, response: $.usage.total_tokens } }";
const QUOTA = "{ quota: 900000000/hour, key: principal }";
const GUARD = `{ distinct: { of: path.orderId, per: principal, limit: ${ORDERS_MAX}, window: 1d }, maxBytes: 256MiB }`;

type Judge = (exchange: Exchange) => Verdict | Promise<Verdict>;

/**
 * What quotas, budgets and guards cost a request, of 10,000 callers in turn: one that is counted, an estimate that is reserved and settled, the same with
 * the cost found in an answer of 2 KB, and an object that the caller has asked for before, and a new one.
 */
export async function benchSpending(): Promise<Figure[]> {
  const budget = await compile(BUDGET);
  const quota = await compile(QUOTA);
  const guard = await compile(GUARD);
  let order = 0;
  const lanes: Readonly<Record<string, Spending>> = {
    quota: { orderOf: () => "1", spend: (exchange) => quota(exchange) === null },
    "budget, settled": { orderOf: () => "1", spend: (exchange) => reserveAndSettle(budget, exchange, false) },
    "budget, 2 KB answer": { orderOf: () => "1", spend: (exchange) => reserveAndSettle(budget, exchange, true) },
    "distinct, known": { orderOf: () => "1", spend: (exchange) => guard(exchange) === null },
    "distinct, new": { orderOf: () => String(order++), spend: (exchange) => guard(exchange) === null },
  };
  const ns = medians(Object.fromEntries(Object.entries(lanes).map(([name, one]) => [name, laneOf(one)])), ROUNDS);
  return Object.entries(ns).map(([contestant, each]) => ({ bench: "limit", contestant, size: CALLERS, ns: each }));
}

interface Spending {
  orderOf(): string;
  spend(exchange: Exchange): boolean;
}

let callers = 0;

/** A batch of requests, made before the clock runs. */
function laneOf({ orderOf, spend }: Spending): Lane {
  return () => {
    const exchanges = Array.from({ length: BATCH }, () => exchangeOf(callers++, orderOf()));
    const work = (): number => exchanges.reduce((passed, exchange) => (spend(exchange) ? passed + 1 : passed), 0);
    return time(work, BATCH, BATCH);
  };
}

function reserveAndSettle(judge: Judge, exchange: Exchange, hasAnswer: boolean): boolean {
  if (judge(exchange) !== null) return false;
  const observer = exchange.watchers?.[0]?.watch(new Answer(200, JSON_HEADERS, true));
  if (hasAnswer) observer?.onChunk(ANSWER);
  observer?.onEnd(null);
  exchange.settle({
    status: 200,
    requestBodyBytes: 0,
    responseBodyBytes: 0,
    denied: false,
    callOutcome: "none",
    upstreamMs: 1,
  });
  return true;
}

const principals: readonly Principal[] = Array.from({ length: CALLERS }, (_, at) =>
  Object.freeze({
    authenticator: "okta",
    type: "jwt",
    id: `caller-${at}`,
    key: `okta/caller-${at}`,
    scopes: new Set<string>(),
    claims: {},
    expiresAtMs: Number.POSITIVE_INFINITY,
  }),
);

function exchangeOf(at: number, order: string): Exchange {
  const peer = parseAddress("192.0.2.7");
  if (peer === null) throw new Error("no address");
  const connection = {
    listener: "inbound",
    peer,
    proxyPeer: null,
    protocol: "http/1.1",
    secure: false,
    certificate: null,
  } as const;
  const target = { path: `/orders/${order}`, query: "" };
  const exchange = new Exchange(connection, "GET", target, "bench", "bench", NO_HEADERS, EMPTY_BODY);
  exchange.principal = principals[at % CALLERS] ?? null;
  exchange.params = [order];
  return exchange;
}

async function compile(limit: string): Promise<Judge> {
  const policy = Buffer.from(POLICY(limit));
  const compiled = await compilePolicy("bench.yaml", {
    cwd: "/",
    clock: systemClock,
    rateTables: new RateTables([1, 2], systemClock),
    readFile: (name) => (name === "/bench.yaml" ? ok(policy) : err("does not exist")),
  });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  const check = compiled.value.routeList[0]?.checks[0];
  if (check === undefined) throw new Error("the policy has no limit");
  return (exchange) => check.evaluate(exchange);
}
