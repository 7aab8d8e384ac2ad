// Goal: a certificate that a proxy tells is refused once a list has it, and names without a certificate count where the policy
// says so and from the proxy alone.
// Method: requests from the proxy's address and from another one to a running process; the list is written anew meanwhile.
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Issued } from "../../src/cli/development-ca.ts";
import { type Authority, createAuthority, crlPem } from "../fixtures/authority.ts";
import { freePort } from "../fixtures/free-port.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

const PROXY = "127.0.0.1";
const OTHER = "127.0.0.2";

let root: Authority;
let billing: Issued;
let shipping: Issued;
let service: Service;
let postern: Postern;
let names: number;

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    trustedProxies: [${PROXY}/32]
    forwardedClientCertificate: { format: nginx, ca: clients.pem, crl: clients.crl }
  - name: mesh
    address: 127.0.0.1:${names}
    trustedProxies: [${PROXY}/32]
    forwardedClientCertificate: { format: xfcc, verifiedBy: proxy, namesAlone: true }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  clients: { type: client-certificate, subjects: ["CN=billing", "CN=shipping"] }
  workloads: { type: client-certificate, spiffeIds: ["spiffe://cluster.local/ns/shop/**"] }
  pinned: { type: client-certificate, issuers: ["CN=clients"] }
routes:
  - { path: /clients, authenticate: [clients] }
  - { path: /workloads, authenticate: [workloads], request: { clientCertificate: [client-cert, xfcc] } }
  - { path: /pinned, authenticate: [pinned] }
`;

beforeAll(async () => {
  root = await createAuthority("clients");
  billing = await root.issue({ subject: "CN=billing", usage: "client" });
  shipping = await root.issue({ subject: "CN=shipping", usage: "client" });
  service = await startService();
  names = await freePort();
  postern = await startPostern(service.port, policy, {
    "clients.pem": root.certificate,
    "clients.crl": crlPem(await root.revoke()),
  });
}, 60_000);
afterAll(closeAll);

/** `200`, or status and reason. */
function ask(port: number, path: string, from: string, header: string, value: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: "127.0.0.1",
      path,
      localAddress: from,
      headers: { Host: "localhost", [header]: value },
    };
    const request = httpRequest(options, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => {
        const { reason = "" } = response.statusCode === 200 ? {} : (JSON.parse(body) as { reason?: string });
        resolve(`${response.statusCode} ${reason}`.trim());
      });
    });
    request.on("error", reject);
    request.end();
  });
}

const nginx = ({ certificate }: Issued) =>
  ask(postern.port, "/clients", PROXY, "X-SSL-Client-Cert", encodeURIComponent(certificate));
const xfcc = (element: string, path = "/workloads", from = PROXY) =>
  ask(names, path, from, "X-Forwarded-Client-Cert", element);
const eventually = { timeout: PATIENCE_MS, interval: 50 };

test("a certificate is refused as soon as a list has it, and others are not", async () => {
  expect([await nginx(billing), await nginx(shipping)]).toEqual(["200", "200"]);
  postern.write("clients.crl", crlPem(await root.revoke({ revoked: [billing.certificate] })));
  await vi.waitFor(async () => expect(await nginx(billing)).toBe("401 certificate_revoked"), eventually);
  expect(await nginx(shipping)).toBe("200");
});

test("with a list of another authority of the same name nobody comes in, and none opens", async () => {
  postern.write("clients.crl", crlPem(await (await createAuthority("clients")).revoke()));
  await vi.waitFor(async () => expect(await nginx(shipping)).toBe("401 certificate_revocation_unknown"), eventually);
  postern.write("clients.crl", crlPem(await root.revoke()));
  await vi.waitFor(async () => expect(await nginx(billing)).toBe("200"), eventually);
});

const HASH = "ab".repeat(32);
const of = (id: string) => `By=spiffe://cluster.local/ns/shop/sa/orders;Hash=${HASH};Subject="";URI=spiffe://${id}`;

test("a workload that the mesh's proxy names comes in, and the service is told what was told", async () => {
  expect(await xfcc(of("cluster.local/ns/shop/sa/billing"))).toBe("200");
  const headers: IncomingHttpHeaders = service.arrived.at(-1)?.headers ?? {};
  expect(headers["x-postern-principal"]).toBe("spiffe://cluster.local/ns/shop/sa/billing");
  expect(headers["x-forwarded-client-cert"]).toBe(
    `Hash=${HASH};Subject="";URI=spiffe://cluster.local/ns/shop/sa/billing`,
  );
  expect(headers["client-cert"]).toBeUndefined();
});

test("nobody else comes in by names", async () => {
  const good = of("cluster.local/ns/shop/sa/billing");
  expect(await xfcc(good, "/workloads", OTHER)).toBe("401 certificate_missing");
  expect(await xfcc(of("cluster.local/ns/other/sa/billing"))).toBe("401 certificate_identity_mismatch");
  expect(await xfcc(`${good},${good}`)).toBe("400 forwarded_invalid");
  expect(await xfcc(`${good};URI=spiffe://cluster.local/ns/other/sa/x`)).toBe("401 certificate_identity_mismatch");
  // Of its issuer nothing was said.
  expect(await xfcc(good, "/pinned")).toBe("401 certificate_identity_mismatch");
});
