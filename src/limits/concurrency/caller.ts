import { clientKey } from "../../message/address.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Caller } from "./fair-queue.ts";

/** Whose turn a request takes where several wait: its principal's, or that of its address. */
export function callerOf({ principal, clientAddress }: Exchange): Caller {
  return principal === null || principal.type === "anonymous" ? clientKey(clientAddress) : principal.key;
}
