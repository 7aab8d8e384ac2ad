import { changesLine } from "../comparison/changes-line.ts";
import { textChanges } from "../comparison/text-changes.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import type { Problem, Snapshot } from "../policy/snapshot.ts";
import type { ProxyServer } from "../proxy/proxy.ts";
import type { AdminRoom } from "../resources/admin-room.ts";
import type { Resources } from "../resources/registry.ts";
import type { ResourceStatus } from "../resources/resource.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { JsonObject } from "../support/json.ts";
import { err, ok, type Result } from "../support/result.ts";
import { Turns } from "../support/turns.ts";
import type { LiveTelemetry } from "../telemetry/live.ts";
import type { RollbackCause } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { AdminPorts } from "./admin-port.ts";
import type { Ages } from "./ages.ts";
import { type CredentialStatus, credentialStatus } from "./credential-status.ts";
import { ladderRoom } from "./ladder-room.ts";
import type { LadderSteps } from "./ladder-steps.ts";
import type { ListenerStatus, Listeners } from "./listeners.ts";
import { mayRollBack, type RolledBack } from "./policy-room.ts";
import { type NotReady, notReady } from "./readiness.ts";
import { type Attempt, problemText, wholeFileProblem } from "./reload.ts";
import type { ReloadRetry } from "./reload-retry.ts";
import type { StepWay } from "./step-change.ts";
import { SwapGuard, type Watch } from "./swap-guard.ts";

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
  /** When the policy that runs was kept, where it took the place of a broken one at the start; null for what stands on disk. */
  readonly keptAt: string | null;
  /** The change that was taken back, while it is refused for that; null where there is none. */
  readonly rolledBack:
    | (RolledBack & { readonly at: string; readonly cause: RollbackCause; readonly why: string | null })
    | null;
  /** Until when the policy before may come back by itself; null where it may not. */
  readonly guardedUntil: string | null;
  readonly lastAttempt: { readonly at: string; readonly result: string; readonly problems: readonly string[] };
  /** When the refused policy is tried again by itself, as after a busy port; null where only another one helps. */
  readonly retryAt: string | null;
  readonly warnings: readonly string[];
  readonly listeners: readonly ListenerStatus[];
  readonly resources: readonly ResourceStatus[];
  /** Keys that were used, so many as metrics have. */
  readonly credentials: readonly CredentialStatus[];
  /** Steps of the ladder that somebody has set for a while. */
  readonly steps: readonly JsonObject[];
  /** Another policy that is tried beside it; null for none. */
  readonly candidate: CandidateStatus | null;
}

/** A policy that is tried beside the one in force, as far as it is known by itself. */
export interface CandidateStatus {
  readonly file: string;
  /** Of the one that judges; null while none does. */
  readonly hash: string | null;
  /** Why the text that stands there now does not judge. */
  readonly problems: readonly string[];
}

export interface InForceDeps {
  /** Absolute. */
  readonly policyFile: string;
  readonly clock: Clock;
  readonly telemetry: LiveTelemetry;
  readonly memory: MemoryBudget;
  readonly resources: Resources;
  readonly createProxy: (snapshot: Snapshot, telemetry: Telemetry) => ProxyServer;
  readonly listeners: Listeners;
  readonly admin: AdminPorts;
  readonly ages: Ages;
  readonly retry: ReloadRetry;
  /** Steps of the ladder that somebody has set. */
  readonly steps: LadderSteps;
  /** The process takes no policy any more. */
  readonly isEnding: () => boolean;
  readonly onSwap: () => void;
  /** The policy in force is to give way to the one before it. */
  readonly onTripped: () => void;
  /** So is the step of the ladder that was raised last. */
  readonly onStepTripped: (why: string) => void;
}

/** The policy that runs: how another takes its place, what became of the last attempt, and what is told of both. */
export class PolicyInForce {
  readonly #deps: InForceDeps;
  #proxy: ProxyServer | null = null;
  /** The policy that runs as its file has it, without the steps of the ladder that somebody has set. */
  #base: Snapshot | null = null;
  #generation = 0;
  #lastAttempt: Attempt | null = null;
  #keptAt: string | null = null;
  /** What ran before and may come back; null where nothing could bring it back. */
  #earlier: Snapshot | null = null;
  #rolledBack: DaemonStatus["rolledBack"] = null;
  /** What was said of the tests of the policy in force. */
  #testWarnings: readonly Problem[] = [];
  /** What the policy in force says otherwise than the one before it. */
  #changes: string | null = null;
  /** The policy of the attempt that runs is sound, and the system refused what it asks for. */
  #isHindered = false;

  readonly #guard: SwapGuard;

  constructor(deps: InForceDeps) {
    this.#deps = deps;
    this.#guard = new SwapGuard({ clock: deps.clock, onEnd: () => this.#forgetEarlier() });
  }

  /** What its checks that do not enforce would have denied. */
  get ladder(): AdminRoom {
    const { telemetry, steps } = this.#deps;
    return ladderRoom(this.#proxy?.snapshot.rungs ?? [], telemetry.metrics.ladder, steps);
  }

  /** Null before the first. */
  get base(): Snapshot | null {
    return this.#base;
  }

  /** Null before the first. */
  get proxy(): ProxyServer | null {
    return this.#proxy;
  }

  /** Empty where the process is ready. */
  get notReady(): ReadonlySet<NotReady> {
    const { isEnding, resources, ages } = this.#deps;
    return notReady({
      snapshot: this.#proxy?.snapshot ?? null,
      isEnding: isEnding(),
      hasExpiredCertificate: ages.hasExpired,
      resources: resources.statuses(),
    });
  }

  get status(): Omit<DaemonStatus, "candidate"> {
    const { policyFile, telemetry, retry, listeners, resources } = this.#deps;
    const { policy, policyStale } = telemetry.metrics;
    const attempt = this.#lastAttempt;
    return {
      service: this.#proxy?.snapshot.service ?? "",
      file: policyFile,
      hash: policy?.hash ?? "",
      loadedAt: new Date(policy?.loadedAtMs ?? 0).toISOString(),
      generation: this.#generation,
      stale: policyStale,
      keptAt: this.#keptAt,
      rolledBack: this.#rolledBack,
      guardedUntil: timeText(this.#guard.untilMs),
      lastAttempt: {
        at: new Date(attempt?.atMs ?? 0).toISOString(),
        result: attempt?.result ?? "refused",
        problems: (attempt?.problems ?? []).slice(0, DEFAULTS.problemsKeptMax).map(problemText),
      },
      retryAt: timeText(retry.atMs),
      warnings: this.#warnings.map(problemText),
      listeners: listeners.status(),
      resources: resources.statuses(),
      steps: this.#deps.steps.shown,
      credentials: (policy?.authenticators ?? []).flatMap(credentialStatus),
    };
  }

  /** All or nothing. `base` is the policy without the steps that are set. */
  async install(snapshot: Snapshot, base: Snapshot): Promise<Result<null, readonly Problem[]>> {
    this.#changes = await this.#changesTo(base);
    const before = this.#base;
    const isReturn = base === this.#earlier;
    const watch = isReturn ? null : await this.#watchOver(base, this.#proxy?.snapshot ?? null);
    const earlier = !isReturn && (watch !== null || mayRollBack(base)) ? before : null;
    const swapped = await this.#swap(snapshot, base, earlier);
    if (!swapped.ok) return swapped;
    this.#guard.begin(swapped.value, watch);
    this.#generation++;
    this.#deps.onSwap();
    return ok(null);
  }

  /** The same policy with other steps, null for none. It is no other policy: nothing is taken back of it. */
  async lay(snapshot: Snapshot | null, way: StepWay): Promise<Result<Snapshot, readonly Problem[]>> {
    const base = this.#base;
    if (base === null) return err([wholeFileProblem(this.#deps.policyFile, "no policy is in force yet")]);
    const laid = snapshot ?? base;
    const watch = way === "lowers" ? null : await this.#watchOverSteps(snapshot, base, way);
    const swapped = await this.#swap(laid, base, this.#earlier);
    this.#isHindered = false;
    if (!swapped.ok) return swapped;
    if (way !== "lowers") this.#guard.begin(swapped.value, watch);
    this.#deps.onSwap();
    return ok(laid);
  }

  #watchOver(base: Snapshot, before: Snapshot | null): Promise<Watch | null> {
    const { onTripped } = this.#deps;
    return this.#guard.prepare({ snapshot: base, before, beforeName: "the policy before", onTripped });
  }

  /**
   * A step that refuses more is the newest change, and gives way by itself: the edit before it is not to blame. Once none is left the
   * edit is watched again, and compared with what its file was an edit of.
   */
  async #watchOverSteps(snapshot: Snapshot | null, base: Snapshot, way: StepWay): Promise<Watch | null> {
    if (way === "ends") {
      return snapshot === null && this.#guard.guards(base) ? this.#watchOver(base, this.#earlier) : null;
    }
    const { onStepTripped } = this.#deps;
    const before = this.#proxy?.snapshot ?? null;
    if (snapshot === null) return null;
    return this.#guard.prepare({ snapshot, before, beforeName: "the step before", onTripped: onStepTripped });
  }

  /** What can fail is tried first, the rest is assignments. */
  async #swap(
    snapshot: Snapshot,
    base: Snapshot,
    earlier: Snapshot | null,
  ): Promise<Result<ProxyServer, readonly Problem[]>> {
    const { telemetry, memory, resources, createProxy, ages, isEnding, policyFile } = this.#deps;
    const listeners = await this.#deps.listeners.prepare(snapshot);
    this.#isHindered = !listeners.ok;
    if (!listeners.ok) return listeners;
    const admin = await this.#deps.admin.prepare(snapshot.admin);
    this.#isHindered = !admin.ok;
    if (!admin.ok || isEnding()) {
      listeners.value.rollback();
      if (admin.ok) admin.value.rollback();
      return admin.ok ? err([wholeFileProblem(policyFile, "the process is ending")]) : admin;
    }
    const running = this.#proxy;
    let proxy: ProxyServer;
    try {
      proxy = running ?? createProxy(snapshot, telemetry);
      running?.swap(snapshot);
    } catch (error) {
      listeners.value.rollback();
      admin.value.rollback();
      throw error;
    }
    const isOther = base !== this.#base;
    this.#proxy = proxy;
    this.#base = base;
    this.#earlier = earlier;
    memory.setLimit(snapshot.memoryBytesMax);
    telemetry.policyLoaded(snapshot, base, isOther);
    ages.follow(snapshot);
    resources.follow(snapshot, besideOf(snapshot, base, earlier));
    listeners.value.commit();
    admin.value.commit();
    return ok(proxy);
  }

  /** Nothing brings the policy before back by itself any more. */
  stop(): void {
    this.#guard.stop();
  }

  #forgetEarlier(): void {
    const [snapshot, base] = [this.#proxy?.snapshot, this.#base];
    if (snapshot === undefined || base === null || mayRollBack(base)) return;
    this.#earlier = null;
    this.#deps.resources.follow(snapshot, besideOf(snapshot, base, null));
  }

  /** Puts the policy before the one in force in its place, as `install` does; it is kept no longer then. */
  async putBack(cause: RollbackCause): Promise<Result<RolledBack, string>> {
    const [earlier, undone] = [this.#earlier, this.#base];
    const why = undone === null ? null : this.#guard.whyOf(undone);
    if (earlier === null || undone === null || (cause === "guard" && why === null)) {
      return err(
        "there is no policy to go back to: none ran before since the start, or postern has gone back to it already",
      );
    }
    const installed = await this.install(earlier, earlier);
    this.#isHindered = false;
    if (!installed.ok)
      return err(`the policy before cannot be put in force: ${installed.error.map(problemText).join("; ")}`);
    const { telemetry, clock } = this.#deps;
    const done = { from: undone.hash, to: earlier.hash };
    this.#rolledBack = {
      ...done,
      at: new Date(clock.wallMs()).toISOString(),
      cause,
      why: cause === "guard" ? why : null,
    };
    telemetry.rolledBack(cause);
    const text = "the policy before is in force again; the one on disk is refused until it changes";
    const fields = {
      cause,
      why: this.#rolledBack.why,
      policyHash: done.to,
      undoneHash: done.from,
      changes: this.#changes,
    };
    telemetry.log.warn("rollback", text, fields);
    return ok(done);
  }

  /** What the policy says otherwise than the one in force, as one line; null for the first. */
  async #changesTo(snapshot: Snapshot): Promise<string | null> {
    if (this.#base === null) return null;
    const turns = new Turns(this.#deps.clock, DEFAULTS.compileSliceMs);
    return changesLine(await turns.run(textChanges(this.#base, snapshot)));
  }

  /** The start found a broken policy and tried the last good one, kept at that time. */
  restored(outcome: Result<string, readonly Problem[]>, keptAt: string, problems: readonly Problem[]): void {
    const { log } = this.#deps.telemetry;
    const texts = (list: readonly Problem[]) => list.slice(0, DEFAULTS.problemsKeptMax).map(problemText);
    if (!outcome.ok) {
      const fields = { keptAt, problems: texts(outcome.error) };
      log.error("policy_kept", "the last good policy cannot be put in force either", fields);
      return;
    }
    this.#keptAt = keptAt;
    const fields = { keptAt, policyHash: outcome.value, problems: texts(problems) };
    log.error("policy_kept", "the policy on disk is refused; the last good one is in force in its place", fields);
  }

  /** What is to be said of the policy beside readiness. */
  lines(): readonly string[] {
    const lines: string[] = [];
    if (this.#keptAt !== null)
      lines.push(`policy: stale, the one on disk is refused; that kept at ${this.#keptAt} runs`);
    if (this.#rolledBack !== null)
      lines.push(`policy: stale, the one on disk was taken back at ${this.#rolledBack.at}`);
    return lines;
  }

  /** What an attempt came to, whether or not it put another policy in force. */
  attempted(attempt: Attempt): void {
    const { telemetry, retry, isEnding } = this.#deps;
    this.#lastAttempt = attempt;
    if (attempt.result !== "refused") {
      this.#keptAt = null;
      this.#rolledBack = null;
    }
    if (attempt.result === "ok") this.#testWarnings = attempt.warnings;
    if (this.#isHindered && this.#generation > 0 && !isEnding()) retry.schedule();
    else retry.reset();
    this.#isHindered = false;
    const isReload = this.#generation > 1 || attempt.result !== "ok";
    if (isReload) telemetry.reloaded(attempt.result, attempt.result === "refused");
    this.#log(attempt, isReload);
  }

  get #warnings(): readonly Problem[] {
    return [...this.#testWarnings, ...(this.#proxy?.snapshot.warnings ?? [])].slice(0, DEFAULTS.problemsKeptMax);
  }

  #log(attempt: Attempt, isReload: boolean): void {
    const { telemetry, retry } = this.#deps;
    const { log } = telemetry;
    const problems = attempt.problems.slice(0, DEFAULTS.problemsKeptMax).map(problemText);
    if (attempt.result === "refused") {
      const policyHash = telemetry.metrics.policy?.hash;
      const fields = { result: attempt.result, problems, policyHash, retryAt: timeText(retry.atMs) };
      log.error(
        "reload",
        this.#proxy === null ? "the policy is refused" : "the policy is refused; the old one stays",
        fields,
      );
      return;
    }
    const text = attempt.result === "unchanged" ? "the policy is the one that runs" : "policy loaded";
    const changes = attempt.result === "ok" && this.#changes !== null ? { changes: this.#changes } : {};
    if (isReload) log.info("reload", text, { result: attempt.result, policyHash: attempt.hash, ...changes });
    if (attempt.result !== "ok") return;
    for (const warning of this.#warnings) log.warn("warning", problemText(warning));
  }
}

/** What runs beside the policy in force, for what may come back. */
function besideOf(snapshot: Snapshot, base: Snapshot, earlier: Snapshot | null): Pick<Snapshot, "resources"> | null {
  if (snapshot === base) return earlier;
  return { resources: new Map([...(earlier?.resources ?? []), ...base.resources]) };
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
