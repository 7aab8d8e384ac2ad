// Goal: the token that tells the service of the caller is good by the published keys, for its life and no longer.
// Method: jose as the service, and a clock that is moved over days.
import { createLocalJWKSet, type JWK, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { IdentityKeys } from "../../src/filters/request/identity-keys.ts";
import { IdentityToken } from "../../src/filters/request/identity-token.ts";
import type { Principal } from "../../src/message/principal.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { exchangeOf } from "../fixtures/telemetry.ts";
import { FakeClock } from "./identity-context.ts";

const LIFETIME_MS = 60_000;

function setUp() {
  const clock = new FakeClock();
  const keys = new IdentityKeys(LIFETIME_MS, { clock });
  const options = { header: "x-identity-token", issuer: "postern:orders", audience: "orders", lifetimeMs: LIFETIME_MS };
  const token = new IdentityToken({ ...options, claims: new Map(), keys, clock });
  const of = (principal: Principal | null): string => {
    const exchange = exchangeOf("GET", "/");
    exchange.principal = principal;
    return token.line(exchange, []);
  };
  const verify = async (line: string) => {
    const text = line.replace(/^x-identity-token: /, "").trimEnd();
    const set = createLocalJWKSet({ keys: keys.published().keys.map((key): JWK => ({ kty: "", ...key })) });
    return jwtVerify(text, set, {
      issuer: "postern:orders",
      audience: "orders",
      typ: "at+jwt",
      algorithms: ["ES256"],
      currentDate: new Date(clock.wallMs()),
    });
  };
  return { clock, keys, of, verify };
}

function principalOf(parts: Partial<Principal> = {}): Principal {
  return {
    authenticator: "okta",
    type: "jwt",
    id: "ann",
    key: "okta/ann",
    scopes: new Set(["orders:read", "orders:write"]),
    claims: { roles: ["clerk"], azp: "shop" },
    expiresAtMs: Number.POSITIVE_INFINITY,
    ...parts,
  };
}

test("the service verifies it by the published keys, and reads who asks", async () => {
  const { of, verify, clock } = setUp();
  const { payload } = await verify(of(principalOf()));
  expect(payload).toMatchObject({
    sub: "ann",
    client_id: "shop",
    scope: "orders:read orders:write",
    roles: ["clerk"],
    authenticator: "okta",
  });
  expect(Number(payload.exp) * 1000 - clock.wallMs()).toBeLessThanOrEqual(LIFETIME_MS + 1_000);
});

test("it is made once for a principal, and anew when half of its life is over", async () => {
  const { of, clock } = setUp();
  const principal = principalOf();
  const first = of(principal);
  clock.nowMs += LIFETIME_MS / 2 - 1;
  expect(of(principal)).toBe(first);
  clock.nowMs += 1;
  expect(of(principal)).not.toBe(first);
  expect(of(principalOf())).not.toBe(of(principal));
});

test("it lives no longer than the credential that it stands for", async () => {
  const { of, verify, clock } = setUp();
  const { payload } = await verify(of(principalOf({ expiresAtMs: clock.wallMs() + 5_000 })));
  expect(payload.exp).toBe(Math.ceil((clock.wallMs() + 5_000) / 1000));
});

test("of nobody and of a caller that nobody knows there is nothing to say", () => {
  const { of } = setUp();
  expect([of(null), of(principalOf({ type: "anonymous" }))]).toEqual(["", ""]);
});

test("keys turn every day: each is published before it signs, and as long as a token of it lives", async () => {
  const { of, verify, clock, keys } = setUp();
  const stepMs = 600_000;
  const kids = new Set<string>();
  let line = of(principalOf());
  for (let passedMs = 0; passedMs < 3 * DEFAULTS.identityKeyMs; passedMs += stepMs) {
    // What a service fetched just before a step has to do right after it, for a token made before and one made after.
    const before = keys.published();
    clock.nowMs += LIFETIME_MS / 2;
    await verify(line);
    clock.nowMs += stepMs - LIFETIME_MS / 2;
    line = of(principalOf());
    const kid = JSON.parse(Buffer.from(line.split(" ")[1]?.split(".")[0] ?? "", "base64url").toString()).kid as string;
    kids.add(kid);
    expect(before.keys.map((key) => key["kid"])).toContain(kid);
    expect(keys.published().keys.length).toBeLessThanOrEqual(3);
  }
  expect(kids.size).toBeGreaterThanOrEqual(3);
  expect(JSON.stringify(keys.published())).not.toContain('"d"');
});
