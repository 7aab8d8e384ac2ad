import type { HeaderLine, Place } from "../decision/verdict.ts";
import type { Cors } from "../filters/cors/evaluate.ts";
import type {
  Check,
  HeadEdit,
  RequestPart,
  RequestRules,
  ResponseRules,
  RouteContext,
  ValuePromise,
  WebSocketRules,
} from "../filters/filter.ts";
import { OFF } from "../filters/ladder.ts";
import type { MethodRule } from "../filters/method-rule.ts";
import type { IdentityLine } from "../filters/request/identity.ts";
import type { RouteAnswer } from "../filters/respond/evaluate.ts";
import type { AnswerReading, ResponseCheck } from "../filters/response-check.ts";
import type { TargetRewrite } from "../filters/rewrite/evaluate.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { sections } from "./later-sections.ts";
import type { Path } from "./path.ts";
import type { LadderCheck } from "./snapshot.ts";
import type { Work } from "./work.ts";

/** What the filters of one route (or of the defaults) have handed in so far. */
export class RouteParts {
  readonly checks: Check[] = [];
  readonly responseChecks: ResponseCheck[] = [];
  /** Of both kinds: nobody asks them. */
  readonly offChecks: (LadderCheck & Partial<Pick<Check, "phase">>)[] = [];
  answerReading: AnswerReading | null = null;
  readonly credentialHeaders: Set<string> = new Set();
  readonly credentialParameters: Set<string> = new Set();
  readonly declaredHeaders: Set<string> = new Set();
  /** Which query parameters reach the service, by decoded name; null for all. */
  keepsParameter: ((name: string) => boolean) | null = null;
  plainParameters: ((query: string) => string) | null = null;
  filledParameters: ReadonlyMap<string, string> | null = null;
  readonly wantedScopes: Set<string> = new Set();
  requestRules: RequestRules | null = null;
  responseRules: ResponseRules | null = null;
  readonly setHeaders: HeaderLine[] = [];
  readonly addHeaders: HeaderLine[] = [];
  readonly dropHeaders: string[] = [];
  readonly headEdits: HeadEdit[] = [];
  cors: Cors | null = null;
  targetRewrite: TargetRewrite | null = null;
  answer: RouteAnswer | null = null;
  bodyBytesMax: number = DEFAULTS.bodyBytesMax;
  webSocket: WebSocketRules | null = null;
  /** Whom the route asks who its caller is, by name. */
  readonly authenticators: Set<string> = new Set();
  /** Scopes that some rule names. */
  readonly namedScopes: Set<string> = new Set();
  identity: readonly IdentityLine[] | null = null;
  /** Where rules ask for members of the body. */
  readonly bodyWantedAt: Place[] = [];
  /** Whether rules tell two methods apart. */
  readonly methodRules: MethodRule[] = [];
  readonly promises: ValuePromise[] = [];
  readonly requestParts: RequestPart[] = [];
  readonly takenTypes: string[] = [];
  /** A limit reads what answers say of their cost. */
  readsAnswers = false;
  context: RouteContext | null = null;
  /** Whether a filter did more than add checks of phase `admit`. */
  isMoreThanAdmit = false;
}

/** What all filters of a route are told. */
export interface RouteFacts {
  readonly template: string;
  readonly versions: readonly string[];
  readonly methods: readonly string[];
  readonly isPublic: boolean;
}

/** Once for all filters of a route. */
function identityOf(work: Work, { template }: RouteFacts, parts: RouteParts): readonly IdentityLine[] {
  const isWritten = work.identity.length > 0 || work.identityToken !== null;
  parts.identity ??= isWritten ? sections.get().identityLines(work, template) : [];
  return parts.identity;
}

/** The context in which one filter compiles into `parts`; `resolve` leads from its settings to the policy. */
export function routeContext(
  work: Work,
  facts: RouteFacts,
  parts: RouteParts,
  resolve: (inner: Path) => Path,
): RouteContext {
  // Made once a route: a thousand routes have some ten filters each, and what is made of it is a tenth of all that a load allocates.
  parts.context ??= sharedContext(work, facts, parts);
  return work.contextIn(parts.context, resolve);
}

/** What all filters of a route have alike; its paths are those of the policy. */
function sharedContext(work: Work, facts: RouteFacts, parts: RouteParts): RouteContext {
  const mark = (): void => {
    parts.isMoreThanAdmit = true;
  };
  return {
    ...work.anywhere(),
    ...facts,
    authenticators: work.authenticators,
    hasAllAuthenticators: work.hasAllAuthenticators,
    limits: work.limits,
    plans: work.plans,
    decisionServices: work.decisionServices,
    detectors: work.detectors,
    bans: work.bans,
    overload: work.overload,
    revocations: work.revocations,
    isDefined: (section, name) => work[section].isDefined(name),
    hint: (section, name) => work[section].hint(name),
    role: (name) => {
      const rule = work.roles.get(name);
      const place = (inner: Path): Path => ["roles", name, ...inner];
      return rule === undefined ? null : { rule, context: routeContext(work, facts, parts, place) };
    },
    roleNames: [...work.roles.defined],
    identity: identityOf(work, facts, parts),
    addCheck: (check) => {
      if (check.phase !== "admit") mark();
      if (check.enforcePercent === OFF) parts.offChecks.push(check);
      else parts.checks.push(check);
    },
    addResponseCheck: (check) => {
      mark();
      if (check.enforcePercent === OFF) parts.offChecks.push(check);
      else parts.responseChecks.push(check);
    },
    setAnswerReading: (reading) => {
      mark();
      parts.answerReading = reading;
    },
    setRequestRules: (rules) => {
      mark();
      // What a proxy tells of its client's certificate is for this process, and a client's own word on it for nobody.
      const told = work.listeners.flatMap(({ forwardedCertificates }) => forwardedCertificates?.headers ?? []);
      const ids = [...(work.requestIds?.names ?? []), ...(work.tracing?.headers ?? [])];
      const removeHeaders = [...new Set([...rules.removeHeaders, ...told, ...ids])];
      parts.requestRules = { ...rules, removeHeaders };
    },
    setResponseRules: (rules) => {
      mark();
      parts.responseRules = rules;
    },
    addHeadEdit: (edit) => {
      mark();
      parts.headEdits.push(edit);
    },
    addResponseHeaders: (set, added) => {
      mark();
      parts.setHeaders.push(...set);
      parts.addHeaders.push(...added);
    },
    removeResponseHeaders: (names) => {
      mark();
      parts.dropHeaders.push(...names);
    },
    setCors: (cors) => {
      mark();
      parts.cors = cors;
    },
    setTargetRewrite: (rewrite) => {
      mark();
      parts.targetRewrite = rewrite;
    },
    targetRewrite: () => parts.targetRewrite,
    setRouteAnswer: (answer) => {
      mark();
      parts.answer = answer;
    },
    nameAuthenticators: (names) => {
      for (const name of names) parts.authenticators.add(name);
    },
    namedAuthenticators: parts.authenticators,
    addCredentialHeaders: (names) => {
      mark();
      for (const name of names) parts.credentialHeaders.add(name);
    },
    addCredentialParameters: (names) => {
      mark();
      for (const name of names) parts.credentialParameters.add(name);
    },
    credentialHeaders: parts.credentialHeaders,
    credentialParameters: parts.credentialParameters,
    declareHeaders: (names) => {
      mark();
      for (const name of names) parts.declaredHeaders.add(name);
    },
    declaredHeaders: parts.declaredHeaders,
    keepParameters: (keeps) => {
      mark();
      parts.keepsParameter = keeps;
    },
    plainParameters: (plain) => {
      mark();
      parts.plainParameters = plain;
    },
    fillParameters: (pairs) => {
      mark();
      parts.filledParameters = pairs;
    },
    nameScopes: (scopes) => {
      for (const scope of scopes) parts.namedScopes.add(scope);
    },
    wantScopes: (scopes) => {
      for (const scope of scopes) parts.wantedScopes.add(scope);
    },
    wantedScopes: parts.wantedScopes,
    takeTypes: (types) => {
      parts.takenTypes.push(...types);
    },
    takenTypes: parts.takenTypes,
    promise: (value) => {
      parts.promises.push(value);
    },
    promises: parts.promises,
    describePart: (part) => {
      if (work.inputs.describes === true) parts.requestParts.push(part);
    },
    setBodyBytesMax: (bytesMax) => {
      mark();
      parts.bodyBytesMax = bytesMax;
    },
    judgeMethod: (tells = () => true) => {
      mark();
      parts.methodRules.push(tells);
    },
    readAnswers: () => {
      mark();
      parts.readsAnswers = true;
    },
    wantBody: (place) => {
      mark();
      parts.bodyWantedAt.push(place);
    },
    isBodyWanted: () => parts.bodyWantedAt.length > 0,
    setWebSocket: (rules) => {
      mark();
      parts.webSocket = rules;
    },
  };
}
