// Goal: what a service should be told of a known caller and is not is in the request's log line, and nothing else is there for it.
// Method: `postern run` as a process, tokens with and without the claims, its own log.
import type { IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import {
  type PolicyPorts,
  type Postern,
  type Service,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
  guest: { type: anonymous }
identity:
  headers: { X-Tenant: jwt.tenant, X-Order: path.orderId, X-Address: client.address, X-Cert: certificate.subject }
  token: { audience: orders, claims: { tenant: jwt.tenant } }
routes:
  - { path: "/orders/{orderId}", authenticate: [okta] }
  - { path: /orders, authenticate: [okta] }
  - { path: /open, authenticate: [okta, guest] }
  - { path: /public, public: true }
`;

let service: Service;
let postern: Postern;
beforeAll(async () => {
  service = await startService();
  postern = await startPostern(service.port, policy);
});

/** `withheld` of the log line of a request that is made now. */
async function withheldOf(path: string, headers: Record<string, string>): Promise<unknown> {
  const before = postern.log.length;
  expect((await postern.call({ path, headers })).status).toBe(200);
  const line = () => postern.log.slice(before).find((one) => one["path"] === path);
  await vi.waitFor(() => expect(line()).toBeDefined(), { timeout: PATIENCE_MS });
  return line()?.["withheld"];
}

async function bearer(claims: Record<string, unknown>): Promise<Record<string, string>> {
  const { mint } = await theWorld();
  return { Authorization: `Bearer ${await mint.token({ sub: "ann", ...claims })}` };
}

async function withheld(path: string, claims: Record<string, unknown> | null, headers: Record<string, string> = {}) {
  return withheldOf(path, { ...(claims === null ? {} : await bearer(claims)), ...headers });
}

test("a claim that the token does not have is named as header and as claim", async () => {
  expect(await withheld("/orders/1", {})).toEqual(["x-tenant", "x-cert", "x-identity-token.tenant"]);
  const headers: IncomingHttpHeaders = service.arrived.at(-1)?.headers ?? {};
  expect(headers).toMatchObject({ "x-order": "1", "x-address": "127.0.0.1" });
  expect("x-tenant" in headers).toBe(false);
});

test("a value that no header can hold is named as well, and the token holds it all the same", async () => {
  expect(await withheld("/orders/1", { tenant: { id: 1 } })).toEqual(["x-tenant", "x-cert"]);
  expect(await withheld("/orders/1", { tenant: "t1" })).toEqual(["x-cert"]);
});

test("the same caller's next request says the same, and a parameter that the route does not have is not named", async () => {
  const headers = await bearer({});
  const wanted = ["x-tenant", "x-cert", "x-identity-token.tenant"];
  expect(await withheldOf("/orders", headers)).toEqual(wanted);
  expect(await withheldOf("/orders", headers)).toEqual(wanted);
});

test("of nobody there is nothing to say", async () => {
  expect(await withheld("/public", null)).toBeUndefined();
  expect(await withheld("/open", null)).toBeUndefined();
});

test("what a client sends pushes it out of no line, and a client's header of the name is not told either", async () => {
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`x_odd_${at}`, "1"]));
  const names = (await withheld("/orders/1", {}, { ...many, "X-Tenant": "forged" })) as string[];
  expect(names.slice(0, 3)).toEqual(["x-tenant", "x-cert", "x-identity-token.tenant"]);
  expect(JSON.stringify(service.arrived)).not.toContain("forged");
});
