import type { Exchange } from "../../message/exchange.ts";
import type { Limit } from "../filter.ts";

/** Whether a limit may let the request wait: what is only tried out delays nobody. */
export function mayDelay({ enforcePercent, key }: Limit, exchange: Exchange, template: string): boolean {
  if (enforcePercent >= 100) return true;
  const share = key?.share(exchange, template) ?? null;
  return share !== null && share * 100 < enforcePercent;
}
