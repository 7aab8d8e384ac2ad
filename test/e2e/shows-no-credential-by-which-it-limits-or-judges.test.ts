// Goal: a key that a client shows in a header of any name is in no log line, record, page or explanation, though limits, bans and
// conditions look at that header. Method: a whole postern that refuses by each of them.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LivePostern, startLivePostern } from "../fixtures/live-postern.ts";
import { closeAll, listen } from "../fixtures/proxy.ts";

/** Of words, so that no mask takes it for a token. */
const KEY = "correct-horse-battery";
const POLICY = `version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:8080, upstream: app }]
upstreams: { app: { address: http://127.0.0.1:3000 } }
admin: { address: 127.0.0.1:9901 }
authenticators: { partners: { type: api-key, header: X-Partner, keys: keys.yaml } }
limits:
  byHeader: { rate: 1/minute, burst: 1, key: 'request.headers["X-Partner"]', absent: unlimited }
  byText: { rate: 1/minute, burst: 1, key: { expression: 'request.headers["x-partner"] + "-"' }, absent: unlimited }
bans: { scans: { on: [route_not_found], times: 1/minute, key: 'request.headers["x-partner"]', absent: unlimited, for: 5m } }
routes:
  - { path: /a, authenticate: [partners], limit: [byHeader] }
  - { path: /b, authenticate: [partners], limit: [byText] }
  - { path: /c, authenticate: [partners], authorize: { when: 'request.headers["x-partner"].startsWith("no")' } }
  - { path: /d, authenticate: [partners], authorize: { match: { 'request.headers["x-partner"]': principal.id } } }
`;

let postern: LivePostern;

beforeAll(async () => {
  const sha256 = createHash("sha256").update(KEY).digest("hex");
  const service = createServer((_request, response) => void response.end());
  postern = await startLivePostern(
    { "policy.yaml": POLICY, "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: ${sha256} }] }]` },
    await listen(service),
  );
});
afterAll(closeAll);

test("what it refuses by them is told without it", async () => {
  const ask = async (path: string): Promise<number> =>
    (await fetch(`${postern.url}${path}`, { headers: { "X-Partner": KEY } })).status;
  const statuses: number[] = [];
  for (const path of ["/a", "/a", "/b", "/b", "/c", "/d", "/x", "/x", "/a"]) statuses.push(await ask(path));
  expect(statuses).toEqual([200, 429, 200, 429, 403, 403, 404, 404, 429]);
  const pages = await Promise.all(
    ["/decisions", "/limits", "/bans", "/policy", "/metrics"].map(async (path) => {
      const page = await fetch(`${postern.admin}${path}`);
      return `${path} ${page.status} ${await page.text()}`;
    }),
  );
  const explained = await postern.command("explain", "--policy", "policy.yaml", "-H", `X-Partner: ${KEY}`, "GET /c");
  expect(explained.out).toContain("(not shown)");
  expect(`${postern.sink.raw.join("")}${pages.join("")}${explained.out}`).not.toContain(KEY);
  expect(pages.map((page) => page.split(" ")[1])).toEqual(["200", "200", "200", "200", "200"]);
});
