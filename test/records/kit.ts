import type { DecisionFacts } from "../../src/records/decision-facts.ts";
import { DecisionLine } from "../../src/records/decision-line.ts";

/** Facts of a request that was allowed, and whatever is other. */
export function factsOf(changes: Partial<DecisionFacts> = {}): DecisionFacts {
  return {
    v: 1,
    id: "abcdefgh-1",
    atMs: Date.UTC(2026, 10, 1, 12),
    listener: "inbound",
    client: "192.0.2.7",
    protocol: "http/1.1",
    secure: false,
    method: "GET",
    host: "localhost",
    path: "/orders/1",
    query: [],
    headers: ["host", "accept: */*"],
    route: "/orders/{id}",
    place: "policy.yaml:9:5",
    version: null,
    principal: null,
    certificate: null,
    requestBytes: 0,
    responseBytes: 12,
    verdict: "allow",
    reason: null,
    denial: null,
    audited: [],
    status: 200,
    decisionUs: 20.5,
    upstreamMs: 1.5,
    durationMs: 2.25,
    policyHash: "0123456789abcdef",
    ...changes,
  };
}

/** The same, as subscribers get them. */
export function lineOf(changes: Partial<DecisionFacts> = {}): DecisionLine {
  const facts = factsOf(changes);
  const bytes = Buffer.from(JSON.stringify(facts));
  return new DecisionLine(facts.id, facts.reason, facts.verdict, bytes, bytes.length);
}
