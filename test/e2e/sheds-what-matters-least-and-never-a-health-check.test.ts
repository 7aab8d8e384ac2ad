// Goal: a process that cannot serve everything refuses what matters least, early and with a time to come back; health checks and
// what is critical are always served, and with the pressure the refusals end.
// Method: a real postern process whose policy lets it hold 64 MiB, half of which it has by itself, so that it is under pressure
// from its start; each route is asked, by HTTP/1.1 and HTTP/2. Then the policy lets it hold more.
import { afterAll, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

const policy =
  (maxBytes: string) =>
  ({ port, admin, app }: { port: number; admin: number; app: number }): string =>
    `
version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:${port}, tls: { certificate: server.pem, key: server.key } }]
upstreams: { app: { address: http://127.0.0.1:${app} } }
admin: { address: 127.0.0.1:${admin} }
memory: { maxBytes: ${maxBytes} }
overload: { memory: 50%, eventLoopDelay: 10s }
routes:
  - { path: /health, public: true }
  - { path: /low, public: true, priority: low }
  - { path: /high, public: true, priority: high }
`;

test("what is low is refused with a time to come back, what is high or a health check is served, until there is room", async () => {
  const service = await startService();
  const postern = await startPostern(service.port, policy("64MiB"));
  const refused = await eventually(async () => {
    const answer = await postern.call({ path: "/low" });
    return answer.status === 503 ? answer : null;
  });
  expect(refused.reason).toBe("overloaded");
  expect(Number(refused.headers["retry-after"])).toBeGreaterThanOrEqual(1);
  expect(Number(refused.headers["retry-after"])).toBeLessThanOrEqual(4);
  const level = async (): Promise<number> =>
    Number(/^postern_overload_level (\S+)$/m.exec((await postern.admins("/metrics")).body)?.[1]);
  await eventually(async () => (await level()) === 1.5);
  const arrived = service.arrived.length;
  for (let at = 0; at < 10; at++) {
    expect((await postern.call({ path: "/low" })).status).toBe(503);
    expect((await postern.call({ path: "/high" })).status).toBe(200);
    expect((await postern.call({ path: "/health" })).status).toBe(200);
  }
  expect(service.arrived.slice(arrived).map(({ url }) => url)).not.toContain("/low");
  expect((await postern.admins("/healthz")).status).toBe(200);
  await postern.logged((line) => String(line["msg"]).includes("requests are shed"));
  postern.write("policy.yaml", policy("1GiB")(postern));
  await eventually(async () => (await postern.call({ path: "/low" })).status === 200);
  await eventually(async () => (await level()) === 0);
});
