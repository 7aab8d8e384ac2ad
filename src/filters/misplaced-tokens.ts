import { cookieNames } from "../message/cookies.ts";
import type { Exchange } from "../message/exchange.ts";
import { queryNames } from "../message/query.ts";
import { readOffer } from "../message/sub-protocols.ts";
import { excerpt } from "../support/excerpt.ts";
import { bareName, type CredentialSource } from "./credential-source.ts";

/**
 * Where a request has what looks like a token, though it is looked for in `wanted`: by names alone. For the log; names are the
 * client's own, values are not shown.
 */
export function misplacedTokens({ headers, target, upgrade }: Exchange, wanted: readonly CredentialSource[]): string[] {
  const own = (kind: CredentialSource["kind"]): readonly string[] =>
    wanted.filter((source) => source.kind === kind).map(({ words }) => words.replace(/^.* /, ""));
  const named = (["header", "cookie", "query"] as const).flatMap(own);
  // RFC 6750 section 2.3 has the one name that tokens have elsewhere.
  const alike = new Set(["accesstoken", ...named.map(bareName)]);
  const found: string[] = [];
  const look = (kind: CredentialSource["kind"], what: string, names: readonly string[]): void => {
    const read = own(kind);
    for (const name of names) {
      if (!alike.has(bareName(name)) || read.includes(name)) continue;
      found.push(`a token in the ${what} '${excerpt(name, 64)}'`);
    }
  };
  look(
    "header",
    "header",
    headers.names.filter((name) => name !== "authorization"),
  );
  look("query", "query parameter", queryNames(target.query));
  look("cookie", "cookie", cookieNames(headers));
  if (own("scheme").length === 0 && /^(?:bearer|dpop) /i.test(headers.get("authorization") ?? "")) {
    found.push("a token in Authorization");
  }
  if (own("websocketProtocol").length === 0 && upgrade !== null && readOffer(headers) !== null) {
    found.push("a token in Sec-WebSocket-Protocol");
  }
  const places = wanted.map(({ words }) => words).join(" or ");
  return [...new Set(found)].slice(0, 3).map((text) => `${text}, expected ${places}`);
}
