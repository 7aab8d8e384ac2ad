import { onlyParameters } from "../bodies/form.ts";
import { PHASES } from "../decision/phases.ts";
import type { Check, Filter, RequestRules, RouteContext } from "../filters/filter.ts";
import type { MethodRule } from "../filters/method-rule.ts";
import { findShadowed, parseTemplate, type Shadowed } from "../matching/route-tree.ts";
import { kindsOf } from "../message/kept-target.ts";
import { USUAL_METHODS } from "../message/method.ts";
import { withoutParameters, withParameters } from "../message/query.ts";
import { DECISION_HEADER } from "../records/decision-facts.ts";
import { nearest } from "../support/schema.ts";
import { type Steps, stepsOf } from "../support/turns.ts";
import { checkUpstream } from "./check-upstream.ts";
import { DEFAULTS_KEY } from "./compile-defaults.ts";
import { checkCountedOnce } from "./counted-once.ts";
import { describedRoute } from "./describe-routes.ts";
import type { Fields } from "./entries.ts";
import { ROUTE_HOMES } from "./homes.ts";
import { memberOf } from "./issues.ts";
import { sections } from "./later-sections.ts";
import { mergeSettings } from "./merge.ts";
import { NO_REQUEST_RULES, NO_RESPONSE_RULES } from "./no-rules.ts";
import type { Path } from "./path.ts";
import { lineWords } from "./problems.ts";
import type { Credentials } from "./rewrites.ts";
import { type RouteFacts, RouteParts, routeContext } from "./route-parts.ts";
import { forWholeAnswers, withHeaders } from "./route-rules.ts";
import { addVersionParts, versionInQuery, versionsOf, withVersionHeaders } from "./route-versions.ts";
import { salvageContext, WITHOUT_SETTINGS } from "./salvage.ts";
import { routeShape } from "./schema.ts";
import type { RewriteTrailers, Route } from "./snapshot.ts";
import { routeSets } from "./version-sets.ts";
import { warnScopes } from "./warn-scopes.ts";
import type { Work } from "./work.ts";

/** Filters that speak of a caller; on a public route nobody need be one. */
const CALLER_FILTERS: readonly string[] = ["authenticate", "authorize"];

/** Section `routes`. */
export function* compileRoutes(work: Work): Steps<void> {
  const { reader } = work;
  // Where a description could not be read, that is told, and what it has is not known.
  const hasMore = ["openapi", "grpc"].some((section) => reader.raw([section]) !== undefined);
  const mayHaveMore = hasMore && !work.isWhole;
  if (reader.raw(["routes"]) === undefined && !work.isOpen)
    work.problem("'routes' is missing; expected at least one", []);
  const count = reader.listLength(["routes"]);
  if (count === 0 && !mayHaveMore && Array.isArray(reader.raw(["routes"])))
    work.problem("expected at least one route", ["routes"]);
  for (let at = 0; at < count && !work.problems.isFull; at++) {
    const route = yield* compileRoute(work, ["routes", at]);
    if (route !== null) work.routes.push(route);
    yield;
  }
}

/**
 * Null where one of the route's own keys has a problem, for nobody can say which requests it was to take; problems of
 * its filters leave a route that later stages can look at.
 */
function* compileRoute(work: Work, path: Path): Steps<Route | null> {
  const filterNames = work.registry.filters.map((filter) => filter.name);
  const { reported } = work.problems;
  const fields = work.reader.fields(routeShape, path, filterNames, ROUTE_HOMES);
  const template = checkPath(work, fields.path, [...path, "path"]);
  const isSound = work.problems.reported === reported;
  warnMethods(work, fields, path);
  warnBodies(work, fields, path);
  checkAccess(work, path);
  if (fields.public !== true) warnScopes(work, path);
  if (fields.upstream !== undefined) checkUpstream(work, fields.upstream, [...path, "upstream"]);
  const versions = versionsOf(work, fields.version, path);
  const facts: RouteFacts = {
    template,
    versions,
    methods: [...new Set(fields.methods)],
    isPublic: fields.public === true,
  };
  const parts = new RouteParts();
  addVersionParts(work, versions, parts);
  parts.checks.push(...(work.bans?.checksOf(template) ?? []));
  if (work.requestIds !== null) parts.dropHeaders.push(work.requestIds.header);
  // Who asked for the decision believes that postern says it.
  if (work.reader.raw(["decisions", "debugHeader"]) !== undefined) parts.dropHeaders.push(DECISION_HEADER);
  if (work.bans?.hasMethod === true) parts.methodRules.push(() => true);
  const own = work.reader.raw(path);
  const usual = work.reader.raw([DEFAULTS_KEY]);
  for (const filter of work.registry.filters) {
    const { name } = filter;
    // Of a thousand routes each has few of all filters.
    const isAsked = filter.always === true || memberOf(own, name) !== undefined || memberOf(usual, name) !== undefined;
    if (isAsked) yield* compileFilter(work, filter, facts, parts, path);
  }
  if (parts.webSocket !== null) {
    checkWebSocketUpstreams(work, fields.upstream, path);
    warnUnsearchedMessages(work, parts, path);
  }
  checkBodyIsRead(work, parts, path);
  checkAnswer(work, path);
  if (!isSound) return null;
  work.routeUses.push({ template, authenticators: parts.authenticators, scopes: parts.namedScopes });
  if (work.inputs.describes === true) work.described.push(describedRoute(work, facts, fields.hosts ?? [], parts, path));
  const ownRules = withVersionHeaders(work, versions, parts.requestRules ?? NO_REQUEST_RULES, path);
  const requestRules = forWholeAnswers(ownRules, parts);
  const responseRules = withHeaders(parts.responseRules ?? NO_RESPONSE_RULES, parts);
  const credentials = credentialsOf(work, parts);
  const passage = work.rewrites.passage(requestRules, credentials);
  return {
    ...facts,
    hosts: [...new Set(fields.hosts)],
    keepsInPaths: fields.keepInPaths === undefined ? work.keepsInPaths : kindsOf(fields.keepInPaths),
    keepsBodiesIn: fields.keepBodiesIn ?? work.keepsBodiesIn,
    isCaseSensitive: fields.paths === undefined ? work.isCaseSensitive : fields.paths === "caseSensitive",
    place: work.reader.document.place(path),
    checks: leading(work, template, inPhaseOrder(parts.checks)),
    responseChecks: parts.responseChecks,
    offChecks: parts.offChecks,
    answerReading: parts.answerReading,
    upstream: fields.upstream ?? null,
    rewriteQuery: versionInQuery(work, versions, queryRewrite(parts, requestRules)),
    rewriteRequest: work.rewrites.request(requestRules, credentials),
    hidesProtocolTokens: passage.hidesProtocolTokens,
    withheldHeaders: (headers) => passage.withheld(headers),
    rewriteResponse: work.rewrites.response(responseRules),
    rewriteTrailers: trailersOf(work.rewrites.trailers(requestRules, credentials, responseRules), parts),
    methodParameters: work.rewrites.methodParameters(requestRules),
    tellsMethods: tellsMethods(parts.methodRules),
    bodyBytesMax: parts.bodyBytesMax,
    webSocket: parts.webSocket,
    cors: parts.cors,
    targetRewrite: parts.targetRewrite,
    answer: parts.answer,
    timeouts: timeoutsOf(fields),
  };
}

/** Made apart, so that a route keeps the rules alone, and not all that it was compiled with. */
function tellsMethods(rules: readonly MethodRule[]): MethodRule {
  return (asked, named) => rules.some((tells) => tells(asked, named));
}

/** Without those of requests where a check judges all else that clients send. */
function trailersOf(rewrite: RewriteTrailers, { checks }: RouteParts): RewriteTrailers {
  return checks.some(({ dropsTrailers }) => dropsTrailers === true) ? { ...rewrite, request: () => "" } : rewrite;
}

/** Times of its own; null where it has none. */
function timeoutsOf(fields: Fields<typeof routeShape>): Route["timeouts"] {
  const own = [
    ["responseTimeoutMs", fields.responseTimeout],
    ["streamIdleTimeoutMs", fields.streamIdleTimeout],
    ["streamDurationMaxMs", fields.streamMaxDuration],
  ].filter(([, ms]) => ms !== undefined);
  return own.length === 0 ? null : Object.fromEntries(own);
}

/** Who answers is one: the service, or postern in one way. */
function checkAnswer({ reader }: Work, path: Path): void {
  const has = (key: string): boolean => reader.raw([...path, key]) !== undefined;
  const answer = ["respond", "redirect"].find(has);
  if (answer === undefined) return;
  const others = ["redirect", "rewrite", "websocket", "responseTimeout", "streamIdleTimeout", "streamMaxDuration"];
  for (const key of others) {
    if (key === answer || !has(key)) continue;
    reader.keyProblem(`with '${answer}' the service is not asked; expected one of the two`, [...path, key]);
  }
}

/** Where several resources are the policy's, challenges of a route lead to its own. */
function leading(work: Work, template: string, checks: readonly Check[]): readonly Check[] {
  return work.protectedResources.length === 0 ? checks : sections.get().leadToResource(work, template, checks);
}

/** Members of a body are there only where somebody reads it; where `validate` has a problem of its own, that one is told. */
function checkBodyIsRead({ problems, reader }: Work, parts: RouteParts, path: Path): void {
  const isRead = [path, [DEFAULTS_KEY]].some((owner) =>
    [["body", "schema"], ["body", "content"], ["grpc"]].some(
      (key) => reader.raw([...owner, "validate", ...key]) !== undefined,
    ),
  );
  if (isRead) return;
  for (const place of parts.bodyWantedAt) {
    const text = `nothing reads the body of '${String(reader.raw([...path, "path"]))}'; expected 'validate: { body: { schema: … } }' on that route`;
    problems.add(place, text);
  }
}

/** An upgrade is a thing of HTTP/1.1; the route's own upstream or each listener's has to speak it. */
function checkWebSocketUpstreams(work: Work, own: string | undefined, path: Path): void {
  const names = own === undefined ? new Set(work.listeners.map(({ upstream }) => upstream)) : [own];
  for (const name of names) {
    if (work.upstreams.get(name)?.protocol !== "h2") continue;
    work.problem(`a WebSocket goes on over HTTP/1.1, and upstream '${name}' speaks h2`, [...path, "websocket"]);
  }
}

/** Detectors see the handshake, which is the request. */
function warnUnsearchedMessages(work: Work, { checks }: RouteParts, path: Path): void {
  if (!checks.some(({ name }) => name === "detect")) return;
  const text = "'detect' searches the handshake of a WebSocket, and none of its messages";
  work.warning("messages_unsearched", text, [...path, "websocket"]);
}

/** The route's template, empty where it has none that is sound. */
function checkPath(work: Work, template: string | undefined, path: Path): string {
  if (template === undefined) return "";
  const parsed = parseTemplate(template);
  if (!parsed.ok) work.problem(parsed.error, path);
  return parsed.ok ? template : "";
}

function warnMethods(work: Work, { methods = [] }: Fields<typeof routeShape>, path: Path): void {
  for (const [at, method] of methods.entries()) {
    const near = USUAL_METHODS.includes(method) ? undefined : nearest(method, USUAL_METHODS);
    if (near !== undefined)
      work.warning("method_unusual", `unusual method '${method}'; did you mean '${near}'?`, [...path, "methods", at]);
  }
}

/** GET lets HEAD pass, too. */
function warnBodies(work: Work, { methods, keepBodiesIn = [] }: Fields<typeof routeShape>, path: Path): void {
  if (methods === undefined) return;
  for (const [at, method] of keepBodiesIn.entries()) {
    if (methods.includes(method) || (method === "HEAD" && methods.includes("GET"))) continue;
    work.warning("no_effect", `the route does not take ${method}, with or without a body`, [
      ...path,
      "keepBodiesIn",
      at,
    ]);
  }
}

/** A route says who may use it: whom its authenticators know, or everybody, but never nothing and never both. */
function checkAccess(work: Work, path: Path): void {
  const has = (key: string): boolean => work.reader.raw([...path, key]) !== undefined;
  if (!has("public")) {
    const inherits = work.reader.raw([DEFAULTS_KEY, "authenticate"]) !== undefined;
    if (!has("authenticate") && !inherits) {
      work.problem("the route does not say who may use it; expected 'authenticate' or 'public: true'", path);
    }
    return;
  }
  if (has("authenticate")) {
    work.reader.keyProblem("both 'authenticate' and 'public'; expected one of them", [...path, "public"]);
  } else if (has("authorize")) {
    const text = "nobody authenticates on a public route, so 'authorize' can never be met; expected 'authenticate'";
    work.reader.keyProblem(text, [...path, "authorize"]);
  }
}

function* compileFilter(
  work: Work,
  filter: Filter<unknown>,
  facts: RouteFacts,
  parts: RouteParts,
  path: Path,
): Steps<void> {
  if (facts.isPublic && CALLER_FILTERS.includes(filter.name)) return;
  const own = [...path, filter.name];
  const shared = [DEFAULTS_KEY, filter.name];
  const { reader } = work;
  if (filter.defaults === "add") {
    if (filter.name === "limit") checkCountedOnce(work, own, shared);
    yield* addDefault(work, filter, facts, parts, shared);
  }
  const inherited = filter.defaults === "override" ? reader.raw(shared) : undefined;
  const merged = mergeSettings(
    { value: inherited, path: shared },
    { value: reader.raw(own), path: own },
    filter.insteadOf,
  );
  const hasSettings = merged.value !== undefined;
  if (!hasSettings && filter.always !== true) return;
  const read = hasSettings ? reader.readParts(filter.schema, merged.value, own, merged.place) : WITHOUT_SETTINGS;
  if (read === null) return;
  // Without the route's path, what settings say of its parameters cannot be compared with anything.
  const lost: readonly Path[] = facts.template === "" ? [...read.lost, ["path"]] : read.lost;
  const context = salvageContext(routeContext(work, facts, parts, merged.place), { ...read, lost });
  yield* stepsOf(filter.compile(read.settings, context));
}

/** What the defaults of a filter that adds do on this route; their checks of phase `admit` have run before it. */
function* addDefault(
  work: Work,
  filter: Filter<unknown>,
  facts: RouteFacts,
  parts: RouteParts,
  path: Path,
): Steps<void> {
  const settings = work.routeDefaults.get(filter.name);
  if (settings === undefined) return;
  const context = routeContext(work, facts, parts, (inner) => [...path, ...inner]);
  const later: RouteContext = {
    ...context,
    addCheck: (check) => {
      if (check.phase !== "admit") context.addCheck(check);
    },
  };
  yield* stepsOf(filter.compile(settings, later));
}

function inPhaseOrder(checks: readonly Check[]): readonly Check[] {
  const rank = ({ phase, late }: Check): number => 2 * PHASES.indexOf(phase) + (late === true ? 1 : 0);
  return checks.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * Headers and cookies that `rewrite` takes off: those of all authenticators, not only of the route's own, and Authorization. A
 * client sends what it has; the key meant for another route, or for a public one, is no business of the service's.
 */
function credentialsOf(work: Work, parts: RouteParts): Credentials {
  const headers = new Set(["authorization", ...parts.credentialHeaders]);
  const cookies = new Set<string>();
  let protocols = false;
  for (const [, authenticator] of work.authenticators) {
    for (const name of authenticator.credentialHeaders) headers.add(name);
    for (const name of authenticator.credentialCookies ?? []) cookies.add(name);
    protocols ||= authenticator.websocketProtocol ?? false;
  }
  return { headers: [...headers], cookies: [...cookies], protocols };
}

/** Query parameters have short names that mean other things elsewhere, so only those of the route's own authenticators come off. */
function queryRewrite(parts: RouteParts, rules: RequestRules): Route["rewriteQuery"] {
  const { keepsParameter, plainParameters, filledParameters, credentialParameters: names } = parts;
  const takesOff = names.size > 0 && !rules.keepCredentials;
  if (!takesOff && keepsParameter === null && plainParameters === null && filledParameters === null) return null;
  return (query) => {
    const left = takesOff ? withoutParameters(query, names) : query;
    const kept = keepsParameter === null ? left : onlyParameters(left, keepsParameter);
    const plain = plainParameters === null ? kept : plainParameters(kept);
    return filledParameters === null ? plain : withParameters(plain, filledParameters);
  };
}

/** Routes that no request can reach because an earlier one has the same place and method. */
export function* checkShadows(work: Work): Steps<void> {
  const told = new Set<Route>();
  for (const shadowed of shadowsOf(work)) {
    yield;
    if (shadowed === null || told.has(shadowed.route)) continue;
    const { route, by, host, methods } = shadowed;
    if (work.versionRules !== null) told.add(route);
    const what = methods.length === 0 ? "the usual methods" : methods.join(", ");
    const where = host === "*" ? "" : ` on ${host}`;
    work.problems.add(
      route.place,
      `no request reaches this: the route '${by.template}' at ${lineWords(by.place, route.place)} takes ${what} of this path${where} already`,
    );
    if (work.problems.isFull) return;
  }
}

function* shadowsOf(work: Work): Generator<Shadowed<Route> | null> {
  for (const { routes } of routeSets(work)) yield* findShadowed(routes);
}
