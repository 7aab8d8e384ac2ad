import { cookieValues } from "../message/cookies.ts";
import type { Exchange } from "../message/exchange.ts";
import { queryValues } from "../message/query.ts";

/** A credential that cannot be read, and why; nothing of it. */
export class Unreadable {
  readonly seen: string;

  constructor(seen: string) {
    this.seen = seen;
  }
}

/** Where the credential of a request stands. */
export interface CredentialSource {
  readonly kind: "header" | "scheme" | "cookie" | "query" | "websocketProtocol";
  /** For the log: `header x-api-key`. */
  readonly words: string;
  /** The credential, or null where there is none. */
  read(exchange: Exchange): string | Unreadable | null;
}

/** `header`: lower case. Its whole value is what is read. */
export function headerSource(header: string): CredentialSource {
  return {
    kind: "header",
    words: `header ${header}`,
    read: ({ headers: { names, values } }) => {
      const at = names.indexOf(header);
      if (at < 0) return null;
      // Of two headers the service might read the other one.
      if (names.indexOf(header, at + 1) >= 0) return new Unreadable(`more than one ${header} header`);
      return values[at] ?? "";
    },
  };
}

export function cookieSource(name: string): CredentialSource {
  return listSource("cookie", `cookie ${name}`, ({ headers }) => cookieValues(headers, name));
}

export function querySource(name: string): CredentialSource {
  return listSource("query", `query parameter ${name}`, ({ target }) => queryValues(target.query, name));
}

function listSource(
  kind: "cookie" | "query",
  words: string,
  valuesOf: (exchange: Exchange) => string[],
): CredentialSource {
  return {
    kind,
    words,
    read: (exchange) => {
      const values = valuesOf(exchange);
      if (values.length > 1) return new Unreadable(`more than one ${words}`);
      return values[0] ?? null;
    },
  };
}

/** `Api-Key`, `api_key` and `apikey` are one to whoever looks for where a credential may stand. */
export function bareName(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, "");
}
