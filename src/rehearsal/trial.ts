import { Denial, type Place, type Verdict } from "../decision/verdict.ts";
import type { BanFacts } from "../filters/bans/ban-facts.ts";
import type { Check } from "../filters/filter.ts";
import { EMPTY_BODY, type RequestBody } from "../message/body.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import type { AssumedIdentity, Exchange } from "../message/exchange.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { WITHOUT_BODY } from "../message/method.ts";
import type { Principal } from "../message/principal.ts";
import type { Upgrade } from "../message/stream.ts";
import type { AnswerFacts } from "../message/taken.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";
import type { AsItCame } from "../proxy/beside.ts";
import { countFailure } from "../proxy/noted-judgement.ts";
import { type CheckChoice, judge, type Subject } from "../proxy/pipeline.ts";
import { receive } from "../proxy/receive.ts";
import { DEFAULTS } from "../support/defaults.ts";

/** What of a request is judged once more: as it came, and who was found to ask. */
export interface RequestFacts {
  readonly connection: ConnectionFacts;
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly headers: HeaderBlock;
  readonly upgrade: Upgrade | null;
  readonly principal: Principal | null;
  /** Null where there is one that is not here, or too long. */
  readonly body: Buffer | null;
  readonly announcedBytes: number;
}

/** What the candidate says; the route that it would have taken. */
export interface TrialVerdict {
  readonly denial: Denial | null;
  readonly route: string;
  /** Who it found to ask. */
  readonly principal: Principal | null;
  /** The request as the candidate has judged it. */
  readonly subject: Subject;
  /** All that counts was asked, so that what it did not refuse is within its counts. */
  readonly isCounted: boolean;
  /** How long ago a request may have been that still counts for this one, milliseconds. */
  readonly looksBackMs: number;
}

type Counting = Pick<TrialVerdict, "isCounted" | "looksBackMs">;

/** A check that is left out. */
export interface Untried {
  readonly check: string;
  readonly place: Place;
}

/** Checks that count requests. */
const COUNTING: ReadonlySet<string> = new Set(["limit", "ban"]);

/** Whose credentials are compared with a table, at no cost and without a trace outside. */
const LOOKED_UP: ReadonlySet<string> = new Set(["api-key", "client-certificate", "anonymous"]);

/** Of a request that no service answered, as far as anybody knows. */
export const UNANSWERED: AnswerFacts = {
  status: 0,
  callOutcome: "none",
  requestBodyBytes: 0,
  responseBodyBytes: 0,
  upstreamMs: -1,
  denied: false,
};

/** The request is over for the candidate, too: what its limits took is settled. */
export function endTrial({ exchange }: Subject, facts: AnswerFacts): void {
  exchange.end();
  exchange.settle(facts);
}

const STOP = new Denial("internal_error", null, "not judged", "to be asked", [], true);
const NOTHING = Buffer.alloc(0);

/**
 * Judges requests by a candidate without acting, asking or reading anything: checks that act when they are asked are left
 * out, and where another would have had to ask somebody, to wait, or to read a body that is not here, the verdict is not known.
 * Rates and bans count where the snapshot has counters of its own and sees each request.
 */
export class Trials {
  readonly #snapshot: Snapshot;
  /** What of the routes that requests took is not tried, by template. */
  readonly untried = new Map<string, readonly Untried[]>();
  readonly #counts: boolean;
  readonly #choice: CheckChoice;
  /** Why the verdict of the request that is judged now is not known; null so far. */
  #unknown: string | null = null;
  readonly #places: CredentialPlaces;
  readonly #counting = new Map<Route | null, Counting>();

  /** `counts`: its counters are nobody else's. */
  constructor(snapshot: Snapshot, counts: boolean) {
    this.#snapshot = snapshot;
    this.#counts = counts;
    this.#places = new CredentialPlaces(snapshot);
    const admit = this.#adapted(snapshot.admitChecks);
    const ofRoutes = new WeakMap<Route, readonly Check[]>();
    this.#choice = {
      admit: () => admit,
      of: (route) => {
        const known = ofRoutes.get(route);
        if (known !== undefined) return known;
        const made = this.#adapted(route.checks);
        ofRoutes.set(route, made);
        this.#noteUntried(route);
        return made;
      },
    };
  }

  /** Copies nothing, and keeps of a body no more than a bound. */
  factsOf(exchange: Exchange, { headers, body }: AsItCame): RequestFacts {
    const { connection, method, receivedTarget, authority, upgrade, principal, collectedBody } = exchange;
    const isAsItCame = exchange.headers === headers && exchange.body === body && exchange.bodyEdits === null;
    const isKept = collectedBody !== null && isAsItCame && collectedBody.length <= DEFAULTS.candidateBodyBytesMax;
    return {
      connection,
      method,
      target: receivedTarget,
      authority,
      headers,
      upgrade,
      principal,
      body: body === EMPTY_BODY ? NOTHING : isKept ? collectedBody : null,
      announcedBytes: body.announcedBytes,
    };
  }

  /** The verdict, or why it is not known; what it took of limits is as of a request that is over. */
  judge(facts: RequestFacts): TrialVerdict | string {
    const said = this.begin(facts);
    if (typeof said !== "string") endTrial(said.subject, UNANSWERED);
    return said;
  }

  /** The same while the request lasts: who asks ends it, by `endTrial`. */
  begin(facts: RequestFacts): TrialVerdict | string {
    this.#unknown = null;
    const subject = this.#subjectOf(facts);
    if (subject === null) return "a listener of that name";
    const outcome = this.#outcomeOf(subject);
    if (this.#counts && outcome instanceof Denial && outcome !== STOP) countFailure(subject, outcome);
    const said = this.#saidOf(subject, outcome);
    if (typeof said === "string") endTrial(subject, UNANSWERED);
    return said;
  }

  #saidOf(subject: Subject, outcome: Denial | object | null): TrialVerdict | string {
    if (outcome === null) return "to wait";
    if (outcome === STOP) return this.#unknown ?? "to wait";
    const route = subject.route?.template ?? subject.ownPage?.label ?? "unmatched";
    const { principal } = subject.exchange;
    if (outcome instanceof Denial) {
      if (outcome.reason === "memory_bodies" || outcome.terminal) return this.#unknown ?? "the body";
      return { denial: outcome, route, principal, subject, ...this.#countedBy(subject.route), isCounted: true };
    }
    return this.#unknown ?? { denial: null, route, principal, subject, ...this.#countedBy(subject.route) };
  }

  #countedBy(route: Route | null): Counting {
    let counting = this.#counting.get(route);
    if (counting === undefined) {
      counting = this.#countingOf(route);
      this.#counting.set(route, counting);
    }
    return counting;
  }

  #countingOf(route: Route | null): Counting {
    const asked = [...this.#snapshot.admitChecks, ...(route?.checks ?? [])];
    const counting = asked.filter(({ name }) => COUNTING.has(name));
    const guesses = asked.some(({ name }) => name === "authenticate") ? this.#guessBans : [];
    return {
      isCounted: counting.every((check) => this.#isAsked(check)) && (guesses.length === 0 || this.#places.isLookedUp),
      looksBackMs: Math.max(
        0,
        ...counting.map(({ looksBackMs = 0 }) => looksBackMs),
        ...guesses.map(({ windowMs, forMs }) => windowMs + forMs),
      ),
    };
  }

  /** Which `authenticate` asks itself. */
  get #guessBans(): readonly BanFacts[] {
    return (this.#snapshot.bans?.facts ?? []).filter(({ isOfGuesses }) => isOfGuesses);
  }

  #isAsked({ once, looksBackMs }: Check): boolean {
    return once !== true || (this.#counts && looksBackMs !== undefined);
  }

  #noteUntried({ template, checks }: Route): void {
    if (this.untried.size >= DEFAULTS.candidateUntriedRoutesMax) return;
    const left = checks.filter((check) => !this.#isAsked(check) || check.name === "decide");
    const guesses =
      checks.some(({ name }) => name === "authenticate") && !(this.#counts && this.#places.isLookedUp)
        ? this.#guessBans.map(({ place }) => ({ name: "ban", place }))
        : [];
    const untried = [...left, ...guesses].map(({ name, place }) => ({ check: name, place }));
    if (untried.length > 0) this.untried.set(template, untried.slice(0, DEFAULTS.candidateUntriedChecksMax));
  }

  /** Null where it would wait: nobody waits with it. */
  #outcomeOf(subject: Subject): Denial | object | null {
    const outcome = judge(subject, this.#choice);
    if (!(outcome instanceof Promise)) return outcome;
    outcome.catch(() => {});
    return null;
  }

  #subjectOf(facts: RequestFacts): Subject | null {
    const snapshot = this.#snapshot;
    const { connection, principal } = facts;
    const listener = snapshot.listeners.find(({ name }) => name === connection.listener);
    if (listener === undefined) return null;
    const request = { ...facts, body: this.#bodyOf(facts), startedMs: 0 };
    const { exchange, fault } = receive(request, connection, snapshot.keepsInPaths);
    exchange.upstream = listener.upstream;
    exchange.assumed = assumedOf(principal);
    if (facts.body !== null && facts.body !== NOTHING) exchange.collectedBody = facts.body;
    return {
      snapshot,
      exchange,
      trustsForwardedHost: listener.trustsForwardedHost,
      forwardedCertificates: listener.forwardedCertificates,
      trustedProxies: listener.trustedProxies?.has(connection.peer) === true ? listener.trustedProxies : null,
      shares: snapshot.shares,
      fault,
      route: null,
      ownPage: null,
      methodBody: null,
      observer: null,
    };
  }

  /** One that says what it is, and that nobody can read. */
  #bodyOf({ body, method, announcedBytes }: RequestFacts): RequestBody {
    if (body === NOTHING) return EMPTY_BODY;
    let isStray = WITHOUT_BODY.has(method);
    return {
      ...EMPTY_BODY,
      announcedBytes,
      get isStray() {
        return isStray;
      },
      accept: () => {
        isStray = false;
      },
      start: (sink) => {
        this.#unknown ??= "the body";
        sink.onBodyFailure("memory_bodies");
      },
    };
  }

  #adapted(checks: readonly Check[]): readonly Check[] {
    return checks.filter((check) => this.#isAsked(check)).map((check) => this.#adaptedOne(check));
  }

  #adaptedOne(check: Check): Check {
    const evaluate = (exchange: Exchange): Verdict => {
      if (check.name === "decide") {
        this.#unknown ??= "a decision service";
        return null;
      }
      if (check.name === "authenticate" && !this.#places.canTell(exchange)) return this.#stop("credentials");
      const verdict = check.evaluate(exchange);
      if (!(verdict instanceof Promise)) return verdict;
      verdict.catch(() => {});
      exchange.end();
      return this.#stop("to wait");
    };
    const { name, phase, place, enforcePercent, once = false } = check;
    return {
      once,
      name,
      phase,
      place,
      enforcePercent,
      ...(check.share === undefined ? {} : { share: (exchange: Exchange) => check.share?.(exchange) ?? null }),
      evaluate,
      explain: (exchange) => check.explain(exchange),
    };
  }

  #stop(why: string): Denial {
    this.#unknown ??= why;
    return STOP;
  }
}

/** Who was found to ask is believed: a signature is checked, and a proof is shown, once. */
function assumedOf(principal: Principal | null): AssumedIdentity | null {
  switch (principal?.type) {
    case "jwt":
    case "introspection":
      return { type: "jwt", claims: principal.claims };
    case "api-key":
    case "signature":
      return { type: principal.type, caller: principal.id };
    case "basic":
      return { type: "basic", user: principal.id };
    default:
      return null;
  }
}

/** Where the candidate's authenticators look for credentials. */
class CredentialPlaces {
  readonly #names: ReadonlySet<string>;
  readonly #cookies: readonly string[];
  readonly #parameters: readonly string[];
  /** What each of them takes can be compared here. */
  readonly isLookedUp: boolean;

  constructor({ authenticators }: Snapshot) {
    const all = [...authenticators.values()];
    this.#names = new Set(["authorization", ...all.flatMap(({ credentialHeaders }) => credentialHeaders)]);
    this.#cookies = all.flatMap(({ credentialCookies = [] }) => credentialCookies);
    this.#parameters = all.flatMap(({ credentialParameters = [] }) => credentialParameters);
    this.isLookedUp = all.every(({ type }) => LOOKED_UP.has(type));
  }

  /** Whether who asks can be known without verifying anything: it is known already, or there is nothing to verify. */
  canTell({ assumed, headers, target, upgrade }: Exchange): boolean {
    if (assumed !== null || this.isLookedUp) return true;
    if (upgrade !== null || headers.names.some((name) => this.#names.has(name))) return false;
    if (this.#parameters.some((name) => target.query.includes(name))) return false;
    const cookies = headers.list("cookie");
    return cookies === undefined || !this.#cookies.some((name) => cookies.includes(name));
  }
}
