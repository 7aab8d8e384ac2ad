import { cookieNames } from "../../message/cookies.ts";
import type { Exchange } from "../../message/exchange.ts";
import { queryNames } from "../../message/query.ts";
import { excerpt } from "../../support/excerpt.ts";
import {
  bareName,
  type CredentialSource,
  cookieSource,
  headerSource,
  querySource,
  Unreadable,
} from "../credential-source.ts";
import type { ApiKeySettings } from "./schema.ts";

export function keySource({ header, scheme, cookie, query }: ApiKeySettings): CredentialSource {
  if (scheme !== undefined) return schemeSource(scheme);
  if (cookie !== undefined) return cookieSource(cookie);
  if (query !== undefined) return querySource(query);
  return headerSource(header ?? "");
}

/** RFC 9110 section 11.4: the scheme in any case, a blank, the key. */
function schemeSource(scheme: string): CredentialSource {
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

/**
 * Where a request has what looks like a key, though it is looked for elsewhere: by names alone, and Authorization only where
 * `isKnown` says that it holds a key. For the log; names are the client's own, values are not shown.
 */
export function misplacedKeys(
  exchange: Exchange,
  wanted: CredentialSource,
  isKnown: (key: string) => boolean,
): string[] {
  const { headers, target } = exchange;
  const own = wanted.words.replace(/^.* /, "");
  const alike = new Set([bareName(own), "apikey", "xapikey"]);
  const found: string[] = [];
  const look = (kind: CredentialSource["kind"], what: string, names: readonly string[]): void => {
    for (const name of names) {
      // In its own place, only another spelling of the name is worth a word.
      if (!alike.has(bareName(name)) || (kind === wanted.kind && name === own)) continue;
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
