import type { LeakNotes } from "../message/leak-notes.ts";
import type { Principal } from "../message/principal.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { logText } from "../telemetry/log-text.ts";
import type { Outcome } from "./outcome.ts";
import { weaknessOf } from "./weak-token.ts";

/** What of one request counts for its operation. */
export interface Sight {
  readonly method: string;
  readonly outcome: Outcome;
  readonly principal: Principal | null;
  readonly atMs: number;
  readonly status: number;
  readonly hasBody: boolean;
  readonly isAttack: boolean;
  readonly leaks: LeakNotes | null;
}

/** How many callers may still be remembered: of one operation, and of all. */
export interface CallerRoom {
  readonly each: number;
  left: number;
}

export interface CallerUse {
  requests: number;
  denied: number;
  firstMs: number;
  lastMs: number;
  /** Bits of `TOKEN_WEAKNESSES`. */
  weak: number;
}

const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "QUERY"]);

/** Whether a request by this method is to change nothing (RFC 9110 section 9.2.1, RFC 10008). */
export function isSafe(method: string): boolean {
  return SAFE.has(method);
}

/** What was seen of one method of one template. Numbers and names, never a value of a request. */
export class OperationUse {
  readonly method: string;
  readonly counts: Record<Outcome, number> = { confirmed: 0, answered: 0, denied: 0, missing: 0, failed: 0 };
  firstMs = 0;
  lastMs = 0;
  /** When the service answered it last; 0 for never. */
  confirmedMs = 0;
  /** Requests of safe methods that had a body, and those that made something (201). */
  bodies = 0;
  created = 0;
  /** Confirmed ones of callers whom nobody knows. */
  anonymous = 0;
  /** Requests in which rules found attacks. */
  attacks = 0;
  readonly callers: Map<string, CallerUse> = new Map();
  /** Callers that gave way to others. */
  callersGone = 0;
  /** `response card` → how often. */
  readonly sensitive: Map<string, number> = new Map();
  readonly #room: CallerRoom;
  /** The last caller, for the many requests in a row that one makes. */
  #principal: Principal | null = null;
  #caller: CallerUse | null = null;

  constructor(method: string, room: CallerRoom) {
    this.method = method;
    this.#room = room;
  }

  get requests(): number {
    const { confirmed, answered, denied, missing, failed } = this.counts;
    return confirmed + answered + denied + missing + failed;
  }

  note(sight: Sight): void {
    const { outcome, principal, atMs } = sight;
    this.counts[outcome]++;
    if (this.firstMs === 0) this.firstMs = atMs;
    this.lastMs = atMs;
    if (outcome === "confirmed") this.#confirmed(sight);
    if (sight.isAttack) this.attacks++;
    if (sight.leaks !== null) this.#leaked(sight.leaks);
    if (principal === null || principal.type === "anonymous") return;
    const caller = principal === this.#principal ? this.#caller : this.#callerOf(principal, atMs);
    if (caller === null) return;
    caller.requests++;
    if (outcome === "denied") caller.denied++;
    caller.lastMs = atMs;
  }

  #confirmed({ principal, atMs, hasBody, status }: Sight): void {
    this.confirmedMs = atMs;
    if (principal === null || principal.type === "anonymous") this.anonymous++;
    if (!isSafe(this.method)) return;
    if (hasBody) this.bodies++;
    if (status === 201) this.created++;
  }

  #leaked({ counts }: LeakNotes): void {
    for (const { way, kind, count } of counts) {
      const name = `${way} ${kind}`;
      const before = this.sensitive.get(name);
      if (before === undefined && this.sensitive.size >= DEFAULTS.inventoryKindsMax) continue;
      this.sensitive.set(name, (before ?? 0) + count);
    }
  }

  /** Null where there is no room, and nobody who could give way. */
  #callerOf(principal: Principal, nowMs: number): CallerUse | null {
    const name = callerName(principal.key);
    const caller = this.callers.get(name) ?? this.#newCaller(name, nowMs);
    if (caller !== null) caller.weak |= weaknessOf(principal, nowMs);
    this.#principal = principal;
    this.#caller = caller;
    return caller;
  }

  /** In a full room, who asked least gives way: callers by the thousand push each other out, and not the one of each day. */
  #newCaller(name: string, nowMs: number): CallerUse | null {
    if (this.callers.size >= this.#room.each || this.#room.left <= 0) {
      const least = leastOf(this.callers);
      this.callersGone++;
      if (least === null) return null;
      this.callers.delete(least);
      this.#principal = null;
      this.#room.left++;
    }
    const caller = { requests: 0, denied: 0, firstMs: nowMs, lastMs: nowMs, weak: 0 };
    this.#room.left--;
    this.callers.set(name, caller);
    return caller;
  }

  /** Takes over what was counted for another, as when two templates turn out to be one. */
  join(other: OperationUse): void {
    for (const outcome of ["confirmed", "answered", "denied", "missing", "failed"] as const) {
      this.counts[outcome] += other.counts[outcome];
    }
    this.firstMs = this.firstMs === 0 ? other.firstMs : Math.min(this.firstMs, other.firstMs || this.firstMs);
    this.lastMs = Math.max(this.lastMs, other.lastMs);
    this.confirmedMs = Math.max(this.confirmedMs, other.confirmedMs);
    this.bodies += other.bodies;
    this.created += other.created;
    this.anonymous += other.anonymous;
    this.attacks += other.attacks;
    this.callersGone += other.callersGone;
    for (const [name, count] of other.sensitive) {
      if (this.sensitive.has(name) || this.sensitive.size < DEFAULTS.inventoryKindsMax) {
        this.sensitive.set(name, (this.sensitive.get(name) ?? 0) + count);
      }
    }
    other.release();
    for (const [name, use] of other.callers) this.joinCaller(name, use);
  }

  /** The same of one caller, also of one from the state folder. */
  joinCaller(name: string, { requests, denied, firstMs, lastMs, weak }: CallerUse): void {
    const own = this.callers.get(name) ?? this.#newCaller(callerName(name), firstMs);
    if (own === null) return;
    own.requests += requests;
    own.denied += denied;
    own.firstMs = Math.min(own.firstMs, firstMs);
    own.lastMs = Math.max(own.lastMs, lastMs);
    own.weak |= weak;
  }

  /** It is forgotten: its callers' places are others'. */
  release(): void {
    this.#room.left += this.callers.size;
    this.#principal = null;
    this.#caller = null;
  }
}

function leastOf(callers: ReadonlyMap<string, CallerUse>): string | null {
  let least: string | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  for (const [name, { requests }] of callers) {
    if (requests >= fewest) continue;
    fewest = requests;
    least = name;
  }
  return least;
}

/** A caller's name comes from its credential, and is shown on terminals. A copy: a piece would hold the whole text. */
function callerName(key: string): string {
  const { inventoryCallerCharsMax } = DEFAULTS;
  return key.length <= inventoryCallerCharsMax && PLAIN.test(key)
    ? key
    : Buffer.from(logText(key, inventoryCallerCharsMax).replace(/[\x00-\x1f]/g, "\ufffd")).toString();
}

const PLAIN = /^[\x20-\x7e]*$/;
