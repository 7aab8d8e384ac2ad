import { isToken } from "../../attributes/principal-facts.ts";
import { REASONS, type Reason } from "../../decision/reason.ts";
import { Denial, type DenialPart, type Place } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import { excerpt } from "../../support/excerpt.ts";
import { type Authentication, type Authenticator, NO_CREDENTIALS } from "../filter.ts";
import type { Revocations } from "../revoked/evaluate.ts";

/** What those that were asked so far had against the request. */
export interface Refusals {
  /** The one that is told: of several, the one whose kind of credential it was. */
  told: Denial | null;
  token: boolean;
  /** A credential that was shown is revoked: no other one that is shown beside it helps. */
  revoked: boolean;
  /** Why whoever has to guess is not even heard; null for nearly all requests. */
  readonly ban: Denial | null;
  /** The same of a ban that is only tried out. */
  readonly tried: Denial | null;
  readonly parts: DenialPart[];
}

/** For whom the tokens of a route have to be: one of these is enough. */
export interface AudienceRule {
  readonly names: readonly string[];
  readonly place: Place;
}

/** Who may know the caller: one authenticator, or several of which any or all have to. */
export interface Knower {
  /** `mesh`, `(mesh and okta)`: for the log. */
  readonly words: string;
  /** Null where it does not know the caller; why not is noted in `refusals`. */
  ask(exchange: Exchange, refusals: Refusals): Principal | null | Promise<Principal | null>;
}

export class OneKnower implements Knower {
  readonly words: string;
  readonly #authenticator: Authenticator;
  readonly #revocations: Revocations | null;
  readonly #audience: AudienceRule | null;

  /** `audience`: of the route, for tokens; null where it is content with what the authenticator asks for. */
  constructor(authenticator: Authenticator, revocations: Revocations | null, audience: AudienceRule | null = null) {
    this.words = authenticator.name;
    this.#authenticator = authenticator;
    this.#revocations = revocations;
    this.#audience = audience;
  }

  ask(exchange: Exchange, refusals: Refusals): Principal | null | Promise<Principal | null> {
    if (refusals.revoked) return null;
    if (refusals.ban !== null && this.#authenticator.recalls?.(exchange) === false) {
      return this.#take(refusals.ban, refusals);
    }
    const answer = authenticationOf(this.#authenticator, exchange);
    if (answer instanceof Promise) return answer.then((settled) => this.#take(settled, refusals));
    return this.#take(answer, refusals);
  }

  #take(identified: Authentication, refusals: Refusals): Principal | null {
    if (isPrincipal(identified) && this.#isRevoked(identified, refusals)) return null;
    const answer =
      this.#audience === null ? identified : judgeAudience(identified, this.#authenticator, this.#audience);
    if (isPrincipal(answer)) return answer;
    const { name, type } = this.#authenticator;
    refusals.parts.push({ name, denial: answer });
    if (answer === NO_CREDENTIALS) return null;
    if (refusals.told === null || answer.terminal || knowsBetter(answer, type, refusals.told)) refusals.told = answer;
    refusals.token ||= isToken({ type });
    return null;
  }

  /** Before its audience is looked at: as another authenticator knows it, the same token may be for this route. */
  #isRevoked(principal: Principal, refusals: Refusals): boolean {
    const denial = this.#revocations?.ofPrincipal(principal) ?? null;
    if (denial === null) return false;
    refusals.parts.push({ name: this.#authenticator.name, denial });
    refusals.told = denial;
    refusals.token ||= isToken(principal);
    refusals.revoked = true;
    return true;
  }
}

function isPrincipal(answer: Authentication): answer is Principal {
  return answer !== NO_CREDENTIALS && !(answer instanceof Denial);
}

/** A token for another resource behind the same authenticator is none for this one (RFC 8707 section 2). */
function judgeAudience(
  identified: Authentication,
  { tokens }: Authenticator,
  { names, place }: AudienceRule,
): Authentication {
  if (tokens === undefined || !isPrincipal(identified)) return identified;
  const audiences = tokens.audiencesOf(identified.claims);
  if (names.some((name) => audiences.has(name))) return identified;
  const seen = excerpt(`aud ${[...audiences].map((name) => JSON.stringify(name)).join(", ") || "(none)"}`, 200);
  const wanted = excerpt(`aud ${names.map((name) => JSON.stringify(name)).join(" or ")}`, 200);
  return new Denial("token_audience_mismatch", place, seen, wanted);
}

/** `explain` supposes tokens and keys; a certificate is always the real one. */
function authenticationOf(authenticator: Authenticator, exchange: Exchange): Authentication | Promise<Authentication> {
  if (exchange.assumed === null || authenticator.type === "client-certificate") {
    return authenticator.authenticate(exchange);
  }
  return authenticator.assume(exchange.assumed);
}

/** Of which type the credential is not, if an authenticator of another type says this. */
const FOREIGN: ReadonlyMap<Reason, ReadonlySet<Principal["type"]>> = new Map([
  ["token_issuer_mismatch", new Set<Principal["type"]>(["jwt", "introspection"])],
  ["token_malformed", new Set<Principal["type"]>(["api-key", "introspection"])],
  ["token_inactive", new Set<Principal["type"]>(["jwt", "api-key"])],
]);

/**
 * Whether what one of `type` says tells more than `told`: `told` may only say that the credential is of another kind; and
 * where somebody could not be asked, nobody knows that the credential is bad.
 */
function knowsBetter({ reason }: Denial, type: Principal["type"], told: Denial): boolean {
  if (REASONS[told.reason].status === 503) return false;
  return REASONS[reason].status === 503 || FOREIGN.get(told.reason)?.has(type) === true;
}

/** The first that knows the caller says who it is; the rest is not asked. */
export class AnyKnower implements Knower {
  readonly words: string;
  readonly #knowers: readonly Knower[];

  constructor(knowers: readonly Knower[]) {
    this.words = knowers.map(({ words }) => words).join(", ");
    this.#knowers = knowers;
  }

  ask(exchange: Exchange, refusals: Refusals): Principal | null | Promise<Principal | null> {
    return this.#askFrom(0, exchange, refusals);
  }

  #askFrom(start: number, exchange: Exchange, refusals: Refusals): Principal | null | Promise<Principal | null> {
    for (let at = start; at < this.#knowers.length; at++) {
      const answer = this.#knowers[at]?.ask(exchange, refusals) ?? null;
      if (answer instanceof Promise) {
        return answer.then((settled) => settled ?? this.#askFrom(at + 1, exchange, refusals));
      }
      if (answer !== null) return answer;
    }
    return null;
  }
}

/**
 * Each of them has to know the caller. All are asked, whatever the first says, so that one answer tells all that is wrong.
 * The principal is the last one's, as in a machine's certificate and then a person's token; it ends with the first credential
 * that does.
 */
export class AllKnower implements Knower {
  readonly words: string;
  readonly #knowers: readonly Knower[];
  /** By the last principal: the one that was made of it, and for which end. */
  readonly #joined = new WeakMap<Principal, Principal>();

  constructor(knowers: readonly Knower[]) {
    this.words = `(${knowers.map(({ words }) => words).join(" and ")})`;
    this.#knowers = knowers;
  }

  ask(exchange: Exchange, refusals: Refusals): Principal | null | Promise<Principal | null> {
    return this.#askFrom(0, [], exchange, refusals);
  }

  #askFrom(
    start: number,
    known: Principal[],
    exchange: Exchange,
    refusals: Refusals,
  ): Principal | null | Promise<Principal | null> {
    for (let at = start; at < this.#knowers.length; at++) {
      const answer = this.#knowers[at]?.ask(exchange, refusals) ?? null;
      if (answer instanceof Promise) {
        return answer.then((settled) => {
          if (settled !== null) known.push(settled);
          return this.#askFrom(at + 1, known, exchange, refusals);
        });
      }
      if (answer !== null) known.push(answer);
    }
    if (known.length === this.#knowers.length) return this.#join(known);
    for (const { authenticator, id } of known) refusals.parts.push({ name: authenticator, denial: null, caller: id });
    return null;
  }

  #join(known: readonly Principal[]): Principal | null {
    const last = known.at(-1);
    if (last === undefined) return null;
    const expiresAtMs = Math.min(...known.map((one) => one.expiresAtMs));
    if (expiresAtMs === last.expiresAtMs) return last;
    const before = this.#joined.get(last);
    if (before?.expiresAtMs === expiresAtMs) return before;
    const joined = Object.freeze({ ...last, expiresAtMs });
    this.#joined.set(last, joined);
    return joined;
  }
}
