import { createHmac, timingSafeEqual } from "node:crypto";
import { Denial, type Place } from "../../decision/verdict.ts";
import { clientOf } from "../../message/address.ts";
import type { AssumedIdentity, Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { judgeValidity } from "../caller-principal.ts";
import { challenge } from "../challenge.ts";
import { type Authentication, type Authenticator, NO_CREDENTIALS } from "../filter.ts";
import { type BasicCredentials, basicCredentials, OTHER_SCHEME } from "./credentials.ts";
import type { Guesses } from "./guesses.ts";
import { tagOf } from "./password-hash.ts";
import type { UserEntry, UserTable } from "./user-table.ts";
import type { Verification, VerificationLine } from "./verification-line.ts";

export interface BasicOptions {
  readonly name: string;
  readonly service: string;
  readonly clock: Clock;
  readonly place: Place;
  readonly table: UserTable;
  readonly line: VerificationLine;
  readonly guesses: Guesses;
}

interface UnderWay {
  readonly verification: Promise<Verification>;
  /** Others wait for it too, so that it goes on though the first one left. */
  isShared: boolean;
}

const REASONS = { early: "user_not_yet_valid", late: "user_expired" } as const;
const WANTED = "a user's name and password";

/**
 * A user's name and password are the credential. A password costs some 20 ms on another thread, so one that was right is
 * remembered for a while, wrong ones are counted before more is spent on them, and all wait in one bounded line.
 */
export class BasicAuthenticator implements Authenticator {
  readonly name: string;
  readonly type = "basic";
  readonly place: Place;
  readonly challenge: string;
  readonly credentialHeaders: readonly string[] = ["authorization"];
  readonly scopes: ReadonlySet<string>;
  readonly limits: UserTable["limits"];
  readonly #options: BasicOptions;
  readonly #table: UserTable;
  readonly #clock: Clock;
  /** Verifications under way, by user and keyed hash: a burst with one password verifies it once. */
  readonly #underWay = new Map<string, UnderWay>();

  constructor(options: BasicOptions) {
    this.name = options.name;
    this.place = options.place;
    // RFC 7617 section 2.1.
    this.challenge = `${challenge("Basic", options.service)}, charset="UTF-8"`;
    this.scopes = options.table.scopes;
    this.limits = options.table.limits;
    this.#options = options;
    this.#table = options.table;
    this.#clock = options.clock;
  }

  authenticate(exchange: Exchange): Authentication | Promise<Authentication> {
    const credentials = this.#read(exchange);
    if (credentials === NO_CREDENTIALS || credentials instanceof Denial) return credentials;
    const user = this.#table.users.get(credentials.user) ?? null;
    exchange.account = user?.principal.key ?? null;
    const tag = this.#tagOf(credentials);
    const right = user?.right ?? null;
    const ageMs =
      right !== null && timingSafeEqual(right.tag, tag) ? this.#clock.monotonicMs() - right.verifiedMs : null;
    if (user !== null && ageMs !== null && ageMs < DEFAULTS.passwordCachedMs) return this.#inDate(user);
    const waitMs = this.#options.guesses.waitMs(credentials.user, exchange.clientAddress);
    // A password that was right before is no guess: others who guess do not keep its user out.
    if (waitMs > 0 && (ageMs === null || ageMs > DEFAULTS.passwordRecalledMs)) return this.#tooMany(waitMs);
    return this.#verify(exchange, credentials, user, tag);
  }

  accountOf(exchange: Exchange): string | null {
    const credentials = this.#read(exchange);
    if (credentials === NO_CREDENTIALS || credentials instanceof Denial) return null;
    return this.#table.users.get(credentials.user)?.principal.key ?? null;
  }

  recalls(exchange: Exchange): boolean | null {
    const credentials = this.#read(exchange);
    if (credentials === NO_CREDENTIALS) return null;
    if (credentials instanceof Denial) return false;
    const right = this.#table.users.get(credentials.user)?.right ?? null;
    if (right === null || !timingSafeEqual(right.tag, this.#tagOf(credentials))) return false;
    return this.#clock.monotonicMs() - right.verifiedMs <= DEFAULTS.passwordRecalledMs;
  }

  *callers(): Generator<Principal> {
    for (const { principal } of this.#table.users.values()) yield principal;
  }

  assume(identity: AssumedIdentity): Authentication {
    if (identity.type !== "basic") return NO_CREDENTIALS;
    const user = this.#table.users.get(identity.user);
    if (user !== undefined) return this.#inDate(user);
    return new Denial("password_wrong", this.place, `no user named ${JSON.stringify(identity.user)}`, WANTED);
  }

  #read({ headers: { names, values } }: Exchange): BasicCredentials | Denial | typeof NO_CREDENTIALS {
    const at = names.indexOf("authorization");
    if (at < 0) return NO_CREDENTIALS;
    const credentials = basicCredentials(values[at] ?? "");
    if (credentials === OTHER_SCHEME) return NO_CREDENTIALS;
    // Of two headers the service might read the other one.
    if (names.indexOf("authorization", at + 1) >= 0) return this.#malformed("more than one authorization header");
    return credentials.ok ? credentials.value : this.#malformed(credentials.error);
  }

  #tagOf({ user, password }: BasicCredentials): Buffer {
    return createHmac("sha256", this.#table.secret).update(`${user}:`).update(password).digest();
  }

  async #verify(
    exchange: Exchange,
    { user: name, password }: BasicCredentials,
    user: UserEntry | null,
    tag: Buffer,
  ): Promise<Authentication> {
    const verification = await this.#inLine(exchange, user, tag, password);
    if (verification === "overloaded") {
      const seen = "too many passwords wait to be verified";
      return new Denial("verification_overloaded", this.place, seen, "room for one more", [["retry-after", "1"]]);
    }
    if (verification === "right" && user !== null) {
      user.right = { tag, verifiedMs: this.#clock.monotonicMs() };
      return this.#inDate(user);
    }
    this.#options.guesses.failed(name, exchange.clientAddress);
    // What stands where a name is expected may be a password.
    const seen = user === null ? "a user that nobody knows" : `a wrong password of ${name}`;
    return new Denial("password_wrong", this.place, seen, WANTED);
  }

  #inLine(exchange: Exchange, user: UserEntry | null, tag: Buffer, password: Buffer): Promise<Verification> {
    const key = tag.toString("base64");
    const known = this.#underWay.get(key);
    if (known !== undefined) {
      known.isShared = true;
      return known.verification;
    }
    const hash = user?.hash ?? this.#table.nobody;
    const work = async (): Promise<boolean> => timingSafeEqual(await tagOf(hash, password), hash.tag);
    const joined = this.#options.line.join(clientOf(exchange.clientAddress), work);
    if (joined === null) return Promise.resolve("overloaded");
    const underWay: UnderWay = { verification: joined.verification, isShared: false };
    this.#underWay.set(key, underWay);
    const forget = exchange.whenOver(() => {
      if (!underWay.isShared) joined.giveUp();
    });
    return joined.verification.finally(() => {
      this.#underWay.delete(key);
      forget();
    });
  }

  #inDate(user: UserEntry): Authentication {
    const nowMs = this.#clock.wallMs();
    if (nowMs <= user.notAfterMs && nowMs >= user.notBeforeMs) return user.principal;
    return judgeValidity(user, REASONS, `user ${user.principal.id}`, this.place, nowMs) ?? user.principal;
  }

  #malformed(seen: string): Denial {
    return new Denial("basic_malformed", this.place, seen, "Basic with base64 of user:password, in UTF-8");
  }

  #tooMany(waitMs: number): Denial {
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    const seen = "too many wrong passwords from this address or for this user";
    return new Denial("attempts_exceeded", this.place, seen, "fewer guesses", [["retry-after", String(seconds)]]);
  }
}
