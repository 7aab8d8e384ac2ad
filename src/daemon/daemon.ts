import type { MemoryBudget } from "../memory/budget.ts";
import type { Problem, Snapshot } from "../policy/snapshot.ts";
import type { ProxyServer } from "../proxy/proxy.ts";
import type { Resources } from "../resources/registry.ts";
import type { StateFolder } from "../resources/state-folder.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { systemTimers } from "../support/timers.ts";
import { createTelemetry, type LiveTelemetry } from "../telemetry/live.ts";
import type { LogSink } from "../telemetry/log-sink.ts";
import type { ProcessFigures } from "../telemetry/process-metrics.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { LoopDelay } from "../telemetry/thread-watch.ts";
import { AdminPorts } from "./admin-port.ts";
import { Ages } from "./ages.ts";
import { KeptPolicy, keptReader } from "./kept-policy.ts";
import { LadderSteps } from "./ladder-steps.ts";
import { Listeners } from "./listeners.ts";
import { type Activity, MemoryRelease } from "./memory-release.ts";
import { PolicyWatch, WATCH_TIMINGS, type WatchTimings } from "./policy-file.ts";
import { type DaemonStatus, PolicyInForce } from "./policy-in-force.ts";
import { everyReason, livenessLines, notReadyLines } from "./readiness.ts";
import { type ReadFile, readNamed } from "./regular-file.ts";
import { type Attempt, type Compile, Reloader, type TestPolicy } from "./reload.ts";
import { ReloadRetry } from "./reload-retry.ts";
import { resourceLines, resourceReports } from "./resource-reports.ts";
import { roomsOf } from "./rooms.ts";
import { untilWritten } from "./settled-files.ts";
import { drainProxy } from "./shutdown.ts";
import type { Candidate } from "./tried-policy.ts";

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
  /** The system's error where one more file cannot be opened; null where it can. */
  readonly fileFault?: () => string | null;
  /** Gives back what a compilation left in memory; stops the world for some 40 ms, so it waits for a quiet moment. */
  readonly releaseMemory?: () => void;
  /** What clients may make the process hold; the policy may narrow it. */
  readonly memory: MemoryBudget;
  /** What outlives policies. */
  readonly resources: Resources;
  readonly compile: Compile;
  /** The same for a policy that is only tried: it counts in nothing that others count in, and asks nobody. Absent where none is. */
  readonly compileCandidate?: Compile;
  /** Runs the tests of a policy before it is in force. */
  readonly test: TestPolicy;
  readonly createProxy: (snapshot: Snapshot, telemetry: Telemetry) => ProxyServer;
  /** Where the last good policy is kept for a start that finds a broken one; `warn` hears of what is wrong with it. */
  readonly keptFolder?: ((warn: (file: string, text: string) => void) => StateFolder) | undefined;
}

/** Reads the policy, opens its ports, serves. Problems with their places where the policy cannot be put in force. */
export async function startDaemon(
  options: DaemonOptions,
  deps: DaemonDeps,
): Promise<Result<Daemon, readonly Problem[]>> {
  const daemon = new Daemon(options, deps);
  const problems = await daemon.start();
  if (problems.length === 0) return ok(daemon);
  await daemon.close();
  return err(problems);
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
  readonly #inForce: PolicyInForce;
  readonly #steps: LadderSteps;
  readonly #watch: PolicyWatch;
  readonly #reloader: Reloader;
  readonly #startedMs: number;
  readonly #kept: KeptPolicy | null;
  readonly #readFile: ReadFile;
  #ending = false;
  #ended: Promise<void> | null = null;
  readonly #release: MemoryRelease | null;
  /** Null until a policy has one. */
  #candidate: Candidate | null = null;

  constructor(options: DaemonOptions, deps: DaemonDeps) {
    const { clock, sink, processFigures } = deps;
    const readFile: ReadFile = (absolute) => readNamed(absolute, DEFAULTS.addressBytesMax);
    this.#readFile = readFile;
    const { releaseMemory } = deps;
    this.#release =
      releaseMemory === undefined ? null : new MemoryRelease(releaseMemory, () => this.#inForce.proxy ?? IDLE);
    this.#options = options;
    this.#deps = deps;
    this.#startedMs = options.startedMs ?? clock.monotonicMs();
    this.telemetry = createTelemetry({
      clock,
      sink,
      processFigures,
      memory: deps.memory,
      loopDelay: deps.loopDelay ?? null,
      fileFault: deps.fileFault,
      resources: () => deps.resources.statuses(),
      notReady: () => everyReason(this.#inForce.notReady),
    });
    const folder = deps.keptFolder?.((file, error) => {
      this.telemetry.metrics.stateFaults++;
      this.telemetry.log.warn("state", "the last good policy cannot be kept or read", { file, error });
    });
    this.#kept = folder === undefined ? null : new KeptPolicy(options.policyFile, folder);
    deps.resources.reportTo({
      ...resourceReports(this.telemetry),
      onRecompile: () => this.#reloader.request("changed"),
    });
    this.#listeners = new Listeners({
      // A handshake may end after draining began; nobody would wait for its requests.
      serve: (socket, facts, listener) =>
        this.#ending || this.#inForce.proxy === null
          ? void socket.destroy()
          : this.#inForce.proxy.serve(socket, facts, listener),
      telemetry: this.telemetry,
      memory: deps.memory,
      inheritedSockets: options.inheritedSockets ?? new Map(),
    });
    const rooms = roomsOf({
      clock,
      telemetry: this.telemetry,
      resources: deps.resources,
      inForce: () => this.#inForce,
      status: () => this.status,
      candidate: () => this.#candidate?.room ?? null,
      reload: () => this.#reloadNow(),
      rollBack: () => this.#reloader.rollBack("asked"),
    });
    this.#admin = new AdminPorts(options.policyFile, {
      notReady: () => this.#inForce.notReady,
      readiness: () => [
        ...notReadyLines(this.#inForce.notReady),
        ...this.#inForce.lines(),
        ...this.#ages.lines(),
        ...resourceLines(deps.resources.statuses()),
      ],
      liveness: () => livenessLines(this.telemetry.sources),
      serviceProbes: () => this.#inForce.proxy?.snapshot.admin.serviceProbes ?? new Map(),
      hosts: () => this.#inForce.proxy?.snapshot.admin.hosts ?? [],
      metrics: (format) => this.telemetry.metricsText(format),
      metricsHosts: () => this.#inForce.proxy?.snapshot.admin.metricsHosts ?? [],
      identityKeys: () => this.#inForce.proxy?.snapshot.identityKeys?.published() ?? null,
      rooms,
      token: () => this.#inForce.proxy?.snapshot.admin.token ?? null,
      acted: ({ act, result, client, fields }) => this.telemetry.adminActed(act, result, client, fields),
    });
    this.#ages = new Ages(clock, this.telemetry.log);
    this.#retry = new ReloadRetry(clock, () => this.#reloader.request("asked"));
    this.#steps = new LadderSteps({
      clock,
      timers: systemTimers,
      log: this.telemetry.log,
      base: () => this.#inForce.base,
      inForce: () => this.#inForce.proxy?.snapshot ?? null,
      relay: (change) => this.#reloader.relay(change),
      onCount: (count) => {
        this.telemetry.metrics.ladderSteps = count;
      },
    });
    this.#inForce = new PolicyInForce({
      ...deps,
      steps: this.#steps,
      policyFile: options.policyFile,
      telemetry: this.telemetry,
      listeners: this.#listeners,
      admin: this.#admin,
      ages: this.#ages,
      retry: this.#retry,
      isEnding: () => this.#ending,
      onTripped: () => void this.#reloader.rollBack("guard"),
      onStepTripped: (why) => this.#steps.takeBack(why),
      onSwap: () => {
        this.#release?.schedule();
        this.#followCandidate();
      },
    });
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
      steps: this.#steps,
      install: (snapshot, base) => this.#inForce.install(snapshot, base),
      lay: (snapshot, way) => this.#inForce.lay(snapshot, way),
      putBack: async (cause) => {
        const done = await this.#inForce.putBack(cause);
        if (done.ok) this.#kept?.putBack();
        return done;
      },
      onInstalled: (snapshot, contents) => this.#kept?.write(snapshot, contents, clock.wallMs()),
      confirms: (states) => this.#watch.confirms(states),
      onAttempt: (attempt, states) => {
        this.#watch.follow(states);
        this.#inForce.attempted(attempt);
      },
    });
  }

  /** Reads the policy and opens its ports; why not, where nothing is served. */
  async start(): Promise<readonly Problem[]> {
    const { policyFile, awaitsWriter = false, timings = WATCH_TIMINGS } = this.#options;
    if (awaitsWriter) await untilWritten(policyFile, timings.settleMs, this.#deps.clock);
    const attempt = await this.#reloader.load();
    const policyHash = attempt.result === "refused" ? await this.#restore(attempt) : attempt.hash;
    if (policyHash === null) return attempt.problems;
    const listeners = this.#listeners.status().map(({ name, address }) => ({ name, address }));
    this.telemetry.log.info("ready", "ready", {
      policyFile: this.#options.policyFile,
      policyHash,
      listeners,
      admin: this.#admin.boundTo,
      probes: this.#admin.probesBoundTo,
      metrics: this.#admin.metricsBoundTo ?? undefined,
      readyMs: Math.round(this.#deps.clock.monotonicMs() - this.#startedMs),
    });
    this.telemetry.serving();
    this.#watch.start();
    return [];
  }

  /** Puts the last good policy in force in place of a broken one; its hash, null where there is none that would do. */
  async #restore({ problems }: Attempt): Promise<string | null> {
    const kept = (await this.#kept?.read()) ?? null;
    if (kept === null) return null;
    const restored = await this.#reloader.restore(keptReader(kept, this.#readFile));
    this.#inForce.restored(restored, kept.keptAt, problems);
    return restored.ok ? restored.value : null;
  }

  get status(): DaemonStatus {
    return { ...this.#inForce.status, candidate: this.#candidate?.status ?? null };
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

  /** The log's file stands under another name, as on SIGUSR1: what waits goes into the one that has its name now. */
  reopenLog(): void {
    this.telemetry.reopenLog();
  }

  async #reloadNow(): Promise<DaemonStatus["lastAttempt"]> {
    this.reload();
    await this.reloadSettled();
    return this.status.lastAttempt;
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
    this.#inForce.stop();
    this.#steps.stop();
    await this.#candidate?.close();
    this.#listeners.close();
    this.#inForce.proxy?.close();
    this.#deps.resources.close();
    await Promise.all([this.#watch.close(), this.#reloader.close(), this.#admin.close()]);
    await this.#kept?.settled();
    await this.#deps.sink.close();
  }

  /** Who tries no candidate loads nothing of it. */
  #followCandidate(): void {
    const { compileCandidate } = this.#deps;
    const { proxy } = this.#inForce;
    if (this.#candidate !== null) this.#candidate.follow();
    else if (compileCandidate !== undefined && proxy !== null && proxy.snapshot.candidate !== null) {
      void import("./tried-policy.ts").then(({ Candidate: Made }) => {
        if (this.#ending || this.#candidate !== null) return;
        this.#candidate = new Made({
          ...this.#deps,
          compile: compileCandidate,
          policyFile: this.#options.policyFile,
          timings: this.#options.timings ?? WATCH_TIMINGS,
          telemetry: this.telemetry,
          proxy,
          reload: async () => {
            this.reload();
            await this.reloadSettled();
          },
        });
        this.#candidate.follow();
      });
    }
  }

  async #shutdown(): Promise<void> {
    this.#ending = true;
    this.#listeners.stopAccepting();
    const timeoutMs = this.#options.drainTimeoutMs ?? DEFAULTS.drainTimeoutMs;
    const { log, metrics } = this.telemetry;
    log.info("shutdown", "draining", { requestsInFlight: metrics.requestsInFlight, drainTimeoutMs: timeoutMs });
    const drained = this.#inForce.proxy === null || (await drainProxy(this.#inForce.proxy, timeoutMs));
    log.info("stopped", drained ? "every request finished" : "time is up", {
      requestsInFlight: metrics.requestsInFlight,
    });
    await this.close();
  }
}
