import type { Exchange } from "../../message/exchange.ts";
import { excerpt } from "../../support/excerpt.ts";
import type { KeyPart } from "./schema.ts";

/** For the log: never the value of a header, which may be a credential. */
export function describeKey(key: readonly KeyPart[], exchange: Exchange, routeTemplate: string): string {
  const address = `client.address ${exchange.clientAddress.text}`;
  return key
    .map((part) => {
      if (part.kind === "header") {
        return `request.headers["${part.name}"] ${exchange.headers.get(part.name) === undefined ? "(absent)" : "(present)"}`;
      }
      if (part.kind === "route") return `route ${routeTemplate}`;
      if (part.kind === "client.address") return address;
      return exchange.principal === null || exchange.principal.type === "anonymous"
        ? `anonymous ${address}`
        : `principal ${excerpt(exchange.principal.key, 128)}`;
    })
    .join(", ");
}

/** The key as text, the same in every process and no other key's. IPv6 counts by its /64, who is nobody by the address. */
export function keyText(key: readonly KeyPart[], exchange: Exchange, routeTemplate: string): string {
  return JSON.stringify(
    key.map((part) => {
      if (part.kind === "header")
        return exchange.headers.names.flatMap((name, at) => (name === part.name ? [exchange.headers.values[at]] : []));
      if (part.kind === "route") return routeTemplate;
      const { principal, clientAddress } = exchange;
      if (part.kind === "principal" && principal !== null && principal.type !== "anonymous")
        return { principal: principal.key };
      return clientAddress.family === 4 ? clientAddress.w0 : [clientAddress.w0, clientAddress.w1];
    }),
  );
}
