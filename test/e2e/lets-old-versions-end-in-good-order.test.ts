// Goal: who uses an old version is told so by every answer, notices brown-outs, and after the end gets 410 with where to go on, but for
// callers that are excepted; who still uses it is known by name, over restarts and reloads.
// Method: the real process over TLS with a real service, HTTP/1.1 and HTTP/2, real dates around the present; the command that people use.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { askH2 } from "../fixtures/h2-client.ts";
import { type PolicyPorts, type Postern, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { onClose } from "../fixtures/proxy.ts";

const DAY_MS = 86_400_000;
const YESTERDAY = day(-1);
const LAST_YEAR = day(-365);
const NEXT_YEAR = day(365);
const NOW_FOR_LONG = `${new Date(Date.now() - 60_000).toISOString()}/PT9H`;

function day(offset: number): string {
  return new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);
}

let app: number;
let arrived: readonly { readonly url: string }[];
let apiKey: string;
beforeAll(async () => {
  const service = await startService((request, response) => {
    if (request.url?.startsWith("/v0/linked") !== true) return false;
    response.writeHead(200, { Link: '</v0/orders?page=2>; rel="next"', Deprecation: "true", Sunset: "never" });
    response.end("{}");
    return true;
  });
  ({ port: app, arrived } = service);
  ({ apiKey } = await theWorld());
});

const policyOf =
  (state: string, ending = `since: ${LAST_YEAR}, sunset: ${NEXT_YEAR}, successor: /v1/`, extra = "") =>
  ({ port, admin }: PolicyPorts): string =>
    `version: 1
service: orders
state: { directory: "${state}" }
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    protocols: [h2, http/1.1]
    tls: { certificate: server.pem, key: server.key }
    upstream: app
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}", token: { file: admin-token } }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
${extra}
routes:
  - { path: /v0/**, authenticate: [partners], deprecated: { ${ending} } }
  - { path: /v1/**, authenticate: [partners] }
  - { path: /old, public: true, deprecated: { sunset: ${YESTERDAY}, announcement: 'https://example.org/news' } }
`;

async function start(ending?: string): Promise<Postern & { readonly state: string }> {
  const state = mkdtempSync(join(tmpdir(), "postern-deprecated-e2e-"));
  onClose(() => rmSync(state, { recursive: true, force: true }));
  return { ...(await startIn(state, ending)), state };
}

function startIn(state: string, ending?: string): Promise<Postern> {
  return startPostern(app, policyOf(state, ending), { "admin-token": `${"b7e23ec29af2".repeat(3)}\n` });
}

const ask = (postern: Postern, path: string) => postern.call({ path, headers: { "X-Api-Key": apiKey } });

async function command(postern: Postern, ...args: readonly string[]): Promise<string> {
  let output = "";
  const take = (text: string): void => {
    output += text;
  };
  await main(["deprecated", ...args, "--policy", "policy.yaml"], {
    stdout: take,
    stderr: take,
    cwd: postern.folder,
    clock: systemClock,
  });
  return output;
}

test("answers of an old version say since when, until when and what comes after, denials too; others say nothing", async () => {
  const postern = await start();
  const served = await ask(postern, "/v0/linked");
  expect(served.status).toBe(200);
  expect(served.headers["deprecation"]).toBe(`@${Date.parse(`${LAST_YEAR}T00:00:00Z`) / 1000}`);
  expect(served.headers["sunset"]).toBe(new Date(`${NEXT_YEAR}T00:00:00Z`).toUTCString());
  // The service's own link is still there.
  expect(served.headers["link"]).toBe('</v0/orders?page=2>; rel="next", </v1/>; rel="successor-version"');
  const denied = await postern.call({ path: "/v0/orders" });
  expect([denied.status, denied.headers["link"]]).toEqual([401, '</v1/>; rel="successor-version"']);
  expect(denied.headers["deprecation"]).toBeDefined();
  const next = await ask(postern, "/v1/orders");
  expect([next.headers["deprecation"], next.headers["sunset"], next.headers["link"]]).toEqual(Array(3).fill(undefined));
  const second = await askH2(postern.h2(), { ":path": "/v0/orders", "x-api-key": apiKey });
  expect([second.status, second.headers["deprecation"]]).toEqual([200, served.headers["deprecation"]]);
});

test("after its end a version is 410 with where to go on, and reaches the service no more", async () => {
  const postern = await start();
  const before = arrived.length;
  const ended = await postern.call({ path: "/old" });
  expect([ended.status, ended.reason]).toEqual([410, "version_ended"]);
  expect(JSON.parse(ended.body)).toMatchObject({
    title: "Gone",
    detail: "This version has ended.",
    sunset: `${YESTERDAY}T00:00:00Z`,
    announcement: "https://example.org/news",
  });
  expect(ended.headers["link"]).toBe(
    '<https://example.org/news>; rel="deprecation", <https://example.org/news>; rel="sunset"',
  );
  expect(ended.headers["cache-control"]).toBe("no-store");
  expect(arrived.length).toBe(before);
  const line = await postern.logged(({ event, route }) => event === "request" && route === "/old");
  expect(line).toMatchObject({ deprecated: "ended", reason: "version_ended", rule: "routes[2].deprecated.sunset" });
});

test("a brown-out refuses all but the excepted, an audited one nobody, and a reload ends it", async () => {
  const brownout = `sunset: ${NEXT_YEAR}, brownouts: ['${NOW_FOR_LONG}']`;
  const postern = await start(brownout);
  const refused = await ask(postern, "/v0/orders");
  expect([refused.status, refused.reason]).toEqual([410, "version_brownout"]);
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(3_600);
  const reload = async (ending: string): Promise<void> => {
    const from = postern.log.length;
    postern.write("policy.yaml", policyOf(postern.state, ending)(postern));
    await postern.logged((line) => line["event"] === "reload" && postern.log.indexOf(line) >= from);
  };
  await reload(`${brownout}, except: [{ callers: [acme], until: ${NEXT_YEAR} }]`);
  expect((await ask(postern, "/v0/orders")).status).toBe(200);
  await reload(`${brownout}, except: [{ callers: [globex], until: ${NEXT_YEAR} }]`);
  expect((await ask(postern, "/v0/orders")).reason).toBe("version_brownout");
  await reload(`${brownout}, mode: audit`);
  expect((await ask(postern, "/v0/orders")).status).toBe(200);
  const { body } = await postern.admins("/metrics");
  expect(body).toContain('postern_deprecated_requests_total{route="/v0/**",outcome="brownout"} 3');
  expect(body).toContain('postern_deprecated_requests_total{route="/v0/**",outcome="excepted"} 1');
});

test("who still asks is listed by name, a restart keeps it, and who may forgets them", async () => {
  const first = await start();
  await ask(first, "/v0/orders");
  await ask(first, "/v0/orders");
  await first.call({ path: "/old" });
  const listed = await command(first, "list");
  expect(listed).toMatch(/^\/old: 0 served, 0 excepted, 0 brownout, 1 ended\n/);
  expect(listed).toMatch(/\/v0\/\*\*: 2 served, .*\n {2}last .*\n {2}\d{4}-\S+Z +2 {2}served +partners\/acme\n$/);
  first.process.kill("SIGTERM");
  expect(await first.exited).toBe(0);
  const second = await startIn(first.state);
  await expect.poll(() => command(second, "list", "--route", "/v0/**"), { timeout: 20_000 }).toContain("partners/acme");
  expect(await command(second, "forget", "--route", "/v0/**", "--key", "partners/acme")).toBe(
    "1 caller is forgotten\n",
  );
  expect(await command(second, "list", "--route", "/v0/**")).not.toContain("partners/acme");
  expect(await command(second, "forget", "--route", "/v9", "--all")).toMatch(
    /no deprecated route '\/v9' was asked for/,
  );
});
