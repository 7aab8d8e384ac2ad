import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { jwtKind } from "../../src/filters/jwt/compile.ts";
import { TokenCache } from "../../src/filters/jwt/token-cache.ts";
import { Charge } from "../../src/memory/account.ts";
import { NOBODY, unlimitedMemory } from "../../src/memory/budget.ts";
import { principalOf } from "./identity-context.ts";
import { compileJwt, ec, ISSUER, JWKS, jwk, pem, rsa, SECRET, setUp, token } from "./jwt-kit.ts";

const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
const pkcs8 = (rsa.privateKey.export({ type: "pkcs8", format: "pem" }) as string).trim();
const json = JSON.stringify;

test.each([
  ["an RSA key of 1024 bits in PEM", pem(weak.publicKey), "1024 bits"],
  ["only an RSA key of 1024 bits in a set", json({ keys: [jwk(weak.publicKey)] }), "1024 bits"],
  ["a private key in a set", json({ keys: [jwk(rsa.publicKey), jwk(rsa.privateKey)] }), "private key"],
  ["a PEM bundle that is cut", `${pem(rsa.publicKey)}${pem(ec.publicKey).slice(0, 60)}`, "1 of 2 PEM blocks"],
  ["UTF-16", Buffer.from(`\ufeff${JWKS}`, "utf16le"), "UTF-16"],
  ["UTF-16 without a mark", Buffer.from(JWKS, "utf16le"), "UTF-16"],
  ["bytes that are no text", Buffer.from([0x7b, 0xff]), "not UTF-8"],
  ["a private key in PEM", pkcs8, "private key"],
  ["a private key as JWK", json(jwk(rsa.privateKey)), "private key"],
  ["a certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "certificate"],
  ["a broken PEM block", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "cannot be read"],
  ["an unfinished PEM block", "-----BEGIN PUBLIC KEY-----\nAAAA\n", "no PEM block"],
  ["a short HMAC secret", json({ kty: "oct", k: "c2hvcnQ" }), "256 bits"],
  ["a secret that is not base64url", json({ kty: "oct", k: "a b" }), "unreadable"],
  ["a key of another type than pinned", pem(ec.publicKey), "no key for RS256, HS256"],
  ["only a key for encryption", json(jwk(rsa.publicKey, { use: "enc" })), "no key for"],
  ["only a key that may not verify", json(jwk(rsa.publicKey, { key_ops: ["encrypt"] })), "no key for"],
  ["only a key for another algorithm", json(jwk(rsa.publicKey, { alg: "RSA-OAEP" })), "no key for"],
  ["an empty set", json({ keys: [] }), "no key for"],
  ["keys that are no list", json({ keys: {} }), "list of JWKs"],
  ["an entry that is no JWK", json({ keys: ["x"] }), "kty"],
  ["a kid that is not text", json(jwk(rsa.publicKey, { kid: 1 })), "kid"],
  ["a list", "[]", "JWK"],
  ["a secret in clear", "hunter2-hunter2-hunter2", "neither PEM nor JSON"],
  ["nothing", "", "neither PEM nor JSON"],
])("A key file with %s is a problem that repeats nothing of it", (_, text, problem) => {
  const { context, authenticator } = compileJwt({ algorithms: ["RS256", "HS256"] }, { "k.json": text });
  expect(authenticator).toBeNull();
  expect(context.problems).toHaveLength(1);
  expect(context.problems[0]).toContain("keys: 'k.json': ");
  expect(context.problems[0]).toContain(problem);
  expect(context.problems[0]).not.toContain("hunter2");
});

test("A missing file and a bad one are both reported", () => {
  const { context } = compileJwt({ keys: ["absent.pem", "k.json", "jwks.json"] }, { "k.json": "x", "jwks.json": JWKS });
  expect(context.problems).toHaveLength(2);
});

test("Keys of several files, and several PEM blocks of one file, all serve", async () => {
  const files = { "all.pem": `${pem(ec.publicKey)}\n# current\n${pem(rsa.publicKey)}` };
  expect(principalOf(await setUp({}, files).bearer(token())).id).toBe("alice");
  const oldForm = { "pkcs1.pem": rsa.publicKey.export({ type: "pkcs1", format: "pem" }) as string };
  expect(principalOf(await setUp({}, oldForm).bearer(token())).id).toBe("alice");
});

test("A set may hold keys that postern has no use for", async () => {
  const keys = [
    { kty: "AKP", alg: "ML-DSA-44", pub: "x" },
    { kty: "EC", crv: "P-256", use: "enc", x: 1 },
    jwk(rsa.publicKey),
  ];
  expect(principalOf(await setUp({}, { "jwks.json": json({ keys }) }).bearer(token())).id).toBe("alice");
});

test("A key that nobody can use costs itself, not its set; a warning names it", async () => {
  const e1 = { ...jwk(rsa.publicKey), e: "AQ", kid: "e1" };
  const keys = [
    jwk(weak.publicKey, { kid: "weak" }),
    e1,
    { kty: "EC", crv: "P-999", x: "AA", y: "AA", kid: "curve" },
    jwk(rsa.publicKey, { kid: 1 }),
    "x",
    jwk(rsa.publicKey, { kid: "a" }),
  ];
  const { context, bearer } = setUp({}, { "jwks.json": json({ keys }) });
  expect(principalOf(await bearer(token())).id).toBe("alice");
  expect(context.warnings).toEqual([
    "keys: 'jwks.json': left out an RSA key of 1024 bits; expected at least 2048 (kid 'weak')",
    "keys: 'jwks.json': left out an RSA key with the exponent 1 (kid 'e1')",
    "keys: 'jwks.json': left out an unreadable EC key (kid 'curve')",
    "keys: 'jwks.json': left out a 'kid' that is not text (key 4)",
    "keys: 'jwks.json': left out an entry that is no JWK with 'kty' (key 5)",
  ]);
});

test("A byte order mark is no part of a file", async () => {
  expect(principalOf(await setUp({}, { "jwks.json": `\ufeff${JWKS}` }).bearer(token())).id).toBe("alice");
});

test("A set is bounded", () => {
  const keys = Array.from({ length: 257 }, () => jwk(ec.publicKey));
  const { context, authenticator } = compileJwt({}, { "jwks.json": json({ keys }) });
  expect(authenticator).toBeNull();
  expect(context.problems[0]).toContain("257 keys");
});

const SETTINGS = { type: "jwt", issuer: ISSUER, audience: "orders", algorithms: ["RS256"], keys: "k.pem" };
test.each([
  { algorithms: ["none"] },
  { algorithms: ["rs256"] },
  { algorithms: [] },
  { audience: undefined },
  { audience: [] },
  { audience: "" },
  { issuer: "" },
  { issuer: "*" },
  { issuer: "https://login.example.org/{tenant}/v2.0" },
  { audience: "*" },
  { audience: ["orders", "api://{clientId}"] },
  { issuer: "https://*.okta.com" },
  { issuer: "https://<tenant>.okta.com" },
  { issuer: " https://idp.example.org/" },
  { audience: "https://*.example.org" },
  { keys: [] },
  { skew: "6m" },
  { skew: "-1s" },
  { jwksUri: "https://idp.example.org/keys" },
])("%j is no setting", (change) => {
  expect(jwtKind.schema.safeParse(SETTINGS).success).toBe(true);
  expect(jwtKind.schema.safeParse({ ...SETTINGS, ...change }).success).toBe(false);
});

test("Secrets stay secret in what a key file's problem says", () => {
  const k = SECRET.toString("base64url");
  const { context } = compileJwt({ algorithms: ["RS256"] }, { "k.json": json({ kty: "oct", k }) });
  expect(context.problems.join()).not.toContain(k);
});

test("The cache is bounded in entries and keeps what is in use", () => {
  const cache = new TokenCache<number>(charge(), 100);
  cache.set("in use", 0);
  for (let at = 0; at < 10_000; at++) {
    cache.set(`other ${at}`, at);
    if (at % 40 === 0) expect(cache.get("in use")).toBe(0);
    expect(cache.size).toBeLessThanOrEqual(100);
  }
  expect(cache.get("other 9999")).toBe(9999);
  expect(cache.get("other 1")).toBeUndefined();
});

test("The cache is bounded in bytes", () => {
  const cache = new TokenCache<number>(charge(), 1000, 10_000);
  for (let at = 0; at < 100; at++) cache.set(String(at).padStart(1000, "x"), at);
  expect(cache.size).toBeLessThanOrEqual(10);
  expect(cache.size).toBeGreaterThan(4);
});

test("What is deleted from the cache is gone, and its bytes are free again", () => {
  const cache = new TokenCache<number>(charge(), 1000, 10_000);
  for (let at = 0; at < 100; at++) {
    cache.set("x".repeat(4000), at);
    cache.delete("x".repeat(4000));
  }
  expect(cache.size).toBe(0);
  cache.set("a", 1);
  expect(cache.get("a")).toBe(1);
});

test("The cache holds no more memory than caches may, and gives all of it back when it is closed", () => {
  const { caches } = unlimitedMemory();
  caches.bytesMax = 20_000;
  const cache = new TokenCache<number>(new Charge(caches, NOBODY));
  for (let at = 0; at < 100; at++) {
    cache.set(String(at).padStart(1000, "x"), at);
    expect(caches.heldBytes).toBeLessThanOrEqual(20_000);
  }
  expect(cache.get(String(99).padStart(1000, "x"))).toBe(99);
  cache.close();
  expect([cache.size, caches.heldBytes]).toEqual([0, 0]);
  cache.set("late", 1);
  expect([cache.size, caches.heldBytes]).toEqual([0, 0]);
});

function charge(): Charge {
  return new Charge(unlimitedMemory().caches, NOBODY);
}

test.each([
  [{ issuer: undefined }, "'issuer' is missing"],
  [{ algorithms: undefined }, "'algorithms' is missing"],
  [{ issuer: "https://login.microsoftonline.com/{tenantid}/v2.0" }, "without 'tenants'"],
  [{ header: "Cookie" }, "a cookie is no header"],
  [{ tenants: ["a"] }, "no issuer with {tenantid}"],
  [{ issuer: undefined, provider: "entra" }, "'tenants' is missing"],
  [{ issuer: undefined, provider: "github-actions" }, "'subjects' is missing"],
  [{ issuer: undefined, provider: "spiffe", subjects: ["alice"] }, "expected SPIFFE IDs"],
  [{ issuer: undefined, provider: "okta" }, "'issuer' is missing"],
  [{ issuer: ["https://a.example", "https://b.example"], keys: undefined }, "2 issuers"],
])("%j is a problem", (change, told) => {
  const { context, authenticator } = compileJwt(change);
  expect(authenticator).toBeNull();
  expect(context.problems.join()).toContain(told);
});
