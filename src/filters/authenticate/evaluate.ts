import { CONTINUE, Denial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { type Authentication, type Authenticator, type Check, NO_CREDENTIALS } from "../filter.ts";

/** What the authenticators that were asked so far had against the request. */
interface Refusals {
  first: Denial | null;
  token: boolean;
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
    return this.#askFrom(0, exchange, { first: null, token: false });
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

  #refuse({ first, token }: Refusals): Denial {
    if (first === null) {
      return new Denial("credentials_missing", this.place, "no credentials", `one of ${this.#names}`, this.#challenges);
    }
    const challenges = token ? this.#challengesAfterToken : this.#challenges;
    return new Denial(first.reason, first.place, first.seen, first.wanted, challenges);
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
function take(answer: Authentication, { type }: Authenticator, exchange: Exchange, refusals: Refusals): boolean {
  if (answer === NO_CREDENTIALS) return false;
  if (answer instanceof Denial) {
    refusals.first ??= answer;
    refusals.token ||= type === "jwt";
    return false;
  }
  exchange.principal = answer;
  return true;
}

/** One WWW-Authenticate line a challenge; RFC 6750 section 3.1: a token that was there and failed is `invalid_token`. */
function challengeLines(authenticators: readonly Authenticator[], afterToken: boolean): readonly HeaderLine[] {
  const challenges = authenticators.map(({ type, challenge }) =>
    afterToken && type === "jwt" ? `${challenge}, error="invalid_token"` : challenge,
  );
  return [...new Set(challenges)].map((challenge) => ["www-authenticate", challenge] as const);
}
