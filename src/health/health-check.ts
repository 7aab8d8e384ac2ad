import type { Resource, ResourceFault, ResourceState, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { HEALTH_CHECK, type Probe } from "./probe.ts";

export interface HealthCheckSettings {
  /** Of the upstream that is asked. */
  readonly name: string;
  readonly intervalMs: number;
  /** Good answers in a row that make an unhealthy service healthy. One does where nothing is known. */
  readonly healthyThreshold: number;
  /** Bad answers in a row that make it unhealthy. */
  readonly unhealthyThreshold: number;
  /** The process is not ready before the service is healthy, and while it is not. */
  readonly gatesReadiness: boolean;
}

type Health = "unknown" | "healthy" | "unhealthy";

const STATES: Readonly<Record<Health, ResourceState>> = { unknown: "starting", healthy: "ready", unhealthy: "failing" };

/**
 * Asks a service again and again how it is. One ask at a time, the next so long after the last has ended; another state takes
 * several answers in a row that say so.
 */
export class HealthCheck implements Resource {
  readonly kind = HEALTH_CHECK;
  readonly name: string;
  readonly #settings: HealthCheckSettings;
  readonly #probe: Probe;
  /** The one that runs, by upstream. */
  readonly #running: Map<string, HealthCheck>;
  readonly #world: ResourceWorld;
  readonly #tries = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  #health: Health = "unknown";
  /** As the one in whose place this is told last: so it is until this one knows, and the first good answer ends it. */
  #wasUnhealthy = false;
  /** Answers in a row that speak against the state. */
  #against = 0;
  #healthySinceMs: number | null = null;
  #fault: ResourceFault | null = null;
  #cancel: (() => void) | null = null;
  #isClosed = false;

  /** `running`: of the process, so that one which takes another's place knows what that one knew. */
  constructor(
    settings: HealthCheckSettings,
    probe: Probe,
    world: ResourceWorld,
    running: Map<string, HealthCheck> = new Map(),
  ) {
    this.name = settings.name;
    this.#settings = settings;
    this.#probe = probe;
    this.#running = running;
    this.#world = world;
  }

  /** Known to be: what nobody knows of yet may well be there. */
  get isUnhealthy(): boolean {
    return this.#told === "unhealthy";
  }

  get #told(): Health {
    return this.#health === "unknown" && this.#wasUnhealthy ? "unhealthy" : this.#health;
  }

  /** What it said last that was not good, or why nothing came; empty where all was well. */
  get lastFault(): string {
    return this.#fault?.text ?? "";
  }

  /** A reload starts what is new before it closes what is old. */
  start(): void {
    const before = this.#running.get(this.name);
    if (before !== undefined && this.#health === "unknown") this.#takeOver(before);
    this.#running.set(this.name, this);
    void this.#check();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    if (this.#running.get(this.name) === this) this.#running.delete(this.name);
  }

  status(): ResourceStatus {
    const { gatesReadiness } = this.#settings;
    return {
      kind: this.kind,
      name: this.name,
      state: STATES[this.#told],
      detail: this.#detail,
      freshAtMs: this.#health === "healthy" ? this.#healthySinceMs : null,
      staleUntilMs: null,
      fault: this.#fault,
      tries: this.#tries,
      gatesReadiness,
    };
  }

  async tryOnce(): Promise<Result<string, string>> {
    const { isGood, text } = await this.#probe();
    return isGood === true ? ok(text) : err(text);
  }

  /**
   * A renewed certificate, or another threshold, is no reason to be unready until the next answer. What was unhealthy may be so no
   * more: who mends the address or the path must not wait for intervals.
   */
  #takeOver(before: HealthCheck): void {
    this.#wasUnhealthy = before.#told === "unhealthy";
    if (!this.#wasUnhealthy) this.#health = before.#health;
    this.#healthySinceMs = before.#healthySinceMs;
    this.#fault = before.#fault;
    this.#world.changed(this);
  }

  get #detail(): string {
    const { healthyThreshold, unhealthyThreshold } = this.#settings;
    const against = this.#against;
    if (this.#health === "unhealthy") return `unhealthy, ${against} of ${healthyThreshold} good answers in a row`;
    if (this.#told === "unhealthy") return "unhealthy, 0 of 1 good answers in a row";
    if (against === 0) return this.#health;
    return `${this.#health}, ${against} of ${unhealthyThreshold} bad answers in a row`;
  }

  async #check(): Promise<void> {
    const { isGood, text } = await this.#probe();
    if (this.#isClosed) return;
    this.#tries[isGood === null ? "unusable" : isGood ? "ok" : "failed"]++;
    if (isGood !== true) this.#fault = { text, atMs: this.#world.clock.wallMs() };
    // Whoever takes all files of this process must not have the service counted out for it as well.
    if (isGood !== null) this.#judge(isGood);
    this.#cancel = this.#world.timers.after(this.#waitMs, () => void this.#check());
  }

  #judge(isGood: boolean): void {
    if (isGood === (this.#health === "healthy") && this.#health !== "unknown") {
      this.#against = 0;
      return;
    }
    const { healthyThreshold, unhealthyThreshold } = this.#settings;
    this.#against++;
    const enough = isGood ? (this.#health === "unknown" ? 1 : healthyThreshold) : unhealthyThreshold;
    if (this.#against < enough) return;
    this.#against = 0;
    this.#health = isGood ? "healthy" : "unhealthy";
    this.#healthySinceMs = isGood ? this.#world.clock.wallMs() : null;
    this.#world.changed(this);
  }

  get #waitMs(): number {
    const { intervalMs } = this.#settings;
    const waitMs = this.#health === "unknown" ? Math.min(intervalMs, DEFAULTS.healthCheckFirstIntervalMs) : intervalMs;
    return waitMs * (1 + DEFAULTS.healthCheckJitterShare * (2 * this.#world.random() - 1));
  }
}
