import { type NameManners, PathTree } from "../inventory/path-tree.ts";
import { methodName } from "../inventory/route-use.ts";
import { segmentsOf, stepOfSegment, templateOf } from "../inventory/segment-kind.ts";
import type { DecisionFacts } from "../records/decision-facts.ts";
import type { RecordedRequest } from "../records/recorded-line.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { CurrentPolicy, CurrentRoute } from "./current-routes.ts";
import { LeftOut } from "./left-out.ts";
import { OperationEvidence } from "./operation-evidence.ts";
import { Rates } from "./rates.ts";
import { addressOf, isKnown, Sources, sourceOf } from "./sources.ts";
import { faultOf } from "./suspicion.ts";

/** What was seen of one route of the current policy. */
export interface RouteEvidence {
  readonly route: CurrentRoute;
  /** Of a route with one place, by method. */
  readonly operations: Map<string, OperationEvidence>;
  /** Of one with `**`. */
  readonly tree: PathTree<OperationEvidence>;
}

interface Manners {
  requests: number;
  failures: number;
  /** Templates that it failed with, as many as matter. */
  readonly ways: Set<string>;
}

/**
 * Recorded requests → evidence, in two readings of the same record: `survey` sees who scans, `learn` learns of all others what the
 * service has confirmed. What is kept is bounded, however long the record is.
 */
export class Learner {
  readonly evidence: ReadonlyMap<CurrentRoute, RouteEvidence>;
  readonly leftOut: LeftOut = new LeftOut();
  readonly callerRates: Rates = new Rates();
  readonly addressRates: Rates = new Rates();
  /** Requests that were read, and those that count. */
  requests = 0;
  learnt = 0;
  /** Of operations that documents declare. */
  declared = 0;
  firstMs: number = Number.POSITIVE_INFINITY;
  lastMs: number = Number.NEGATIVE_INFINITY;
  /** One in so many was recorded, or the others were not: limits cannot be learnt from it. */
  isSample = false;
  /** Names of the authenticators that knew callers. */
  readonly knownBy: Set<string> = new Set();
  readonly #policy: CurrentPolicy;
  readonly #sources = new Sources();
  readonly #manners = new Map<number, Manners>();
  readonly #room = { operations: DEFAULTS.learnOperationsMax, nodes: DEFAULTS.learnNodesMax };
  #nowMs = 0;

  constructor(policy: CurrentPolicy) {
    this.#policy = policy;
    const open = (route: CurrentRoute): RouteEvidence => ({
      route,
      operations: new Map(),
      tree: new PathTree(this.#room, (method) => new OperationEvidence(method), NAMES),
    });
    this.evidence = new Map(policy.routes.map((route) => [route, open(route)]));
  }

  survey(recorded: RecordedRequest): void {
    const { facts } = recorded;
    const source = this.#sources.numberOf(sourceOf(facts));
    const manners = this.#manners.get(source) ?? { requests: 0, failures: 0, ways: new Set() };
    this.#manners.set(source, manners);
    manners.requests++;
    const fault = faultOf(recorded);
    if (fault === null || fault === "answered") return;
    manners.failures++;
    if (manners.ways.size < DEFAULTS.learnScannerWaysMin) manners.ways.add(wholeTemplate(facts));
  }

  learn(recorded: RecordedRequest): void {
    const { facts } = recorded;
    this.requests++;
    this.firstMs = Math.min(this.firstMs, facts.atMs);
    this.lastMs = Math.max(this.lastMs, facts.atMs);
    if (facts.principal !== null && isKnown(facts) && this.knownBy.size < DEFAULTS.learnNamedMax)
      this.knownBy.add(facts.principal.authenticator);
    if ((facts.oneIn ?? 1) > 1) this.isSample = true;
    const source = this.#sources.numberOf(sourceOf(facts));
    const fault = this.#isScanner(source) ? "scanner" : faultOf(recorded);
    const route = fault === "denied" ? null : this.#policy.routeOf(facts);
    const evidence = route === null ? undefined : this.evidence.get(route);
    if (evidence?.route.kind === "declared" && fault === null) {
      this.declared++;
      return;
    }
    if (evidence === undefined || fault !== null || evidence.route.kind !== "narrowed") {
      const why = fault ?? (evidence === undefined ? "unrouted" : "answered");
      if (evidence !== undefined && this.#known(evidence, facts) !== null) this.#count(facts, source);
      this.leftOut.note(why, titleOf(evidence?.route ?? null, facts), source);
      return;
    }
    const known = this.#learnt(evidence, facts, source);
    if (known === null) {
      this.leftOut.note("room", titleOf(evidence.route, facts), source);
      return;
    }
    this.learnt++;
    known.note(recorded, source, valuesOf(evidence.route, facts));
    this.#count(facts, source);
  }

  /** Another file begins: its time is its own. */
  begin(): void {
    this.#nowMs = 0;
  }

  #isScanner(source: number): boolean {
    const manners = this.#manners.get(source);
    if (manners === undefined) return false;
    const { learnScannerFailuresMin, learnScannerWaysMin } = DEFAULTS;
    const { requests, failures, ways } = manners;
    return failures >= learnScannerFailuresMin && failures * 2 > requests && ways.size >= learnScannerWaysMin;
  }

  /** Whatever becomes of a request of a known operation, it counts for the limits of it. */
  #count(facts: DecisionFacts, source: number): void {
    // Lines stand in the order of their ends; limits count beginnings.
    this.#nowMs = Math.max(this.#nowMs, facts.atMs - facts.durationMs);
    if (facts.principal !== null) this.callerRates.note(source, this.#nowMs);
    this.addressRates.note(this.#sources.numberOf(addressOf(facts)), this.#nowMs);
  }

  #known({ route, operations, tree }: RouteEvidence, { method, path }: DecisionFacts): OperationEvidence | null {
    if (route.prefix === null) return operations.get(method) ?? null;
    const segments = segmentsOf(path, route.skipped + DEFAULTS.inventoryStepsMax);
    return tree.find(segments, route.skipped + 1, method);
  }

  #learnt(
    { route, operations, tree }: RouteEvidence,
    { method, path }: DecisionFacts,
    source: number,
  ): OperationEvidence | null {
    if (route.prefix !== null) return tree.learn(stepsOf(route, path), method, source);
    const known = operations.get(method);
    if (known !== undefined) return known;
    if (this.#room.operations <= 0) return null;
    this.#room.operations--;
    const operation = new OperationEvidence(method);
    operations.set(method, operation);
    return operation;
  }
}

/** Whoever makes up names makes no values of the names that others use. */
const NAMES: NameManners = {
  namesMax: DEFAULTS.learnNamesMax,
  ofOneMax: DEFAULTS.learnNamesOfOneMax,
  foldsAll: false,
};

/** Names and kinds, behind the prefix of a route with `**`. */
function stepsOf({ skipped }: CurrentRoute, path: string): readonly string[] {
  return segmentsOf(path, skipped + DEFAULTS.inventoryStepsMax)
    .slice(skipped + 1)
    .map(stepOfSegment);
}

/** What stands where rules may say something of it: behind the prefix, or at the parameters. */
function valuesOf({ prefix, skipped, parameters }: CurrentRoute, { path }: DecisionFacts): readonly string[] {
  const segments = segmentsOf(path, skipped + DEFAULTS.inventoryStepsMax);
  return prefix === null ? parameters.map(([, at]) => segments[at] ?? "") : segments.slice(skipped + 1);
}

/** The operation that a request is of, as far as anybody can tell: names and kinds, never a value. */
function titleOf(route: CurrentRoute | null, facts: DecisionFacts): string {
  if (route === null) return wholeTemplate(facts);
  const template = route.prefix === null ? route.template : templateOf(route.prefix, stepsOf(route, facts.path));
  return `${methodName(facts.method)} ${template}`;
}

function wholeTemplate({ method, path }: DecisionFacts): string {
  const steps = segmentsOf(path, DEFAULTS.inventoryStepsMax).slice(1).map(stepOfSegment);
  return `${methodName(method)} ${templateOf("", steps)}`;
}
