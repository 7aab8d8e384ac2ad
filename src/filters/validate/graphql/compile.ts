import { type AllowedOperations, readAllowed } from "../../../bodies/graphql/allowed.ts";
import { RememberedDocuments } from "../../../bodies/graphql/remembered.ts";
import { Denial, type Verdict } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import type { Steps } from "../../../support/turns.ts";
import type { RouteContext } from "../../filter.ts";
import { type HoldRules, judgeAtOnceOrInLine, judgeHeld, judgeInSteps, type Part } from "../held-body.ts";
import type { GraphqlRules } from "./evaluate.ts";
import { judgeJson, judgePostQuery, judgeQuery } from "./requests.ts";
import type { GraphqlSettings } from "./schema.ts";

/** Null where the file of operations cannot be used. */
export function* compileGraphql(
  settings: GraphqlSettings,
  showsErrors: boolean,
  hold: HoldRules,
  context: RouteContext,
): Steps<Part | null> {
  const allowed = settings.operations === undefined ? null : yield* compileAllowed(settings.operations, context);
  if (settings.operations !== undefined && allowed === null) return null;
  if (allowed !== null && settings.persisted === "remember") {
    context.problem("a list of operations knows its ids by itself; take 'persisted' out", "graphql", "persisted");
    return null;
  }
  const methods = new Set<string>(settings.methods ?? ["POST"]);
  const rules = rulesOf(settings, allowed, showsErrors, context);
  const judgeBody = judgeHeld(hold, (bytes, exchange) =>
    judgeInSteps(exchange, hold, bytes.length, judgeJson(bytes, rules)),
  );
  const notAllowed = (exchange: Exchange): Denial => {
    const wanted = [...methods].join(", ");
    return new Denial("method_not_allowed", rules.placeOf("methods"), exchange.method, wanted, [["allow", wanted]]);
  };
  return (exchange): Verdict | Promise<Verdict> => {
    const { method } = exchange;
    // What a browser asks before it sends a request of another site's page.
    if (method === "OPTIONS" && exchange.body.announcedBytes === 0) return judgePostQuery(exchange, rules);
    if (!methods.has(method)) return notAllowed(exchange);
    if (method === "GET")
      return judgeAtOnceOrInLine(exchange, hold, exchange.target.query.length, judgeQuery(exchange, rules));
    return judgePostQuery(exchange, rules) ?? judgeBody(exchange);
  };
}

const LISTS = ["first", "last", "limit"];

function rulesOf(
  settings: GraphqlSettings,
  allowed: AllowedOperations | null,
  showsErrors: boolean,
  context: RouteContext,
): GraphqlRules {
  const own = context.place("graphql");
  const places = new Map(Object.keys(settings).map((key) => [key, context.place("graphql", key)]));
  return {
    bounds: {
      depth: settings.depth ?? DEFAULTS.graphqlDepth,
      aliases: settings.aliases ?? DEFAULTS.graphqlAliases,
      directives: settings.directives ?? DEFAULTS.graphqlDirectives,
      complexity: settings.complexity ?? DEFAULTS.graphqlComplexity,
    },
    lists: new Set(settings.lists ?? LISTS),
    introspection: settings.introspection === "allow",
    allowed,
    remembered: settings.persisted === "remember" ? new RememberedDocuments() : null,
    batchMax: settings.batch ?? 0,
    types: new Set(settings.types ?? ["query", "mutation", "subscription"]),
    showsErrors,
    placeOf: (key) => places.get(key) ?? own,
  };
}

function* compileAllowed(name: string, context: RouteContext): Steps<AllowedOperations | null> {
  const bytes = context.readFile(name, "graphql", "operations");
  if (bytes === null) return null;
  const read = yield* readAllowed(bytes);
  if (read.ok) return read.value;
  context.problem(`'${name}': ${read.error}`, "graphql", "operations");
  return null;
}
