import {
  CONTINUE,
  Denial,
  type DenialPart,
  type HeaderLine,
  type Place,
  type Verdict,
} from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { type Authentication, type Authenticator, type Check, NO_CREDENTIALS } from "../filter.ts";

/** What the authenticators that were asked so far had against the request. */
interface Refusals {
  /** The one that is told: of several tokens' judges, the one whose issuer it is. */
  told: Denial | null;
  token: boolean;
  readonly parts: DenialPart[];
}

/** Asks the authenticators in order until one knows the caller. */
export class AuthenticateCheck implements Check {
  readonly name = "authenticate";
  readonly phase = "authenticate";
  readonly place: Place;
  readonly enforcePercent: number;
  readonly #authenticators: readonly Authenticator[];
  readonly #names: string;
  readonly #challenges: readonly HeaderLine[];
  readonly #challengesAfterToken: readonly HeaderLine[];

  constructor(authenticators: readonly Authenticator[], place: Place, enforcePercent: number) {
    this.place = place;
    this.enforcePercent = enforcePercent;
    this.#authenticators = authenticators;
    this.#names = authenticators.map(({ name }) => name).join(", ");
    this.#challenges = challengeLines(authenticators, false);
    this.#challengesAfterToken = challengeLines(authenticators, true);
  }

  evaluate(exchange: Exchange): Verdict | Promise<Verdict> {
    return this.#askFrom(0, exchange, { told: null, token: false, parts: [] });
  }

  explain({ principal }: Exchange): string {
    if (principal === null) return `nobody; asked ${this.#names}`;
    const scopes = principal.scopes.size === 0 ? "no scopes" : `scopes ${[...principal.scopes].join(" ")}`;
    return `${principal.authenticator} knows ${JSON.stringify(principal.id)}, ${scopes}`;
  }

  #askFrom(start: number, exchange: Exchange, refusals: Refusals): Verdict | Promise<Verdict> {
    for (let at = start; at < this.#authenticators.length; at++) {
      const authenticator = this.#authenticators[at];
      if (authenticator === undefined) break;
      const answer = ask(authenticator, exchange);
      if (answer instanceof Promise) return this.#waitFor(answer, at, exchange, refusals);
      if (take(answer, authenticator, exchange, refusals)) return CONTINUE;
    }
    return this.#refuse(refusals);
  }

  async #waitFor(
    pending: Promise<Authentication>,
    at: number,
    exchange: Exchange,
    refusals: Refusals,
  ): Promise<Verdict> {
    const answer = await pending;
    const authenticator = this.#authenticators[at];
    if (authenticator !== undefined && take(answer, authenticator, exchange, refusals)) return CONTINUE;
    return this.#askFrom(at + 1, exchange, refusals);
  }

  #refuse({ told, token, parts }: Refusals): Denial {
    if (told === null) {
      return new Denial("credentials_missing", this.place, "no credentials", `one of ${this.#names}`, this.#challenges);
    }
    const challenges = token ? this.#challengesAfterToken : this.#challenges;
    return new Denial(told.reason, told.place, told.seen, told.wanted, challenges, false, parts);
  }
}

/** `explain` supposes tokens and keys; a certificate is always the real one. */
function ask(authenticator: Authenticator, exchange: Exchange): Authentication | Promise<Authentication> {
  if (exchange.assumed === null || authenticator.type === "client-certificate") {
    return authenticator.authenticate(exchange);
  }
  return authenticator.assume(exchange.assumed);
}

/** True where the answer is a principal, which the exchange then has; a denial is remembered. */
function take(answer: Authentication, { name, type }: Authenticator, exchange: Exchange, refusals: Refusals): boolean {
  if (answer !== NO_CREDENTIALS && !(answer instanceof Denial)) {
    exchange.principal = answer;
    return true;
  }
  refusals.parts.push({ name, denial: answer });
  if (answer === NO_CREDENTIALS) return false;
  const isForeign = refusals.told?.reason === "token_issuer_mismatch" && type === "jwt";
  if (refusals.told === null || isForeign) refusals.told = answer;
  refusals.token ||= type === "jwt";
  return false;
}

/** One WWW-Authenticate line a challenge; RFC 6750 section 3.1: a token that was there and failed is `invalid_token`. */
function challengeLines(authenticators: readonly Authenticator[], afterToken: boolean): readonly HeaderLine[] {
  const challenges = authenticators.map(({ type, challenge }) =>
    afterToken && type === "jwt" ? `${challenge}, error="invalid_token"` : challenge,
  );
  return [...new Set(challenges)].map((challenge) => ["www-authenticate", challenge] as const);
}
