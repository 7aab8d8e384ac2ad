import { Counter, Gauge, type PrometheusContentType, Registry } from "prom-client";
import type { Account } from "../memory/account.ts";
import { ACCOUNT_NAMES, type MemoryBudget } from "../memory/budget.ts";
import { RESOURCE_OUTCOMES, RESOURCE_STATES, type ResourceStatus, SPAN_OUTCOMES } from "../resources/resource.ts";
import { HOLDERS } from "../support/thread-holds.ts";
import type { ListenerCells } from "./cells.ts";
import { labelText } from "./cells.ts";
import { FIGURES, type FigureSources } from "./figures.ts";
import { IDENTITY_FAMILIES } from "./identity-metrics.ts";
import { LIMIT_FAMILIES } from "./limit-metrics.ts";
import type { MetricsFormat } from "./long-family.ts";
import { type Metrics, RELOAD_RESULTS, ROLLBACK_CAUSES } from "./metrics.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import type { HeldCells, ThreadWatch } from "./thread-watch.ts";

type Labels = Readonly<Record<string, string | number>>;
interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/**
 * A prom-client registry over our cells. This file is imported when the first scrape comes: prom-client costs tens of
 * milliseconds of start-up, and until then nobody needs it.
 */
export function createRegistry(inputs: FigureSources, format: MetricsFormat): Registry {
  const registry = new Registry();
  // The type of a registry names one format, and the classes of metrics take either.
  if (format === "openmetrics")
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as string as PrometheusContentType);
  registerRequests(registry, inputs.metrics);
  registerListeners(registry, inputs.metrics);
  registerPolicy(registry, inputs.metrics);
  registerMemory(registry, inputs.memory);
  registerFigures(registry, inputs);
  registerThread(registry, inputs.thread);
  registerResources(registry, inputs.resources);
  gauge(registry, "postern_not_ready", "1 for each reason that the process is not to get requests, else 0.", () =>
    Array.from(inputs.notReady(), ([reason, holds]) => ({ labels: { reason }, value: holds ? 1 : 0 })),
  );
  if (inputs.processFigures !== null) registerProcessMetrics(registry, inputs.processFigures);
  return registry;
}

/** Figures that have no labels are those of `/status`. */
function registerFigures(registry: Registry, inputs: FigureSources): void {
  for (const { kind, metric, read } of FIGURES) {
    if (metric === undefined) continue;
    (kind === "counter" ? counter : gauge)(registry, metric.name, metric.help, () => {
      const value = read(inputs);
      return value === null ? [] : [{ labels: {}, value }];
    });
  }
}

function registerMemory(registry: Registry, memory: MemoryBudget): void {
  const each = (read: (account: Account) => number) => () =>
    ACCOUNT_NAMES.map((account) => ({ labels: { account }, value: read(memory[account]) }));
  gauge(
    registry,
    "postern_memory_bytes",
    "What clients make the process hold, by account.",
    each((a) => a.heldBytes),
  );
  gauge(
    registry,
    "postern_memory_share_bytes",
    "What an account may hold.",
    each((a) => a.bytesMax),
  );
  counter(
    registry,
    "postern_memory_refused_total",
    "Refusals for want of memory, by account.",
    each((a) => a.refused),
  );
  counter(
    registry,
    "postern_memory_yielded_total",
    "Handshakes and connections that gave way to newer ones, by account.",
    each((account) => account.yielded),
  );
}

function registerResources(registry: Registry, read: () => readonly ResourceStatus[]): void {
  const each = (samplesOf: (status: ResourceStatus, labels: Labels) => Sample[]) => () =>
    read().flatMap((status) => samplesOf(status, { kind: status.kind, name: labelText(status.name) }));
  gauge(
    registry,
    "postern_resource_state",
    "1 for the state that a resource of the policy is in, 0 for the others.",
    each(({ state }, labels) =>
      RESOURCE_STATES.map((one) => ({ labels: { ...labels, state: one }, value: one === state ? 1 : 0 })),
    ),
  );
  counter(
    registry,
    "postern_resource_tries_total",
    "Tries to get or renew what a resource has, by outcome.",
    each(({ tries }, labels) =>
      RESOURCE_OUTCOMES.map((outcome) => ({ labels: { ...labels, outcome }, value: tries[outcome] })),
    ),
  );
  counter(
    registry,
    "postern_key_set_unknown_kids_total",
    "Tokens that named a key which a key set does not have.",
    each(({ unknownKids, name }) =>
      unknownKids === undefined ? [] : [{ labels: { name: labelText(name) }, value: unknownKids }],
    ),
  );
  counter(
    registry,
    "postern_limit_store_requests_total",
    "Requests that were counted in a store, by how that was known.",
    each(({ storeRequests = {}, name }) =>
      Object.entries(storeRequests).map(([outcome, value]) => ({ labels: { name: labelText(name), outcome }, value })),
    ),
  );
  counter(
    registry,
    "postern_spans_total",
    "Spans that were recorded, by what became of them.",
    each(({ spans }) =>
      spans === undefined ? [] : SPAN_OUTCOMES.map((outcome) => ({ labels: { outcome }, value: spans[outcome] })),
    ),
  );
  gauge(
    registry,
    "postern_audit_log_line",
    "Number of the newest line of the audit log.",
    each(({ audit }) => (audit === undefined ? [] : [{ labels: {}, value: audit.lines }])),
  );
  counter(
    registry,
    "postern_audit_log_lines_dropped_total",
    "Lines for which the audit log had no room.",
    each(({ audit }) => (audit === undefined ? [] : [{ labels: {}, value: audit.dropped }])),
  );
  const seconds = (name: string, help: string, at: (status: ResourceStatus) => number | null): void =>
    gauge(
      registry,
      name,
      help,
      each((status, labels) => {
        const ms = at(status);
        return ms === null ? [] : [{ labels, value: ms / 1000 }];
      }),
    );
  seconds("postern_resource_fresh_timestamp_seconds", "Since when a resource has what it serves.", (s) => s.freshAtMs);
  seconds("postern_resource_stale_until_timestamp_seconds", "Until when it serves.", (s) => s.staleUntilMs);
}

function registerRequests(registry: Registry, metrics: Metrics): void {
  counter(
    registry,
    "postern_decision_service_verdicts_total",
    "What decision services said, beside what the policy's own rules said of the same requests.",
    () =>
      [...metrics.decided.values()].map(({ service, theirs, ours, cell }) => ({
        labels: { decision_service: labelText(service), theirs, ours },
        value: cell.value,
      })),
  );
}

function registerListeners(registry: Registry, metrics: Metrics): void {
  const each = (read: (cells: ListenerCells) => number) => () =>
    Array.from(metrics.listeners.values(), (cells) => ({ labels: { listener: cells.name }, value: read(cells) }));
  const byReason = (read: (cells: ListenerCells) => Readonly<Record<string, number>>) => () =>
    Array.from(metrics.listeners.values()).flatMap((cells) =>
      Object.entries(read(cells)).map(([reason, value]) => ({ labels: { listener: cells.name, reason }, value })),
    );
  gauge(
    registry,
    "postern_connections_open",
    "Open client connections.",
    each((cells) => cells.connectionsOpen),
  );
  counter(
    registry,
    "postern_connections_total",
    "Client connections accepted.",
    each((cells) => cells.connectionsTotal),
  );
  counter(
    registry,
    "postern_connections_refused_total",
    "Client connections closed before they could ask.",
    byReason((cells) => cells.connectionsRefused),
  );
  counter(
    registry,
    "postern_handshakes_failed_total",
    "TLS handshakes that did not come about.",
    byReason((cells) => cells.handshakesFailed),
  );
  counter(
    registry,
    "postern_h1_connections_closed_total",
    "HTTP/1.1 connections that ended, by reason.",
    byReason((cells) => cells.http1ConnectionsClosed),
  );
  counter(
    registry,
    "postern_h2_sessions_closed_total",
    "HTTP/2 sessions that ended, by reason.",
    byReason((cells) => cells.http2SessionsClosed),
  );
  counter(
    registry,
    "postern_h2_requests_unjudged_total",
    "Requests over HTTP/2 that were never looked at, by reason.",
    byReason((cells) => cells.http2RequestsUnjudged),
  );
  counter(
    registry,
    "postern_request_body_bytes_total",
    "Bytes of request bodies, without framing.",
    each((cells) => cells.requestBodyBytes),
  );
  counter(
    registry,
    "postern_response_body_bytes_total",
    "Bytes of response bodies, without framing.",
    each((cells) => cells.responseBodyBytes),
  );
}

function registerPolicy(registry: Registry, metrics: Metrics): void {
  counter(registry, "postern_reloads_total", "Attempts to load the policy again, by result.", () =>
    RELOAD_RESULTS.map((result) => ({ labels: { result }, value: metrics.reloads[result] })),
  );
  counter(registry, "postern_rollbacks_total", "Changes of the policy that were taken back, by who did it.", () =>
    ROLLBACK_CAUSES.map((cause) => ({ labels: { cause }, value: metrics.rollbacks[cause] })),
  );
  counter(registry, "postern_admin_acts_total", "Acts that were asked for at the admin port, by result.", () =>
    [...metrics.adminActs].flatMap(([act, results]) =>
      Object.entries(results).map(([result, value]) => ({ labels: { act, result }, value })),
    ),
  );
  const policy = (read: (figures: NonNullable<Metrics["policy"]>) => readonly Sample[]) => () =>
    metrics.policy === null ? [] : read(metrics.policy);
  gauge(
    registry,
    "postern_policy_info",
    "1 for the policy that runs.",
    policy(({ hash, service }) => [{ labels: { hash, service_name: service }, value: 1 }]),
  );
  gauge(
    registry,
    "postern_policy_loaded_timestamp_seconds",
    "When the policy that runs was loaded.",
    policy(({ loadedAtMs }) => [{ labels: {}, value: loadedAtMs / 1000 }]),
  );
  counter(registry, "postern_state_faults_total", "Times that something of the state folder could not be used.", () => [
    { labels: {}, value: metrics.stateFaults },
  ]);
  gauge(registry, "postern_reload_failures_consecutive", "Reloads refused since the last that was not.", () => [
    { labels: {}, value: metrics.reloadFailures },
  ]);
  for (const { kind, name, help, samples } of [...IDENTITY_FAMILIES, ...LIMIT_FAMILIES]) {
    (kind === "counter" ? counter : gauge)(registry, name, help, policy(samples));
  }
  gauge(
    registry,
    "postern_certificate_expiry_timestamp_seconds",
    "When a certificate that the policy uses ends.",
    policy(({ certificates }) =>
      certificates.map(({ file, use, subject, notAfterMs }) => ({
        labels: { file: labelText(file), use: labelText(use), subject: labelText(subject) },
        value: notAfterMs / 1000,
      })),
    ),
  );
  gauge(
    registry,
    "postern_revocation_list_expiry_timestamp_seconds",
    "When a revocation list that the policy uses ends.",
    policy(({ revocationLists }) =>
      revocationLists.map(({ file, use, issuer, nextUpdateMs }) => ({
        labels: { file: labelText(file), use: labelText(use), issuer: labelText(issuer) },
        value: nextUpdateMs / 1000,
      })),
    ),
  );
}

function registerThread(registry: Registry, thread: ThreadWatch | null): void {
  const byHolder = (read: (cells: HeldCells) => number) => () =>
    thread === null ? [] : HOLDERS.map((by) => ({ labels: { by }, value: read(thread.held[by]) }));
  const held = "postern_thread_held";
  counter(
    registry,
    `${held}_total`,
    "Times that one piece of work held the thread.",
    byHolder(({ count }) => count),
  );
  counter(
    registry,
    `${held}_seconds_total`,
    "How long it did.",
    byHolder(({ seconds }) => seconds),
  );
}

type Read = () => readonly Sample[];

function counter(registry: Registry, name: string, help: string, read: Read): void {
  new CellCounter(registry, name, help, read);
}

function gauge(registry: Registry, name: string, help: string, read: Read): void {
  new CellGauge(registry, name, help, read);
}

class CellCounter extends Counter {
  readonly #read: Read;

  constructor(registry: Registry, name: string, help: string, read: Read) {
    super({ name, help, registers: [registry] });
    this.#read = read;
  }

  override async get(): ReturnType<Counter["get"]> {
    return { ...(await super.get()), values: distinct(this.#read()) };
  }
}

class CellGauge extends Gauge {
  readonly #read: Read;

  constructor(registry: Registry, name: string, help: string, read: Read) {
    super({ name, help, registers: [registry] });
    this.#read = read;
  }

  override async get(): ReturnType<Gauge["get"]> {
    return { ...(await super.get()), values: distinct(this.#read()) };
  }
}

/** One sample per label set: two equal ones (a certificate named twice) would void the whole scrape. */
function distinct(samples: readonly Sample[]): Sample[] {
  return Array.from(new Map(samples.map((sample) => [JSON.stringify(sample.labels), sample])).values());
}
