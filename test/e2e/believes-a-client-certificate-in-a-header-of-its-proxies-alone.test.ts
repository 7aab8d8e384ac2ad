// Goal: where a proxy ends the client's TLS, its word on the client's certificate counts, and nobody else's.
// Method: real requests from the proxy's address and from another one to a running process; the service notes what it got.
import { X509Certificate } from "node:crypto";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Issued } from "../../src/cli/development-ca.ts";
import { type Authority, createAuthority } from "../fixtures/authority.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

const PROXY = "127.0.0.1";
const OTHER = "127.0.0.2";

let root: Authority;
let client: Issued;
let expired: Issued;
let stranger: Issued;
let service: Service;
let postern: Postern;

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    trustedProxies: [${PROXY}/32]
    forwardedClientCertificate: { format: nginx, ca: clients.pem }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  mesh: { type: client-certificate, subjects: ["CN=billing"] }
routes:
  - path: /mesh
    authenticate: [mesh]
    request: { clientCertificate: [client-cert, xfcc], keepHeaders: [X-SSL-Client-Verify] }
  - path: /public
    public: true
`;

beforeAll(async () => {
  root = await createAuthority("clients");
  client = await root.issue({ subject: "CN=billing", usage: "client" });
  expired = await root.issue({ subject: "CN=billing", usage: "client", notAfterMs: Date.now() - 1000 });
  stranger = await (await createAuthority("clients")).issue({ subject: "CN=billing", usage: "client" });
  service = await startService();
  postern = await startPostern(service.port, policy, { "clients.pem": root.certificate });
}, 60_000);
afterAll(closeAll);

interface Told {
  readonly status: number;
  readonly reason: string;
}

function ask(path: string, from: string, headers: readonly (readonly [string, string])[]): Promise<Told> {
  return new Promise((resolve, reject) => {
    const raw = headers.flat();
    const request = httpRequest(
      { port: postern.port, host: "127.0.0.1", path, localAddress: from, headers: ["Host", "localhost", ...raw] },
      (response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => {
          const { reason = "" } = response.statusCode === 200 ? {} : (JSON.parse(body) as { reason?: string });
          resolve({ status: response.statusCode ?? 0, reason });
        });
      },
    );
    request.on("error", reject);
    request.end();
  });
}

const shown = ({ certificate }: Issued): readonly [string, string] => [
  "X-SSL-Client-Cert",
  encodeURIComponent(certificate),
];
const last = (): IncomingHttpHeaders => service.arrived.at(-1)?.headers ?? {};

test("the proxy's client is known by its certificate, and the service is told in the standard headers", async () => {
  expect(await ask("/mesh", PROXY, [shown(client), ["Client-Cert", ":AAAA:"]])).toMatchObject({ status: 200 });
  const headers = last();
  expect(headers["x-postern-principal"]).toBe("CN=billing");
  const { raw } = new X509Certificate(client.certificate);
  expect(headers["client-cert"]).toBe(`:${raw.toString("base64")}:`);
  expect(headers["x-forwarded-client-cert"]).toMatch(/^Hash=[0-9a-f]{64};Cert="-----BEGIN%20CERT/);
  expect(headers["x-ssl-client-cert"]).toBeUndefined();
});

describe("the same header is nobody's word", () => {
  test("from a peer that is no trusted proxy", async () => {
    expect(await ask("/mesh", OTHER, [shown(client)])).toEqual({ status: 401, reason: "certificate_missing" });
    expect(await ask("/public", OTHER, [shown(client), ["Client-Cert", ":AAAA:"]])).toMatchObject({ status: 200 });
    for (const name of ["x-ssl-client-cert", "client-cert", "x-forwarded-client-cert"])
      expect(last()[name]).toBeUndefined();
  });

  test("in another spelling, which some services take for it", async () => {
    const value = encodeURIComponent(client.certificate);
    for (const name of ["X_SSL_Client_Cert", "X.SSL.Client.Cert", "X-SSL_Client-Cert"]) {
      expect(await ask("/mesh", PROXY, [[name, value]])).toEqual({ status: 401, reason: "certificate_missing" });
      await ask("/public", PROXY, [[name, value]]);
      expect(Object.keys(last()).filter((one) => /ssl.client/i.test(one))).toEqual([]);
    }
  });

  test("beside its twin, twice, or in words that are no certificate", async () => {
    const twin: readonly [string, string] = ["X_SSL_Client_Cert", encodeURIComponent(stranger.certificate)];
    expect(await ask("/mesh", PROXY, [shown(client), twin])).toMatchObject({ status: 200 });
    expect(Object.keys(last()).filter((one) => /ssl.client/i.test(one))).toEqual([]);
    expect(await ask("/mesh", PROXY, [shown(client), shown(stranger)])).toEqual({
      status: 400,
      reason: "forwarded_invalid",
    });
    expect(await ask("/public", PROXY, [["X-SSL-Client-Cert", "CN=billing"]])).toEqual({
      status: 400,
      reason: "forwarded_invalid",
    });
  });

  test("in other words of other proxies", async () => {
    const { raw } = new X509Certificate(client.certificate);
    const headers = [
      ["X-SSL-Client-Verify", "SUCCESS"],
      ["X-SSL-Client-S-DN", "CN=billing"],
      ["Client-Cert", `:${raw.toString("base64")}:`],
      ["X-Forwarded-Client-Cert", `Hash=00;Cert="${encodeURIComponent(client.certificate)}"`],
    ] as const;
    expect(await ask("/mesh", PROXY, headers)).toEqual({ status: 401, reason: "certificate_missing" });
  });
});

test("the proxy's word is not enough: an expired one, and one of an authority of the same name, are refused", async () => {
  expect(await ask("/mesh", PROXY, [shown(expired)])).toEqual({ status: 401, reason: "certificate_expired" });
  // Of the same name, and signed by another key.
  expect(await ask("/mesh", PROXY, [shown(stranger)])).toMatchObject({ status: 401 });
  expect(await ask("/public", PROXY, [shown(stranger)])).toMatchObject({ status: 200 });
  expect(last()["client-cert"]).toBeUndefined();
});
