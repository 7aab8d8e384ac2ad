import type { MemoryBudget } from "../memory/budget.ts";
import type { Problem, Snapshot } from "../policy/snapshot.ts";
import type { ProxyServer } from "../proxy/proxy.ts";
import type { Resources } from "../resources/registry.ts";
import type { ResourceStatus } from "../resources/resource.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { createTelemetry, type LiveTelemetry } from "../telemetry/live.ts";
import type { LogSink } from "../telemetry/log-sink.ts";
import type { ProcessFigures } from "../telemetry/process-metrics.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { LoopDelay } from "../telemetry/thread-watch.ts";
import { AdminPorts } from "./admin-port.ts";
import { Ages } from "./ages.ts";
import { type CredentialStatus, credentialStatus } from "./credential-status.ts";
import type { FileStates } from "./file-states.ts";
import { limitsRoom } from "./limits-room.ts";
import { type ListenerStatus, Listeners } from "./listeners.ts";
import { type Activity, MemoryRelease } from "./memory-release.ts";
import { PolicyWatch, WATCH_TIMINGS, type WatchTimings } from "./policy-file.ts";
import { readNamed } from "./regular-file.ts";
import { type Attempt, type Compile, problemText, Reloader, type TestPolicy, wholeFileProblem } from "./reload.ts";
import { ReloadRetry } from "./reload-retry.ts";
import { resourceLines, resourceReports } from "./resource-reports.ts";
import { untilWritten } from "./settled-files.ts";
import { drainProxy } from "./shutdown.ts";

export interface DaemonOptions {
  /** Absolute. */
  readonly policyFile: string;
  /** Listening sockets that the process inherited, by name. */
  readonly inheritedSockets?: ReadonlyMap<string, number>;
  readonly timings?: WatchTimings;
  readonly drainTimeoutMs?: number;
  /** Whether a policy that somebody may still be writing is waited for before the first load. */
  readonly awaitsWriter?: boolean;
  /** When the process started, on the clock's monotonic scale; the time to ready counts from there. */
  readonly startedMs?: number;
}

/** The world and the parts below; nothing in the daemon reads `process`, so a test can run several. */
export interface DaemonDeps {
  readonly clock: Clock;
  readonly sink: LogSink;
  readonly processFigures: (() => ProcessFigures) | null;
  /** The event loop's measurement, of which the watch on the thread tells; null for none. */
  readonly loopDelay?: LoopDelay | null;
  /** Gives back what a compilation left in memory; stops the world for some 40 ms, so it waits for a quiet moment. */
  readonly releaseMemory?: () => void;
  /** What clients may make the process hold; the policy may narrow it. */
  readonly memory: MemoryBudget;
  /** What outlives policies. */
  readonly resources: Resources;
  readonly compile: Compile;
  /** Runs the tests of a policy before it is in force. */
  readonly test: TestPolicy;
  readonly createProxy: (snapshot: Snapshot, telemetry: Telemetry) => ProxyServer;
}

/** What the admin port shows under /policy. */
export interface DaemonStatus {
  readonly service: string;
  readonly file: string;
  readonly hash: string;
  readonly loadedAt: string;
  /** Counts the policies that have been in force, from 1. */
  readonly generation: number;
  /** Whether the policy on disk is refused and an older one runs. */
  readonly stale: boolean;
  readonly lastAttempt: { readonly at: string; readonly result: string; readonly problems: readonly string[] };
  /** When the refused policy is tried again by itself, as after a busy port; null where only another one helps. */
  readonly retryAt: string | null;
  readonly warnings: readonly string[];
  readonly listeners: readonly ListenerStatus[];
  readonly resources: readonly ResourceStatus[];
  /** Keys that were used, so many as metrics have. */
  readonly credentials: readonly CredentialStatus[];
}

/** Reads the policy, opens its ports, serves. Problems with their places where the policy cannot be put in force. */
export async function startDaemon(
  options: DaemonOptions,
  deps: DaemonDeps,
): Promise<Result<Daemon, readonly Problem[]>> {
  const daemon = new Daemon(options, deps);
  const attempt = await daemon.start();
  if (attempt.problems.length === 0) return ok(daemon);
  await daemon.close();
  return err(attempt.problems);
}

/** Before the first policy is in force. */
const IDLE: Activity = { requestsBegun: 0, requestsInFlight: 0 };

/** The living process. */
export class Daemon {
  readonly telemetry: LiveTelemetry;
  readonly #options: DaemonOptions;
  readonly #deps: DaemonDeps;
  readonly #listeners: Listeners;
  readonly #admin: AdminPorts;
  readonly #ages: Ages;
  readonly #retry: ReloadRetry;
  /** The policy of the attempt that runs is sound, and the system refused what it asks for. */
  #isHindered = false;
  readonly #watch: PolicyWatch;
  readonly #reloader: Reloader;
  readonly #startedMs: number;
  #proxy: ProxyServer | null = null;
  #generation = 0;
  #lastAttempt: Attempt | null = null;
  /** What was said of the tests of the policy in force. */
  #testWarnings: readonly Problem[] = [];
  #ending = false;
  #ended: Promise<void> | null = null;
  readonly #release: MemoryRelease | null;

  constructor(options: DaemonOptions, deps: DaemonDeps) {
    const { clock, sink, processFigures } = deps;
    const readFile = (absolute: string) => readNamed(absolute, DEFAULTS.addressBytesMax);
    const { releaseMemory } = deps;
    this.#release = releaseMemory === undefined ? null : new MemoryRelease(releaseMemory, () => this.#proxy ?? IDLE);
    this.#options = options;
    this.#deps = deps;
    this.#startedMs = options.startedMs ?? clock.monotonicMs();
    this.telemetry = createTelemetry({
      clock,
      sink,
      processFigures,
      memory: deps.memory,
      loopDelay: deps.loopDelay ?? null,
      resources: () => deps.resources.statuses(),
    });
    deps.resources.reportTo({
      ...resourceReports(this.telemetry.log),
      onRecompile: () => this.#reloader.request("changed"),
    });
    this.#listeners = new Listeners({
      // A handshake may end after draining began; nobody would wait for its requests.
      serve: (socket, facts, listener) =>
        this.#ending || this.#proxy === null ? void socket.destroy() : this.#proxy.serve(socket, facts, listener),
      telemetry: this.telemetry,
      memory: deps.memory,
      inheritedSockets: options.inheritedSockets ?? new Map(),
    });
    const limits = limitsRoom(() => this.#proxy?.snapshot.limits ?? []);
    this.#admin = new AdminPorts(options.policyFile, {
      ready: () => this.#isReady,
      readiness: () => [...this.#ages.lines(), ...resourceLines(deps.resources.statuses())],
      hosts: () => this.#proxy?.snapshot.admin.hosts ?? [],
      metrics: () => this.telemetry.metricsText(),
      metricsContentType: this.telemetry.metricsContentType,
      identityKeys: () => this.#proxy?.snapshot.identityKeys?.published() ?? null,
      policy: () => this.status,
      rooms: () => [limits, ...deps.resources.rooms()],
      token: () => this.#proxy?.snapshot.admin.token ?? null,
      acted: ({ act, result, client, fields }) => this.telemetry.adminActed(act, result, client, fields),
    });
    this.#ages = new Ages(clock, this.telemetry.log);
    this.#retry = new ReloadRetry(clock, () => this.#reloader.request("asked"));
    this.#watch = new PolicyWatch({
      clock,
      timings: options.timings ?? WATCH_TIMINGS,
      readFile,
      onChange: () => this.#reloader.request("changed"),
      onWaiting: (file) =>
        this.telemetry.log.warn(
          "reload_waits",
          "a file is still being written, so nothing is loaded; SIGHUP loads it",
          {
            file,
          },
        ),
      onError: (text) => this.telemetry.log.warn("watch_error", "changes are found by polling only", { error: text }),
    });
    this.#reloader = new Reloader({
      policyFile: options.policyFile,
      clock,
      readFile,
      compile: deps.compile,
      test: deps.test,
      install: (snapshot) => this.#install(snapshot),
      confirms: (states) => this.#watch.confirms(states),
      onAttempt: (attempt, states) => this.#onAttempt(attempt, states),
    });
  }

  async start(): Promise<Attempt> {
    const { policyFile, awaitsWriter = false, timings = WATCH_TIMINGS } = this.#options;
    if (awaitsWriter) await untilWritten(policyFile, timings.settleMs, this.#deps.clock);
    const attempt = await this.#reloader.load();
    if (attempt.result === "refused") return attempt;
    const listeners = this.#listeners.status().map(({ name, address }) => ({ name, address }));
    this.telemetry.log.info("ready", "ready", {
      policyFile: this.#options.policyFile,
      policyHash: attempt.hash,
      listeners,
      admin: this.#admin.boundTo,
      probes: this.#admin.probesBoundTo,
      readyMs: Math.round(this.#deps.clock.monotonicMs() - this.#startedMs),
    });
    this.telemetry.serving();
    this.#watch.start();
    return attempt;
  }

  get status(): DaemonStatus {
    const { policy, policyStale } = this.telemetry.metrics;
    const attempt = this.#lastAttempt;
    return {
      service: this.#proxy?.snapshot.service ?? "",
      file: this.#options.policyFile,
      hash: policy?.hash ?? "",
      loadedAt: new Date(policy?.loadedAtMs ?? 0).toISOString(),
      generation: this.#generation,
      stale: policyStale,
      lastAttempt: {
        at: new Date(attempt?.atMs ?? 0).toISOString(),
        result: attempt?.result ?? "refused",
        problems: (attempt?.problems ?? []).slice(0, DEFAULTS.problemsKeptMax).map(problemText),
      },
      retryAt: timeText(this.#retry.atMs),
      warnings: this.#warnings.map(problemText),
      listeners: this.#listeners.status(),
      resources: this.#deps.resources.statuses(),
      credentials: (policy?.authenticators ?? []).flatMap(credentialStatus),
    };
  }

  /** `host:port` of the admin port, null without one. */
  get adminAddress(): string | null {
    return this.#admin.boundTo;
  }

  /** `host:port` of the port for probes, null without one. */
  get probesAddress(): string | null {
    return this.#admin.probesBoundTo;
  }

  /** Reads the policy again, as on SIGHUP. */
  reload(): void {
    this.#reloader.request("asked");
  }

  /** Resolves when no reload is running or due. */
  reloadSettled(): Promise<void> {
    return this.#reloader.settled();
  }

  /** Takes no new connections, lets requests finish for a while, then ends everything. */
  shutdown(): Promise<void> {
    this.#ended ??= this.#shutdown();
    return this.#ended;
  }

  /** Ends everything now. */
  async close(): Promise<void> {
    this.#ending = true;
    this.#release?.stop();
    this.telemetry.stop();
    this.#ages.stop();
    this.#retry.stop();
    this.#listeners.close();
    this.#proxy?.close();
    this.#deps.resources.close();
    await Promise.all([this.#watch.close(), this.#reloader.close(), this.#admin.close()]);
    await this.#deps.sink.close();
  }

  async #shutdown(): Promise<void> {
    this.#ending = true;
    this.#listeners.stopAccepting();
    const timeoutMs = this.#options.drainTimeoutMs ?? DEFAULTS.drainTimeoutMs;
    const { log, metrics } = this.telemetry;
    log.info("shutdown", "draining", { requestsInFlight: metrics.requestsInFlight, drainTimeoutMs: timeoutMs });
    const drained = this.#proxy === null || (await drainProxy(this.#proxy, timeoutMs));
    log.info("stopped", drained ? "every request finished" : "time is up", {
      requestsInFlight: metrics.requestsInFlight,
    });
    await this.close();
  }

  get #warnings(): readonly Problem[] {
    return [...this.#testWarnings, ...(this.#proxy?.snapshot.warnings ?? [])].slice(0, DEFAULTS.problemsKeptMax);
  }

  get #isReady(): boolean {
    if (this.#proxy === null || this.#ending) return false;
    const isMissing = (one: ResourceStatus): boolean => one.gatesReadiness === true && one.freshAtMs === null;
    if (this.#deps.resources.statuses().some(isMissing)) return false;
    return this.#proxy.snapshot.admin.readyWithExpiredCertificate || !this.#ages.hasExpired;
  }

  /** All or nothing: what can fail is tried first, the rest is assignments. */
  async #install(snapshot: Snapshot): Promise<Result<null, readonly Problem[]>> {
    const listeners = await this.#listeners.prepare(snapshot);
    this.#isHindered = !listeners.ok;
    if (!listeners.ok) return listeners;
    const admin = await this.#admin.prepare(snapshot.admin);
    this.#isHindered = !admin.ok;
    if (!admin.ok || this.#ending) {
      listeners.value.rollback();
      if (admin.ok) admin.value.rollback();
      return admin.ok ? err([wholeFileProblem(this.#options.policyFile, "the process is ending")]) : admin;
    }
    try {
      if (this.#proxy === null) this.#proxy = this.#deps.createProxy(snapshot, this.telemetry);
      else this.#proxy.swap(snapshot);
    } catch (error) {
      listeners.value.rollback();
      admin.value.rollback();
      throw error;
    }
    this.#deps.memory.setLimit(snapshot.memoryBytesMax);
    this.telemetry.policyLoaded(snapshot);
    this.#ages.follow(snapshot);
    this.#deps.resources.follow(snapshot);
    listeners.value.commit();
    admin.value.commit();
    this.#generation++;
    this.#release?.schedule();
    return ok(null);
  }

  #onAttempt(attempt: Attempt, states: FileStates): void {
    this.#lastAttempt = attempt;
    if (attempt.result === "ok") this.#testWarnings = attempt.warnings;
    this.#watch.follow(states);
    if (this.#isHindered && this.#generation > 0 && !this.#ending) this.#retry.schedule();
    else this.#retry.reset();
    this.#isHindered = false;
    const isReload = this.#generation > 1 || attempt.result !== "ok";
    if (isReload) this.telemetry.reloaded(attempt.result, attempt.result === "refused");
    this.#logAttempt(attempt, isReload);
  }

  #logAttempt(attempt: Attempt, isReload: boolean): void {
    const { log } = this.telemetry;
    const problems = attempt.problems.slice(0, DEFAULTS.problemsKeptMax).map(problemText);
    if (attempt.result === "refused") {
      const policyHash = this.telemetry.metrics.policy?.hash;
      const fields = { result: attempt.result, problems, policyHash, retryAt: timeText(this.#retry.atMs) };
      log.error(
        "reload",
        this.#proxy === null ? "the policy is refused" : "the policy is refused; the old one stays",
        fields,
      );
      return;
    }
    const text = attempt.result === "unchanged" ? "the policy is the one that runs" : "policy loaded";
    if (isReload) log.info("reload", text, { result: attempt.result, policyHash: attempt.hash });
    if (attempt.result !== "ok") return;
    for (const warning of this.#warnings) log.warn("warning", problemText(warning));
  }
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
