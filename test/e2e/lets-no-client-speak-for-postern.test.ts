// Goal: what the service trusts in a header was put there by postern; what it tells of itself does not leave.
// Method: send every spoof as raw bytes over TLS, read what a plain node:http service got and what came back.
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  ORDER_ID,
  ORDER_SCHEMA,
  ordersPolicy,
  type PolicyPorts,
  type Postern,
  type Service,
  startOrders,
  startPostern,
  theWorld,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

let service: Service;
let postern: Postern;
beforeAll(async () => {
  ({ service, postern } = await startOrders());
});
afterAll(closeAll);

const SPOOFS = [
  "X-Postern-Principal: root",
  "X-Postern-Scopes: admin",
  "X-Forwarded-For: 10.0.0.1",
  "X-Forwarded-Proto: http",
  "X-Forwarded-Host: evil.example",
  "X-Forwarded-Client-Cert: Subject=root",
  "Forwarded: for=10.0.0.1",
  "X-Real-IP: 10.0.0.1",
  "X.Real.IP: 10.0.0.1",
  "Client_Cert: root",
  "SCRIPT_NAME: /evil",
  "Destination: /evil",
  "Proxy: http://evil.example",
  "Connection: keep-alive, X-Postern-Principal, X-Forwarded-For",
];

test.each(["x_postern_principal", "X-Postern_Scopes", "X_Forwarded_For", "Content.Length", "Transfer_Encoding"])(
  "%s, which some services read as the true name, is refused",
  async (name) => {
    const { mint } = await theWorld();
    const client = await postern.raw();
    const token = await mint.token({ sub: "alice" });
    const before = service.arrived.length;
    client.write(
      `GET /orders/${ORDER_ID} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${name}: root\r\n\r\n`,
    );
    await client.untilClosed();
    expect(client.received).toMatch(/^HTTP\/1\.1 400 /);
    expect(client.received).toContain("request_malformed");
    expect(service.arrived).toHaveLength(before);
  },
);

test("a spoofed identity header does not arrive; the true ones do", async () => {
  const { mint } = await theWorld();
  const client = await postern.raw();
  const token = await mint.token({ sub: "alice" });
  client.write(
    `GET /orders/${ORDER_ID} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${SPOOFS.join("\r\n")}\r\n\r\n`,
  );
  await client.untilReceived('{"ok":true}');
  const headers = service.arrived.at(-1)?.headers ?? {};
  expect(headers).toMatchObject({
    "x-postern-principal": "alice",
    "x-postern-authenticator": "okta",
    "x-postern-scopes": "orders:read",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "localhost",
  });
  const text = JSON.stringify(headers);
  for (const spoof of ["root", "admin", "evil", "10.0.0.1"]) expect(text).not.toContain(spoof);
  client.destroy();
});

test("credentials do not arrive, whichever route they were meant for", async () => {
  const { mint, apiKey } = await theWorld();
  await postern.call({
    path: "/public",
    headers: { Authorization: `Bearer ${await mint.token()}`, "X-Api-Key": apiKey },
  });
  const headers = service.arrived.at(-1)?.headers ?? {};
  expect(headers.authorization).toBeUndefined();
  expect(headers["x-api-key"]).toBeUndefined();
});

test("a caller's name cannot add a header", async () => {
  const { mint } = await theWorld();
  const ask = async (sub: string) => {
    const headers = { Authorization: `Bearer ${await mint.token({ sub })}` };
    return postern.call({ path: `/orders/${ORDER_ID}`, headers });
  };
  expect(await ask("eve\r\nX-Postern-Scopes: admin")).toMatchObject({ status: 401, reason: "token_malformed" });
  expect((await ask("zo\u00eb, \u560a\u560d x-postern-scopes: admin")).status).toBe(200);
  const { headers } = service.arrived.at(-1) ?? { headers: {} as Record<string, string> };
  expect(headers["x-postern-scopes"]).toBe("orders:read");
  expect(headers["x-postern-principal"]).toMatch(/^zo%C3%AB,/);
});

test("an answer tells nothing of the service's make and carries the security headers", async () => {
  const { headers } = await postern.call({ path: "/public" });
  expect(headers["server"]).toBeUndefined();
  expect(headers["x-powered-by"]).toBeUndefined();
  expect(headers["via"]).toBeUndefined();
  expect(headers["x-content-type-options"]).toBe("nosniff");
  expect(headers["strict-transport-security"]).toContain("max-age=");
});

test("what was judged is what is forwarded", async () => {
  await postern.call({ path: "/x/..//../public".replace("//", "/") });
  await postern.call({ path: "/%70ublic?a=%2f" });
  expect(service.arrived.slice(-1).map(({ url }) => url)).toEqual(["/public?a=%2f"]);
  for (const path of [
    "/public%2f..%2fmesh",
    "/public/..;/mesh",
    "//public",
    "/public\\..\\mesh",
    "/%c0%ae%c0%ae/public",
  ]) {
    const before = service.arrived.length;
    const client = await postern.raw();
    client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect(await client.untilReceived("target_ambiguous"), path).toMatch(/^HTTP\/1.1 400 /);
    expect(service.arrived.length).toBe(before);
    client.destroy();
  }
});

test("a client that stalls its head is answered 408 and closed", async () => {
  const policy = (ports: PolicyPorts): string =>
    ordersPolicy(ports).replace("    tls:\n", "    headTimeout: 1s\n    tls:\n");
  const hasty = await startPostern(service.port, policy, { "order.json": ORDER_SCHEMA });
  const client = await hasty.raw();
  client.write("GET /public HTTP/1.1\r\nHost: localhost\r\n");
  expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
});
