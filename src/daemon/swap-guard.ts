import type { Snapshot } from "../policy/snapshot.ts";
import type { Beside } from "../proxy/beside.ts";
import type { ProxyServer } from "../proxy/proxy.ts";
import type { Clock } from "../support/clock.ts";

export interface SwapGuardDeps {
  readonly clock: Clock;
  readonly onTripped: () => void;
  /** The policy has stood the time. */
  readonly onEnd: () => void;
}

/** Watches over a policy for the first while that it is in force. */
export class SwapGuard {
  readonly #deps: SwapGuardDeps;
  #timer: NodeJS.Timeout | null = null;
  #guarded: Snapshot | null = null;
  #untilMs: number | null = null;
  #why: string | null = null;

  constructor(deps: SwapGuardDeps) {
    this.#deps = deps;
  }

  /** Until when it watches, by the wall clock; null where it does not. */
  get untilMs(): number | null {
    return this.#untilMs;
  }

  /** Why the policy is to give way; null where it is not. */
  whyOf(snapshot: Snapshot): string | null {
    return snapshot === this.#guarded ? this.#why : null;
  }

  /** What judges beside the policy that is about to be swapped in; null for one without a guard. Only a policy with one loads it. */
  async prepare(snapshot: Snapshot, before: Snapshot | null): Promise<Beside | null> {
    const settings = snapshot.guard;
    if (settings === null || before === null) return null;
    const { SwapTrials } = await import("../rehearsal/swap-trials.ts");
    return new SwapTrials(before, settings, {
      clock: this.#deps.clock,
      defer: setImmediate,
      onTripped: ({ denied, callers, first }) => {
        if (snapshot !== this.#guarded) return;
        const place = first.place === null ? "" : ` at ${first.place.file}:${first.place.line}:${first.place.column}`;
        const by = `${first.reason}${place}`;
        this.#why = `${denied} of ${callers} callers were denied what the policy before allows them; the first: ${by}`;
        this.#deps.onTripped();
      },
    });
  }

  /** The policy is in force. */
  begin(proxy: ProxyServer, snapshot: Snapshot, trials: Beside | null): void {
    this.stop();
    proxy.guard = trials;
    if (trials === null || snapshot.guard === null) return;
    this.#guarded = snapshot;
    this.#untilMs = this.#deps.clock.wallMs() + snapshot.guard.withinMs;
    this.#timer = setTimeout(() => {
      this.stop();
      proxy.guard = null;
      this.#deps.onEnd();
    }, snapshot.guard.withinMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#guarded = null;
    this.#untilMs = null;
    this.#why = null;
  }
}
