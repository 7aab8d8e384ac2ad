import { createHash, createHmac, X509Certificate } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { createDevelopmentCa } from "../../src/cli/development-ca.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { parseAddress } from "../../src/message/address.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import { readClientCertificate } from "../../src/message/certificate.ts";
import type { ClientCertificate } from "../../src/message/connection.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import { systemClock } from "../../src/support/clock.ts";
import { err, ok } from "../../src/support/result.ts";
import { type Figure, medians, time } from "./measure.ts";

const BATCH = 512;
const ROUNDS = 101;
const CLIENTS = 64;
const TOKENS = 10_000;
const API_KEYS = 1_000;
const HMAC_SECRET = "a secret of both sides, 32 bytes.";

type Evaluate = (exchange: Exchange) => unknown;

/**
 * Who asks, once that is known: by certificate on open connections (trust domain, ID with a star, DNS name), by an API key
 * among a thousand, by a token whose signature was checked before, 64 of them and 10,000. And by an HMAC over time, method
 * and target, which is computed for each request.
 */
export async function benchAuthenticate(): Promise<Figure[]> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256", use: "sig" }] });
  const check = await compile(jwks);
  const tokens: Exchange[] = [];
  for (let at = 0; at < TOKENS; at++) {
    const token = new SignJWT({ sub: `caller-${at}` }).setProtectedHeader({ alg: "ES256", kid: "k" });
    const claims = token.setIssuer("https://idp.example.org").setAudience("orders").setExpirationTime("1h");
    tokens.push(exchangeOf([["authorization", `Bearer ${await claims.sign(privateKey)}`]]));
  }
  const contestants: Readonly<Record<string, readonly [Evaluate, readonly Exchange[]]>> = {
    mtls: [check("/mtls"), await certified()],
    "api-key": [
      check("/api-key"),
      Array.from({ length: API_KEYS }, (_, at) => exchangeOf([["x-api-key", apiKey(at)]])),
    ],
    "jwt, cached": [check("/jwt"), tokens.slice(0, CLIENTS)],
    "jwt, 10,000 live": [check("/jwt"), tokens],
    hmac: [check("/hmac"), Array.from({ length: CLIENTS }, (_, at) => exchangeOf(signed(at)))],
  };
  for (const [name, [evaluate, exchanges]] of Object.entries(contestants)) {
    for (const exchange of exchanges) await evaluate(exchange);
    // No promise: one would cost more than all the rest.
    for (const exchange of exchanges) {
      if (evaluate(exchange) !== null) throw new Error(`${name}: not allowed at once`);
    }
  }
  const timers = Object.entries(contestants).map(([name, [evaluate, exchanges]]) => {
    let at = 0;
    const countAllowed = (): number => {
      let allowed = 0;
      for (let count = 0; count < BATCH; count++) {
        const exchange = exchanges[at++ % exchanges.length];
        if (exchange !== undefined && evaluate(exchange) === null) allowed++;
      }
      return allowed;
    };
    return [name, () => time(countAllowed, BATCH, BATCH)] as const;
  });
  const ns = medians(Object.fromEntries(timers), ROUNDS);
  return Object.entries(contestants).map(([contestant, [, exchanges]]) => {
    return { bench: "authenticate", contestant, size: exchanges.length, ns: ns[contestant] ?? Number.NaN };
  });
}

const peer = parseAddress("192.0.2.7");

function exchangeOf(headers: readonly (readonly [string, string])[], certificate: ClientCertificate | null = null) {
  if (peer === null) throw new Error("no address");
  const facts = {
    listener: "inbound",
    peer,
    proxyPeer: null,
    protocol: "http/1.1",
    secure: true,
    certificate,
  } as const;
  const block = new HeaderBlock(
    headers.map(([name]) => name),
    headers.map(([, value]) => value),
  );
  const exchange = new Exchange(facts, "GET", { path: "/orders", query: "" }, "a", "a", block, EMPTY_BODY);
  exchange.receivedTarget = "/orders";
  return exchange;
}

async function certified(): Promise<Exchange[]> {
  const ca = await createDevelopmentCa("bench", Date.now());
  const exchanges: Exchange[] = [];
  for (let at = 0; at < CLIENTS; at++) {
    const uris = [`spiffe://example.org/ns/shop-${at}/sa/billing`];
    const dnsNames = [`billing-${at}.shop.example.org`];
    const issued = await ca.issue({ commonName: `billing-${at}`, usage: "client", uris, dnsNames });
    exchanges.push(exchangeOf([], readClientCertificate(new X509Certificate(issued.certificate), null)));
  }
  return exchanges;
}

/** Signed so many seconds ago, so that each differs. */
function signed(ageSeconds: number): readonly (readonly [string, string])[] {
  const time = String(Math.floor(Date.now() / 1000) - ageSeconds);
  const mac = createHmac("sha256", HMAC_SECRET).update(`${time}.GET./orders.`).digest("hex");
  return [
    ["x-signature", mac],
    ["x-time", time],
  ];
}

function apiKey(at: number): string {
  return `pk_${String(at).padStart(32, "0")}`;
}

function keysFile(): string {
  const digest = (at: number): string => createHash("sha256").update(apiKey(at)).digest("hex");
  const callers = Array.from(
    { length: API_KEYS },
    (_, at) => `  - { name: c${at}, keys: [{ sha256: "${digest(at)}" }] }`,
  );
  return `callers:\n${callers.join("\n")}\n`;
}

/** One authenticator a route; by its path, its check. */
async function compile(jwks: string): Promise<(path: string) => Evaluate> {
  const policy = `version: 1
service: bench
listeners: [{ name: inbound, address: "127.0.0.1:8443", plaintext: allowed }]
upstreams: { app: { address: "http://127.0.0.1:3000" } }
authenticators:
  mesh:
    type: client-certificate
    trustDomain: example.org
    spiffeIds: ['spiffe://example.org/ns/*/sa/billing']
    dnsNames: ['*.shop.example.org']
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
  idp: { type: jwt, issuer: "https://idp.example.org", audience: orders, algorithms: [ES256], keys: jwks.json }
  hooks:
    type: signature
    scheme: hmac
    secret: { file: hmac }
    replay: allow
    hmac: { header: X-Signature, timestamp: { header: X-Time }, signs: "{timestamp}.{method}.{target}.{body}" }
routes:
  - { path: /mtls, authenticate: [mesh] }
  - { path: /api-key, authenticate: [partners] }
  - { path: /jwt, authenticate: [idp] }
  - { path: /hmac, authenticate: [hooks] }
`;
  const files: Readonly<Record<string, string>> = {
    "/policy.yaml": policy,
    "/keys.yaml": keysFile(),
    "/jwks.json": jwks,
    "/hmac": HMAC_SECRET,
  };
  const compiled = await compilePolicy("/policy.yaml", {
    clock: systemClock,
    rateTables: new RateTables([1, 2], systemClock, 4096),
    readFile: (name) => (files[name] === undefined ? err("does not exist") : ok(Buffer.from(files[name]))),
  });
  if (!compiled.ok) throw new Error(compiled.error[0]?.text);
  return (path) => {
    const route = compiled.value.routeList.find(({ template }) => template === path);
    const check = route?.checks.find(({ name }) => name === "authenticate");
    if (check === undefined) throw new Error("no check");
    return (exchange) => check.evaluate(exchange);
  };
}
