import type { Snapshot } from "../policy/snapshot.ts";
import type { Beside } from "../proxy/beside.ts";
import type { ProxyServer } from "../proxy/proxy.ts";
import type { Clock } from "../support/clock.ts";

export interface SwapGuardDeps {
  readonly clock: Clock;
  /** What was watched over has stood the time. */
  readonly onEnd: () => void;
}

/** A policy that may have to give way, or a step of the ladder over it. */
export interface Guarded {
  /** What comes into force. */
  readonly snapshot: Snapshot;
  /** What it is compared with; null where there is nothing to go back to. */
  readonly before: Snapshot | null;
  /** What `before` is called. */
  readonly beforeName: string;
  readonly onTripped: (why: string) => void;
}

/** One while of watching. */
export interface Watch {
  readonly of: Snapshot;
  readonly trials: Beside;
  readonly withinMs: number;
  /** Why what it watches over is to give way; null where it is not. */
  why: string | null;
}

/** Watches over the newest change of what is enforced, for the first while. */
export class SwapGuard {
  readonly #deps: SwapGuardDeps;
  #timer: NodeJS.Timeout | null = null;
  #watch: Watch | null = null;
  #untilMs: number | null = null;

  constructor(deps: SwapGuardDeps) {
    this.#deps = deps;
  }

  /** Until when it watches, by the wall clock; null where it does not. */
  get untilMs(): number | null {
    return this.#untilMs;
  }

  guards(snapshot: Snapshot): boolean {
    return this.#watch?.of === snapshot;
  }

  /** Why the policy is to give way; null where it is not. */
  whyOf(snapshot: Snapshot): string | null {
    return this.#watch?.of === snapshot ? this.#watch.why : null;
  }

  /** What judges beside what is about to be swapped in; null for a policy without a guard. Only one with a guard loads it. */
  async prepare({ snapshot, before, beforeName, onTripped }: Guarded): Promise<Watch | null> {
    const settings = snapshot.guard;
    if (settings === null || before === null) return null;
    const { SwapTrials } = await import("../rehearsal/swap-trials.ts");
    const trials = new SwapTrials(before, settings, {
      clock: this.#deps.clock,
      defer: setImmediate,
      onTripped: ({ denied, callers, first }) => {
        if (watch !== this.#watch) return;
        const place = first.place === null ? "" : ` at ${first.place.file}:${first.place.line}:${first.place.column}`;
        const by = `${first.reason}${place}`;
        const why = `${denied} of ${callers} callers were denied what ${beforeName} allows them; the first: ${by}`;
        watch.why = why;
        onTripped(why);
      },
    });
    const watch: Watch = { of: snapshot, trials, withinMs: settings.withinMs, why: null };
    return watch;
  }

  /** It is in force. */
  begin(proxy: ProxyServer, watch: Watch | null): void {
    this.stop();
    proxy.guard = watch?.trials ?? null;
    if (watch === null) return;
    this.#watch = watch;
    this.#untilMs = this.#deps.clock.wallMs() + watch.withinMs;
    this.#timer = setTimeout(() => {
      this.stop();
      proxy.guard = null;
      this.#deps.onEnd();
    }, watch.withinMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#watch = null;
    this.#untilMs = null;
  }
}
