import type { Attribute } from "../../attributes/attribute.ts";
import { isNothing } from "../../attributes/equal.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Clock } from "../../support/clock.ts";
import type { IdentityLine } from "./identity.ts";
import type { IdentityKeys } from "./identity-keys.ts";
import { endSeconds } from "./token-life.ts";

/** Names → what they say; each is read for each request. */
export type ContextClaims = ReadonlyMap<string, Attribute>;

export interface TransactionTokenOptions {
  /** Lower case. */
  readonly header: string;
  readonly issuer: string;
  /** The trust domain. */
  readonly audience: string;
  readonly lifetimeMs: number;
  /** What the call is about, and who makes it from where. */
  readonly tctx: ContextClaims;
  readonly rctx: ContextClaims;
  readonly keys: IdentityKeys;
  readonly clock: Clock;
  /** Ids that never come again. */
  readonly newId: () => string;
  /** Where it is written: a path parameter stands in another place on another route. */
  readonly route: string;
}

/**
 * What the service is told of the caller as a transaction token (draft-ietf-oauth-transaction-tokens), which it hands on unchanged
 * to those that it calls. Each is of one request: `txn` is its own, and what the call is about is signed with who makes it.
 */
export class TransactionToken implements IdentityLine {
  readonly name: string;
  readonly isOfPrincipal = false;
  readonly #options: TransactionTokenOptions;

  constructor(options: TransactionTokenOptions) {
    this.name = options.header;
    this.#options = options;
  }

  toJSON(): readonly string[] {
    const { issuer, audience, lifetimeMs, tctx, rctx, route } = this.#options;
    const told = [tctx, rctx].map((claims) => [...claims].map(([name, { text }]) => `${name}: ${text}`).join());
    return [this.name, issuer, audience, String(lifetimeMs), ...told, route];
  }

  line(exchange: Exchange, untold: string[]): string {
    const { principal } = exchange;
    if (principal === null || principal.type === "anonymous") return "";
    const { issuer, audience, lifetimeMs, tctx, rctx, keys, clock, newId } = this.#options;
    const nowMs = clock.wallMs();
    const iat = Math.floor(nowMs / 1000);
    const token = keys.sign("txntoken+jwt", {
      iss: issuer,
      iat,
      aud: audience,
      exp: endSeconds(principal, nowMs, lifetimeMs),
      txn: newId(),
      sub: principal.id,
      scope: [...principal.scopes].join(" "),
      req_wl: issuer,
      ...this.#context("tctx", tctx, exchange, untold),
      ...this.#context("rctx", rctx, exchange, untold),
    });
    return `${this.name}: ${token}\r\n`;
  }

  /** Members that are not there are left out, and the whole where none is. */
  #context(name: "tctx" | "rctx", claims: ContextClaims, exchange: Exchange, untold: string[]): object {
    const members: Record<string, unknown> = Object.create(null);
    let isEmpty = true;
    for (const [claim, { read }] of claims) {
      const value = read(exchange);
      if (isNothing(value)) {
        untold.push(`${this.name}.${name}.${claim}`);
        continue;
      }
      members[claim] = value;
      isEmpty = false;
    }
    return isEmpty ? {} : { [name]: members };
  }
}
