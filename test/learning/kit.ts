import { type CurrentPolicy, currentRoute, openPolicy, type Settings } from "../../src/learning/current-routes.ts";
import { FIRST_SECTIONS } from "../../src/learning/kept-sections.ts";
import type { KnownOperation } from "../../src/learning/known-operations.ts";
import { Learner } from "../../src/learning/learner.ts";
import { type Lesson, lessonOf } from "../../src/learning/lesson.ts";
import { policyText } from "../../src/learning/policy-text.ts";
import type { Thresholds } from "../../src/learning/support.ts";
import { buildRouteTree } from "../../src/matching/route-tree.ts";
import type { DecisionFacts, PrincipalFacts } from "../../src/records/decision-facts.ts";
import { factsOf } from "../records/kit.ts";

export function caller(id: string, changes: Partial<PrincipalFacts> = {}): PrincipalFacts {
  return {
    id,
    authenticator: "partners",
    type: "api-key",
    scopes: [],
    roles: [],
    groups: [],
    claimNames: [],
    claims: {},
    ...changes,
  };
}

const START_MS = Date.UTC(2026, 10, 1, 12);

/** The same request `times` over, by each of these in turn. */
export function each<One>(of: readonly One[], times: number, make: (one: One, at: number) => Partial<DecisionFacts>) {
  return Array.from({ length: times }, (_, at) => of.map((one, nth) => make(one, at * of.length + nth))).flat();
}

const ASKS = { authenticate: ["partners", "okta"] };

/** A policy with these routes, each with what it says beside its path; in place of the whole one. */
export function policyOf(routes: Readonly<Record<string, Settings>> = { "/**": ASKS }): CurrentPolicy {
  const made = Object.entries(routes).map(([path, settings]) => currentRoute(path, { path, ...settings }, "narrowed"));
  const tree = buildRouteTree(
    made.map((route) => ({ template: route.template, hosts: [], methods: [], isCaseSensitive: false, route })),
  );
  return {
    ...openPolicy(),
    routes: made,
    routeOf: ({ method, path }) => {
      const match = tree.match("localhost", method, path);
      return match.kind === "found" ? match.route.route : null;
    },
  };
}

/** What is learnt of these requests, in this order. */
export function lessonFrom(
  requests: readonly Partial<DecisionFacts>[],
  policy: CurrentPolicy = policyOf(),
  thresholds: Thresholds = { requests: 10, callers: 2 },
  known: readonly KnownOperation[] = [],
): Lesson {
  const learner = new Learner(policy);
  const recorded = requests.map((one, at) => ({
    facts: factsOf({ atMs: START_MS + at * 1000, ...one }),
    hasHeaders: true,
  }));
  for (const one of recorded) learner.survey(one);
  for (const one of recorded) learner.learn(one);
  return lessonOf(learner, policy, thresholds, known);
}

export function textOf(lesson: Lesson, policy: CurrentPolicy = policyOf()): string {
  return policyText(lesson, policy, FIRST_SECTIONS);
}

/** `GET /v1/orders`, one for each. */
export function operationsIn({ routes }: Lesson): readonly string[] {
  return routes.map(({ method, path }) => `${method} ${path}`);
}

/** `denied 3 GET /admin`, one for each. */
export function leftOutIn({ leftOut }: Lesson): readonly string[] {
  return leftOut.map(({ why, what, support }) => `${why} ${support.requests} ${what}`);
}
