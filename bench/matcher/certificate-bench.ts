import { X509Certificate } from "node:crypto";
import { createDevelopmentCa } from "../../src/cli/development-ca.ts";
import { RateTables } from "../../src/filters/limit/rate-tables.ts";
import { parseAddress } from "../../src/message/address.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import { readClientCertificate } from "../../src/message/certificate.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import { systemClock } from "../../src/support/clock.ts";
import { err, ok } from "../../src/support/result.ts";
import { type Figure, medians, time } from "./measure.ts";

const BATCH = 512;
const ROUNDS = 101;
const CLIENTS = 64;

/** Who asks by certificate, on connections that are open: 64 clients in turn, by trust domain, ID with a star and DNS name. */
export async function benchCertificate(): Promise<Figure[]> {
  const evaluate = await compile();
  const exchanges = await clients();
  // No promise: one would cost more than all the rest.
  for (const exchange of exchanges) if (evaluate(exchange) !== null) throw new Error("not allowed at once");
  let at = 0;
  const countAllowed = (): number => {
    let allowed = 0;
    for (let count = 0; count < BATCH; count++) {
      const exchange = exchanges[at++ % CLIENTS];
      if (exchange !== undefined && evaluate(exchange) === null) allowed++;
    }
    return allowed;
  };
  const ns = medians({ mtls: () => time(countAllowed, BATCH, BATCH) }, ROUNDS);
  return [{ bench: "certificate", contestant: "mtls", size: CLIENTS, ns: ns["mtls"] ?? Number.NaN }];
}

async function clients(): Promise<Exchange[]> {
  const ca = await createDevelopmentCa("bench", Date.now());
  const peer = parseAddress("192.0.2.7");
  if (peer === null) throw new Error("no address");
  const exchanges: Exchange[] = [];
  for (let at = 0; at < CLIENTS; at++) {
    const uris = [`spiffe://example.org/ns/shop-${at}/sa/billing`];
    const dnsNames = [`billing-${at}.shop.example.org`];
    const issued = await ca.issue({ commonName: `billing-${at}`, usage: "client", uris, dnsNames });
    const certificate = readClientCertificate(new X509Certificate(issued.certificate), null);
    const facts = {
      listener: "inbound",
      peer,
      proxyPeer: null,
      protocol: "http/1.1",
      secure: true,
      certificate,
    } as const;
    const target = { path: "/orders", query: "" };
    exchanges.push(new Exchange(facts, "GET", target, "a", "a", new HeaderBlock([], []), EMPTY_BODY));
  }
  return exchanges;
}

async function compile(): Promise<(exchange: Exchange) => unknown> {
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
routes: [{ path: /orders, authenticate: [mesh] }]
`;
  const compiled = await compilePolicy("/policy.yaml", {
    clock: systemClock,
    rateTables: new RateTables([1, 2], systemClock, 4096),
    readFile: (name) => (name === "/policy.yaml" ? ok(Buffer.from(policy)) : err("does not exist")),
  });
  if (!compiled.ok) throw new Error(compiled.error[0]?.text);
  const check = compiled.value.routeList[0]?.checks.find(({ name }) => name === "authenticate");
  if (check === undefined) throw new Error("no check");
  return (exchange) => check.evaluate(exchange);
}
