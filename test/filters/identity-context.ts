import { Denial, type Place } from "../../src/decision/verdict.ts";
import type { Authentication, Authenticator, Check, CompileContext, RouteContext } from "../../src/filters/filter.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { parseAddress, UNIX_PEER } from "../../src/message/address.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import type { ClientCertificate } from "../../src/message/connection.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import type { Principal } from "../../src/message/principal.ts";
import type { Clock } from "../../src/support/clock.ts";
import { nearestHint } from "../../src/support/schema.ts";
import { outsideContext, testResources } from "../fixtures/outside.ts";

/** 2026-11-21T12:00:00Z */
export const NOW_MS = 1_795_262_400_000;

export class FakeClock implements Clock {
  nowMs = NOW_MS;
  monotonicMs(): number {
    return this.nowMs;
  }
  wallMs(): number {
    return this.nowMs;
  }
}

export interface TestContext extends CompileContext {
  readonly clock: FakeClock;
  /** `file:line:column path: text` */
  readonly problems: string[];
  /** `path: text` */
  readonly warnings: string[];
}

/** Compilation of one authenticator against files in memory; the place of a key is named by its path. */
export function testContext(
  files: Readonly<Record<string, string | Buffer>> = {},
  clock = new FakeClock(),
): TestContext {
  const problems: string[] = [];
  const warnings: string[] = [];
  const place = (...path: readonly (string | number)[]): Place => ({
    file: "/etc/postern/policy.yaml",
    line: 1,
    column: 1,
    path: path.join("."),
  });
  const problemAt = (at: Place, text: string): void => {
    problems.push(`${at.file}:${at.line}:${at.column} ${at.path}: ${text}`);
  };
  const readFile: CompileContext["readFile"] = (name, ...path) => {
    const text = files[name];
    if (text !== undefined) return Buffer.from(text);
    problemAt(place(...path), `cannot read '${name}'`);
    return null;
  };
  return {
    ...outsideContext({}, testResources({ clock })),
    include: () => {},
    isOnlyLookedAt: true,
    keep: (_kind, _inputs, make) => make(),
    service: "orders",
    resourceMetadataUrl: null,
    clock,
    isCredentialHeader: () => false,
    memory: unlimitedMemory(),
    problems,
    warnings,
    place,
    problemAt,
    problem: (text, ...path) => problemAt(place(...path), text),
    problemWithin: (offset, text, ...path) => problemAt(place(...path, offset), text),
    warning: (_rule, text, ...path) => warnings.push(`${path.join(".")}: ${text}`),
    described: () => null,
    warningAt: (_rule, at, text) => warnings.push(`${at.file}:${at.line}:${at.column}: ${text}`),
    readFile,
    readLargeFile: readFile,
    readFolder: () => null,
  };
}

export interface TestRoute {
  readonly context: RouteContext;
  readonly checks: Check[];
  readonly credentialHeaders: string[];
  readonly problems: string[];
}

export function testRoute(
  authenticators: readonly Authenticator[],
  isPublic = false,
  broken: string[] = [],
): TestRoute {
  const base = testContext();
  const checks: Check[] = [];
  const wantedScopes = new Set<string>();
  const credentialHeaders: string[] = [];
  const context: RouteContext = {
    ...base,
    template: "/v1/orders",
    versions: [],
    methods: [],
    isPublic,
    hasAllAuthenticators: true,
    decisionServices: new Map(),
    detectors: new Map(),
    authenticators: new Map(authenticators.map((one) => [one.name, one])),
    limits: new Map(),
    plans: new Map(),
    overload: null,
    bans: null,
    revocations: null,
    isDefined: (section, name) => section === "authenticators" && broken.includes(name),
    hint: (section, name) =>
      nearestHint(name, section === "authenticators" ? [...authenticators.map((one) => one.name), ...broken] : []),
    addCheck: (check) => checks.push(check),
    addResponseCheck: () => {},
    setAnswerReading: () => {},
    setRequestRules: () => {},
    addCredentialParameters: () => {},
    credentialParameters: new Set(),
    declareHeaders: () => {},
    declaredHeaders: new Set(),
    nameScopes: () => {},
    nameAuthenticators: () => {},
    namedAuthenticators: new Set(),
    wantScopes: (scopes) => {
      for (const scope of scopes) wantedScopes.add(scope);
    },
    wantedScopes,
    setResponseRules: () => {},
    addHeadEdit: () => {},
    addResponseHeaders: () => {},
    removeResponseHeaders: () => {},
    setCors: () => {},
    credentialHeaders: new Set(),
    addCredentialHeaders: (names) => credentialHeaders.push(...names),
    setWebSocket: () => {},
    role: () => null,
    roleNames: [],
    identity: [],
    wantBody: () => {},
    judgeMethod: () => {},
    readAnswers: () => {},
    isBodyWanted: () => false,
    keepParameters: () => undefined,
    plainParameters: () => undefined,
    fillParameters: () => undefined,
    setTargetRewrite: () => {},
    targetRewrite: () => null,
    setRouteAnswer: () => {},
    setBodyBytesMax: () => {},
    takeTypes: () => {},
    takenTypes: [],
    promise: () => {},
    promises: [],
    describePart: () => {},
  };
  return { context, checks, credentialHeaders, problems: base.problems };
}

/** A request with these header lines, names in lower case. */
export function request(
  headers: readonly (readonly [string, string])[] = [],
  certificate: ClientCertificate | null = null,
): Exchange {
  return new Exchange(
    {
      listener: "inbound",
      peer: parseAddress("192.0.2.1") ?? UNIX_PEER,
      proxyPeer: null,
      protocol: "http/1.1",
      secure: true,
      certificate,
    },
    "GET",
    { path: "/v1/orders", query: "" },
    "orders.example.org",
    "orders.example.org",
    new HeaderBlock(
      headers.map(([name]) => name),
      headers.map(([, value]) => value),
    ),
    EMPTY_BODY,
  );
}

export function principalOf(answer: Authentication): Principal {
  if (answer === null) throw new Error("expected a principal, got no credentials");
  if (answer instanceof Denial) throw new Error(`expected a principal, got ${answer.reason}: ${answer.seen}`);
  return answer;
}

export function denialOf(answer: Authentication): Denial {
  if (answer instanceof Denial) return answer;
  throw new Error(`expected a denial, got ${answer === null ? "no credentials" : answer.key}`);
}
