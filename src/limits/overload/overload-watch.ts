import type { Resource, ResourceStatus, ResourceWorld } from "../../resources/resource.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { ok, type Result } from "../../support/result.ts";
import { FairShedding } from "./fair-shedding.ts";
import { PRIORITIES, Pressure, type PressureRules, type Priority } from "./pressure.ts";

/**
 * Sees how far behind the process is, some times a second while a policy asks for it, and which requests it cannot serve now. A
 * timer that is late by so much waited for the thread as every event did.
 */
export class OverloadWatch implements Resource {
  readonly kind = "overload";
  readonly name = "overload";
  readonly #world: ResourceWorld;
  readonly #pressure: Pressure;
  readonly #shedding: Readonly<Record<Priority, FairShedding>>;
  #cancel: (() => void) | null = null;
  /** Share of the process's memory that it holds. */
  memoryShare = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(rules: PressureRules, world: ResourceWorld) {
    this.#world = world;
    this.#pressure = new Pressure(rules);
    const shedding = PRIORITIES.map((priority) => [priority, new FairShedding(world.random)] as const);
    this.#shedding = Object.fromEntries(shedding) as Record<Priority, FairShedding>;
  }

  /** From 0, nothing is shed, to 3, what is critical alone is served. */
  get level(): number {
    return this.#pressure.level;
  }

  /** Milliseconds that events wait for the thread. */
  get delayMs(): number {
    return this.#pressure.delayMs;
  }

  /** Whether a request of this client is one of those that cannot be served. Asked only while there is a level. */
  sheds(priority: Priority, client: string | number): boolean {
    const share = this.#pressure.shareOf(priority);
    return share > 0 && this.#shedding[priority].sheds(client, share, this.#world.clock.monotonicMs());
  }

  /** What a client is told to wait, in seconds: not the same for all, for they would come back at once. */
  retrySeconds(): number {
    return 1 + Math.floor(this.#world.random() * DEFAULTS.overloadRetrySecondsMax);
  }

  start(): void {
    this.#schedule();
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  status(): ResourceStatus {
    return {
      kind: this.kind,
      name: this.name,
      state: this.#cancel === null ? "starting" : "ready",
      detail: this.level > 0 ? `requests are shed, level ${this.level.toFixed(2)}` : null,
      freshAtMs: null,
      staleUntilMs: null,
      fault: null,
      tries: { ok: 0, unchanged: 0, failed: 0, unusable: 0 },
    };
  }

  tryOnce(): Promise<Result<string, string>> {
    return Promise.resolve(ok("looks at this process alone"));
  }

  #schedule(): void {
    const { clock, timers } = this.#world;
    const dueMs = clock.monotonicMs() + DEFAULTS.overloadLookMs;
    this.#cancel = timers.after(DEFAULTS.overloadLookMs, () => {
      this.#look(Math.max(0, clock.monotonicMs() - dueMs));
      this.#schedule();
    });
  }

  #look(delayMs: number): void {
    const before = this.level;
    const { memory, residentBytes } = this.#world;
    this.memoryShare = residentBytes() / memory.limitBytes;
    this.#pressure.look(delayMs, this.memoryShare);
    if (before === 0 && this.level > 0) this.#tell("more is asked for than can be served: requests are shed");
    else if (before > 0 && this.level === 0) this.#tell("requests are not shed any more");
  }

  /** Not each swing of an hour of too much. */
  #tell(text: string): void {
    const nowMs = this.#world.clock.monotonicMs();
    if (nowMs - this.#toldAtMs < DEFAULTS.overloadNoteMs) return;
    this.#toldAtMs = nowMs;
    const memory = Number.isFinite(this.memoryShare) ? Math.round(this.memoryShare * 100) : 0;
    this.#world.note(this, `${text} (events wait ${Math.round(this.delayMs)} ms, ${memory} % of the memory is held)`);
  }
}
