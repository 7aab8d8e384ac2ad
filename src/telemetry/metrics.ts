import type { Reason } from "../decision/reason.ts";
import { type Denial, ListDenial, type Place } from "../decision/verdict.ts";
import type { AnswerAction, AnswerCount } from "../message/answer-count.ts";
import type { DeprecatedOutcome } from "../message/deprecated-use.ts";
import type { DetectNotes } from "../message/detect-notes.ts";
import type { Decided } from "../message/exchange.ts";
import type { LeakNoteAction, LeakNotes, LeakWay } from "../message/leak-notes.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { CandidateFigures } from "./candidate-counts.ts";
import { Cell, ListenerCells, labelText } from "./cells.ts";
import { LadderCounts } from "./ladder-counts.ts";
import { RequestCells } from "./request-cells.ts";
import type { RequestRecord } from "./request-record.ts";
import type {
  AdminActResult,
  AnomaliesInForce,
  AuthenticatorFacts,
  BansInForce,
  CertificateFacts,
  HandshakeFailure,
  LimitFacts,
  OverloadInForce,
  PolicyInForce,
  RevocationListFacts,
} from "./telemetry.ts";

/** What became of a reload; `unchanged` where the bytes on disk are those that run. */
export const RELOAD_RESULTS = ["ok", "refused", "unchanged"] as const;
export type ReloadResult = (typeof RELOAD_RESULTS)[number];

/** Who took a change of the policy back. */
export const ROLLBACK_CAUSES = ["asked", "guard"] as const;
export type RollbackCause = (typeof ROLLBACK_CAUSES)[number];

export interface DeprecatedSeries {
  readonly route: string;
  readonly version: string | null;
  readonly counts: Record<DeprecatedOutcome, number>;
}

export interface AuditedSeries {
  readonly route: string;
  readonly check: string;
  readonly reason: Reason;
  readonly cell: Cell;
}

/** How often something was found that is not to be seen. */
export interface LeakSeries {
  readonly route: string;
  readonly way: LeakWay;
  readonly kind: string;
  readonly action: LeakNoteAction;
  readonly cell: Cell;
}

/** How often a list of the policy, as of addresses, met somebody. */
export interface ListSeries {
  readonly list: string;
  readonly reason: Reason;
  readonly result: "denied" | "audited";
  readonly cell: Cell;
}

/** How often a rule matched. */
export interface DetectSeries {
  readonly route: string;
  readonly way: LeakWay;
  readonly rule: string;
  readonly category: string;
  readonly cell: Cell;
}

/** How often a decision service and our own rules said this and that. */
export interface DecidedSeries extends Decided {
  readonly ours: "allow" | "deny";
  readonly cell: Cell;
}

/** What is known of the policy that runs. */
export interface PolicyFigures {
  readonly hash: string;
  readonly service: string;
  readonly loadedAtMs: number;
  readonly certificates: readonly CertificateFacts[];
  readonly revocationLists: readonly RevocationListFacts[];
  readonly limits: readonly LimitFacts[];
  readonly bans: BansInForce | null;
  readonly overload: OverloadInForce | null;
  readonly anomalies: AnomaliesInForce | null;
  readonly authenticators: readonly AuthenticatorFacts[];
}

/**
 * All counters of the process, outside of any snapshot so that they survive reloads. Plain numbers: a request costs
 * two map look-ups and some additions here; telemetry/exposition.ts gives them to prom-client when somebody scrapes.
 */
export class Metrics {
  readonly requests: RequestCells = new RequestCells();
  readonly audited: Map<string, AuditedSeries> = new Map();
  readonly ladder: LadderCounts = new LadderCounts();
  /** That somebody has set. */
  ladderSteps = 0;
  /** Null where no policy is tried beside the one in force. */
  candidate: CandidateFigures | null = null;
  readonly decided: Map<string, DecidedSeries> = new Map();
  readonly leaks: Map<string, LeakSeries> = new Map();
  readonly lists: Map<string, ListSeries> = new Map();
  readonly detected: Map<string, DetectSeries> = new Map();
  /** By route. */
  readonly answers: Map<string, Record<AnswerAction, number>> = new Map();
  /** By route, and by version where it is one of some. */
  readonly deprecated: Map<string, DeprecatedSeries> = new Map();
  readonly listeners: Map<string, ListenerCells> = new Map();
  readonly reloads: Record<ReloadResult, number> = { ok: 0, refused: 0, unchanged: 0 };
  readonly rollbacks: Record<RollbackCause, number> = { asked: 0, guard: 0 };
  /** By act and result. */
  readonly adminActs: Map<string, Record<AdminActResult, number>> = new Map();
  requestsInFlight = 0;
  policy: PolicyFigures | null = null;
  policyStale = false;
  /** Times that the state folder could not be used. */
  stateFaults = 0;
  /** Reloads since the last that was not refused. */
  reloadFailures = 0;
  #last: ListenerCells = new ListenerCells("");
  #routesBefore: ReadonlySet<string> = new Set();
  #upstreamsBefore: ReadonlySet<string> = new Set();

  /** `now`: milliseconds since the epoch, asked where the request can be looked up. */
  requestFinished(record: RequestRecord, now: () => number): void {
    if (this.requestsInFlight > 0) this.requestsInFlight--;
    const { exchange } = record;
    const { upstream, method, traceId } = exchange;
    const { place, times } = this.requests.count(
      record.listener,
      upstream,
      record.route,
      method,
      record.status,
      record.reason,
    );
    place.answered.observe(record.upstreamMs / 1000);
    // WebSockets last for hours; beside requests they would say nothing about either.
    if (record.status !== SWITCHED_STATUS) {
      const seconds = record.durationMs / 1000;
      times.observe(seconds);
      if (traceId !== null) times.exemplify(traceId, exchange.isTraceSampled, seconds, now);
    }
    const cells = this.listener(record.listener);
    cells.decision.observe(record.decisionMs / 1000);
    cells.requestBodyBytes += record.requestBodyBytes;
    cells.responseBodyBytes += record.responseBodyBytes;
    if (record.denial instanceof ListDenial) this.#countList(record.denial, "denied");
    if (exchange.audited !== null) this.#countAudited(record.route, exchange.audited);
    if (exchange.deprecated !== null) this.#countDeprecated(record.route, exchange.version, exchange.deprecated);
    if (exchange.decided !== null) this.#countDecided(record, exchange.decided);
    if (exchange.leaks !== null) this.#countLeaks(record.route, exchange.leaks);
    if (exchange.detected !== null) this.#countDetected(record.route, exchange.detected);
    if (exchange.answerCounts !== null) this.#countAnswer(record.route, exchange.answerCounts);
  }

  /** `act` is one of those that there are. */
  adminActed(act: string, result: AdminActResult): void {
    const results = this.adminActs.get(act) ?? { done: 0, failed: 0, unauthorized: 0, no_token: 0, cross_site: 0 };
    results[result]++;
    this.adminActs.set(act, results);
  }

  handshakeFailed(listener: string, failure: HandshakeFailure): void {
    this.listener(listener).handshakesFailed[failure]++;
  }

  listener(name: string): ListenerCells {
    if (this.#last.name === name) return this.#last;
    let cells = this.listeners.get(name);
    if (cells === undefined) {
      cells = new ListenerCells(name);
      this.listeners.set(name, cells);
    }
    this.#last = cells;
    return cells;
  }

  /**
   * Takes over what a new policy says. Series of routes that neither it nor the policy before it has are forgotten;
   * requests of the one before may still be under way.
   */
  policyLoaded(policy: PolicyInForce, loadedAtMs: number, rungs: PolicyInForce["rungs"] = policy.rungs): void {
    const { hash, service, certificates, revocationLists, limits, bans, overload } = policy;
    const authenticators = [...policy.authenticators.values()];
    const anomalies = policy.records?.anomalies ?? null;
    const read = { certificates, revocationLists, limits, bans, overload, anomalies, authenticators };
    this.policy = { hash, service, loadedAtMs, ...read };
    const routes = new Set(["unmatched", ...policy.routeList.map((route) => route.template)]);
    for (const { template, versions } of policy.routeList) {
      for (const version of versions) routes.add(seriesKey(template, version));
    }
    for (const { label } of policy.ownPages.values()) routes.add(label);
    const kept = routes.union(this.#routesBefore);
    this.#routesBefore = routes;
    const listeners = new Set(policy.listeners.map((listener) => listener.name));
    for (const [name, cells] of this.listeners) {
      if (!listeners.has(name) && cells.connectionsOpen === 0) this.listeners.delete(name);
    }
    this.ladder.follow([...policy.rungs, ...rungs]);
    this.#last = new ListenerCells("");
    const upstreams = new Set(policy.upstreams.keys());
    this.requests.retain({
      listeners: listeners.union(new Set(this.listeners.keys())),
      upstreams: upstreams.union(this.#upstreamsBefore),
      routes: kept,
    });
    this.#upstreamsBefore = upstreams;
    for (const [key, series] of this.audited) if (!kept.has(series.route)) this.audited.delete(key);
    for (const [key, series] of this.leaks) if (!kept.has(series.route)) this.leaks.delete(key);
    for (const [key, series] of this.detected) if (!kept.has(series.route)) this.detected.delete(key);
    for (const key of this.deprecated.keys()) if (!kept.has(key)) this.deprecated.delete(key);
    for (const route of this.answers.keys()) if (!kept.has(route)) this.answers.delete(route);
  }

  /** As many routes as policies have. */
  #countAnswer(route: string, counts: readonly AnswerCount[]): void {
    let series = this.answers.get(route);
    if (series === undefined) {
      series = { removed: 0, undeclared: 0, writeOnly: 0, masked: 0, unread: 0 };
      this.answers.set(route, series);
    }
    for (const one of counts) series[one.action] += one.count();
  }

  /** As many routes and versions as policies have. */
  #countDeprecated(route: string, version: string | null, outcome: DeprecatedOutcome): void {
    const key = seriesKey(route, version);
    const series = this.deprecated.get(key) ?? {
      route,
      version,
      counts: { served: 0, excepted: 0, brownout: 0, ended: 0 },
    };
    series.counts[outcome]++;
    this.deprecated.set(key, series);
  }

  /** `ours`: what the policy's own rules say, in force or audited. */
  #countDecided({ denial, exchange }: RequestRecord, decided: readonly Decided[]): void {
    const denials = denial === null ? (exchange.audited ?? []) : [denial, ...(exchange.audited ?? [])];
    const ours = denials.some(({ place }) => checkName(place) === "authorize") ? "deny" : "allow";
    for (const { service, theirs } of decided) {
      const key = `${service}\n${theirs}\n${ours}`;
      let series = this.decided.get(key);
      if (series === undefined) {
        if (this.decided.size >= DEFAULTS.metricSeriesMax) return;
        series = { service, theirs, ours, cell: new Cell() };
        this.decided.set(key, series);
      }
      series.cell.value++;
    }
  }

  #countLeaks(route: string, { counts }: LeakNotes): void {
    for (const { way, kind, action, count } of counts) {
      const key = `${route}\n${way}\n${kind}\n${action}`;
      let series = this.leaks.get(key);
      if (series === undefined) {
        if (this.leaks.size >= DEFAULTS.metricSeriesMax) return;
        series = { route, way, kind, action, cell: new Cell() };
        this.leaks.set(key, series);
      }
      series.cell.value += count;
    }
  }

  /** Lists of policies past stay, up to a number that policies with other lists again and again would take long to reach. */
  #countList({ list, reason }: ListDenial, result: ListSeries["result"]): void {
    const key = `${list}\n${reason}\n${result}`;
    let series = this.lists.get(key);
    if (series === undefined) {
      if (this.lists.size >= DEFAULTS.metricListsMax) return;
      series = { list: labelText(list), reason, result, cell: new Cell() };
      this.lists.set(key, series);
    }
    series.cell.value++;
  }

  #countDetected(route: string, { counts }: DetectNotes): void {
    for (const { way, id, category, count } of counts) {
      const key = `${route}\n${way}\n${id}`;
      let series = this.detected.get(key);
      if (series === undefined) {
        if (this.detected.size >= DEFAULTS.metricSeriesMax) return;
        series = { route, way, rule: String(id), category, cell: new Cell() };
        this.detected.set(key, series);
      }
      series.cell.value += count;
    }
  }

  #countAudited(route: string, denials: readonly Denial[]): void {
    for (const denial of denials) {
      if (denial instanceof ListDenial) this.#countList(denial, "audited");
      const check = checkName(denial.place);
      const key = `${route}\n${check}\n${denial.reason}`;
      let series = this.audited.get(key);
      if (series === undefined) {
        if (this.audited.size >= DEFAULTS.metricSeriesMax) return;
        series = { route, check, reason: denial.reason, cell: new Cell() };
        this.audited.set(key, series);
      }
      series.cell.value++;
    }
  }
}

const SWITCHED_STATUS = 101;

/** `routes[2].authorize.scopes` and `defaults.authorize` → `authorize`; `limits.perCaller` → `limits`. */
export function checkName(place: Place | null): string {
  if (place === null) return "http";
  const keys = place.path.split(".");
  const first = keys[0] ?? "";
  const name = (first.startsWith("routes[") || first === "defaults" ? keys[1] : first) ?? first;
  const bracket = name.indexOf("[");
  return bracket < 0 ? name : name.slice(0, bracket);
}

function seriesKey(route: string, version: string | null): string {
  return version === null ? route : `${route}\n${version}`;
}
