import { isToken } from "../../attributes/principal-facts.ts";
import { REASONS } from "../../decision/reason.ts";
import { CONTINUE, Denial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import type { GuessBans, Met } from "../bans/guess-bans.ts";
import type { Authenticator, Check } from "../filter.ts";
import type { Revocations } from "../revoked/evaluate.ts";
import type { Knower, Refusals } from "./knowers.ts";
import type { StepUp } from "./step-up.ts";

export interface AuthenticateRules {
  readonly place: Place;
  readonly enforcePercent: number;
  readonly knower: Knower;
  /** Who the caller is that shows no credentials at all; null where such a caller is refused. */
  readonly anonymous: Principal | null;
  /** How the caller's user has to be authenticated; null for however. */
  readonly stepUp: StepUp | null;
  /** Null where the policy has none. */
  readonly bans: GuessBans | null;
  /** Null where the policy has none. */
  readonly revocations: Revocations | null;
  /** All that are asked, each once. */
  readonly authenticators: readonly Authenticator[];
  /** Scopes that every caller has to have; rules that are compiled later than this add theirs. */
  readonly wantedScopes: ReadonlySet<string>;
}

/** Asks the authenticators until it is known who the caller is. */
export class AuthenticateCheck implements Check {
  readonly name = "authenticate";
  readonly phase = "authenticate";
  readonly place: Place;
  readonly enforcePercent: number;
  readonly admitsAnyone: boolean;
  readonly #rules: AuthenticateRules;
  readonly #knower: Knower;

  constructor(rules: AuthenticateRules) {
    this.place = rules.place;
    this.enforcePercent = rules.enforcePercent;
    this.admitsAnyone = rules.anonymous !== null;
    this.#rules = rules;
    this.#knower = rules.knower;
  }

  evaluate(exchange: Exchange): Verdict | Promise<Verdict> {
    const revoked = this.#rules.revocations?.ofCertificate(exchange.certificate) ?? null;
    const met = this.#banOf(exchange);
    const ban = met?.isEnforced === true ? met.denial : null;
    const tried = met?.isEnforced === false ? met.denial : null;
    const refusals: Refusals = { told: revoked, token: false, revoked: revoked !== null, ban, tried, parts: [] };
    if (revoked !== null) return this.#refuse(exchange, refusals);
    const known = this.#knower.ask(exchange, refusals);
    if (known instanceof Promise) return known.then((settled) => this.#settle(settled, exchange, refusals));
    return this.#settle(known, exchange, refusals);
  }

  explain({ principal }: Exchange): string {
    if (principal === null) return `nobody; asked ${this.#knower.words}`;
    const scopes = principal.scopes.size === 0 ? "no scopes" : `scopes ${[...principal.scopes].join(" ")}`;
    const known = `${principal.authenticator} knows ${JSON.stringify(principal.id)}, ${scopes}`;
    if (principal.type !== "client-certificate") return known;
    const { serialNumber, issuer, fingerprint } = principal.claims;
    return `${known}, certificate ${serialNumber} of ${JSON.stringify(issuer)}, SHA-256 ${fingerprint}`;
  }

  #settle(known: Principal | null, exchange: Exchange, refusals: Refusals): Verdict {
    if (known === null || refusals.revoked || refusals.told?.terminal === true) return this.#refuse(exchange, refusals);
    const { bans } = this.#rules;
    if (bans !== null && exchange.assumed === null) {
      // Only now the account may be known.
      const met = bans.of(exchange);
      if (met !== null && !bans.keeps(known, exchange)) {
        if (met.isEnforced) return this.#told(met.denial, refusals.parts);
        note(exchange, met.denial);
      }
      bans.wasGood(known, exchange);
    }
    const insufficient = this.#rules.stepUp?.judge(known) ?? null;
    if (insufficient !== null) return insufficient;
    exchange.principal = known;
    return CONTINUE;
  }

  /** The ban of the address, or of the account that the credentials are for. */
  #banOf(exchange: Exchange): Met | null {
    const { bans, authenticators } = this.#rules;
    if (bans === null || exchange.assumed !== null || !bans.isAnyGuesserBanned) return null;
    for (const authenticator of authenticators) exchange.account ??= authenticator.accountOf?.(exchange) ?? null;
    return bans.of(exchange);
  }

  #told({ reason, place, seen, wanted, headers }: Denial, parts: Refusals["parts"]): Denial {
    return new Denial(reason, place, seen, wanted, headers, false, parts);
  }

  #refuse(exchange: Exchange, { told, token, ban, tried, parts }: Refusals): Verdict {
    if (told !== null && tried !== null) note(exchange, tried);
    // Whatever the guess was, right or wrong, the answer is one.
    if (told !== null && ban !== null) return this.#told(ban, parts);
    if (told === null) return this.#missing(exchange, parts);
    // Where it cannot be told who the caller is, other credentials would not help.
    const challenges = REASONS[told.reason].status === 401 ? challengeLines(this.#rules, token) : [];
    const headers = [...told.headers, ...challenges.filter((line) => !isInPlaceOf(told.headers, line))];
    return new Denial(told.reason, told.place, told.seen, told.wanted, headers, told.terminal, parts);
  }

  /** Nothing but a certificate would have helped, which is the client's TLS and no header of the request. */
  #wantsCertificate(missing: readonly string[]): boolean {
    const asked = this.#rules.authenticators.filter(({ name }) => missing.length === 0 || missing.includes(name));
    return asked.length > 0 && asked.every(({ type }) => type === "client-certificate");
  }

  /** No credentials that anybody here could judge. What stands in the wrong place is told by that, and is no anonymous caller. */
  #missing(exchange: Exchange, parts: Refusals["parts"]): Verdict {
    const strays = this.#rules.authenticators.flatMap((one) => one.misplaced?.(exchange) ?? []);
    const { anonymous } = this.#rules;
    if (anonymous !== null && strays.length === 0 && parts.every(({ caller }) => caller === undefined)) {
      exchange.principal = anonymous;
      return CONTINUE;
    }
    const known = parts.flatMap(({ name, caller }) => (caller === undefined ? [] : [name]));
    const missing = parts.flatMap(({ name, caller }) => (caller === undefined ? [name] : []));
    const seen = known.length === 0 ? "no credentials" : `${known.join(", ")} only, nothing for ${missing.join(", ")}`;
    const wanted = `one of ${this.#knower.words}`;
    const absences = new Set(this.#rules.authenticators.flatMap((one) => one.absent?.(exchange) ?? []));
    const text = [seen, ...absences, ...strays].join("; ");
    const reason = this.#wantsCertificate(missing) ? "certificate_missing" : "credentials_missing";
    return new Denial(reason, this.place, text, wanted, challengeLines(this.#rules, false), false, parts);
  }
}

/** A ban that is logged and counted, and not enforced. */
function note(exchange: Exchange, denial: Denial): void {
  if (denial.place !== null) exchange.audit(denial, { name: "ban", place: denial.place });
}

/** Whether one of `lines` is a challenge of the same scheme, which knows better what is wrong. */
function isInPlaceOf(lines: readonly HeaderLine[], [name, value]: HeaderLine): boolean {
  const scheme = value.slice(0, value.indexOf(" ") + 1);
  return lines.some(([other, text]) => other === name && (name !== "www-authenticate" || text.startsWith(scheme)));
}

/**
 * One WWW-Authenticate line a challenge. RFC 6750 section 3: a token that was there and failed is `invalid_token`, and the
 * client is told the scopes without which its next one would be refused, too.
 */
function challengeLines(
  { authenticators, wantedScopes }: AuthenticateRules,
  afterToken: boolean,
): readonly HeaderLine[] {
  const scope = wantedScopes.size === 0 ? "" : `, scope="${[...wantedScopes].join(" ")}"`;
  const error = afterToken ? ', error="invalid_token"' : "";
  const challenges = authenticators.flatMap((authenticator) => {
    const { challenge } = authenticator;
    if (challenge === null) return [];
    return isToken(authenticator) ? `${challenge}${error}${scope}` : challenge;
  });
  const lines = [...new Set(challenges)].map((challenge) => ["www-authenticate", challenge] as const);
  return [...lines, ...authenticators.flatMap(({ challengeHeaders = [] }) => challengeHeaders)];
}
