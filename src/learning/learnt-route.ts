import { isSafe } from "../inventory/operation-use.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type CurrentPolicy, type CurrentRoute, mapping, type Settings } from "./current-routes.ts";
import { type CallerRule, identityRule } from "./identity-rule.ts";
import type { KnownOperation } from "./known-operations.ts";
import type { LeftOut } from "./left-out.ts";
import type { OperationEvidence } from "./operation-evidence.ts";
import type { Operation } from "./operations.ts";
import { type ParameterEvidence, parameterRule } from "./parameter-evidence.ts";
import { reachedSize, Support, type Thresholds } from "./support.ts";

/** A value of the policy, and what is behind it. */
export interface Learnt<Value> {
  readonly value: Value;
  readonly support: Support;
  /** In a few words; empty for nothing to add. */
  readonly note: string;
}

/** A route of the learnt policy: what the current one says of it, and what it was narrowed to. */
export interface LearntRoute {
  readonly route: CurrentRoute;
  readonly path: string;
  readonly method: string;
  readonly evidence: OperationEvidence;
  /** What the inventory knows of it, where the record alone would not do; then nothing is said of parameters and bodies. */
  readonly known: KnownOperation | null;
  /** Null where the current route says it in words that stay. */
  readonly authenticate: readonly string[] | null;
  readonly authorize: CallerRule | null;
  readonly parameters: ReadonlyMap<string, Learnt<Settings>>;
  /** Null where nothing is said of the query; empty where there is none. */
  readonly query: ReadonlyMap<string, Learnt<Settings>> | null;
  readonly contentType: Learnt<readonly string[]> | null;
  readonly bodyBytesMax: Learnt<number> | null;
}

/** Whoever asks is let in. */
export function isOpen({ route: { settings } }: LearntRoute): boolean {
  return settings["public"] === true;
}

/** What rules a route has for an operation that has enough behind it. What it leaves out is noted. */
export function learntRoute(
  { route, template, parameters, evidence }: Operation,
  policy: CurrentPolicy,
  thresholds: Thresholds,
  leftOut: LeftOut,
): LearntRoute {
  const { method } = evidence;
  const title = `${method} ${template}`;
  const { settings } = route;
  const identity = identityRule(evidence, thresholds, policy.roles);
  for (const [what, support] of identity.leftOut) leftOut.add("caller", `${title}: ${what}`, support);
  const judged = { ...mapping(policy.defaults["validate"]), ...mapping(settings["validate"]) };
  const own = mapping(judged["path"]);
  const learning = { title, thresholds, leftOut };
  const body = bodyRules(evidence, judged, learning);
  return {
    route,
    path: template,
    method,
    evidence,
    known: null,
    authenticate: authenticateOf(settings, identity.authenticators),
    authorize: settings["authorize"] === undefined ? identity.authorize : null,
    parameters: new Map(
      parameters
        .filter(([name]) => own[name] === undefined)
        .map(([name, seen]) => [name, learntParameter(`path parameter ${name}`, seen, learning, true)]),
    ),
    query: QUERY_WORDS.some((word) => judged[word] !== undefined) ? null : queryRules(evidence, learning),
    ...body,
  };
}

/** One that the record has too little of, or nothing at all. */
export function knownRoute(
  route: CurrentRoute,
  path: string,
  evidence: OperationEvidence,
  known: KnownOperation,
): LearntRoute {
  return {
    route,
    path,
    method: evidence.method,
    evidence,
    known,
    authenticate: null,
    authorize: null,
    parameters: new Map(),
    query: null,
    contentType: null,
    bodyBytesMax: null,
  };
}

const QUERY_WORDS = ["query", "queryString", "unknownQuery"];
const BODY_WORDS = ["body", "form", "graphql", "grpc", "jsonrpc", "xml", "contentType"];

interface Learning {
  readonly title: string;
  readonly thresholds: Thresholds;
  readonly leftOut: LeftOut;
}

/** Of a list those that were seen; other ways to say who asks stay as they are. */
function authenticateOf({ authenticate }: Settings, seen: readonly string[]): readonly string[] | null {
  if (!Array.isArray(authenticate)) return null;
  const kept = authenticate.filter((name) => typeof name === "string" && seen.includes(name));
  return kept.length === 0 || !authenticate.every((name) => typeof name === "string") ? null : kept;
}

function learntParameter(
  what: string,
  seen: ParameterEvidence,
  { title, thresholds, leftOut }: Learning,
  isId = false,
): Learnt<Settings> {
  const { schema, kinds, others } = parameterRule(seen, thresholds, isId);
  if (others.requests > 0) leftOut.add("value", `${title}: ${what}`, others);
  return { value: schema, support: seen.support, note: kinds };
}

function queryRules(evidence: OperationEvidence, learning: Learning): ReadonlyMap<string, Learnt<Settings>> {
  const { title, thresholds, leftOut } = learning;
  const rules = new Map<string, Learnt<Settings>>();
  if (evidence.parametersMore.requests > 0) leftOut.add("parameter", `${title}: others`, evidence.parametersMore);
  for (const name of [...evidence.query.keys()].toSorted()) {
    const seen = evidence.query.get(name);
    if (seen === undefined) continue;
    if (!seen.support.isEnough(thresholds)) leftOut.add("parameter", `${title}: ${name}`, seen.support);
    else if (evidence.unknownShapes > 0)
      rules.set(name, { value: { type: "string" }, support: seen.support, note: "values not recorded" });
    else rules.set(name, learntParameter(name, seen, learning));
  }
  return rules;
}

function bodyRules(
  evidence: OperationEvidence,
  judged: Settings,
  learning: Learning,
): Pick<LearntRoute, "contentType" | "bodyBytesMax"> {
  const isSaid = BODY_WORDS.some((word) => judged[word] !== undefined);
  if (isSaid || evidence.method === "GET" || evidence.method === "HEAD")
    return { contentType: null, bodyBytesMax: null };
  return { contentType: mediaTypes(evidence, learning), bodyBytesMax: bodyBytes(evidence, learning) };
}

function mediaTypes(
  { mediaTypes: seen, unknownMedia }: OperationEvidence,
  learning: Learning,
): LearntRoute["contentType"] {
  const { title, thresholds, leftOut } = learning;
  const kept: string[] = [];
  const behind = new Support();
  for (const type of [...seen.keys()].toSorted()) {
    const support = seen.get(type);
    if (support === undefined) continue;
    if (support.isEnough(thresholds)) {
      kept.push(type);
      behind.join(support);
    } else leftOut.add("body", `${title}: type ${type === "" ? "not told" : type}`, support);
  }
  // A body whose type nobody told passes none of them.
  if (kept.length === 0 || kept.includes("") || unknownMedia > 0) return null;
  return { value: kept, support: behind, note: "" };
}

function bodyBytes(evidence: OperationEvidence, { title, thresholds, leftOut }: Learning): Learnt<number> | null {
  const { bodyBytes: seen, method, support, unknownMedia } = evidence;
  const { learnBodyBytesMin, learnHeadRoom, bodyBytesMax } = DEFAULTS;
  const largest = reachedSize(seen, thresholds);
  // Logs of others may not tell the size of a body.
  if (largest < 0 && unknownMedia > 0) return null;
  if (largest < 0 && isSafe(method)) return null;
  const value = largest < 0 ? learnBodyBytesMin : largest * learnHeadRoom;
  const beyond = new Support();
  const behind = new Support();
  for (const [size, one] of seen) (size > value ? beyond : behind).join(one);
  if (beyond.requests > 0) leftOut.add("body", `${title}: larger bodies`, beyond);
  if (value >= bodyBytesMax) return null;
  return largest < 0 ? { value, support, note: "no body was seen" } : { value, support: behind, note: "" };
}
