import { clientOf } from "../message/address.ts";
import type { Exchange } from "../message/exchange.ts";
import type { ReplayWindow, Spent } from "./replay-window.ts";

/**
 * The moment at which the proofs of this request are judged. A stream that lasts is judged again by a later policy: what it
 * proved when it began stays proven.
 */
export function judgedAtMs(exchange: Exchange, nowMs: number): number {
  return exchange.proofs?.atMs ?? nowMs;
}

/** Whether the request has shown this proof before any other has; what it has spent itself is no replay of its own. */
export function spend(exchange: Exchange, window: ReplayWindow, key: string, untilMs: number, nowMs: number): Spent {
  if (exchange.proofs?.keys.includes(key)) return "new";
  const spent = window.spend(key, untilMs, nowMs, clientOf(exchange.clientAddress));
  if (spent !== "new") return spent;
  exchange.proofs = { atMs: judgedAtMs(exchange, nowMs), keys: [...(exchange.proofs?.keys ?? []), key] };
  return spent;
}
