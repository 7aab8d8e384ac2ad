import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { thumbprint } from "../../proof/thumbprint.ts";
import type { Resource, ResourceStatus, ResourceWorld } from "../../resources/resource.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { ok, type Result } from "../../support/result.ts";

interface SigningKey {
  readonly privateKey: KeyObject;
  /** As it is published (RFC 7517): `kid` is its thumbprint (RFC 7638). */
  readonly jwk: Readonly<Record<string, string>>;
  /** When it signs, from the first on and before the second, Unix milliseconds. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Keys that sign what the service is told of callers. Each signs for a day; the next is published an hour before it does, and
 * the last one for as long as a token of it may live. They live and die with the process: a service that meets an unknown
 * `kid` asks again.
 */
export class IdentityKeys implements Resource {
  readonly kind = "identity keys";
  readonly name = "identity";
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  #keys: SigningKey[] = [];

  constructor(lifetimeMs: number, { clock }: Pick<ResourceWorld, "clock">) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
  }

  /** What services verify by: a JWK Set. */
  published(): { readonly keys: readonly Readonly<Record<string, string>>[] } {
    this.#turn();
    return { keys: this.#keys.map(({ jwk }) => jwk) };
  }

  /** Type and claims → a signed token (RFC 7515, ES256). */
  sign(typ: "at+jwt" | "txntoken+jwt", claims: Readonly<Record<string, unknown>>): string {
    this.#turn();
    const nowMs = this.#clock.wallMs();
    const key = this.#keys.findLast(({ fromMs }) => fromMs <= nowMs) ?? this.#keys[0];
    if (key === undefined) throw new Error("there is a key for every moment");
    const header = { alg: "ES256", typ, kid: key.jwk["kid"] };
    const text = `${encoded(header)}.${encoded(claims)}`;
    const signature = sign("sha256", Buffer.from(text), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
    return `${text}.${signature.toString("base64url")}`;
  }

  status(): ResourceStatus {
    const tries = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
    const freshAtMs = this.#keys[0]?.fromMs ?? null;
    const { kind, name } = this;
    return { kind, name, state: "ready", detail: null, freshAtMs, staleUntilMs: null, fault: null, tries };
  }

  start(): void {}

  close(): void {}

  tryOnce(): Promise<Result<string, string>> {
    return Promise.resolve(ok("keys are made when they are first needed"));
  }

  #turn(): void {
    const nowMs = this.#clock.wallMs();
    const newest = this.#keys.at(-1);
    if (newest === undefined || nowMs >= newest.untilMs) this.#keys.push(this.#make(nowMs));
    else if (nowMs >= newest.untilMs - DEFAULTS.identityKeyLeadMs) this.#keys.push(this.#make(newest.untilMs));
    // A clock that was set back finds no key that signs already: the first one does.
    this.#keys = this.#keys.filter(({ untilMs }) => nowMs < untilMs + this.#lifetimeMs);
  }

  #make(fromMs: number): SigningKey {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { kty = "", crv = "", x = "", y = "" } = publicKey.export({ format: "jwk" });
    const jwk = { kty, crv, x, y };
    const published = { ...jwk, use: "sig", alg: "ES256", kid: thumbprint(jwk) ?? "" };
    return { privateKey, jwk: published, fromMs, untilMs: fromMs + DEFAULTS.identityKeyMs };
  }
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
