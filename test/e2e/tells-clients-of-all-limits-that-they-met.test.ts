// Goal: an answer has all limits that its request met, of whatever kind, as clients of each form can read them, though the
// service has limits of its own; a refusal says in its body which was violated, and the admin port by what each counts.
// Method: the whole process before a service that sends limit fields itself.
import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll, listen } from "../fixtures/proxy.ts";

const OF_THE_SERVICE = {
  RateLimit: '"own";r=1;t=1',
  "RateLimit-Policy": '"own";q=1;w=1',
  "RateLimit-Limit": "99",
  "X-RateLimit-Limit": "99",
  "X-RateLimit-Remaining": "98",
};
const DRAFT = "https://iana.org/assignments/http-problem-types";

let postern: Postern;
beforeAll(async () => {
  const app = await listen(createServer((_, answer) => answer.writeHead(200, OF_THE_SERVICE).end("ok")));
  postern = await startPostern(
    app,
    ({ port, admin }) => `version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:${port}, plaintext: allowed }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
limitHeaders: { fields: [draft-11, x-ratelimit] }
limits:
  rate: { rate: 5/hour, key: client.address }
  daily: { quota: 9/day, key: [client.address, request.method] }
  tokens: { budget: 100/hour, unit: tokens, key: client.address, cost: 10 }
  inFlight: { concurrency: 3, key: client.address }
  ids: { distinct: { of: path.id, per: client.address, limit: 2, window: 10m } }
  traffic: { bandwidth: 1MiB/s, burst: 2MiB, key: client.address }
  tried: { distinct: { of: path.id, per: client.address, limit: 2, window: 10m }, mode: audit }
  everybody: { concurrency: 3, key: upstream }
routes:
  - { path: '/all/{id}', public: true, limit: [rate, daily, tokens, inFlight, ids, traffic, tried, everybody] }
  - { path: /free, public: true }
`,
  );
});
afterAll(closeAll);

const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${postern.port}${path}`);

describe("an answer", () => {
  test("has every limit that its request met, behind those of the service, and one number where there is room for one", async () => {
    const { headers } = await get("/all/1");
    const policies = headers.get("ratelimit-policy")?.split(", ");
    // Those that need no route were met first.
    expect(policies?.toSorted()).toEqual(
      [
        '"own";q=1;w=1',
        '"rate";q=5;w=3600;postern-scope=process',
        '"daily";q=9;w=86400;postern-scope=process',
        '"tokens";q=100;qu="tokens";w=3600;postern-scope=process',
        '"inFlight";q=3;qu="concurrent-requests";postern-scope=process',
        '"ids";q=2;qu="distinct-values";w=600;postern-scope=process',
        '"traffic";q=2097152;qu="content-bytes";w=2;postern-scope=process',
      ].toSorted(),
    );
    expect(headers.get("ratelimit")).toMatch(/"ids";r=1;t=600/);
    expect(headers.get("ratelimit")).toMatch(/"traffic";r=\d+;t=\d/);
    // The tightest of those that count requests; what the service says there would make it two numbers.
    expect([headers.get("x-ratelimit-limit"), headers.get("x-ratelimit-remaining")]).toEqual(["5", "4"]);
    expect(headers.get("ratelimit-limit")).toBe("99");
  });

  test("that met no limit has what the service says", async () => {
    const { headers } = await get("/free");
    expect([headers.get("x-ratelimit-limit"), headers.get("ratelimit-policy")]).toEqual(["99", '"own";q=1;w=1']);
  });

  test("that refuses says which limit was violated, by a type that clients know", async () => {
    await get("/all/1");
    await get("/all/2");
    const distinct = await get("/all/3");
    expect(distinct.headers.get("ratelimit")).toMatch(/"ids";r=0;t=\d+/);
    expect(await distinct.json()).toMatchObject({
      type: `${DRAFT}#quota-exceeded`,
      status: 429,
      reason: "distinct_exceeded",
      "violated-policies": ["ids"],
    });
    let last = distinct;
    for (let at = 0; at < 5; at++) last = await get("/all/1");
    expect(await last.json()).toMatchObject({
      type: `${DRAFT}#quota-exceeded`,
      title: "A quota policy is exceeded",
      reason: "rate_limited",
      "violated-policies": ["rate"],
    });
  });
});

test("the admin port says by what each counts, in the words of the policy", async () => {
  const { limits } = JSON.parse((await postern.admins("/limits")).body) as { limits: { name: string; key: string }[] };
  const keys = Object.fromEntries(limits.map(({ name, key }) => [name, key]));
  expect(keys).toMatchObject({
    rate: "client.address/64",
    daily: "client.address/64, request.method",
    tokens: "client.address/64",
    ids: "path.id per client.address/64",
  });
  const { quotas } = JSON.parse((await postern.admins("/quotas")).body) as { quotas: { limit: string; by: string }[] };
  expect(quotas.map(({ limit, by }) => [limit, by])).toEqual([
    ["daily", "client.address/64, request.method"],
    ["tokens", "client.address/64"],
  ]);
});
