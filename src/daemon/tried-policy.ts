import { dirname } from "node:path";
import type { CandidateSettings, Problem, Snapshot } from "../policy/snapshot.ts";
import type { ProxyServer } from "../proxy/proxy.ts";
import type { AdminRoom } from "../resources/admin-room.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { CandidateCounts, type Difference } from "../telemetry/candidate-counts.ts";
import type { LiveTelemetry } from "../telemetry/live.ts";
import { createRateGate } from "../telemetry/rate-gate.ts";
import { candidateRoom } from "./candidate-room.ts";
import { PolicyWatch, type WatchTimings } from "./policy-file.ts";
import type { CandidateStatus } from "./policy-in-force.ts";
import { putInPlace } from "./put-in-place.ts";
import { readNamed } from "./regular-file.ts";
import { type Attempt, type Compile, problemText, Reloader, type TestPolicy } from "./reload.ts";

export interface CandidateDeps {
  readonly clock: Clock;
  readonly telemetry: LiveTelemetry;
  /** Of its own: nothing that it compiles counts or asks anything. */
  readonly compile: Compile;
  readonly test: TestPolicy;
  readonly timings: WatchTimings;
  /** Absolute, of the policy in force. */
  readonly policyFile: string;
  readonly proxy: ProxyServer;
  /** Reads the policy in force again; resolves when that is done. */
  readonly reload: () => Promise<void>;
}

/** One file that is tried, and whatever it names. */
interface Tried {
  readonly settings: CandidateSettings;
  readonly watch: PolicyWatch;
  readonly reloader: Reloader;
}

/**
 * The policy that is tried beside the one in force. It comes by the way of any policy: read, watched, compiled, tested. Its
 * problems are a warning, a metric and a line of /policy, and change nothing else.
 */
export class Candidate {
  readonly room: AdminRoom;
  readonly #deps: CandidateDeps;
  readonly #gate: () => number | null;
  #tried: Tried | null = null;
  #snapshot: Snapshot | null = null;
  /** The text of `#snapshot`. */
  #text: Buffer | null = null;
  #read: Buffer | null = null;
  #problems: readonly Problem[] = [];
  #counts: CandidateCounts | null = null;

  constructor(deps: CandidateDeps) {
    this.#deps = deps;
    this.#gate = createRateGate(deps.clock, DEFAULTS.ladderLogLinesPerSecondMax);
    this.room = candidateRoom({
      status: () => this.status,
      settings: () => this.#tried?.settings ?? null,
      live: () => deps.proxy.snapshot,
      snapshot: () => this.#snapshot,
      counts: () => this.#counts,
      promote: () => this.#promote(),
    });
  }

  get status(): CandidateStatus | null {
    if (this.#tried === null) return null;
    return {
      file: this.#tried.settings.file,
      hash: this.#counts?.hash ?? null,
      problems: this.#problems.slice(0, DEFAULTS.problemsKeptMax).map(problemText),
    };
  }

  /** Another policy is in force: with another candidate, or with none, or with this one, which is compared with it anew. */
  follow(): void {
    const settings = this.#deps.proxy.snapshot.candidate;
    if (settings !== null && settings.file === this.#tried?.settings.file) {
      this.#tried = { ...this.#tried, settings };
      void this.#begin();
      return;
    }
    void this.#leave();
    if (settings !== null) this.#try(settings);
  }

  close(): Promise<void> {
    return this.#leave();
  }

  async #leave(): Promise<void> {
    const tried = this.#tried;
    this.#tried = null;
    this.#stop();
    this.#deps.telemetry.metrics.candidate = null;
    await Promise.all([tried?.watch.close(), tried?.reloader.close()]);
  }

  #stop(): void {
    this.#deps.proxy.beside = null;
    this.#counts = null;
    this.#text = null;
    for (const resource of this.#snapshot?.resources.values() ?? []) resource.close();
    this.#snapshot = null;
  }

  #try(settings: CandidateSettings): void {
    const { clock, timings, telemetry, compile, test } = this.#deps;
    const readFile = (absolute: string): Result<Buffer, string> => {
      const content = readNamed(absolute, DEFAULTS.addressBytesMax);
      if (absolute === settings.file && content.ok) this.#read = content.value;
      return content;
    };
    const watch: PolicyWatch = new PolicyWatch({
      clock,
      timings,
      readFile,
      onChange: () => reloader.request("changed"),
      onWaiting: (file) =>
        telemetry.log.warn("reload_waits", "a file of the candidate is still being written", { file }),
      onError: (error) => telemetry.log.warn("watch_error", "changes are found by polling only", { error }),
    });
    const reloader: Reloader = new Reloader({
      policyFile: settings.file,
      clock,
      readFile,
      compile,
      test,
      install: (snapshot) => this.#install(snapshot),
      confirms: (states) => watch.confirms(states),
      onAttempt: (attempt, states) => {
        watch.follow(states);
        this.#attempted(attempt);
      },
    });
    this.#tried = { settings, watch, reloader };
    reloader.request("asked");
    watch.start();
  }

  async #install(snapshot: Snapshot): Promise<Result<null, readonly Problem[]>> {
    const text = this.#read;
    this.#stop();
    this.#snapshot = snapshot;
    this.#text = text;
    await this.#begin();
    return ok(null);
  }

  /** From nothing: what was counted before was of another pair of policies. */
  async #begin(): Promise<void> {
    const snapshot = this.#snapshot;
    if (snapshot === null || this.#tried === null) return;
    const { settings } = this.#tried;
    const { clock, proxy, telemetry } = this.#deps;
    const { CandidateTrials } = await import("../rehearsal/beside.ts");
    if (this.#snapshot !== snapshot) return;
    const counts = new CandidateCounts(snapshot.hash);
    this.#counts = counts;
    telemetry.metrics.candidate = { counts };
    proxy.beside = new CandidateTrials(snapshot, counts, settings, {
      clock,
      random: Math.random,
      defer: setImmediate,
      onDifference: (difference) => this.#tell(difference),
    });
  }

  #attempted({ result, hash, problems, warnings }: Attempt): void {
    const { log, metrics } = this.#deps.telemetry;
    this.#problems = result === "refused" ? problems : warnings;
    if (result === "unchanged" || this.#tried === null) return;
    const file = this.#tried.settings.file;
    if (result === "ok") {
      log.info("candidate", "the candidate judges beside the policy", { file, candidateHash: hash });
      return;
    }
    // What judged before is not what stands there now.
    this.#stop();
    metrics.candidate = { counts: null };
    const told = problems.slice(0, DEFAULTS.problemsKeptMax).map(problemText);
    log.warn("candidate", "the candidate has problems and judges nothing", { file, problems: told });
  }

  #tell({ id, method, route, live, candidate, candidatePlace, caller }: Difference): void {
    const suppressed = this.#gate();
    if (suppressed === null) return;
    const policy =
      candidatePlace === null ? null : `${candidatePlace.file}:${candidatePlace.line}:${candidatePlace.column}`;
    const fields = { id, method, route, live, candidate, policy, caller, suppressed };
    this.#deps.telemetry.log.info("candidate", "the candidate says something else", fields);
  }

  async #promote(): Promise<Result<{ readonly previous: string; readonly hash: string }, string>> {
    const { policyFile, reload, proxy } = this.#deps;
    const text = this.#text;
    if (this.#tried === null || text === null) return err("no candidate judges now; its problems stand in /policy");
    if (dirname(this.#tried.settings.file) !== dirname(policyFile))
      return err("the candidate stands in another folder, so that the names in it would mean other files");
    const placed = putInPlace(policyFile, text);
    if (!placed.ok) return placed;
    await reload();
    return ok({ previous: placed.value, hash: proxy.snapshot.hash });
  }
}
