import { DEFAULTS } from "../support/defaults.ts";
import { type CallerRoom, OperationUse, type Sight } from "./operation-use.ts";
import { keyOfRoute, type RouteId } from "./route-use.ts";

export interface ProbedUse {
  readonly route: RouteId;
  readonly steps: readonly string[];
  readonly use: OperationUse;
}

/** Nobody is remembered for what gave nothing: who scans has as many names as he likes. */
const NO_CALLERS: CallerRoom = { each: 0, left: 0 };

/**
 * What was asked for and gave nothing: the surface that others try. It has a room of its own, where who was not asked for
 * longest gives way, so that no scan pushes out what the service has confirmed.
 */
export class Probed {
  readonly #uses = new Map<string, ProbedUse>();
  /** How many gave way. */
  gone = 0;

  all(): Iterable<ProbedUse> {
    return this.#uses.values();
  }

  note(route: RouteId, steps: readonly string[], sight: Sight): void {
    this.#use(route, steps, sight.method).note(sight);
  }

  /** The same from the state folder. */
  restore(route: RouteId, steps: readonly string[], kept: OperationUse): void {
    this.#use(route, steps, kept.method).join(kept);
  }

  /** The service has confirmed it: what is known of it is no longer here. */
  take(route: RouteId, steps: readonly string[], method: string): OperationUse | null {
    const key = keyOf(route, steps, method);
    const known = this.#uses.get(key);
    this.#uses.delete(key);
    return known?.use ?? null;
  }

  clear(): void {
    this.#uses.clear();
    this.gone = 0;
  }

  #use(route: RouteId, steps: readonly string[], method: string): OperationUse {
    const key = keyOf(route, steps, method);
    const known = this.#uses.get(key);
    const entry = known ?? { route, steps, use: new OperationUse(method, NO_CALLERS) };
    if (known !== undefined) this.#uses.delete(key);
    else if (this.#uses.size >= DEFAULTS.inventoryProbedMax) this.#removeOldest();
    this.#uses.set(key, entry);
    return entry.use;
  }

  #removeOldest(): void {
    const [oldest] = this.#uses.keys();
    if (oldest !== undefined) this.#uses.delete(oldest);
    this.gone++;
  }
}

function keyOf(route: RouteId, steps: readonly string[], method: string): string {
  return `${method} ${keyOfRoute(route)} ${steps.join("/")}`;
}
