/** The dialects of JSON Schema that a document can be written in. */
export const DIALECTS = ["2020-12", "2019-09", "draft-07", "draft-06", "draft-04", "openapi-3.0"] as const;
export type Dialect = (typeof DIALECTS)[number];

/** What `$schema` says in each of them (their meta-schemas' identifiers); OpenAPI 3.0 has none and is only told. */
const BY_URI: ReadonlyMap<string, Dialect> = new Map([
  ["https://json-schema.org/draft/2020-12/schema", "2020-12"],
  ["https://json-schema.org/draft/2019-09/schema", "2019-09"],
  ["http://json-schema.org/draft-07/schema", "draft-07"],
  ["http://json-schema.org/draft-06/schema", "draft-06"],
  ["http://json-schema.org/draft-04/schema", "draft-04"],
  ["https://spec.openapis.org/oas/3.1/dialect/base", "2020-12"],
]);

/** The URIs that `dialectOf` knows, to suggest one of them. */
export const DIALECT_URIS: readonly string[] = [...BY_URI.keys()];

/** The dialect that a `$schema` names, with or without an empty fragment; null for an unknown one. */
export function dialectOf(uri: string): Dialect | null {
  const plain = uri.replace(/#$/, "");
  return BY_URI.get(plain) ?? (OPENAPI_DIALECT.test(plain) ? "2020-12" : null);
}

/** Each edition of OpenAPI since 3.1 has its own URI for the same: 2020-12 with keywords that assert nothing. */
const OPENAPI_DIALECT = /^https:\/\/spec\.openapis\.org\/oas\/3\.[12]\/dialect\/[a-z0-9-]+$/;
