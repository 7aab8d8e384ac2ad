import type { Registry } from "prom-client";
import { isFault } from "../http2/close-reason.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import { wantedCertificate } from "../message/certificate-fault.ts";
import type { ResourceStatus } from "../resources/resource.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { threadHolds } from "../support/thread-holds.ts";
import { systemTimers, type Timers } from "../support/timers.ts";
import { Turns } from "../support/turns.ts";
import { AccessLog } from "./access-log.ts";
import { createEventLog, type EventLog, type EventName } from "./event-log.ts";
import type { FigureSources } from "./figures.ts";
import { FileWatch } from "./file-watch.ts";
import type { FirstDenial } from "./ladder-counts.ts";
import { LogOutput } from "./log-output.ts";
import type { LogSink } from "./log-sink.ts";
import { logText } from "./log-text.ts";
import { familyText, type MetricsFormat } from "./long-family.ts";
import { Metrics, type ReloadResult, type RollbackCause } from "./metrics.ts";
import type { ProcessFigures } from "./process-metrics.ts";
import { createRateGate } from "./rate-gate.ts";
import type { RequestRecord } from "./request-record.ts";
import {
  type AdminActResult,
  type AuditTrail,
  CONNECTION_REFUSALS,
  type ConnectionRefusal,
  type HandshakeFailure,
  type PolicyInForce,
  type Telemetry,
} from "./telemetry.ts";
import { type LoopDelay, ThreadWatch } from "./thread-watch.ts";

/** Telemetry that counts and logs, and what the daemon tells it besides requests. */
export interface LiveTelemetry extends Telemetry {
  readonly metrics: Metrics;
  /** Where figures of the whole process are read. */
  readonly sources: FigureSources;
  readonly log: EventLog;
  /** A connection was closed before it could ask for anything. */
  connectionRefused(listener: string, refusal: ConnectionRefusal, peer: string, seen: string): void;
  /** Accepting failed, as for want of file descriptors. */
  acceptFailed(listener: string, code: string): void;
  /** Somebody asked for an act at the admin port; `fields`: what was done, or why not. */
  adminActed(act: string, result: AdminActResult, client: string, fields: Readonly<Record<string, unknown>>): void;
  /**
   * `base`: the same as its file has it, whose checks keep what they counted; `isOther`: it was not in force before, by
   * whatever steps. The policy itself, and another, if absent.
   */
  policyLoaded(policy: PolicyInForce, base?: PolicyInForce, isOther?: boolean): void;
  /** `stale`: the policy on disk is not the one that runs. */
  reloaded(result: ReloadResult, stale: boolean): void;
  /** The policy before is in force again, and the one on disk is refused. */
  rolledBack(cause: RollbackCause): void;
  /** Requests are served from now on, and what holds the thread is watched. */
  serving(): void;
  /** The log's file may stand under another name by now. */
  reopenLog(): void;
  /** The end: no timer is left, and what was only counted is told. */
  stop(): void;
  /** All metrics, as text. */
  metricsText(format?: MetricsFormat): Promise<string>;
}

export interface TelemetryDeps {
  readonly clock: Clock;
  readonly timers?: Timers;
  readonly sink: LogSink;
  readonly processFigures: (() => ProcessFigures) | null;
  readonly memory: MemoryBudget;
  /** Null where nobody watches the thread. */
  readonly loopDelay?: LoopDelay | null;
  /** The system's error where one more file cannot be opened; null where it can. Nobody looks if absent. */
  readonly fileFault?: (() => string | null) | undefined;
  /** How what outlives policies is. */
  readonly resources?: () => readonly ResourceStatus[];
  readonly notReady?: FigureSources["notReady"];
}

export function createTelemetry(deps: TelemetryDeps): LiveTelemetry {
  const { clock, sink, processFigures, memory, loopDelay = null, timers = systemTimers } = deps;
  const { resources = () => [], notReady = () => new Map() } = deps;
  const metrics = new Metrics();
  let trail: AuditTrail | null = null;
  const output = new LogOutput(sink);
  const log = createEventLog(clock, output, (event, fields) => trail?.event(event, fields), timers);
  const accessLog = new AccessLog(clock, timers, output, log);
  const tellDropped = (where: string) => (lines: number) =>
    log.warn("lines_dropped", "lines of the log had no room; it is written again", { where, lines });
  sink.onRecovered(tellDropped("standard output"));
  const gateFor = (event: EventName, linesPerSecondMax: number, isAudited = false) =>
    createRateGate(clock, linesPerSecondMax, {
      timers,
      tell: (lines) => {
        if (isAudited) trail?.event("lines_left_out", { lines, of: event });
        log.warn("lines_left_out", "more of these happened than get a line", { lines, of: event });
      },
    });
  const handshakeGate = gateFor("handshake_failed", DEFAULTS.connectionLogLinesPerSecondMax);
  const http2Gate = gateFor("http2_fault", DEFAULTS.connectionLogLinesPerSecondMax);
  const refusedGates = new Map(CONNECTION_REFUSALS.map((refusal) => [refusal, gateFor("connection_refused", 1)]));
  const banGate = gateFor("banned", DEFAULTS.connectionLogLinesPerSecondMax);
  const actGate = gateFor("admin_act", DEFAULTS.connectionLogLinesPerSecondMax, true);
  const ladderGate = gateFor("would_deny", DEFAULTS.ladderLogLinesPerSecondMax);
  const acceptGate = gateFor("listener_error", 1);
  const files =
    deps.fileFault === undefined
      ? null
      : new FileWatch(deps.fileFault, timers, (code) =>
          log.error("listener_error", "no file is left for another connection: those that come are closed unheard", {
            code,
          }),
        );
  const thread = loopDelay === null ? null : new ThreadWatch(threadHolds, loopDelay, clock, log);
  const sources = {
    metrics,
    logLinesDropped: () => output.linesDropped,
    processFigures,
    memory,
    thread,
    resources,
    notReady,
  };
  const registries: Partial<Record<MetricsFormat, Registry>> = {};
  const renderings: Partial<Record<MetricsFormat, Promise<string>>> = {};

  const tellFirsts = (firsts: readonly FirstDenial[], { id, route }: RequestRecord): void => {
    for (const { check, denial, caller } of firsts) {
      const suppressed = ladderGate();
      if (suppressed === null) continue;
      const { name, place } = check;
      const policy = `${place.file}:${place.line}:${place.column}`;
      const fields = { check: name, policy, rule: place.path, reason: denial.reason, caller, route, id, suppressed };
      log.info("would_deny", "a check that does not enforce would deny this caller", fields);
    }
  };

  const render = async (format: MetricsFormat): Promise<string> => {
    const { createRegistry } = await import("./exposition.ts");
    const { longFamilies } = await import("./route-families.ts");
    // Kept only once it is there: a scrape that fails for want of file descriptors must not spoil the next.
    const registry = registries[format] ?? createRegistry(sources, format);
    registries[format] = registry;
    const turns = new Turns(clock, DEFAULTS.compileSliceMs);
    let text = "";
    for (const family of longFamilies(metrics)) text += await turns.run(familyText(family, format));
    // Last, for it writes the mark at the end of OpenMetrics.
    return text + (await registry.metrics());
  };

  return {
    metrics,
    sources,
    log,
    requestStarted: () => {
      metrics.requestsInFlight++;
    },
    requestFinished: (record: RequestRecord) => {
      metrics.requestFinished(record, () => clock.wallMs());
      accessLog.write(record);
      if (record.exchange.audited !== null) tellFirsts(metrics.ladder.count(record), record);
    },
    connectionOpened: (listener) => {
      const cells = metrics.listener(listener);
      cells.connectionsOpen++;
      cells.connectionsTotal++;
    },
    connectionClosed: (listener) => {
      metrics.listener(listener).connectionsOpen--;
    },
    handshakeFailed: (listener: string, failure: HandshakeFailure, peer: string, detail: string) => {
      metrics.handshakeFailed(listener, failure);
      const suppressed = handshakeGate();
      if (suppressed === null) return;
      const wanted = wantedCertificate(failure);
      const fields = { listener, reason: failure, client: peer, detail: logText(detail), wanted, suppressed };
      log.info("handshake_failed", "TLS handshake failed", fields);
    },
    http1ConnectionClosed: (listener, reason) => {
      metrics.listener(listener).http1ConnectionsClosed[reason]++;
    },
    http2RequestUnjudged: (listener, why) => {
      metrics.listener(listener).http2RequestsUnjudged[why]++;
    },
    http2SessionClosed: (listener, reason, peer, seen) => {
      metrics.listener(listener).http2SessionsClosed[reason]++;
      const suppressed = isFault(reason) ? http2Gate() : null;
      if (suppressed === null) return;
      const fields = { listener, reason, seen, client: peer, suppressed };
      log.warn("http2_fault", "an HTTP/2 connection was given up", fields);
    },
    banned: ({ ban, key, id, untilMs, count }, reason) => {
      const fields = {
        ban,
        reason: reason ?? "suspicion",
        key: logText(key),
        id,
        until: new Date(untilMs).toISOString(),
        count,
      };
      trail?.event("banned", fields);
      const suppressed = banGate();
      if (suppressed !== null)
        log.warn("banned", reason === null ? "too much that looks like attacks" : "refused too often", {
          ...fields,
          suppressed,
        });
    },
    connectionRefused: (listener, reason, peer, seen) => {
      metrics.listener(listener).connectionsRefused[reason]++;
      const suppressed = refusedGates.get(reason)?.() ?? null;
      if (suppressed === null) return;
      const fields = { listener, reason, client: peer, seen: seen === "" ? undefined : logText(seen), suppressed };
      log.warn("connection_refused", "a connection was closed at once", fields);
    },
    acceptFailed: (listener, code) => {
      const suppressed = acceptGate();
      if (suppressed === null) return;
      log.error("listener_error", "a connection could not be accepted", { listener, code, suppressed });
    },
    adminActed: (act, result, client, fields) => {
      metrics.adminActed(act, result);
      const told = { act, result, client, ...answerFields(fields) };
      if (result === "done" || result === "failed") {
        trail?.event("admin_act", told);
        if (result === "done") log.info("admin_act", "done at the admin port", told);
        else log.warn("admin_act", "refused at the admin port", told);
        return;
      }
      // Nobody needs the token to ask: whoever reaches the port would fill the disk.
      const suppressed = actGate();
      if (suppressed === null) return;
      trail?.event("admin_act", suppressed === 0 ? told : { ...told, suppressed });
      log.warn("admin_act", "refused at the admin port", { ...told, suppressed });
    },
    policyLoaded: (policy, base = policy, isOther = true) => {
      output.follow(policy.log.more, tellDropped("file"));
      accessLog.follow(policy.log);
      const next = policy.records?.audit ?? null;
      if (next !== trail) {
        // Whoever turns it off, or leads it elsewhere, stands in the one that ends.
        trail?.event("audit_ends", { policyHash: policy.hash });
        next?.onHead((head) => log.info("audit_head", "newest line of the audit log", { head }));
        trail = next;
      }
      policy.records?.anomalies?.inForce((row) => {
        trail?.event("anomaly", row);
        const isOver = row["state"] === "ended";
        log[isOver ? "info" : "warn"]("anomaly", isOver ? "as usual again" : "something is unusual", row);
      });
      const sinceMs = isOther ? null : (metrics.policy?.loadedAtMs ?? null);
      metrics.policyLoaded(policy, sinceMs ?? clock.wallMs(), base.rungs);
    },
    reloaded: (result, stale) => {
      metrics.reloads[result]++;
      metrics.policyStale = stale;
      metrics.reloadFailures = result === "refused" ? metrics.reloadFailures + 1 : 0;
    },
    rolledBack: (cause) => {
      metrics.rollbacks[cause]++;
      metrics.policyStale = true;
    },
    serving: () => {
      thread?.start();
      files?.start();
    },
    reopenLog: () => output.reopen(),
    stop: () => {
      log.flush();
      accessLog.flush();
      thread?.stop();
      files?.stop();
    },
    // Scrapes that overlap share one text: asking often must not cost more than asking once.
    metricsText: (format = "prometheus") => {
      const rendering = renderings[format] ?? render(format).finally(() => delete renderings[format]);
      renderings[format] = rendering;
      return rendering;
    },
  };
}

/** What a line of an act says itself; an answer has its other members in it. */
const OF_THE_LINE: ReadonlySet<string> = new Set([
  ...["act", "result", "client", "suppressed", "level", "time", "event", "msg"],
  ...["v", "seq", "prev", "hash", "hmac"],
]);

function answerFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !OF_THE_LINE.has(name)));
}
