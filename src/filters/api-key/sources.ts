import { cookieNames, cookieValues } from "../../message/cookies.ts";
import type { Exchange } from "../../message/exchange.ts";
import { queryNames, queryValues } from "../../message/query.ts";
import { excerpt } from "../../support/excerpt.ts";
import type { ApiKeySettings } from "./schema.ts";

/** A key that cannot be read, and why; nothing of it. */
export class Unreadable {
  readonly seen: string;

  constructor(seen: string) {
    this.seen = seen;
  }
}

/** Where the key of a request stands. */
export interface KeySource {
  readonly kind: "header" | "scheme" | "cookie" | "query";
  /** For the log: `header x-api-key`. */
  readonly words: string;
  /** The key, or null where there is none. */
  read(exchange: Exchange): string | Unreadable | null;
}

export function keySource({ header, scheme, cookie, query }: ApiKeySettings): KeySource {
  if (scheme !== undefined) return schemeSource(scheme);
  if (cookie !== undefined) return listSource("cookie", cookie, ({ headers }) => cookieValues(headers, cookie));
  if (query !== undefined) return listSource("query", query, ({ target }) => queryValues(target.query, query));
  return headerSource(header ?? "");
}

function headerSource(header: string): KeySource {
  return {
    kind: "header",
    words: `header ${header}`,
    read: ({ headers: { names, values } }) => {
      const at = names.indexOf(header);
      if (at < 0) return null;
      // Of two keys the service might read the other one.
      if (names.indexOf(header, at + 1) >= 0) return new Unreadable(`more than one ${header} header`);
      return values[at] ?? "";
    },
  };
}

/** RFC 9110 section 11.4: the scheme in any case, a blank, the key. */
function schemeSource(scheme: string): KeySource {
  return {
    kind: "scheme",
    words: `Authorization: ${scheme}`,
    read: ({ headers: { names, values } }) => {
      const at = names.indexOf("authorization");
      if (at < 0) return null;
      const key = afterScheme(values[at] ?? "", scheme);
      if (key === null) return null;
      return names.indexOf("authorization", at + 1) < 0 ? key : new Unreadable("more than one authorization header");
    },
  };
}

/** What follows `scheme` in an Authorization header; null where it has another one. */
function afterScheme(value: string, scheme: string): string | null {
  if (value.length < scheme.length || value.slice(0, scheme.length).toLowerCase() !== scheme.toLowerCase()) return null;
  if (value.length === scheme.length) return "";
  return value[scheme.length] === " " ? value.slice(scheme.length + 1) : null;
}

function listSource(kind: "cookie" | "query", name: string, valuesOf: (exchange: Exchange) => string[]): KeySource {
  const words = kind === "cookie" ? `cookie ${name}` : `query parameter ${name}`;
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

/**
 * Where a request has what looks like a key, though it is looked for elsewhere: by names alone, and Authorization only where
 * `isKnown` says that it holds a key. For the log; names are the client's own, values are not shown.
 */
export function misplacedKeys(exchange: Exchange, wanted: KeySource, isKnown: (key: string) => boolean): string[] {
  const { headers, target } = exchange;
  const own = wanted.words.replace(/^.* /, "");
  const alike = new Set([bare(own), "apikey", "xapikey"]);
  const found: string[] = [];
  const look = (kind: KeySource["kind"], what: string, names: readonly string[]): void => {
    for (const name of names) {
      // In its own place, only another spelling of the name is worth a word.
      if (!alike.has(bare(name)) || (kind === wanted.kind && name === own)) continue;
      found.push(`a key in the ${what} '${excerpt(name, 64)}'`);
    }
  };
  look("header", "header", headers.names);
  look("query", "query parameter", queryNames(target.query));
  look("cookie", "cookie", cookieNames(headers));
  for (const scheme of ["ApiKey", "Bearer"]) {
    const key = afterScheme(headers.get("authorization") ?? "", scheme);
    if (key !== null && isKnown(key)) found.push(`a key in Authorization: ${scheme}`);
  }
  return [...new Set(found)].slice(0, 3).map((text) => `${text}, not in the ${wanted.words}`);
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, "");
}
