import { DEPRECATED_OUTCOMES, type DeprecatedOutcome } from "../../message/deprecated-use.ts";
import type { Exchange } from "../../message/exchange.ts";
import { DEFAULTS } from "../../support/defaults.ts";

/** One who still asks for what is to end. */
export interface CallerUse {
  requests: number;
  readonly firstMs: number;
  lastMs: number;
  /** Of the last request. */
  outcome: DeprecatedOutcome;
}

/**
 * Who asked for one deprecated route. Callers that are known and addresses of others have rooms of their own: addresses can
 * be invented, and push no caller out. In a full room, who has not asked for longest gives way.
 */
export class RouteUse {
  readonly route: string;
  /** Both by what they are called, who asked last behind the others. */
  readonly callers: Map<string, CallerUse> = new Map();
  readonly addresses: Map<string, CallerUse> = new Map();
  readonly counts: Record<DeprecatedOutcome, number> = { served: 0, excepted: 0, brownout: 0, ended: 0 };
  readonly #changed: () => void;

  constructor(route: string, changed: () => void) {
    this.route = route;
    this.#changed = changed;
  }

  /** `exchange.deprecated` says how it went. */
  note({ principal, clientAddress, deprecated }: Exchange, nowMs: number): void {
    if (deprecated === null) return;
    this.counts[deprecated]++;
    if (principal === null) noteIn(this.addresses, clientAddress.text, deprecated, nowMs);
    else noteIn(this.callers, principal.key.slice(0, DEFAULTS.deprecatedCallerCharsMax), deprecated, nowMs);
    this.#changed();
  }

  /** Forgets one caller, or all; gives how many. */
  forget(caller: string | undefined): number {
    this.#changed();
    if (caller !== undefined) return Number(this.callers.delete(caller)) + Number(this.addresses.delete(caller));
    const size = this.callers.size + this.addresses.size;
    this.callers.clear();
    this.addresses.clear();
    for (const outcome of DEPRECATED_OUTCOMES) this.counts[outcome] = 0;
    return size;
  }
}

function noteIn(room: Map<string, CallerUse>, name: string, outcome: DeprecatedOutcome, nowMs: number): void {
  const known = room.get(name);
  const use = known ?? { requests: 0, firstMs: nowMs, lastMs: nowMs, outcome };
  use.requests++;
  use.lastMs = nowMs;
  use.outcome = outcome;
  if (known !== undefined) room.delete(name);
  else if (room.size >= DEFAULTS.deprecatedCallersMax) removeFirst(room);
  room.set(name, use);
}

function removeFirst(room: Map<string, unknown>): void {
  for (const name of room.keys()) {
    room.delete(name);
    return;
  }
}
