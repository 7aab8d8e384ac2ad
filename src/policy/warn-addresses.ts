import { isLoopback } from "./addresses.ts";
import { lineWords } from "./problems.ts";
import type { Work } from "./work.ts";

/**
 * Warns of limits and bans by client address behind listeners that say nothing of proxies: behind a load balancer, all its clients
 * are one address and share one count. An empty `trustedProxies` says that there is none.
 */
export function warnAddressLimits({ reader, warnings, listeners }: Work): void {
  const open = listeners.find(
    ({ address, proxyProtocol, place }) =>
      address.type === "tcp" &&
      !isLoopback(address.host) &&
      proxyProtocol === null &&
      reader.raw(["listeners", listenerIndex(place.path), "trustedProxies"]) === undefined,
  );
  if (open === undefined) return;
  for (const [section, what] of [
    ["limits", "count as one address"],
    ["bans", "are banned as one address"],
  ] as const) {
    for (const name of reader.names([section])) {
      const path = [section, name, "key"];
      const key = reader.raw(path);
      if (key !== "client.address" && !(Array.isArray(key) && key.includes("client.address"))) continue;
      const at = reader.document.place(path);
      const text =
        `listener '${open.name}' (${lineWords(open.place, at)}) names no trustedProxies, so behind a load balancer all clients ` +
        `${what}; expected its networks there, or [] where clients connect themselves`;
      warnings.add("client_address_shared", at, text);
    }
  }
}

/** `listeners[2]` → 2. */
function listenerIndex(path: string): number {
  return Number(/\[(\d+)\]/.exec(path)?.[1]);
}
