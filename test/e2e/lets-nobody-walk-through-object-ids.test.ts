// Goal: nobody reads one object after the other, and nobody who reads their own is stopped.
// Method: a real postern process before a real service; callers with tokens of their own ask for many orders, and for few.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Answer,
  type PolicyPorts,
  type Postern,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners:
  - { name: inbound, address: "127.0.0.1:${port}", tls: { certificate: server.pem, key: server.key } }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
limits:
  objects: { distinct: { of: path.orderId, per: principal, limit: 20, window: 10m } }
  writes: { rate: 1/hour, burst: 3, key: principal }
routes:
  - { path: "/orders/{orderId}", methods: [GET], authenticate: [okta], limit: [objects] }
  - { path: "/orders/{orderId}", methods: [PUT], authenticate: [okta], limit: [objects, writes] }
`;

let postern: Postern;

beforeAll(async () => {
  const service = await startService();
  postern = await startPostern(service.port, policy);
});

afterAll(closeAll);

/** Somebody with a token of their own. */
async function caller(subject: string) {
  const { mint } = await theWorld();
  const token = await mint.token({ sub: subject });
  return (path: string, method = "GET"): Promise<Answer> =>
    postern.call({ path, method, headers: { Authorization: `Bearer ${token}` } });
}

describe("a guard against enumeration", () => {
  test("stops who asks for one order after the other, and says so", async () => {
    const get = await caller("thief");
    const statuses: number[] = [];
    for (let at = 0; at < 60; at++) statuses.push((await get(`/orders/${1000 + at}`)).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(20);
    expect(statuses.slice(20).every((status) => status === 429)).toBe(true);
    const denied = await get("/orders/5000");
    expect(denied.reason).toBe("distinct_exceeded");
    expect(Number(denied.headers["retry-after"])).toBeLessThanOrEqual(605);
    const line = await postern.logged((one) => one["reason"] === "distinct_exceeded");
    expect(JSON.stringify(line)).toContain("at most 20 different path.orderId");
  });

  test("does not see another order in another spelling of the same, nor in another query", async () => {
    const get = await caller("speller");
    for (let at = 0; at < 20; at++) await get(`/orders/${at}`);
    for (const same of ["/orders/%31%39", "/orders/19?x=1", "/orders/19"]) expect((await get(same)).status).toBe(200);
  });

  test("lets an honest client read its orders again and again, also when it has as many as it may", async () => {
    const get = await caller("honest");
    for (let round = 0; round < 5; round++) {
      for (let at = 0; at < 20; at++) expect((await get(`/orders/own-${at}`)).status).toBe(200);
    }
    expect((await get("/orders/one-more")).status).toBe(429);
    expect((await get("/orders/own-7")).status).toBe(200);
  });

  test("counts for each caller alone, and nothing of what another limit refuses", async () => {
    const put = await caller("writer");
    for (let at = 0; at < 3; at++) expect((await put(`/orders/w-${at}`, "PUT")).status).toBe(200);
    for (let at = 3; at < 60; at++) expect((await put(`/orders/w-${at}`, "PUT")).reason).toBe("rate_limited");
    for (let at = 0; at < 17; at++) expect((await put(`/orders/r-${at}`)).status).toBe(200);
    expect((await put("/orders/r-17")).reason).toBe("distinct_exceeded");
  });
});
