import { shapeText } from "../inventory/declared.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { CurrentPolicy, CurrentRoute } from "./current-routes.ts";
import { keptWhole } from "./kept-whole.ts";
import { isKnownEnough, type KnownOperation } from "./known-operations.ts";
import type { Learner } from "./learner.ts";
import { isOpen, knownRoute, type LearntRoute, learntRoute } from "./learnt-route.ts";
import type { LeftOutRow } from "./left-out.ts";
import { OperationEvidence } from "./operation-evidence.ts";
import { operationsOf } from "./operations.ts";
import type { LearntRate } from "./rates.ts";
import { Support, type Thresholds } from "./support.ts";

/** A limit that was learnt; the names are those of the policy's `limits`. */
export interface LearntLimit {
  readonly name: string;
  readonly key: "principal" | "client.address";
  readonly rate: LearntRate;
}

/** What a record amounts to. */
export interface Lesson {
  readonly requests: number;
  readonly learnt: number;
  readonly declared: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly isSample: boolean;
  readonly thresholds: Thresholds;
  readonly routes: readonly LearntRoute[];
  /** Of the current policy, as they are. */
  readonly whole: readonly CurrentRoute[];
  readonly limits: readonly LearntLimit[];
  readonly leftOut: readonly LeftOutRow[];
}

/** The evidence → rules, and what they leave out. `known`: what an inventory tells beside the record. */
export function lessonOf(
  learner: Learner,
  policy: CurrentPolicy,
  thresholds: Thresholds,
  known: readonly KnownOperation[] = [],
): Lesson {
  const { leftOut, requests, learnt, declared, firstMs, lastMs, isSample } = learner;
  const enough = known.filter((one) => isKnownEnough(one, thresholds));
  const inventory = new Inventory(enough.filter((one) => !hasManyNames(one)));
  const routes: LearntRoute[] = [];
  for (const evidence of learner.evidence.values()) {
    for (const operation of operationsOf(evidence, thresholds)) {
      const { route, template, evidence: seen } = operation;
      const title = `${seen.method} ${template}`;
      const told = inventory.take(route, seen.method, template);
      if (seen.support.isEnough(thresholds)) routes.push(learntRoute(operation, policy, thresholds, leftOut));
      else if (told !== null) routes.push(knownRoute(route, template, seen, told));
      else leftOut.add(seen.support.requests < thresholds.requests ? "rare" : "few_callers", title, seen.support);
    }
    const { route } = evidence;
    if (route.kind !== "narrowed") continue;
    for (const told of inventory.rest(route))
      routes.push(knownRoute(route, told.path, new OperationEvidence(told.method), told));
    if (!routes.some((one) => one.route === route)) leftOut.add("unused", route.template, new Support());
  }
  for (const told of enough.filter(hasManyNames)) {
    const shape = shapeText(told.path);
    if (routes.some(({ method, path }) => method === told.method && shapeText(path) === shape)) continue;
    leftOut.add("names", `${told.method} ${told.path}`, supportOfMany(told));
  }
  const limits = isSample ? [] : limitsOf(learner, policy, thresholds, routes);
  for (const { name, rate } of limits) {
    for (const { source, requests: count } of rate.beyond) leftOut.add("limit", name, supportOf(source, count));
  }
  return {
    requests,
    learnt,
    declared,
    firstMs,
    lastMs,
    isSample,
    thresholds,
    routes: routes.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)),
    whole: keptWhole(policy.routes, routes),
    limits,
    leftOut: leftOut.rows(),
  };
}

/** What is known beside the record, each once. Kinds at one place are one parameter, as a policy has one route for them. */
class Inventory {
  readonly #left = new Map<string, KnownOperation>();

  constructor(known: readonly KnownOperation[]) {
    for (const one of known) {
      const key = keyOf(one.route, one.method, one.path);
      this.#left.set(key, together(this.#left.get(key), one));
    }
  }

  take({ template }: CurrentRoute, method: string, path: string): KnownOperation | null {
    const key = keyOf(template, method, path);
    const found = this.#left.get(key) ?? null;
    this.#left.delete(key);
    return found;
  }

  /** Of a route, what the record has not. */
  rest({ template, prefix }: CurrentRoute): readonly KnownOperation[] {
    return [...this.#left.values()].filter(({ route, path }) => {
      return route === template && (prefix === null ? path === template : path.startsWith(`${prefix}/`));
    });
  }
}

function keyOf(route: string, method: string, path: string): string {
  return `${method} ${route} ${shapeText(path)}`;
}

function together(first: KnownOperation | undefined, second: KnownOperation): KnownOperation {
  if (first === undefined) return second;
  return {
    ...first,
    requests: first.requests + second.requests,
    callers: Math.max(first.callers, second.callers),
    firstMs: Math.min(first.firstMs, second.firstMs),
    lastMs: Math.max(first.lastMs, second.lastMs),
  };
}

function order({ path, method }: LearntRoute): string {
  return `${path} ${method}`;
}

function limitsOf(
  { callerRates, addressRates }: Learner,
  policy: CurrentPolicy,
  thresholds: Thresholds,
  routes: readonly LearntRoute[],
): readonly LearntLimit[] {
  const name = (wanted: string): string => (policy.limits.has(wanted) ? name(`${wanted}2`) : wanted);
  const callers = routes.every(isOpen) ? null : callerRates.result(thresholds);
  const addresses = routes.some(isOpen) ? addressRates.result(thresholds) : null;
  return [
    ...(callers === null ? [] : [{ name: name("learntPerCaller"), key: "principal" as const, rate: callers }]),
    ...(addresses === null
      ? []
      : [{ name: name("learntPerAddress"), key: "client.address" as const, rate: addresses }]),
  ];
}

/** The inventory takes names for one value whoever has brought them: one caller could have the names of others opened as any. */
function hasManyNames({ path }: KnownOperation): boolean {
  return /\{slug\d*\}/.test(path);
}

/** Callers that have no numbers here. */
function supportOfMany({ requests, callers }: KnownOperation): Support {
  const support = new Support();
  for (let caller = 1; caller <= Math.min(callers, DEFAULTS.learnPartSourcesMax); caller++) support.note(-caller);
  support.requests = requests;
  return support;
}

function supportOf(source: number, requests: number): Support {
  const support = new Support(DEFAULTS.learnPartSourcesMax);
  support.note(source);
  support.requests = requests;
  return support;
}
