import { Denial } from "../decision/verdict.ts";
import { hostName } from "../http1/head.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import { Exchange } from "../message/exchange.ts";
import { keptTarget } from "../message/kept-target.ts";
import type { ServerRequest } from "../message/stream.ts";
import { NO_TARGET } from "../message/target.ts";

export interface Received {
  readonly exchange: Exchange;
  /** Why its target has no single reading; null where it has one. */
  readonly fault: Denial | null;
}

/** A request as its connection framed it → what is judged. `keepsInPaths`: of the policy, of `KEPT`. */
export function receive(request: ServerRequest, facts: ConnectionFacts, keepsInPaths: number): Received {
  const { method, authority, headers, body, upgrade } = request;
  const target = keptTarget(request.target, keepsInPaths);
  const canonical = target.ok ? target.value.target : NO_TARGET;
  const exchange = new Exchange(facts, method, canonical, hostName(authority), authority, headers, body);
  exchange.receivedTarget = request.target;
  if (upgrade !== null) exchange.upgrade = upgrade;
  if (!target.ok) {
    return { exchange, fault: new Denial("target_ambiguous", null, target.error.seen, target.error.wanted) };
  }
  exchange.oddity = target.value.oddity;
  return { exchange, fault: null };
}
