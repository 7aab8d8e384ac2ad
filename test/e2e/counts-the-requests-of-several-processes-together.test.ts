import { expect, test } from "vitest";
import { eventually, type PolicyPorts, type Postern, startPostern, startService } from "../fixtures/postern.ts";
import { type RedisServer, startRedis } from "../fixtures/redis.ts";

/**
 * Two processes of postern with one policy and one store, a real one. What one lets in, the other has no more; and when the
 * store is killed, each route does what the policy says, and the store that is back is found again.
 */
const policy =
  (redis: RedisServer) =>
  ({ port, admin, app }: PolicyPorts): string =>
    `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
stores:
  strict: { type: redis, url: "redis://127.0.0.1:${redis.port}", timeout: 2s, onFailure: closed, password: { env: STORE } }
  lenient: { type: redis, url: "redis://127.0.0.1:${redis.port}", timeout: 2s, password: { file: secrets/store } }
limits:
  few: { rate: 5/hour, key: client.address, store: strict }
  many: { rate: 1000/hour, key: client.address, store: strict }
  alone: { rate: 3/hour, key: client.address, store: lenient }
routes:
  - { path: /few, public: true, limit: [few, many] }
  - { path: /many, public: true, limit: [many] }
  - { path: /alone, public: true, limit: [alone] }
`;

async function statuses(postern: Postern, path: string, count: number): Promise<Record<number, number>> {
  const seen: Record<number, number> = {};
  for (let at = 0; at < count; at++) {
    const { status } = await postern.call({ path });
    seen[status] = (seen[status] ?? 0) + 1;
  }
  return seen;
}

async function isReady(postern: Postern): Promise<void> {
  const metric = /postern_resource_state\{[^}]*kind="limit store"[^}]*state="ready"[^}]*\} 1/g;
  await eventually(
    async () => [...(await postern.admins("/metrics")).body.matchAll(metric)].length,
    (found) => found >= 1,
  );
}

test("two processes let in what one may", async () => {
  process.env["STORE"] = "of-the-store";
  const redis = await startRedis(["--requirepass", "of-the-store"]);
  const service = await startService();
  const files = { "secrets/store": "of-the-store\n" };
  const [a, b] = [
    await startPostern(service.port, policy(redis), files),
    await startPostern(service.port, policy(redis), files),
  ];
  await isReady(a);
  await isReady(b);

  expect(await statuses(a, "/few", 3)).toEqual({ 200: 3 });
  expect(await statuses(b, "/few", 5)).toEqual({ 200: 2, 429: 3 });
  const denied = await a.call({ path: "/few" });
  expect(denied).toMatchObject({ status: 429, reason: "rate_limited" });
  expect(Number(denied.headers["retry-after"])).toBeGreaterThan(0);
  // What was refused for the narrow limit was not counted by the wide one.
  expect((await b.call({ path: "/many" })).headers["ratelimit"]).toMatch(/"many";r=994\b/);

  await redis.kill();
  await a.logged((line) => line["event"] === "resource" && JSON.stringify(line).includes("failing"));
  const closed = await eventually(
    () => a.call({ path: "/many" }),
    ({ status }) => status === 503,
  );
  expect(closed).toMatchObject({ status: 503, reason: "limit_store_unavailable" });
  expect(closed.headers["retry-after"]).toBe("1");
  // Each process counts for itself then.
  expect((await statuses(a, "/alone", 5))[200]).toBe(3);
  expect((await statuses(b, "/alone", 5))[200]).toBe(3);
  expect(a.output()).not.toContain("of-the-store");

  await redis.start();
  await eventually(
    () => a.call({ path: "/many" }),
    ({ status }) => status === 200,
  );
  // Each process finds it by itself; this one has used up what it may count alone, so the first that passes is the store's.
  await eventually(
    () => b.call({ path: "/alone" }),
    ({ status }) => status === 200,
  );
  expect(await statuses(b, "/alone", 4)).toEqual({ 200: 2, 429: 2 });
  const metrics = (await a.admins("/metrics")).body;
  expect(metrics).toMatch(/postern_limit_store_requests_total\{[^}]*outcome="unavailable"[^}]*\} [1-9]/);
});
