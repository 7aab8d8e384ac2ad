import { DEFAULTS } from "../../support/defaults.ts";
import { foldCase } from "../../support/fold-case.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { JsonNumber } from "../json-number.ts";
import { memberNames } from "../json-parser.ts";
import type { Variables } from "./lengths.ts";

/** What one GraphQL request asks for, over HTTP. */
export interface GraphqlRequest {
  /** Text of the document; null where only an id says which. */
  readonly query: string | null;
  readonly operationName: string | null;
  readonly variables: Variables | null;
  /** SHA-256 of the document, in lower-case hex, of an automatic persisted query; null for none. */
  readonly hash: string | null;
  /** Of a document that the service knows; null for none. */
  readonly documentId: string | null;
}

/** Members of a request's object, and parameters of its query. */
export const REQUEST_MEMBERS = ["query", "operationName", "variables", "extensions", "documentId"] as const;

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A value of JSON → the request that every service reads in it. Members beyond those of the language are refused: `id`,
 * `doc_id` or `QUERY` would be another document to some service.
 */
export function requestOf(value: unknown): Result<GraphqlRequest, string> {
  if (!isObject(value)) return err("no object");
  const known: readonly string[] = REQUEST_MEMBERS;
  if (memberNames(value).some((name) => !known.includes(name))) return err("a member that is none of GraphQL's");
  const { query = null, operationName = null, variables = null, extensions = null, documentId = null } = value;
  if (query !== null && typeof query !== "string") return err("a query that is no text");
  if (operationName !== null && typeof operationName !== "string") return err("an operation's name that is no text");
  if (variables !== null && !isObject(variables)) return err("variables that are no object");
  if (extensions !== null && !isObject(extensions)) return err("extensions that are no object");
  if (documentId !== null && typeof documentId !== "string") return err("a document's id that is no text");
  const hash = hashOf(extensions);
  if (!hash.ok) return hash;
  if (query === null && hash.value === null && documentId === null) return err("no query");
  if (documentId !== null && (query !== null || hash.value !== null)) return err("a document's id beside a document");
  return ok({ query, operationName, variables, hash: hash.value, documentId });
}

const HASH_NAME = "persistedQuery";

function hashOf(extensions: JsonObject | null): Result<string | null, string> {
  if (extensions === null) return ok(null);
  const names = memberNames(extensions);
  if (names.length > DEFAULTS.graphqlMembersMax) return err(`more than ${DEFAULTS.graphqlMembersMax} extensions`);
  for (const name of names)
    if (name !== HASH_NAME && foldCase(name) === foldCase(HASH_NAME)) return err(`${HASH_NAME} in another spelling`);
  const persisted = Object.hasOwn(extensions, HASH_NAME) ? extensions[HASH_NAME] : null;
  if (persisted === null) return ok(null);
  if (!isObject(persisted) || memberNames(persisted).some((name) => name !== "version" && name !== "sha256Hash"))
    return err("a persisted query that is no version and SHA-256");
  const { version, sha256Hash } = persisted;
  if (version !== 1 || typeof sha256Hash !== "string" || !/^[0-9a-f]{64}$/.test(sha256Hash))
    return err("a persisted query that is no version and SHA-256");
  return ok(sha256Hash);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);
}
