import { createHash } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Permit } from "../../src/decision/permit.ts";
import { HeadFault, parseHeaders } from "../../src/http1/head.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { parseAddress } from "../../src/message/address.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import type { ConnectionFacts } from "../../src/message/connection.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { canonicalTarget } from "../../src/message/target.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import { judge, type Subject } from "../../src/proxy/pipeline.ts";
import { systemClock } from "../../src/support/clock.ts";
import { err, ok } from "../../src/support/result.ts";
import { type Figure, medians, time } from "./measure.ts";

const ROUTES = 1_000;
const TOKENS = 64;
const BATCH = 512;
const ROUNDS = 101;

/**
 * The whole decision on 1,000 routes, from a parsed request to its Permit: route, address rule over 1,000 prefixes,
 * cached RS256 token, scope, rate limit by caller. 64 callers take turns over all routes.
 */
export async function benchDecision(): Promise<Figure[]> {
  const { publicKey, privateKey } = await generateKeyPair("RS256");
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "RS256", use: "sig" }] });
  const snapshot = await compile(jwks);
  const tokens: string[] = [];
  for (let at = 0; at < TOKENS; at++) tokens.push(await tokenOf(privateKey, at));
  const exchanges = Array.from({ length: ROUTES }, (_, at) => exchangeOf(at, tokens[at % TOKENS] ?? ""));
  // The first look at each token verifies its signature; from then on the answer is at hand at once.
  for (const exchange of exchanges) await decide(snapshot, exchange);
  for (const exchange of exchanges) assertAllowed(decide(snapshot, exchange));
  let at = 0;
  const countAllowed = (): number => {
    let allowed = 0;
    for (let count = 0; count < BATCH; count++) {
      const exchange = exchanges[at++ % ROUTES];
      if (exchange !== undefined && Permit.isGenuine(decide(snapshot, exchange))) allowed++;
    }
    return allowed;
  };
  const ns = medians({ postern: () => time(countAllowed, BATCH, BATCH) }, ROUNDS);
  return [{ bench: "decision", contestant: "postern", size: ROUTES, ns: ns["postern"] ?? Number.NaN }];
}

function decide(snapshot: Snapshot, exchange: Exchange): unknown {
  exchange.principal = null;
  exchange.rateLimit = null;
  const subject: Subject = {
    snapshot,
    exchange,
    trustedProxies: null,
    trustsForwardedHost: false,
    forwardedCertificates: null,
    observer: null,
    fault: null,
    shares: snapshot.shares,
    route: null,
    ownPage: null,
    methodBody: null,
  };
  return judge(subject);
}

function assertAllowed(outcome: unknown): void {
  if (!Permit.isGenuine(outcome)) throw new Error(`not allowed: ${JSON.stringify(outcome)}`);
}

const facts: ConnectionFacts = {
  listener: "inbound",
  peer: parseAddress("192.0.2.7") ?? fail("no address"),
  proxyPeer: null,
  protocol: "http/1.1",
  secure: true,
  certificate: null,
};

function exchangeOf(at: number, token: string): Exchange {
  const id = createHash("sha256").update(String(at)).digest("hex").slice(0, 8);
  const target = canonicalTarget(`/service-${at % 40}/v1/resource-${at}/${id}?page=2`);
  const headers = parseHeaders(`host: api.example\r\naccept: */*\r\nauthorization: Bearer ${token}\r\nx-a: b\r\n`, 100);
  if (!target.ok || headers instanceof HeadFault) return fail("the probe is no request");
  return new Exchange(facts, "GET", target.value, "api.example", "api.example", headers.headers, EMPTY_BODY);
}

function tokenOf(key: CryptoKey, at: number): Promise<string> {
  return new SignJWT({ scope: "read write admin", sub: `caller-${at}` })
    .setProtectedHeader({ alg: "RS256", kid: "k" })
    .setIssuer("https://idp.example.org/")
    .setAudience("bench")
    .setExpirationTime("1h")
    .sign(key);
}

async function compile(jwks: string): Promise<Snapshot> {
  const routes = Array.from(
    { length: ROUTES },
    (_, at) => `  - path: /service-${at % 40}/v1/resource-${at}/{id}
    methods: [GET]
    authenticate: [okta]
    authorize: { scopes: [read] }
    limit: [perCaller]
`,
  );
  const denied = Array.from({ length: 1_000 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`);
  const policy = `version: 1
service: bench
listeners: [{ name: inbound, address: "127.0.0.1:8443", plaintext: allowed }]
upstreams: { app: { address: "http://127.0.0.1:3000" } }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [bench], algorithms: [RS256], keys: jwks.json }
limits: { perCaller: { rate: 1000000/second, key: principal } }
defaults: { address: { denyFile: denied.txt } }
routes:
${routes.join("")}`;
  const files: Readonly<Record<string, string>> = {
    "policy.yaml": policy,
    "jwks.json": jwks,
    "denied.txt": denied.join("\n"),
  };
  const compiled = await compilePolicy("/policy.yaml", {
    clock: systemClock,
    rateTables: new RateTables([1, 2], systemClock, 4096),
    readFile: (name) => {
      const text = files[name.slice(1)];
      return text === undefined ? err("does not exist") : ok(Buffer.from(text));
    },
  });
  return compiled.ok ? compiled.value : fail(compiled.error[0]?.text ?? "no policy");
}

function fail(text: string): never {
  throw new Error(text);
}
