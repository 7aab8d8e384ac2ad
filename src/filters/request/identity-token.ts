import type { Attribute } from "../../attributes/attribute.ts";
import { isNothing } from "../../attributes/equal.ts";
import { groupList, roleList } from "../../attributes/principal-facts.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import type { Clock } from "../../support/clock.ts";
import type { IdentityLine } from "./identity.ts";
import type { IdentityKeys } from "./identity-keys.ts";
import { endSeconds } from "./token-life.ts";

export interface IdentityTokenOptions {
  /** Lower case. */
  readonly header: string;
  readonly issuer: string;
  readonly audience: string;
  readonly lifetimeMs: number;
  /** Further claims; each is the same for all requests of a principal. */
  readonly claims: ReadonlyMap<string, Attribute>;
  readonly keys: IdentityKeys;
  readonly clock: Clock;
}

interface Issued {
  readonly line: string;
  /** Claims that could not be said. */
  readonly untold: readonly string[];
  /** Unix milliseconds from which on another one is made. */
  readonly untilMs: number;
}

/**
 * What the service is told of the caller as a signed token (the shape of RFC 9068), so that it has to trust no header. It is
 * made once for a principal, and anew when half of its life is over.
 */
export class IdentityToken implements IdentityLine {
  readonly name: string;
  /** It ends, and `line` remembers it until then. */
  readonly isOfPrincipal = false;
  readonly #options: IdentityTokenOptions;
  readonly #issued = new WeakMap<Principal, Issued>();
  #count = 0;

  constructor(options: IdentityTokenOptions) {
    this.name = options.header;
    this.#options = options;
  }

  toJSON(): readonly string[] {
    const { issuer, audience, lifetimeMs, claims } = this.#options;
    const told = [...claims].map(([name, { text }]) => `${name}: ${text}`);
    return [this.name, issuer, audience, String(lifetimeMs), ...told];
  }

  line(exchange: Exchange, untold: string[]): string {
    const { principal } = exchange;
    if (principal === null || principal.type === "anonymous") return "";
    const nowMs = this.#options.clock.wallMs();
    const issued = this.#issued.get(principal);
    if (issued !== undefined && nowMs < issued.untilMs) {
      untold.push(...issued.untold);
      return issued.line;
    }
    const absent: string[] = [];
    const line = `${this.name}: ${this.#sign(principal, exchange, nowMs, absent)}\r\n`;
    this.#issued.set(principal, { line, untold: absent, untilMs: nowMs + this.#options.lifetimeMs / 2 });
    untold.push(...absent);
    return line;
  }

  #sign(principal: Principal, exchange: Exchange, nowMs: number, absent: string[]): string {
    const { issuer, audience, lifetimeMs, claims, keys } = this.#options;
    const iat = Math.floor(nowMs / 1000);
    const more: Record<string, unknown> = {};
    for (const [name, { read }] of claims) {
      const value = read(exchange);
      if (isNothing(value)) absent.push(`${this.name}.${name}`);
      else more[name] = value;
    }
    const [roles, groups] = [roleList(principal), groupList(principal)];
    return keys.sign("at+jwt", {
      ...more,
      ...(roles.length === 0 ? {} : { roles }),
      ...(groups.length === 0 ? {} : { groups }),
      iss: issuer,
      sub: principal.id,
      aud: audience,
      iat,
      exp: endSeconds(principal, nowMs, lifetimeMs),
      jti: `${iat}-${++this.#count}`,
      client_id: clientOf(principal),
      scope: [...principal.scopes].join(" "),
      authenticator: principal.authenticator,
    });
  }
}

/** RFC 9068 section 2.2 wants one; a caller that is no client of an authorization server is its own. */
function clientOf({ claims, id }: Principal): string {
  const named = ["client_id", "azp", "cid"].map((name) => claims[name]).find((value) => typeof value === "string");
  return typeof named === "string" ? named : id;
}
