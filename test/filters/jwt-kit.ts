import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { jwtKind } from "../../src/filters/jwt/compile.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { FakeClock, NOW_MS, request, testContext } from "./identity-context.ts";

export const ISSUER = "https://idp.example.org/oauth2/default";
export const NOW_S = NOW_MS / 1000;
export const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const otherRsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
export const ed = generateKeyPairSync("ed25519");
export const SECRET = Buffer.alloc(32, 7);

export const pem = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }).toString();
export const jwk = (key: KeyObject, more: Record<string, unknown> = {}) => ({
  ...key.export({ format: "jwk" }),
  ...more,
});

/** Keys `a` (RSA), `b` (EC), `c` (Ed25519). */
export const JWKS = JSON.stringify({
  keys: [jwk(rsa.publicKey, { kid: "a" }), jwk(ec.publicKey, { kid: "b" }), jwk(ed.publicKey, { kid: "c" })],
});

export const CLAIMS = { iss: ISSUER, aud: "orders", sub: "alice", scope: "orders:read", exp: NOW_S + 3600, iat: NOW_S };

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

type Signer = (input: Buffer) => Buffer;
export const rs256 =
  (key: KeyObject = rsa.privateKey): Signer =>
  (input) =>
    sign("sha256", input, key);
export const es256 =
  (dsaEncoding: "der" | "ieee-p1363" = "ieee-p1363"): Signer =>
  (input) =>
    sign("sha256", input, { key: ec.privateKey, dsaEncoding });
export const eddsa: Signer = (input) => sign(null, input, ed.privateKey);
export const hs256 =
  (secret: string | Buffer): Signer =>
  (input) =>
    createHmac("sha256", secret).update(input).digest();

/** Signs header and payload, both a value or ready JSON text. */
export function makeToken(header: unknown, payload: unknown, signer: Signer): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${signer(Buffer.from(input)).toString("base64url")}`;
}

export const RS256 = { alg: "RS256", kid: "a" };

/** A good token, but for these claims. */
export const token = (claims: Record<string, unknown> = {}): string =>
  makeToken(RS256, { ...CLAIMS, ...claims }, rs256());

export function compileJwt(
  settings: Record<string, unknown> = {},
  files: Record<string, string | Buffer> = { "jwks.json": JWKS },
) {
  const context = testContext(files, new FakeClock());
  const parsed = jwtKind.schema.parse({
    type: "jwt",
    issuer: ISSUER,
    audience: "orders",
    algorithms: ["RS256", "ES256", "EdDSA"],
    keys: Object.keys(files),
    ...settings,
  });
  return { context, authenticator: atOnce(stepsOf(jwtKind.compile("okta", parsed, context))) };
}

export function setUp(settings: Record<string, unknown> = {}, files?: Record<string, string | Buffer>) {
  const { context, authenticator } = compileJwt(settings, files);
  if (authenticator === null) throw new Error(context.problems.join("\n"));
  return {
    context,
    authenticator,
    clock: context.clock,
    /** Authorization headers, whole. */
    raw: (...values: string[]) =>
      authenticator.authenticate(request(values.map((value) => ["authorization", value] as const))),
    bearer: (text: string) => authenticator.authenticate(request([["authorization", `Bearer ${text}`]])),
  };
}
