import { expect, test } from "vitest";
import { denialOf, NOW_MS, principalOf, request } from "./identity-context.ts";
import {
  CLAIMS,
  ec,
  eddsa,
  encode,
  es256,
  hs256,
  ISSUER,
  jwk,
  makeToken,
  NOW_S,
  otherRsa,
  pem,
  RS256,
  rs256,
  rsa,
  SECRET,
  setUp,
  token,
} from "./jwt-kit.ts";

test("A good token is its subject, with its scopes and claims", async () => {
  const principal = principalOf(await setUp().bearer(token()));
  expect(principal).toMatchObject({
    authenticator: "okta",
    type: "jwt",
    id: "alice",
    key: "okta/alice",
    expiresAtMs: CLAIMS.exp * 1000,
  });
  expect([...principal.scopes]).toEqual(["orders:read"]);
  expect(principal.claims).toMatchObject(CLAIMS);
  expect(Object.isFrozen(principal.claims)).toBe(true);
});

test.each([
  ["ES256", makeToken({ alg: "ES256", kid: "b" }, CLAIMS, es256())],
  ["EdDSA", makeToken({ alg: "EdDSA", kid: "c" }, CLAIMS, eddsa)],
  ["no kid, where one key fits", makeToken({ alg: "ES256" }, CLAIMS, es256())],
])("A token with %s is verified", async (_, text) => {
  expect(principalOf(await setUp().bearer(text)).id).toBe("alice");
});

test("Scopes of scope, scp and permissions come together", async () => {
  const claims = { scope: "a  b", scp: ["c", 1, null], permissions: ["d", "a"] };
  expect([...principalOf(await setUp().bearer(token(claims))).scopes]).toEqual(["a", "b", "c", "d"]);
  expect([...principalOf(await setUp().bearer(token({ scope: undefined, scp: "e f" }))).scopes]).toEqual(["e", "f"]);
});

test.each([
  [{ sub: undefined, client_id: "app", azp: "x" }, "app"],
  [{ sub: undefined, azp: "app" }, "app"],
  [{ sub: undefined, cid: "app" }, "app"],
])("Without a subject, %j names the client", async (claims, id) => {
  expect(principalOf(await setUp().bearer(token(claims))).id).toBe(id);
});

test("The policy can choose the claim that names the caller", async () => {
  const { bearer } = setUp({ principalClaim: "email" });
  expect(principalOf(await bearer(token({ email: "a@example.org" }))).id).toBe("a@example.org");
  expect(denialOf(await bearer(token()))).toMatchObject({ reason: "token_claim_missing" });
});

test("Issuers that number their users, and that write null for a date that they do not set, are understood", async () => {
  expect(principalOf(await setUp().bearer(token({ sub: 4711, nbf: null, iat: null }))).id).toBe("4711");
  expect(denialOf(await setUp().bearer(token({ exp: null })))).toMatchObject({ reason: "token_malformed" });
});

test("A token with 150 groups passes, and how long one may be is the policy's to say", async () => {
  const groups = Array.from({ length: 150 }, (_, at) => `6f0a1c5e-0000-4000-8000-${String(at).padStart(12, "0")}`);
  const long = token({ groups });
  expect(long.length).toBeGreaterThan(8 * 1024);
  expect(principalOf(await setUp().bearer(long)).id).toBe("alice");
  const denial = denialOf(await setUp({ maxTokenBytes: "8KiB" }).bearer(long));
  expect(denial).toMatchObject({ reason: "token_malformed", seen: expect.stringContaining("'maxTokenBytes' is 8192") });
});

test.each([
  { sub: undefined },
  { sub: "" },
  { sub: 7.5 },
  { sub: 2 ** 53 },
  { sub: ["alice"] },
  { sub: "alice\r\nX-Admin: 1" },
])("%j names nobody", async (claims) => {
  expect(["token_claim_missing", "token_malformed"]).toContain(denialOf(await setUp().bearer(token(claims))).reason);
});

test("No header, or one of another scheme, is no credential of this kind", () => {
  const { raw } = setUp();
  expect(raw()).toBeNull();
  for (const value of ["Basic YTpi", "DPoPX abc", "BearerX abc", ""]) expect(raw(value), value).toBeNull();
});

test("The scheme is read in any case, with exactly one blank after it", async () => {
  const { raw } = setUp();
  const text = token();
  for (const scheme of ["bearer", "BEARER"]) expect(principalOf(await raw(`${scheme} ${text}`)).id).toBe("alice");
  for (const value of [
    `Bearer  ${text}`,
    `Bearer\t${text}`,
    `Bearer ${text} `,
    `Bearer ${text}\t`,
    "Bearer",
    "Bearer ",
  ]) {
    expect(denialOf(await raw(value)).reason, JSON.stringify(value.slice(0, 10))).toBe("token_malformed");
  }
  expect(denialOf(await raw(`Bearer, ${text}`)).reason).toBe("token_malformed");
  expect(denialOf(await raw(`Bearer ${text}, Bearer ${text}`)).reason).toBe("token_malformed");
});

test("Two Authorization headers are refused, also where both or one of them are good", async () => {
  const { raw, bearer } = setUp();
  const good = `Bearer ${token()}`;
  await bearer(token());
  for (const values of [
    [good, good],
    [good, "Basic YTpi"],
    ["Basic YTpi", good],
  ]) {
    expect(denialOf(await raw(...values)).reason).toBe("token_malformed");
  }
});

test("A token in the query is not read", () => {
  const { authenticator } = setUp();
  const plain = request();
  const inQuery = Object.assign(plain, { target: { path: "/v1/orders", query: `?access_token=${token()}` } });
  expect(authenticator.authenticate(inQuery)).toBeNull();
});

test("Another header holds the token alone", async () => {
  const { authenticator } = setUp({ header: "X-Id-Token" });
  expect(authenticator.credentialHeaders).toEqual(["x-id-token", "dpop"]);
  const ask = (name: string, value: string) => authenticator.authenticate(request([[name, value]]));
  expect(principalOf(await ask("x-id-token", token())).id).toBe("alice");
  expect(denialOf(await ask("x-id-token", `Bearer ${token()}`)).reason).toBe("token_malformed");
  expect(ask("authorization", `Bearer ${token()}`)).toBeNull();
});

const [HEADER = "", PAYLOAD = "", SIGNATURE = ""] = token().split(".");
const PUBLIC_PEM = pem(rsa.publicKey);

test.each(["none", "None", "nOnE", "NONE", "HS256", "RS512", "rs256", "RS256 ", "", "__proto__", "constructor"])(
  "The algorithm %j of a token is not the policy's",
  async (alg) => {
    const unsigned = `${encode({ alg, kid: "a" })}.${PAYLOAD}.`;
    for (const text of [unsigned, `${unsigned}${SIGNATURE}`]) {
      expect(denialOf(await setUp().bearer(text)).reason).toBe("token_algorithm_forbidden");
    }
  },
);

test.each([
  ["no signature", `${HEADER}.${PAYLOAD}.`],
  ["the signature of another key", makeToken(RS256, CLAIMS, rs256(otherRsa.privateKey))],
  ["the signature of another token", `${HEADER}.${encode({ ...CLAIMS, sub: "admin" })}.${SIGNATURE}`],
  ["a payload that was tampered with", `${HEADER}.${encode({ ...CLAIMS, scope: "admin" })}.${SIGNATURE}`],
  ["a header that was tampered with", `${encode({ ...RS256, typ: "JWT" })}.${PAYLOAD}.${SIGNATURE}`],
  ["an ECDSA signature of zeros", makeToken({ alg: "ES256", kid: "b" }, CLAIMS, () => Buffer.alloc(64))],
  ["an ECDSA signature in DER", makeToken({ alg: "ES256", kid: "b" }, CLAIMS, es256("der"))],
  ["a signature of one byte", makeToken(RS256, CLAIMS, () => Buffer.alloc(1))],
  [
    "its own key in the header",
    makeToken(
      { ...RS256, jwk: jwk(otherRsa.publicKey), jku: "https://attacker.example/" },
      CLAIMS,
      rs256(otherRsa.privateKey),
    ),
  ],
])("A token with %s is denied for its signature", async (_, text) => {
  expect(denialOf(await setUp().bearer(text)).reason).toBe("token_signature_invalid");
});

test("A public key is never an HMAC secret, even where the policy allows HS256", async () => {
  const forgeries = [PUBLIC_PEM, PUBLIC_PEM.trim(), JSON.stringify(jwk(rsa.publicKey))];
  const pinned = { algorithms: ["RS256", "HS256"] };
  for (const secret of forgeries) {
    for (const kid of ["a", undefined]) {
      const text = makeToken({ alg: "HS256", kid }, CLAIMS, hs256(secret));
      for (const files of [
        { "key.pem": PUBLIC_PEM },
        { "jwk.json": JSON.stringify(jwk(rsa.publicKey, { kid: "a" })) },
      ]) {
        expect(denialOf(await setUp({}, files).bearer(text)).reason).toBe("token_algorithm_forbidden");
        expect(["token_key_unknown", "token_algorithm_forbidden"]).toContain(
          denialOf(await setUp(pinned, files).bearer(text)).reason,
        );
      }
    }
  }
});

test("A secret serves HS256 as a JWK of type oct, and nothing else", async () => {
  const files = { "secret.json": JSON.stringify({ kty: "oct", kid: "s", k: SECRET.toString("base64url") }) };
  const { bearer } = setUp({ algorithms: ["HS256"] }, files);
  expect(principalOf(await bearer(makeToken({ alg: "HS256", kid: "s" }, CLAIMS, hs256(SECRET)))).id).toBe("alice");
  const forged = makeToken({ alg: "HS256", kid: "s" }, CLAIMS, hs256("wrong"));
  expect(denialOf(await bearer(forged)).reason).toBe("token_signature_invalid");
});

test.each(["A", "a ", "../a", "../../dev/null", "a' OR '1'='1", "__proto__", "constructor", "", "x".repeat(4000)])(
  "The key id %j is unknown",
  async (kid) => {
    const denial = denialOf(await setUp().bearer(makeToken({ alg: "RS256", kid }, CLAIMS, rs256())));
    expect(denial.reason).toBe("token_key_unknown");
    expect(denial.seen.length).toBeLessThan(120);
  },
);

test("A known key is not used for an algorithm that is not its own", async () => {
  const text = makeToken({ alg: "ES256", kid: "a" }, CLAIMS, es256());
  expect(denialOf(await setUp().bearer(text)).reason).toBe("token_algorithm_forbidden");
  const bound = {
    "jwks.json": JSON.stringify({ keys: [jwk(rsa.publicKey, { kid: "a", alg: "PS256" }), jwk(ec.publicKey)] }),
  };
  expect(denialOf(await setUp({ algorithms: ["RS256", "PS256", "ES256"] }, bound).bearer(token())).reason).toBe(
    "token_algorithm_forbidden",
  );
});

test("A PEM key serves tokens whatever key id they name", async () => {
  const { bearer } = setUp({}, { "old.pem": pem(otherRsa.publicKey), "new.pem": PUBLIC_PEM });
  expect(principalOf(await bearer(token())).id).toBe("alice");
  expect(principalOf(await bearer(makeToken({ alg: "RS256" }, CLAIMS, rs256(otherRsa.privateKey)))).id).toBe("alice");
});

test("A token that names no key does not cost a signature check for every key", async () => {
  const keys = Array.from({ length: 5 }, (_, at) => jwk(rsa.publicKey, { kid: `k${at}` }));
  const { bearer } = setUp({}, { "jwks.json": JSON.stringify({ keys }) });
  expect(denialOf(await bearer(makeToken({ alg: "RS256" }, CLAIMS, rs256()))).reason).toBe("token_key_unknown");
  expect(principalOf(await bearer(makeToken({ alg: "RS256", kid: "k3" }, CLAIMS, rs256()))).id).toBe("alice");
});

test.each([
  ["one part", HEADER],
  ["two parts", `${HEADER}.${PAYLOAD}`],
  ["four parts", `${token()}.x`],
  ["five parts, as an encrypted token", `${encode({ alg: "RSA-OAEP", enc: "A256GCM" })}.a.b.c.d`],
  ["padding", `${HEADER}.${PAYLOAD}.${SIGNATURE}==`],
  ["the other base64 alphabet", `${HEADER}.${PAYLOAD}.${SIGNATURE.replace(/[-_A]/, "+")}`],
  ["a blank inside", `${HEADER}.${PAYLOAD}. ${SIGNATURE}`],
  ["a line break inside", `${HEADER}.${PAYLOAD}\n.${SIGNATURE}`],
  ["stray bits at its end", `${HEADER}.${PAYLOAD}.${SIGNATURE.slice(0, -1)}${SIGNATURE.endsWith("B") ? "C" : "B"}`],
  ["an empty header", `.${PAYLOAD}.${SIGNATURE}`],
  ["an empty payload", `${HEADER}..${SIGNATURE}`],
  ["a header that is a list", makeToken([RS256], CLAIMS, rs256())],
  ["a payload that is a list", makeToken(RS256, [CLAIMS], rs256())],
  ["a payload that is text", makeToken(RS256, "hello", rs256())],
  ["a token as its payload", makeToken(RS256, token(), rs256())],
  ["no alg", makeToken({ kid: "a" }, CLAIMS, rs256())],
  ["a list as alg", makeToken({ alg: ["RS256"], kid: "a" }, CLAIMS, rs256())],
  ["a number as kid", makeToken({ alg: "RS256", kid: 1 }, CLAIMS, rs256())],
  ["critical extensions", makeToken({ ...RS256, crit: ["b64"], b64: true }, CLAIMS, rs256())],
  ["an empty list of critical extensions", makeToken({ ...RS256, crit: [] }, CLAIMS, rs256())],
  ["alg twice", makeToken('{"alg":"none","alg":"RS256","kid":"a"}', CLAIMS, rs256())],
  ["a claim twice", makeToken(RS256, JSON.stringify(CLAIMS).replace("{", '{"sub":"admin",'), rs256())],
  ["a __proto__ claim", makeToken(RS256, JSON.stringify(CLAIMS).replace("{", '{"__proto__":{"admin":true},'), rs256())],
  [
    "deep nesting",
    makeToken(
      RS256,
      JSON.stringify({ ...CLAIMS, x: 0 }).replace(":0}", `:${"[".repeat(99)}${"]".repeat(99)}}`),
      rs256(),
    ),
  ],
  ["more bytes than a token may have", token({ pad: "x".repeat(16_384) })],
])("A token with %s is malformed", async (_, text) => {
  const denial = denialOf(await setUp().bearer(text));
  expect(denial.reason).toBe("token_malformed");
  expect(denial.seen.length).toBeLessThan(100);
});

test.each([
  ["token_expired", { exp: NOW_S - 31 }],
  ["token_expired", { exp: NOW_S - 30 }],
  ["token_expired", { exp: 0 }],
  ["token_not_yet_valid", { nbf: NOW_S + 31 }],
  ["token_not_yet_valid", { iat: NOW_S + 31 }],
  ["token_not_yet_valid", { nbf: NOW_S - 100, iat: NOW_S + 31 }],
  ["token_claim_missing", { exp: undefined }],
  ["token_claim_missing", { iss: undefined }],
  ["token_claim_missing", { aud: undefined }],
  ["token_malformed", { exp: String(NOW_S + 3600) }],
  ["token_malformed", { exp: null }],
  ["token_malformed", { exp: true }],
  ["token_malformed", { exp: [NOW_S + 3600] }],
  ["token_malformed", { exp: 1e308 }],
  ["token_malformed", { exp: 1e15 }],
  ["token_malformed", { exp: -1 }],
  ["token_malformed", { nbf: "0" }],
  ["token_malformed", { iat: {} }],
  ["token_issuer_mismatch", { iss: `${ISSUER}/` }],
  ["token_issuer_mismatch", { iss: ISSUER.slice(0, -1) }],
  ["token_issuer_mismatch", { iss: ISSUER.toUpperCase() }],
  ["token_issuer_mismatch", { iss: `${ISSUER}.attacker.example` }],
  ["token_issuer_mismatch", { iss: [ISSUER] }],
  ["token_audience_mismatch", { aud: "billing" }],
  ["token_audience_mismatch", { aud: "orders2" }],
  ["token_audience_mismatch", { aud: "my orders" }],
  ["token_audience_mismatch", { aud: "order" }],
  ["token_audience_mismatch", { aud: [] }],
  ["token_audience_mismatch", { aud: [["orders"]] }],
  ["token_audience_mismatch", { aud: { orders: true } }],
  ["token_audience_mismatch", { aud: null }],
])("A signed token is denied as %s for %j", async (reason, claims) => {
  expect(denialOf(await setUp().bearer(token(claims))).reason).toBe(reason);
});

test.each([
  { exp: NOW_S - 29 },
  { nbf: NOW_S + 30, iat: NOW_S + 30 },
  { exp: NOW_S + 0.5 },
  { aud: ["billing", "orders"] },
  { iat: undefined },
])("A signed token is good with %j", async (claims) => {
  expect(principalOf(await setUp().bearer(token(claims))).id).toBe("alice");
});

test("Any one of several audiences will do", async () => {
  const { bearer } = setUp({ audience: ["orders", "shop"] });
  expect(principalOf(await bearer(token({ aud: ["shop"] }))).id).toBe("alice");
  expect(denialOf(await bearer(token({ aud: "orders,shop" }))).reason).toBe("token_audience_mismatch");
});

test("The policy can allow less skew, ask for claims and for a type", async () => {
  expect(denialOf(await setUp({ skew: "0s" }).bearer(token({ exp: NOW_S }))).reason).toBe("token_expired");
  const { bearer } = setUp({ requiredClaims: ["tenant"], typ: "at+jwt" });
  const typed = (typ: string | undefined, claims: object) =>
    bearer(makeToken({ ...RS256, typ }, { ...CLAIMS, ...claims }, rs256()));
  expect(principalOf(await typed("application/AT+JWT", { tenant: "a" })).id).toBe("alice");
  expect(denialOf(await typed("at+jwt", {}))).toMatchObject({ reason: "token_claim_missing", seen: "no tenant" });
  expect(denialOf(await typed("JWT", { tenant: "a" })).reason).toBe("token_malformed");
  expect(denialOf(await typed(undefined, { tenant: "a" })).reason).toBe("token_malformed");
});

test("A required claim is not met by what objects inherit", async () => {
  const { bearer } = setUp({ requiredClaims: ["constructor"] });
  expect(denialOf(await bearer(token())).reason).toBe("token_claim_missing");
});

test("A denial says what was seen and wanted at the setting's place, without the token", async () => {
  const { bearer } = setUp();
  expect(denialOf(await bearer(token({ aud: ["billing"] })))).toMatchObject({
    place: { path: "audience" },
    seen: 'aud ["billing"]',
    wanted: 'aud "orders"',
  });
  expect(denialOf(await bearer(token({ exp: NOW_S - 35 })))).toMatchObject({
    seen: "exp 2026-11-21T11:59:25.000Z (35 s ago)",
  });
  const long = denialOf(await bearer(token({ aud: "x\n".repeat(500) })));
  expect(long.seen.length).toBeLessThan(200);
  expect(long.seen).not.toContain("\n");
});

test("A verified token is answered at once the next time, with the same principal", async () => {
  const { bearer } = setUp();
  const text = token();
  const first = bearer(text);
  expect(first).toBeInstanceOf(Promise);
  const principal = principalOf(await first);
  expect(bearer(text)).toBe(principal);
});

test("A burst with one new token checks its signature once", async () => {
  const { bearer } = setUp();
  const text = token();
  const burst = [bearer(text), bearer(text), bearer(text)];
  // One principal, not three that are alike: it was made once.
  expect(new Set(await Promise.all(burst)).size).toBe(1);
});

test("A token that was refused is not remembered as verified or as refused", async () => {
  const { bearer, clock } = setUp();
  const early = token({ nbf: NOW_S + 100 });
  expect(denialOf(await bearer(early)).reason).toBe("token_not_yet_valid");
  clock.nowMs += 100_000;
  const again = bearer(early);
  expect(again).toBeInstanceOf(Promise);
  expect(principalOf(await again).id).toBe("alice");
});

test("A cached token ends with its exp and the skew, to the millisecond", async () => {
  const { bearer, clock } = setUp();
  const text = token();
  await bearer(text);
  clock.nowMs = (CLAIMS.exp + 30) * 1000 - 1;
  expect(principalOf(await bearer(text)).id).toBe("alice");
  clock.nowMs += 1;
  const denial = bearer(text);
  expect(denial).not.toBeInstanceOf(Promise);
  expect(denialOf(await denial).reason).toBe("token_expired");
  expect(denialOf(await bearer(text)).reason).toBe("token_expired");
});

test("A cached token is not good before its nbf, should the clock be set back", async () => {
  const { bearer, clock } = setUp();
  const text = token({ nbf: NOW_S });
  await bearer(text);
  clock.nowMs = NOW_MS - 30_001;
  expect(denialOf(await bearer(text)).reason).toBe("token_not_yet_valid");
});

test("A cached token does not outlive its key: a new compilation knows nothing of it", async () => {
  const text = token();
  const before = setUp();
  principalOf(await before.bearer(text));
  const after = setUp({}, { "key.pem": pem(otherRsa.publicKey) });
  expect(denialOf(await after.bearer(text)).reason).toBe("token_signature_invalid");
});

test("A cached token does not lend its principal to its tampered copies", async () => {
  const { bearer, raw } = setUp();
  await bearer(token());
  const forged = `${HEADER}.${encode({ ...CLAIMS, sub: "admin" })}.${SIGNATURE}`;
  expect(denialOf(await bearer(forged)).reason).toBe("token_signature_invalid");
  expect(denialOf(await raw(`Bearer ${token()},`)).reason).toBe("token_malformed");
});

test("Supposed claims are completed to a good token and judged like one", () => {
  const { authenticator } = setUp({ requiredClaims: ["tenant"] });
  const suppose = (claims: Record<string, unknown>) => authenticator.assume({ type: "jwt", claims });
  expect(principalOf(suppose({ tenant: "a", scope: "x" }))).toMatchObject({ id: "assumed", key: "okta/assumed" });
  expect(principalOf(suppose({ tenant: "a", sub: "bob", exp: NOW_S + 5 })).expiresAtMs).toBe((NOW_S + 5) * 1000);
  expect(denialOf(suppose({})).reason).toBe("token_claim_missing");
  expect(denialOf(suppose({ tenant: "a", exp: NOW_S - 60 })).reason).toBe("token_expired");
  expect(denialOf(suppose({ tenant: "a", aud: "billing" })).reason).toBe("token_audience_mismatch");
  expect(denialOf(suppose({ tenant: "a", iss: "x" })).reason).toBe("token_issuer_mismatch");
  expect(authenticator.assume({ type: "api-key", caller: "acme" })).toBeNull();
});
