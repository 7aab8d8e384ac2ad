// Goal: who has used up a limit cannot reset it by filling another with keys that cost nothing, an honest client beside them is
// served, and the metrics tell of it. Method: the whole process; a login limit by address, and one by a header that each
// request fills anew and whose keys last longer than the login's; paths that nobody serves, for the limit comes first.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Postern, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

/** The least that a limit may count, and many times that of invented keys. */
const KEYS = 1_024;
const INVENTED = 6_000;
const BATCH = 100;

let postern: Postern;
let edit: (burst: number) => void;
beforeAll(async () => {
  const service = await startService();
  const policy = (login: number, { port, admin, app }: { port: number; admin: number; app: number }) => `version: 1
service: accounts
listeners: [{ name: inbound, address: 127.0.0.1:${port}, plaintext: allowed }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
log: { access: off }
limits:
  logins: { rate: ${login}/hour, key: client.address, maxKeys: ${KEYS} }
  perTenant: { rate: 3/day, key: 'request.headers["x-tenant"]', absent: deny, maxKeys: ${KEYS} }
defaults: { limit: [perTenant] }
routes: [{ path: /login, methods: [POST], public: true, limit: [logins] }]
`;
  postern = await startPostern(service.port, (ports) => policy(5, ports));
  edit = (login) => postern.write("policy.yaml", policy(login, postern));
});
afterAll(closeAll);

let logins = 0;
const login = (): Promise<number> => plain("POST /login", `Content-Length: 0\r\nX-Tenant: login-${++logins}`);
const tenant = (name: string): Promise<number> => plain("GET /nothing", `X-Tenant: ${name}`);

/** Status of the answer. */
async function plain(what: string, lines: string): Promise<number> {
  const client = await RawClient.connect({ port: postern.port, host: "127.0.0.1" });
  client.write(`${what} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n\r\n`);
  return Number((await client.untilClosed()).slice(9, 12));
}

async function evictions(limit: string): Promise<number> {
  const line = new RegExp(`^postern_limit_evictions_total\\{limit="${limit}"\\} (\\d+)$`, "m");
  return Number(line.exec((await postern.admins("/metrics")).body)?.[1] ?? Number.NaN);
}

test("a login limit that is used up stays so beside any number of invented keys, and after a reload", async () => {
  for (let at = 0; at < 5; at++) expect(await login()).toBe(200);
  expect(await login()).toBe(429);

  const flood = await RawClient.connect({ port: postern.port, host: "127.0.0.1" });
  for (let sent = 0; sent < INVENTED; ) {
    let text = "";
    for (const end = sent + BATCH; sent < end; sent++) {
      text += `GET /nothing HTTP/1.1\r\nHost: a\r\nX-Tenant: invented-${sent}\r\n\r\n`;
    }
    flood.received = "";
    flood.write(text);
    await flood.until(({ received }) => received.split("HTTP/1.1 404 ").length === BATCH + 1);
  }
  flood.destroy();

  expect(await login()).toBe(429);
  expect(await evictions("logins")).toBe(0);
  expect(await evictions("perTenant")).toBeGreaterThan(INVENTED - 2 * KEYS);
  // Somebody honest, whom nobody has seen before.
  expect([await tenant("acme"), await tenant("acme"), await tenant("acme"), await tenant("acme")]).toEqual([
    404, 404, 404, 429,
  ]);

  edit(4);
  await postern.logged((line) => line["event"] === "reload" && line["result"] === "ok");
  expect(await login()).toBe(429);
  expect(await evictions("perTenant")).toBeGreaterThan(INVENTED - 2 * KEYS);
});
