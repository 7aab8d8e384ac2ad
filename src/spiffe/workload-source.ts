import { hash } from "node:crypto";
import { Backoff } from "../calls/backoff.ts";
import type { Resource, ResourceFault, ResourceOutcome, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type CloseStream, type OpenWorkloadStream, openWorkloadStream } from "./workload-stream.ts";
import { readIdentity, type WorkloadIdentity } from "./x509-svid.ts";

export interface WorkloadSettings {
  /** Of the agent's Unix socket. */
  readonly socketPath: string;
  /** Which of several identities; null for the first. */
  readonly spiffeId: string | null;
}

/** What a policy is compiled from: the newest identity that the agent gave. */
export interface WorkloadMaterial {
  readonly identity: WorkloadIdentity;
  /** Changes with any of it. */
  readonly version: string;
}

/**
 * The process's identity from a SPIFFE agent. One stream stays open and brings each renewal; when it ends, it is opened again
 * with growing pauses, and what came last serves meanwhile, until it expires. An answer that cannot be used replaces nothing.
 */
export class WorkloadSource implements Resource {
  readonly kind = "SPIFFE workload";
  readonly name: string;
  readonly #settings: WorkloadSettings;
  readonly #world: ResourceWorld;
  readonly #open: OpenWorkloadStream;
  readonly #backoff: Backoff;
  readonly #tries: Record<ResourceOutcome, number> = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  #material: WorkloadMaterial | null = null;
  #freshAtMs: number | null = null;
  #fault: ResourceFault | null = null;
  /** The stream is open, and its newest answer is what serves. */
  #isCurrent = false;
  #close: CloseStream | null = null;
  #cancelRetry: (() => void) | null = null;
  #cancelDeadline: (() => void) | null = null;

  constructor(settings: WorkloadSettings, world: ResourceWorld, open: OpenWorkloadStream = openWorkloadStream) {
    this.name = settings.spiffeId ?? `unix:${settings.socketPath}`;
    this.#settings = settings;
    this.#world = world;
    this.#open = open;
    this.#backoff = new Backoff(DEFAULTS.workloadRetryMsMin, DEFAULTS.workloadRetryMsMax, world.random);
  }

  /** Null until the agent has given one. */
  get material(): WorkloadMaterial | null {
    return this.#material;
  }

  status(): ResourceStatus {
    const endMs = this.#material?.identity.chain[0]?.validToDate.getTime() ?? null;
    const isEnded = endMs !== null && endMs < this.#world.clock.wallMs();
    const kept = isEnded ? "failing" : "stale";
    const state = this.#isCurrent ? "ready" : endMs !== null ? kept : this.#fault === null ? "starting" : "failing";
    return {
      kind: this.kind,
      name: this.name,
      state,
      detail: state === "stale" ? "the agent is away, the last identity serves" : null,
      freshAtMs: this.#freshAtMs,
      staleUntilMs: endMs,
      fault: this.#fault,
      tries: { ...this.#tries },
      gatesReadiness: true,
    };
  }

  start(): void {
    this.#connect();
  }

  close(): void {
    this.#cancelRetry?.();
    this.#cancelDeadline?.();
    this.#close?.();
    this.#close = null;
  }

  tryOnce(): Promise<Result<string, string>> {
    return new Promise((resolve) => {
      const settle = (result: Result<string, string>): void => {
        cancel();
        close();
        resolve(result);
      };
      const cancel = this.#world.timers.after(DEFAULTS.workloadAnswerMs, () => settle(err("no answer")));
      const close = this.#open(this.#settings.socketPath, {
        onMessage: (message) => {
          const read = readIdentity(message, this.#settings.spiffeId);
          settle(read.ok ? ok(`${read.value.spiffeId}, ${read.value.bundles.size} trust domains`) : err(read.error));
        },
        onEnd: (text) => settle(err(text)),
      });
    });
  }

  #connect(): void {
    this.#cancelRetry = null;
    this.#close = this.#open(this.#settings.socketPath, {
      onMessage: (message) => this.#onMessage(message),
      onEnd: (text) => this.#onEnd(text),
    });
    const { timers } = this.#world;
    this.#cancelDeadline = timers.after(DEFAULTS.workloadAnswerMs, () => {
      this.#close?.();
      this.#onEnd(`no answer within ${DEFAULTS.workloadAnswerMs} ms`);
    });
  }

  #onMessage(message: Buffer): void {
    this.#cancelDeadline?.();
    this.#backoff.succeeded();
    const read = readIdentity(message, this.#settings.spiffeId);
    if (!read.ok) {
      this.#isCurrent = false;
      this.#failed("unusable", read.error);
      return;
    }
    const version = hash("sha256", message);
    const isNew = this.#material?.version !== version;
    this.#material = { identity: read.value, version };
    this.#freshAtMs = this.#world.clock.wallMs();
    this.#isCurrent = true;
    this.#tries[isNew ? "ok" : "unchanged"]++;
    this.#world.changed(this);
    if (isNew) this.#world.recompile();
  }

  #onEnd(text: string): void {
    this.#cancelDeadline?.();
    this.#close = null;
    this.#isCurrent = false;
    this.#failed("failed", text);
    this.#cancelRetry = this.#world.timers.after(this.#backoff.failed(), () => this.#connect());
  }

  #failed(outcome: "failed" | "unusable", text: string): void {
    this.#tries[outcome]++;
    this.#fault = { text, atMs: this.#world.clock.wallMs() };
    this.#world.changed(this);
  }
}
