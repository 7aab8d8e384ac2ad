import {
  type AnswerFacts,
  type BodyFacts,
  type NamedText,
  NO_BODY,
  type RequestFacts,
} from "../../src/detection/facts.ts";
import { type CompiledRules, compileRules, type RuleSettings } from "../../src/detection/rules/compile-rules.ts";
import type { RouteExclusion } from "../../src/detection/rules/rule-set.ts";
import type { Transaction } from "../../src/detection/rules/transaction.ts";
import { atOnce } from "../../src/support/turns.ts";

/** Enough for small rules. */
export const RECOGNISERS = {
  detectsqli: (text: string) => (text.includes("' or 1=1") ? "s&1" : undefined),
  detectxss: (text: string) => (text.includes("<script") ? "script" : undefined),
};
const SETTINGS: RuleSettings = { paranoia: 1, threshold: 5, answerThreshold: 4, variables: new Map() };
export const PLENTY = { bytes: 1e9, patterns: 1e9, steps: 1e12 };

/** Rules of a text. `files` are what rules may name. */
export function compiled(
  text: string,
  settings: Partial<RuleSettings> = {},
  files: Readonly<Record<string, string>> = {},
): CompiledRules {
  const all = { ...SETTINGS, ...settings };
  return atOnce(compileRules([{ file: "own.conf", text }], all, (name) => files[name], RECOGNISERS));
}

export function named(entries: readonly (readonly [string, string])[]): NamedText[] {
  return entries.map(([name, value]) => ({ name, value, shape: -1 }));
}

/** A request as plain words. */
export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly cookies?: readonly (readonly [string, string])[];
  readonly args?: readonly (readonly [string, string])[];
  readonly remoteAddress?: string;
  readonly processor?: RequestFacts["bodyProcessor"];
}

export function requestOf(asked: Asked): RequestFacts {
  const { method = "GET", path = "/", headers = [], cookies = [], args = [], remoteAddress = "192.0.2.1" } = asked;
  const query = args.map(([name, value]) => `${name}=${value}`).join("&");
  const uri = query === "" ? path : `${path}?${query}`;
  return {
    method,
    uri,
    uriRaw: uri,
    path,
    query,
    protocol: "HTTP/1.1",
    remoteAddress,
    id: "0123456789abcdef",
    bodyProcessor: asked.processor ?? "",
    headers: named(headers),
    cookies: named(cookies),
    argsPath: [],
    argsGet: named(args),
  };
}

/** Runs the phases of a request, and those of its answer where there is one. */
export function run(
  { rules }: CompiledRules,
  asked: Asked,
  {
    body = {},
    answer,
    exclusions = [],
  }: {
    body?: Partial<BodyFacts>;
    answer?: Partial<AnswerFacts>;
    exclusions?: readonly RouteExclusion[];
  } = {},
): Transaction {
  const transaction = rules.forRoute({ exclusions, constraints: [] }).begin(requestOf(asked), PLENTY);
  atOnce(transaction.head());
  atOnce(transaction.body({ ...NO_BODY, ...body }));
  if (answer !== undefined) {
    const facts = { status: 200, protocol: "HTTP/1.1", headers: [], body: null, ...answer };
    atOnce(transaction.answerHead({ ...facts, body: null }));
    atOnce(transaction.answerBody(facts));
  }
  return transaction;
}

/** Ids of the rules of a text that hit a request. */
export function hitsOf(text: string, asked: Asked, more: Parameters<typeof run>[2] = {}): number[] {
  const rules = compiled(text);
  if (rules.problems.length > 0) throw new Error(JSON.stringify(rules.problems));
  return run(rules, asked, more).hits.map(({ id }) => id);
}
