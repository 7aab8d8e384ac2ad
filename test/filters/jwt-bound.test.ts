import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Authentication } from "../../src/filters/filter.ts";
import { parseAddress, UNIX_PEER } from "../../src/message/address.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import type { ClientCertificate } from "../../src/message/connection.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { keptTarget } from "../../src/message/kept-target.ts";
import { thumbprint } from "../../src/proof/thumbprint.ts";
import { certificateOf } from "../fixtures/certificate.ts";
import { denialOf, principalOf } from "./identity-context.ts";
import { ec, ed, eddsa, es256, hs256, jwk, makeToken, NOW_S, rs256, rsa, setUp, token } from "./jwt-kit.ts";

type Json = Record<string, unknown>;
const printOf = (key: KeyObject): string => thumbprint(jwk(key)) ?? "";
const BOUND = token({ cnf: { jkt: printOf(ec.publicKey) } });
const athOf = (text: string): string => createHash("sha256").update(text).digest("base64url");

/** A good proof of the EC key, but for these members; undefined takes one away. */
function proof(claims: Json = {}, header: Json = {}, signer = es256()): string {
  return makeToken(
    { typ: "dpop+jwt", alg: "ES256", jwk: jwk(ec.publicKey), ...header },
    {
      jti: randomUUID(),
      htm: "GET",
      htu: "https://orders.example.org/v1/orders",
      iat: NOW_S,
      ath: athOf(BOUND),
      ...claims,
    },
    signer,
  );
}

interface Ask {
  readonly method?: string;
  readonly target?: string;
  readonly authority?: string;
  readonly secure?: boolean;
  readonly certificate?: ClientCertificate | null;
  readonly forwarding?: Exchange["forwarding"];
}

function asked(headers: readonly (readonly [string, string])[], ask: Ask = {}): Exchange {
  const { method = "GET", target = "/v1/orders", authority = "orders.example.org", secure = true } = ask;
  const peer = parseAddress("192.0.2.1") ?? UNIX_PEER;
  const kept = keptTarget(target, 0);
  if (!kept.ok) throw new Error(kept.error.seen);
  const exchange = new Exchange(
    { listener: "in", peer, proxyPeer: null, protocol: "h2", secure, certificate: ask.certificate ?? null },
    method,
    kept.value.target,
    authority.replace(/:\d+$/, ""),
    authority,
    new HeaderBlock(
      headers.map(([name]) => name),
      headers.map(([, value]) => value),
    ),
    EMPTY_BODY,
  );
  exchange.receivedTarget = target;
  exchange.forwarding = ask.forwarding ?? null;
  return exchange;
}

const dpopLines = (text: string, bound = BOUND) =>
  [["authorization", `DPoP ${bound}`] as const, ["dpop", text] as const] as const;

const certificate = (fingerprint: string) => certificateOf({ fingerprint });

type Setup = ReturnType<typeof setUp>;
const show = (at: Setup, text: string, ask?: Ask, bound?: string): Authentication | Promise<Authentication> =>
  at.authenticator.authenticate(asked(dpopLines(text, bound), ask));

describe("a token bound to a key", () => {
  test("passes with a proof of the key for this request, also again with another proof", async () => {
    const at = setUp({ bound: "dpop" });
    expect(principalOf(await show(at, proof())).id).toBe("alice");
    expect(principalOf(await show(at, proof())).id).toBe("alice");
  });

  test("is bound by its own word, where the policy asks for nothing", async () => {
    const at = setUp();
    expect(principalOf(await show(at, proof())).id).toBe("alice");
    expect(denialOf(await at.bearer(BOUND))).toMatchObject({
      reason: "proof_missing",
      seen: expect.stringContaining("Bearer"),
    });
    expect(principalOf(await at.bearer(token())).id).toBe("alice");
  });

  test("is taken without proof only where the policy says that nobody looks", async () => {
    const at = setUp({ bound: "unchecked" });
    expect(principalOf(await at.bearer(BOUND)).id).toBe("alice");
    expect(at.context.warnings).toEqual([expect.stringContaining("whoever finds a token")]);
  });

  test("is refused as Bearer even with a good proof beside it", async () => {
    const at = setUp();
    const exchange = asked([
      ["authorization", `Bearer ${BOUND}`],
      ["dpop", proof()],
    ]);
    expect(denialOf(await at.authenticator.authenticate(exchange))).toMatchObject({ reason: "proof_missing" });
  });

  test("is bound to the key of its thumbprint, not to whichever key signs", async () => {
    const other = proof({}, { jwk: jwk(ed.publicKey), alg: "EdDSA" }, eddsa);
    expect(denialOf(await show(setUp(), other))).toMatchObject({ reason: "proof_mismatch", seen: "another key" });
  });

  test("a proof is not shown twice, and not after a reload either", async () => {
    const at = setUp();
    const text = proof();
    const first = asked(dpopLines(text));
    expect(principalOf(await at.authenticator.authenticate(first)).id).toBe("alice");
    expect(denialOf(await show(at, text))).toMatchObject({ reason: "proof_replayed" });
    at.clock.nowMs += 89_000;
    expect(denialOf(await show(at, text))).toMatchObject({ reason: "proof_replayed" });
    at.clock.nowMs += 1_000;
    expect(denialOf(await show(at, text))).toMatchObject({ reason: "proof_expired" });
    // A stream that began with it is judged again: it has proven what it has proven.
    expect(principalOf(await at.authenticator.authenticate(first)).id).toBe("alice");
  });
});

const rsa1024 = generateKeyPairSync("rsa", { modulusLength: 1024 });

test.each<[string, string, () => string, Ask?]>([
  ["for another method", "proof_mismatch", () => proof({ htm: "POST" })],
  ["for a method in another case", "proof_mismatch", () => proof({ htm: "get" })],
  ["for another path", "proof_mismatch", () => proof({ htu: "https://orders.example.org/v1/orders/1" })],
  ["for another host", "proof_mismatch", () => proof({ htu: "https://evil.example.org/v1/orders" })],
  ["for plain HTTP", "proof_mismatch", () => proof({ htu: "http://orders.example.org/v1/orders" })],
  ["for another port", "proof_mismatch", () => proof({ htu: "https://orders.example.org:8443/v1/orders" })],
  ["with a user in its URL", "proof_mismatch", () => proof({ htu: "https://a@orders.example.org/v1/orders" })],
  ["for another token", "proof_mismatch", () => proof({ ath: athOf("another") })],
  ["without ath", "proof_malformed", () => proof({ ath: undefined })],
  ["without jti", "proof_malformed", () => proof({ jti: undefined })],
  ["with a jti of a megabyte's kind", "proof_malformed", () => proof({ jti: "a".repeat(257) })],
  ["too old", "proof_expired", () => proof({ iat: NOW_S - 91 })],
  ["from the future", "proof_expired", () => proof({ iat: NOW_S + 31 })],
  ["without a time", "proof_malformed", () => proof({ iat: undefined })],
  ["with a time that is text", "proof_malformed", () => proof({ iat: String(NOW_S) })],
  ["of another type", "proof_malformed", () => proof({}, { typ: "JWT" })],
  ["without a type", "proof_malformed", () => proof({}, { typ: undefined })],
  ["with critical extensions", "proof_malformed", () => proof({}, { crit: ["b64"], b64: false })],
  ["without a key", "proof_malformed", () => proof({}, { jwk: undefined })],
  ["with a private key", "proof_malformed", () => proof({}, { jwk: jwk(ec.privateKey) })],
  ["with a secret for a key", "proof_malformed", () => proof({}, { jwk: { kty: "oct", k: "AAAA" } })],
  [
    "with a weak RSA key",
    "proof_malformed",
    () => proof({}, { alg: "PS256", jwk: jwk(rsa1024.publicKey) }, rs256(rsa1024.privateKey)),
  ],
  ["unsigned", "proof_malformed", () => `${proof().split(".").slice(0, 2).join(".")}.`],
  ["with algorithm none", "proof_algorithm_forbidden", () => proof({}, { alg: "none" })],
  [
    "by HMAC under its public key",
    "proof_algorithm_forbidden",
    () => proof({}, { alg: "HS256" }, hs256(JSON.stringify(jwk(ec.publicKey)))),
  ],
  [
    "by an algorithm that is not pinned",
    "proof_algorithm_forbidden",
    () => proof({}, { alg: "RS256", jwk: jwk(rsa.publicKey) }, rs256()),
  ],
  ["by an algorithm that is not its key's", "proof_signature_invalid", () => proof({}, { alg: "EdDSA" })],
  ["by another key than its own", "proof_signature_invalid", () => proof({}, {}, eddsa)],
  ["with a signature in DER", "proof_signature_invalid", () => proof({}, {}, es256("der"))],
  ["that is no JWS", "proof_malformed", () => "a.b"],
])("a proof %s is refused as %s", async (_, reason, text, ask) => {
  const at = setUp({ bound: "dpop", dpop: { algorithms: ["ES256", "EdDSA", "PS256"] } });
  const weak = rsa1024.publicKey;
  const denial = denialOf(await show(at, text(), ask));
  expect(denial).toMatchObject({ reason });
  expect(denial.headers[0]).toEqual([
    "www-authenticate",
    expect.stringContaining('DPoP realm="orders", algs="ES256 EdDSA PS256", error='),
  ]);
  expect(JSON.stringify(denial)).not.toContain(String(jwk(weak)["n"]));
});

test("a proof is one header", async () => {
  const exchange = asked([...dpopLines(proof()), ["dpop", proof()]]);
  expect(denialOf(await setUp().authenticator.authenticate(exchange))).toMatchObject({ reason: "proof_malformed" });
});

test.each<[string, string, Ask]>([
  ["the default port, upper case and a query", "HTTPS://Orders.Example.ORG:443/v1/orders?x=1#f", {}],
  ["escapes of what needs none", "https://orders.example.org/v1/%6frders", {}],
  ["escapes where the request has none", "https://orders.example.org/v1/orders", { target: "/v1/%6Frders" }],
  ["dots", "https://orders.example.org/v1/a/../orders", { target: "/v1/./orders?x" }],
  ["no path", "https://orders.example.org", { target: "/" }],
  ["a port of its own", "https://orders.example.org:8443/v1/orders", { authority: "orders.example.org:8443" }],
  ["plain HTTP, where it came by that", "http://orders.example.org/v1/orders", { secure: false }],
])("a URL with %s is the request's own", async (_, htu, ask) => {
  expect(principalOf(await show(setUp(), proof({ htu }), ask)).id).toBe("alice");
});

test("behind a trusted proxy the client's own host and scheme count, and a client cannot tell of others", async () => {
  const htu = "https://api.example.org/v1/orders";
  const lines = (text: string) =>
    [...dpopLines(text), ["x-forwarded-proto", "https"], ["x-forwarded-host", "api.example.org"]] as const;
  const ask = { authority: "orders.internal:8080", secure: false };
  const judge = async (forwarding: Exchange["forwarding"]) =>
    setUp().authenticator.authenticate(asked(lines(proof({ htu })), { ...ask, forwarding }));
  expect(principalOf(await judge({ hops: 1, trustsHost: true })).id).toBe("alice");
  expect(denialOf(await judge({ hops: 1, trustsHost: false }))).toMatchObject({ reason: "proof_mismatch" });
  expect(denialOf(await judge(null))).toMatchObject({ reason: "proof_mismatch" });
});

test("clocks may differ by the skew, either way", async () => {
  const at = setUp({ dpop: { maxAge: "10s" } });
  expect(principalOf(await show(at, proof({ iat: NOW_S + 30 }))).id).toBe("alice");
  expect(principalOf(await show(at, proof({ iat: NOW_S - 39 }))).id).toBe("alice");
  expect(denialOf(await show(at, proof({ iat: NOW_S - 40 })))).toMatchObject({ reason: "proof_expired" });
});

test("where a nonce is asked for, the answer hands one out, which is good for its time and in this process alone", async () => {
  const at = setUp({ bound: "dpop", dpop: { nonce: true } });
  const nonceOf = async (text: string) => {
    const { reason, headers } = denialOf(await show(at, text));
    expect(reason).toBe("proof_nonce_invalid");
    expect(headers[0]?.[1]).toContain('error="use_dpop_nonce"');
    return headers.find(([name]) => name === "dpop-nonce")?.[1];
  };
  const nonce = await nonceOf(proof());
  expect(principalOf(await show(at, proof({ nonce }))).id).toBe("alice");
  await nonceOf(proof({ nonce: `${nonce?.slice(0, -1)}${nonce?.endsWith("A") ? "Q" : "A"}` }));
  const elsewhere = setUp({ dpop: { nonce: true } });
  expect(denialOf(await show(elsewhere, proof({ nonce })))).toMatchObject({ reason: "proof_nonce_invalid" });
  at.clock.nowMs += 301_000;
  await nonceOf(proof({ nonce, iat: NOW_S + 301 }));
});

test("a proof without a nonce can be shown again with one, for it has proven nothing yet", async () => {
  const at = setUp({ dpop: { nonce: true } });
  const { headers } = denialOf(await show(at, proof({ jti: "same" })));
  const nonce = headers.find(([name]) => name === "dpop-nonce")?.[1];
  expect(principalOf(await show(at, proof({ jti: "same", nonce }))).id).toBe("alice");
});

describe("a token bound to a certificate", () => {
  const fingerprint = "ab".repeat(32);
  const print = Buffer.from(fingerprint, "hex").toString("base64url");
  const bound = token({ cnf: { "x5t#S256": print } });
  const bearer = (text: string) => [["authorization", `Bearer ${text}`]] as const;
  const ask = (at: Setup, one: ClientCertificate | null, text = bound) =>
    at.authenticator.authenticate(asked(bearer(text), { certificate: one }));

  test.each(["certificate", "either", undefined])("passes on a connection with it, where bound is %s", async (word) => {
    const at = setUp(word === undefined ? {} : { bound: word });
    expect(principalOf(await ask(at, certificate(fingerprint))).id).toBe("alice");
    expect(denialOf(await ask(at, null))).toMatchObject({ reason: "proof_missing" });
    expect(denialOf(await ask(at, certificate("cd".repeat(32))))).toMatchObject({ reason: "proof_mismatch" });
  });

  test("where the policy asks for the one, the other and nothing do not do", async () => {
    const at = setUp({ bound: "certificate" });
    expect(denialOf(await ask(at, certificate(fingerprint), token()))).toMatchObject({ reason: "token_not_bound" });
    expect(denialOf(await show(at, proof(), { certificate: certificate(fingerprint) }))).toMatchObject({
      reason: "token_not_bound",
    });
    expect(denialOf(await ask(setUp({ bound: "dpop" }), certificate(fingerprint)))).toMatchObject({
      reason: "token_not_bound",
    });
  });

  test("to both, proves both", async () => {
    const both = token({ cnf: { "x5t#S256": print, jkt: printOf(ec.publicKey) } });
    const text = () => proof({ ath: athOf(both) });
    expect(principalOf(await show(setUp(), text(), { certificate: certificate(fingerprint) }, both)).id).toBe("alice");
    expect(denialOf(await show(setUp(), text(), {}, both))).toMatchObject({ reason: "proof_missing" });
    expect(denialOf(await ask(setUp(), certificate(fingerprint), both))).toMatchObject({ reason: "proof_missing" });
  });
});

test.each([
  [{ jwk: {} }, "proof_missing"],
  [{}, "proof_missing"],
  ["text", "token_malformed"],
  [null, "token_malformed"],
  [{ jkt: 1 }, "token_malformed"],
  [{ "x5t#S256": "short" }, "token_malformed"],
])("a token with cnf %j, which nobody here can prove, is not taken for unbound", async (cnf, reason) => {
  expect(denialOf(await setUp().bearer(token({ cnf })))).toMatchObject({ reason });
});

test("a token that is bound to nothing is not shown with the scheme DPoP", async () => {
  expect(denialOf(await show(setUp(), proof(), {}, token()))).toMatchObject({ reason: "token_not_bound" });
});
