import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { parseAddress } from "../../src/message/address.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import type { AnswerFacts } from "../../src/message/taken.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import { systemClock } from "../../src/support/clock.ts";
import { err, ok } from "../../src/support/result.ts";
import { type Figure, medians, type Sample, time } from "./measure.ts";

const BATCH = 512;
const ROUNDS = 101;
const KEYS = 100_000;
const DONE: AnswerFacts = {
  status: 200,
  requestBodyBytes: 0,
  responseBodyBytes: 0,
  callOutcome: "none",
  upstreamMs: 3,
  denied: false,
};

const POLICY = `version: 1
service: bench
listeners: [{ name: inbound, address: 127.0.0.1:8080 }]
upstreams: { app: { address: http://127.0.0.1:3000 } }
limits:
  all: { concurrency: 100000 }
  route: { concurrency: 100000, key: route }
  principal: { concurrency: 1000, key: client.address }
  queued: { concurrency: 1000, key: client.address, queue: {} }
  adaptive: { concurrency: 100000, key: route, adaptive: { min: 10000 } }
routes:
  - { path: /all, public: true, limit: [all] }
  - { path: /route, public: true, limit: [route] }
  - { path: /address, public: true, limit: [principal] }
  - { path: /queued, public: true, limit: [queued] }
  - { path: /adaptive, public: true, limit: [adaptive] }
`;

/** A place taken and given back: of all requests, of a route, of an address beside 100,000 others that have one. */
export async function benchConcurrency(): Promise<Figure[]> {
  const compiled = await compilePolicy("/bench/policy.yaml", {
    readFile: (path) => (path === "/bench/policy.yaml" ? ok(Buffer.from(POLICY)) : err("no such file")),
    clock: systemClock,
    rateTables: new RateTables([1, 2], systemClock, 4096),
  });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  const lanes = compiled.value.routeList.map(({ template, checks }) => {
    const check = checks.find(({ name }) => name === "limit") ?? compiled.value.admitChecks[0];
    if (check === undefined) throw new Error(`no limit on ${template}`);
    const byAddress = template === "/address" || template === "/queued";
    if (byAddress) for (let at = 0; at < KEYS; at++) check.evaluate(exchangeOf(at));
    const asking = Array.from({ length: BATCH }, (_, at) => exchangeOf(byAddress ? at * 97 : at));
    const lane = (): Sample =>
      time(
        () => {
          let passed = 0;
          for (const exchange of asking) {
            if (check.evaluate(exchange) === null) passed++;
            exchange.settle(DONE);
          }
          return passed;
        },
        BATCH,
        BATCH,
      );
    return [template.slice(1), lane] as const;
  });
  const ns = medians(Object.fromEntries(lanes), ROUNDS);
  return Object.entries(ns).map(([contestant, value]) => ({
    bench: "concurrency",
    contestant,
    size: contestant === "address" || contestant === "queued" ? KEYS : 1,
    ns: value,
  }));
}

function exchangeOf(at: number): Exchange {
  const peer = parseAddress(`10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`);
  if (peer === null) throw new Error("no address");
  const connection = {
    listener: "inbound",
    peer,
    proxyPeer: null,
    protocol: "http/1.1",
    secure: false,
    certificate: null,
  } as const;
  const target = { path: "/", query: "" };
  return new Exchange(connection, "GET", target, "localhost", "localhost", new HeaderBlock([], []), EMPTY_BODY);
}
