import { NO_BODY, type RequestFacts } from "../../detection/facts.ts";
import type { Hit } from "../../detection/rules/hit.ts";
import type { RouteRules } from "../../detection/rules/rule-set.ts";
import { atOnce } from "../../support/turns.ts";

/** A rule that adds to the score of whatever has this method or media type. */
export interface Refusal {
  readonly what: string;
  readonly id: number;
  readonly message: string;
}

const PLENTY = { bytes: 1024 * 1024, patterns: 100_000, steps: 10_000_000 };

/**
 * What the rules have against a route's own methods and media types, whatever the request holds: an ordinary request of each is
 * held against them at load, and what they have against any request is left out.
 */
export function refusalsOf(
  rules: RouteRules,
  methods: readonly string[],
  types: readonly string[],
  known: KnownHits,
): readonly Refusal[] {
  const usual = new Set(hitsOf(rules, "GET", null, known).map(({ id }) => id));
  const against = (what: string, method: string, type: string | null): Refusal[] =>
    hitsOf(rules, method, type, known).flatMap(({ id, message }) => (usual.has(id) ? [] : [{ what, id, message }]));
  return [
    ...methods.flatMap((method) => against(method, method, null)),
    ...types.flatMap((type) => against(type, "POST", type)),
  ];
}

/** By method and media type, of routes for which the rules are the same. */
export type KnownHits = Map<string, readonly Hit[]>;

function hitsOf(rules: RouteRules, method: string, type: string | null, known: KnownHits): readonly Hit[] {
  const key = `${method} ${type ?? ""}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const transaction = rules.begin(ordinary(method, type), PLENTY);
  atOnce(transaction.head());
  atOnce(transaction.body(NO_BODY));
  const hits = transaction.hits.filter(({ score }) => score > 0);
  known.set(key, hits);
  return hits;
}

function ordinary(method: string, type: string | null): RequestFacts {
  const lines = [
    ["host", "service.example"],
    ["user-agent", "curl/8.0"],
    ["accept", "*/*"],
    ...(type === null ? [] : [["content-type", type] as const]),
    ...(method === "GET" || method === "HEAD" ? [] : [["content-length", "0"] as const]),
  ] as const;
  return {
    method,
    uri: "/",
    uriRaw: "/",
    path: "/",
    query: "",
    protocol: "HTTP/1.1",
    remoteAddress: "192.0.2.1",
    id: "",
    bodyProcessor: "",
    headers: lines.map(([name, value]) => ({ name, value, shape: -1 })),
    cookies: [],
    argsPath: [],
    argsGet: [],
  };
}
