import { CONTINUE, Denial, type Verdict } from "../decision/verdict.ts";
import type { Check } from "../filters/filter.ts";
import { EMPTY_BODY, STRAY_BODY } from "../message/body.ts";
import { Exchange } from "../message/exchange.ts";
import type { Principal } from "../message/principal.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { threadHolds } from "../support/thread-holds.ts";
import { judgeAgain, type Subject } from "./pipeline.ts";

/** An exchange that goes on: a WebSocket, an event stream, a long download or upload. */
export interface LastingStream extends Omit<Subject, "observer" | "shares" | "fault"> {
  readonly startedMs: number;
  /** True where the client's certificate was judged by other CAs or revocation lists than those of now. */
  readonly outlivedTrust: boolean;
  /** It is denied now: it ends, in the way that its protocol has for that. */
  endStream(denial: Denial): void;
  /** It is allowed by a newer policy, which from here on is its own; the older one can be forgotten. */
  adopt(snapshot: Snapshot, route: Route | null): void;
  /** The process ends: what would never end by itself ends now, in good order or, as the last thing, at once. */
  goAway(atOnce: boolean): void;
}

export interface LongLivedDeps {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly random: () => number;
  /** The one of now. */
  readonly snapshot: () => Snapshot;
  /** Does `work` after what else is waiting. */
  readonly defer: (work: () => void) => void;
}

/**
 * The streams that outlive a moment, and when each of them is to be judged again: after a change of the policy, and when
 * its credentials end. Looks are spread, so that thousands of clients neither cost nor come back at one instant.
 */
export class LongLived {
  readonly #deps: LongLivedDeps;
  readonly #watched = new Map<LastingStream, Watched>();
  readonly #due: Watched[] = [];
  #leaving = false;

  constructor(deps: LongLivedDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#watched.size;
  }

  add(stream: LastingStream): void {
    const { clock, random } = this.#deps;
    const watched = new Watched(stream, random(), clock.wallMs(), (due) => this.#onDue(due));
    this.#watched.set(stream, watched);
    this.#deps.deadlines.add(watched);
    this.#schedule(watched);
    if (this.#leaving) stream.goAway(false);
  }

  remove(stream: LastingStream): void {
    const watched = this.#watched.get(stream);
    if (watched === undefined) return;
    this.#watched.delete(stream);
    this.#deps.deadlines.remove(watched);
  }

  /** The policy has changed. */
  swapped(): void {
    for (const watched of this.#watched.values()) this.#schedule(watched);
  }

  /** The process ends. */
  leave(atOnce: boolean): void {
    this.#leaving = true;
    for (const stream of [...this.#watched.keys()]) stream.goAway(atOnce);
  }

  /** Sets the time of the next look: an old verdict soon, the end of the credentials when it comes. */
  #schedule(watched: Watched): void {
    const { clock, random, snapshot } = this.#deps;
    const now = clock.monotonicMs();
    watched.deadlineMs = Math.min(now + DEFAULTS.streamLookMs, now + watched.expiresAtMs - clock.wallMs());
    if (watched.judgedBy === snapshot()) return;
    const window = Math.min(DEFAULTS.streamJudgeWindowMs, this.#watched.size / DEFAULTS.streamsJudgedPerMs);
    const settled = Math.max(now, watched.stream.startedMs + DEFAULTS.streamSettleMs);
    watched.deadlineMs = Math.min(watched.deadlineMs, settled + random() * window);
  }

  #onDue(watched: Watched): void {
    this.#due.push(watched);
    if (this.#due.length === 1) this.#deps.defer(() => this.#work());
  }

  /** A few at a time: ten thousand judgements in one go would stand in every request's way. */
  #work(): void {
    const { clock } = this.#deps;
    const beganMs = clock.monotonicMs();
    for (const watched of this.#due.splice(0, DEFAULTS.streamsJudgedAtOnce)) this.#look(watched);
    threadHolds.note("judge_again", clock.monotonicMs() - beganMs, "");
    if (this.#due.length > 0) this.#deps.defer(() => this.#work());
  }

  #look(watched: Watched): void {
    const { stream } = watched;
    if (!this.#watched.has(stream)) return;
    const denial = this.#expiry(watched) ?? distrust(stream);
    if (denial !== null) {
      stream.endStream(denial);
      return;
    }
    const snapshot = this.#deps.snapshot();
    if (watched.judgedBy === snapshot) {
      this.#schedule(watched);
      return;
    }
    const trial = new Trial(stream, snapshot);
    const settle = (verdict: Verdict): void => this.#settle(watched, trial, verdict);
    try {
      const verdict = judgeAgain(trial);
      if (verdict instanceof Promise) verdict.then(settle).catch((error: unknown) => settle(defect(error)));
      else settle(verdict);
    } catch (error) {
      settle(defect(error));
    }
  }

  #settle(watched: Watched, trial: Trial, verdict: Verdict): void {
    const { stream } = watched;
    if (!this.#watched.has(stream)) return;
    if (verdict === CONTINUE) {
      watched.judgedBy = trial.snapshot;
      stream.adopt(trial.snapshot, trial.route);
      watched.follow(trial.exchange.principal, trial.route, this.#deps.clock.wallMs());
      this.#schedule(watched);
      return;
    }
    const seen = `${verdict.reason}: ${verdict.seen}`;
    stream.endStream(new Denial("stream_denied", verdict.place, seen, verdict.wanted));
  }

  #expiry({ expiresAtMs, stream }: Watched): Denial | null {
    if (this.#deps.clock.wallMs() < expiresAtMs) return null;
    const seen = `credentials until ${new Date(stream.exchange.principal?.expiresAtMs ?? expiresAtMs).toISOString()}`;
    return new Denial("stream_expired", authentication(stream.route)?.place ?? null, seen, "credentials in date");
  }
}

/** The connection takes no further request for it, and its streams are none the better: a revoked client must go. */
function distrust({ outlivedTrust, exchange }: LastingStream): Denial | null {
  if (!outlivedTrust || exchange.connection.certificate === null) return null;
  return new Denial("stream_denied", null, "a certificate judged by CAs of before", "a handshake with those of now");
}

function authentication(route: Route | null): Check | undefined {
  return route?.checks.find(({ phase }) => phase === "authenticate");
}

function defect(error: unknown): Denial {
  const seen = error instanceof Error ? `${error.name}: ${error.message}` : "unknown error";
  return new Denial("internal_error", null, seen, "no error");
}

/** One stream and its next look. */
class Watched implements Timed {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly stream: LastingStream;
  /** The ladder's share is drawn once a stream: drawing at every look would close a few more each time. */
  readonly roll: number;
  /** The newest policy that allows it; one whose answer has not begun still belongs to an older one. */
  judgedBy: Snapshot;
  /** When it is closed for its credentials' end, Unix milliseconds. */
  expiresAtMs = Number.POSITIVE_INFINITY;
  readonly #onDue: (watched: Watched) => void;

  constructor(stream: LastingStream, roll: number, wallMs: number, onDue: (watched: Watched) => void) {
    this.stream = stream;
    this.roll = roll;
    this.judgedBy = stream.snapshot;
    this.#onDue = onDue;
    this.follow(stream.exchange.principal, stream.route, wallMs);
  }

  /**
   * Takes over the end of `principal`, later by a share of the time in which its credentials still count as good; by
   * all of it where they were let in within that time. A check that only audits, or does not enforce for this stream,
   * closes none.
   */
  follow(principal: Principal | null, route: Route | null, wallMs: number): void {
    this.expiresAtMs = Number.POSITIVE_INFINITY;
    const check = authentication(route);
    if (principal === null || check === undefined || this.roll * 100 >= check.enforcePercent) return;
    const graceMs = principal.graceMs ?? 0;
    const endMs = principal.expiresAtMs + this.roll * Math.min(graceMs, DEFAULTS.streamExpirySpreadMs);
    this.expiresAtMs = endMs > wallMs ? endMs : principal.expiresAtMs + graceMs;
  }

  onDeadline(): void {
    this.#onDue(this);
  }
}

/** What is judged: the facts of the request as they came, and none of what the first judgement made of them. */
class Trial implements Subject {
  readonly snapshot: Snapshot;
  readonly exchange: Exchange;
  readonly trustedProxies: Subject["trustedProxies"];
  readonly trustsForwardedHost: boolean;
  readonly forwardedCertificates: Subject["forwardedCertificates"];
  readonly observer = null;
  readonly fault = null;
  readonly shares: Subject["shares"];
  route: Route | null = null;
  ownPage: Subject["ownPage"] = null;
  methodBody: null = null;

  constructor({ exchange, trustedProxies, trustsForwardedHost }: LastingStream, snapshot: Snapshot) {
    const { connection, method, target, host, authority, headers, upgrade } = exchange;
    const body = exchange.body.isKept ? STRAY_BODY : EMPTY_BODY;
    this.exchange = new Exchange(connection, method, target, host, authority, headers, body);
    this.exchange.upgrade = upgrade;
    // What it has proven cannot be proven twice, and is not to be: by the same key, over the same target and body it holds.
    this.exchange.receivedTarget = exchange.receivedTarget;
    this.exchange.proofs = exchange.proofs;
    this.exchange.collectedBody = exchange.collectedBody;
    this.snapshot = snapshot;
    this.trustedProxies = trustedProxies;
    this.trustsForwardedHost = trustsForwardedHost;
    // By the authorities of now: that is what may have changed.
    const listener = snapshot.listeners.find(({ name }) => name === connection.listener);
    this.forwardedCertificates = listener?.forwardedCertificates ?? null;
    this.exchange.upstream = listener?.upstream ?? "";
    this.shares = snapshot.shares;
  }
}
