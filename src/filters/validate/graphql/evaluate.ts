import { type AllowedOperations, hashOfDocument } from "../../../bodies/graphql/allowed.ts";
import type { OperationType } from "../../../bodies/graphql/document.ts";
import { parseDocument } from "../../../bodies/graphql/parser.ts";
import type { RememberedDocuments } from "../../../bodies/graphql/remembered.ts";
import type { GraphqlRequest } from "../../../bodies/graphql/request.ts";
import { type Weight, weigh } from "../../../bodies/graphql/weight.ts";
import type { Denial, Place } from "../../../decision/verdict.ts";
import { err, ok, type Result } from "../../../support/result.ts";
import type { Steps } from "../../../support/turns.ts";
import { languageDenial, unclear } from "../language-denial.ts";

export type Bound = "depth" | "aliases" | "directives" | "complexity";

/** What a route lets GraphQL requests have. */
export interface GraphqlRules {
  readonly bounds: Readonly<Record<Bound, number>>;
  readonly lists: ReadonlySet<string>;
  readonly introspection: boolean;
  readonly allowed: AllowedOperations | null;
  /** Null where a hash alone says nothing. */
  readonly remembered: RememberedDocuments | null;
  /** 0 where a body may be no list. */
  readonly batchMax: number;
  readonly types: ReadonlySet<OperationType>;
  readonly showsErrors: boolean;
  placeOf(key: string): Place;
}

export function invalid(rules: GraphqlRules, seen: string, at = ""): Denial {
  return unclear(rules, "graphql_invalid", "graphql", seen, "a GraphQL request that all services read alike", at);
}

/** What a batch has used so far of what one body may have. */
export interface Spent {
  aliases: number;
  complexity: number;
}

/** Null where there is nothing against the request. `at`: JSON Pointer of the request in its body. */
export function* judgeRequest(
  request: GraphqlRequest,
  isGet: boolean,
  spent: Spent,
  rules: GraphqlRules,
  at: string,
): Steps<Denial | null> {
  const found = textOf(request, rules, at);
  if (!found.ok) return found.error;
  const text = found.value;
  if (text === null)
    return isGet ? languageDenial(rules, "graphql_operation_denied", "operations", "by GET", POSTED, at) : null;
  const document = yield* parseDocument(text);
  if (!document.ok) return invalid(rules, document.error, at);
  for (const { type } of document.value.operations) {
    if (!rules.types.has(type)) {
      return languageDenial(rules, "graphql_operation_denied", "types", type, [...rules.types].join(" or "), at);
    }
    // Links and pictures of other sites send GETs.
    if (isGet && type !== "query")
      return languageDenial(rules, "graphql_operation_denied", "methods", `${type} by GET`, "a query by GET", at);
  }
  const weight = yield* weigh(document.value, request.variables, rules.lists);
  if (!weight.ok) return invalid(rules, weight.error, at);
  const verdict = judgeWeight(weight.value, document.value.directives, spent, rules, at);
  const { hash } = request;
  if (verdict === null && hash !== null) rules.remembered?.remember(hash, text);
  return verdict;
}

const POSTED = "a POST, for nobody here knows whether it is a query";

function judgeWeight(
  { depth, aliases, cost, introspects }: Weight,
  directives: number,
  spent: Spent,
  rules: GraphqlRules,
  at: string,
): Denial | null {
  if (introspects && !rules.introspection)
    return languageDenial(
      rules,
      "graphql_introspection",
      "introspection",
      "__schema or __type",
      "no introspection",
      at,
    );
  spent.aliases += aliases;
  spent.complexity += cost;
  const amounts = { depth, aliases: spent.aliases, directives, complexity: spent.complexity };
  for (const bound of BOUNDS) {
    const max = rules.bounds[bound];
    if (amounts[bound] <= max) continue;
    return languageDenial(
      rules,
      "graphql_too_costly",
      bound,
      `${bound} ${amounts[bound]}`,
      `${bound} of at most ${max}`,
      at,
    );
  }
  return null;
}

const BOUNDS = ["depth", "aliases", "directives", "complexity"] as const;

/** The document's text; null where it is allowed by its hash, and the text is the service's alone. */
function textOf(request: GraphqlRequest, rules: GraphqlRules, at: string): Result<string | null, Denial> {
  const { query, hash, documentId } = request;
  const { allowed, remembered } = rules;
  const denied = (seen: string): Result<never, Denial> =>
    err(languageDenial(rules, "graphql_operation_denied", "operations", seen, "an operation that is allowed", at));
  if (query !== null) {
    if (hash === null && allowed === null) return ok(query);
    const own = hashOfDocument(query);
    if (hash !== null && hash !== own) return err(invalid(rules, "a document of another SHA-256", at));
    return allowed === null || allowed.has(own) ? ok(query) : denied(`document ${own}`);
  }
  const id = documentId ?? hash ?? "";
  if (allowed?.has(id) === true) return ok(allowed.textOf(id));
  if (documentId !== null || remembered === null || allowed !== null) return denied("an id that is not known");
  const text = remembered.textOf(id);
  if (text !== null) return ok(text);
  return err(
    languageDenial(
      rules,
      "graphql_persisted_unknown",
      "persisted",
      `SHA-256 ${id}`,
      "the document beside its hash",
      at,
    ),
  );
}
