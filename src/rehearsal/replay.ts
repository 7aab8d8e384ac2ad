import { Denial } from "../decision/verdict.ts";
import type { Check } from "../filters/filter.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Principal } from "../message/principal.ts";
import type { ListenerSettings, Snapshot } from "../policy/snapshot.ts";
import { countFailure, countSuspicion, faultDenial } from "../proxy/noted-judgement.ts";
import type { Outcome } from "../proxy/pipeline.ts";
import { type RecordedRequest, UNKNOWN_ROUTE } from "../records/recorded-line.ts";
import { placeText } from "../records/step.ts";
import { REDACTED } from "../support/mask-tokens.ts";
import type { Timers } from "../support/timers.ts";
import { type RehearsalHooks, rehearse } from "./explain.ts";
import { inTestTime } from "./in-test-time.ts";
import { claimsUnknown, recordedExchange, type Touched } from "./recorded-request.ts";
import type { TestWorld } from "./test-world.ts";

/** What becomes of one recorded request by the other policy. */
export type Replayed =
  | { readonly kind: "same" }
  | Change
  /** It would be another, but for what the record does not hold. */
  | { readonly kind: "untold"; readonly why: string }
  /** The record has no verdict to compare with. */
  | { readonly kind: "undecided" }
  | { readonly kind: "malformed"; readonly text: string };

export interface Change {
  readonly kind: "changed";
  readonly change: "ALLOW→DENY" | "DENY→ALLOW";
  readonly route: string;
  readonly reason: string;
  /** The check's line, of a request that would be denied. */
  readonly place: string | null;
  readonly caller: string;
  readonly id: string;
}

/** Judges recorded requests one after another by a policy whose clock goes as the record's does. */
export class Replay {
  readonly #world: TestWorld;
  readonly #timers: Timers;
  readonly #listeners: ReadonlyMap<string, ListenerSettings>;
  readonly #first: ListenerSettings | undefined;
  #nowMs: number | null = null;

  constructor(world: TestWorld, timers: Timers) {
    this.#world = world;
    this.#timers = timers;
    // What a proxy before us told is in the record: there is nobody left to believe.
    const alone = { forwardedCertificates: null, trustedProxies: null };
    this.#listeners = new Map(world.snapshot.listeners.map((one) => [one.name, { ...one, ...alone }]));
    this.#first = this.#listeners.values().next().value;
  }

  request(recorded: RecordedRequest): Replayed | Promise<Replayed> {
    const { facts } = recorded;
    const { snapshot } = this.#world;
    const listener = this.#listeners.get(facts.listener) ?? this.#first;
    if (listener === undefined) return { kind: "malformed", text: "the policy has no listener" };
    // Of a request that had no reading there is nothing to judge.
    if (facts.verdict === "none" || facts.method === "") return { kind: "undecided" };
    // It was refused for its target, of which nothing is kept; `paths` may say that it has one reading.
    if (facts.path === "" && facts.verdict === "deny") return { kind: "untold", why: "target" };
    this.#passTo(facts.atMs - facts.durationMs);
    const touched: Touched = new Set();
    const exchange = recordedExchange(recorded, listener, snapshot, touched);
    if (!exchange.ok) return { kind: "malformed", text: exchange.error };
    return new Judging(recorded, exchange.value, touched, listener, this.#world, this.#timers).run();
  }

  /** Requests stand in the order of their ends: one that lasted has begun before others that stand before it. */
  #passTo(atMs: number): void {
    if (this.#nowMs === null) {
      this.#world.begin(atMs);
      this.#nowMs = atMs;
    } else if (atMs > this.#nowMs) {
      this.#world.time.pass(atMs - this.#nowMs);
      this.#nowMs = atMs;
    }
  }
}

/** Rules on values that a masked path does not have. */
const BY_VALUE = /^(?:parameter_invalid|condition_\w+|attribute_\w+|attack_detected|search_limit_exceeded)$/;
const NOBODY_ASKED = /_unavailable$/;
/** Who comes first meets a limit as it is at the beginning of the record, or of a sample of requests. */
const BY_COUNT =
  /^(?:rate_limited|quota_exceeded|budget_exceeded|distinct_exceeded|banned|concurrency_\w+|queue_timeout|bandwidth_exceeded|attempts_exceeded)$/;

/** The listener asks for a certificate that the client had not. */
const NO_HANDSHAKE = new Denial("certificate_untrusted", null, "no trusted client certificate", "a trusted one");

class Judging {
  readonly #recorded: RecordedRequest;
  readonly #exchange: Exchange;
  readonly #touched: Touched;
  readonly #listener: ListenerSettings;
  readonly #world: TestWorld;
  readonly #timers: Timers;
  /** What checks that let it pass have looked at in vain. */
  readonly #passedOn: Set<string> = new Set();
  #deniedOn: readonly string[] = [];
  #deniedBy: Check | null = null;

  constructor(
    recorded: RecordedRequest,
    exchange: Exchange,
    touched: Touched,
    listener: ListenerSettings,
    world: TestWorld,
    timers: Timers,
  ) {
    this.#recorded = recorded;
    this.#exchange = exchange;
    this.#touched = touched;
    this.#listener = listener;
    this.#world = world;
    this.#timers = timers;
  }

  async run(): Promise<Replayed> {
    const { snapshot, time } = this.#world;
    const late = new Denial("internal_error", null, "no verdict in time", "one");
    const hooks: RehearsalHooks = {
      onCheck: (check, verdict, enforced) => this.#onCheck(check, verdict !== null && enforced),
      onRoute: () => this.#passed(),
      awaitOutcome: (outcome) => inTestTime(outcome, late, time, this.#timers),
    };
    const rehearsed = rehearse(snapshot, this.#listener, this.#exchange, hooks).catch(faultDenial);
    const result = await rehearsed;
    if (result instanceof Denial || result.judged === null) {
      const denial = result instanceof Denial ? result : NO_HANDSHAKE;
      this.#settle(denial);
      return this.#compare(denial, null, snapshot);
    }
    const { subject, outcome } = result.judged;
    if (outcome instanceof Denial) countFailure(subject, outcome);
    countSuspicion(subject);
    this.#settle(outcome);
    return this.#compare(outcome, subject.route?.template ?? null, snapshot);
  }

  #onCheck(check: Check, isDenied: boolean): void {
    if (isDenied) {
      this.#deniedBy = check;
      this.#deniedOn = [...this.#touched];
      this.#touched.clear();
    } else this.#passed();
    if (check.phase === "authenticate" && !isDenied) this.#watchClaims();
  }

  /** What was looked at in vain so far has denied nothing. */
  #passed(): void {
    for (const what of this.#touched) this.#passedOn.add(what);
    this.#touched.clear();
  }

  /** A rule that asks for a claim which the token had and the record has not is seen to do so. */
  #watchClaims(): void {
    const { facts, hasHeaders } = this.#recorded;
    const { principal } = this.#exchange;
    // What a caller of a file may do the file says.
    if (principal === null || facts.principal === null || this.#exchange.assumed?.type !== "jwt") return;
    const unknown = hasHeaders ? claimsUnknown(facts.principal) : ["scopes"];
    if (unknown.length > 0) this.#exchange.principal = watchedPrincipal(principal, unknown, this.#touched, hasHeaders);
  }

  /** Limits give back what lasts as long as a request. */
  #settle(outcome: Outcome): void {
    const { facts } = this.#recorded;
    const denied = outcome instanceof Denial;
    this.#exchange.settle({
      status: facts.status,
      callOutcome: "none",
      requestBodyBytes: facts.requestBytes,
      responseBodyBytes: facts.responseBytes,
      upstreamMs: denied ? -1 : (facts.upstreamMs ?? 0),
      denied,
    });
    this.#exchange.end();
  }

  #compare(outcome: Outcome, route: string | null, { authenticators }: Snapshot): Replayed {
    const { facts } = this.#recorded;
    const denial = outcome instanceof Denial ? outcome : null;
    if ((denial === null) === (facts.verdict === "allow")) return { kind: "same" };
    const why = denial === null ? this.#whyNotAllowed() : this.#whyNotDenied(denial);
    if (why !== null) return { kind: "untold", why };
    const { principal } = facts;
    const authenticator = principal === null || authenticators.has(principal.authenticator);
    return {
      kind: "changed",
      change: denial === null ? "DENY→ALLOW" : "ALLOW→DENY",
      route: denial === null || facts.route === UNKNOWN_ROUTE ? (route ?? facts.route) : facts.route,
      reason: denial?.reason ?? facts.reason ?? "denied",
      place: denial === null ? null : placeText(denial.place ?? this.#deniedBy?.place ?? null),
      caller:
        principal === null ? "nobody" : `${principal.authenticator}/${principal.id}${authenticator ? "" : " (gone)"}`,
      id: facts.id,
    };
  }

  /** What a request that would be let in was denied for, and would be again for all that is known; null where it surely is let in. */
  #whyNotAllowed(): string | null {
    const { facts } = this.#recorded;
    const [first] = this.#passedOn;
    if (first !== undefined) return first;
    if (this.#exchange.bodyWatches !== null) return "body";
    if (facts.reason !== null && BY_COUNT.test(facts.reason)) return "counts before the record, or beside its sample";
    if (facts.path.includes(REDACTED) && BY_VALUE.test(facts.reason ?? "")) return "masked path";
    return null;
  }

  /** What might have let it in; null where it surely is denied. */
  #whyNotDenied({ reason }: Denial): string | null {
    const { facts, hasHeaders } = this.#recorded;
    if (reason === "internal_error") return "no verdict in time";
    if (NOBODY_ASKED.test(reason)) return "others that nobody asked";
    const [first] = this.#deniedOn;
    const isOfCaller = this.#deniedBy?.phase === "authenticate";
    // The names of a query are known, and no credentials stand in it where the caller has shown others.
    if (first !== undefined && !(isOfCaller && first === "query")) return first;
    const [claim] = facts.principal === null ? [] : claimsUnknown(facts.principal);
    if (isOfCaller && claim !== undefined && this.#exchange.assumed?.type === "jwt") return `claim ${claim}`;
    if (!hasHeaders && isOfCaller) return "credentials";
    if (facts.path.includes(REDACTED) && BY_VALUE.test(reason)) return "masked path";
    if (facts.oneIn !== undefined && BY_COUNT.test(reason)) return "counts before the record, or beside its sample";
    return null;
  }
}

function watchedPrincipal(
  principal: Principal,
  unknown: readonly string[],
  touched: Touched,
  hasScopes: boolean,
): Principal {
  const claims: Record<string, unknown> = Object.assign(Object.create(null), principal.claims);
  for (const name of unknown) {
    if (Object.hasOwn(claims, name)) continue;
    Object.defineProperty(claims, name, {
      enumerable: true,
      get: () => {
        touched.add(`claim ${name}`);
        return undefined;
      },
    });
  }
  if (hasScopes) return { ...principal, claims };
  return {
    ...principal,
    claims,
    get scopes() {
      touched.add("scopes");
      return principal.scopes;
    },
  };
}
