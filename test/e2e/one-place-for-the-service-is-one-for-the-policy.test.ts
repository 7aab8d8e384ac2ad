// Goal: no spelling of a path gets past the route that guards what the service answers to it.
// Method: real services with one application, bare and behind a policy that guards three places and opens all else; each
// line of docs/paths.md, and then every spelling at every service: what is guarded must not come back without a key.
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:http2";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { hasRealService, REAL_SERVICES, startRealService, type Understood } from "../fixtures/real-service.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: reports
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
routes:
  - { path: /admin/panel, authenticate: [partners] }
  - { path: /admin.php, authenticate: [partners] }
  - { path: /reports/all, authenticate: [partners] }
  - { path: '/reports/{name}', public: true }
  - { path: /public/**, public: true }
  - { path: /**, public: true }
`;
const caseSensitive = (ports: PolicyPorts): string =>
  policy(ports).replace("routes:", "defaults: { paths: caseSensitive }\nroutes:");

const GUARDED: readonly (string | undefined)[] = ["admin", "all reports", "admin.php"];

/** Spellings that some service, framework or file system takes for one of the guarded places. */
const SPELLINGS = [
  ...[
    "/admin/panel",
    "/admin/panel/",
    "/ADMIN/PANEL",
    "/Admin/panel",
    "/admin/Panel/",
    "/%41dmin/panel",
    "/%61dmin/panel",
  ],
  ...[
    "/admin/panel.",
    "/admin/panel%20",
    "/admin./panel",
    "/adm%C4%B1n/panel",
    "/adm%C4%B0n/panel",
    "/admin/panel.json",
  ],
  ...["/reports/all", "/reports/ALL", "/reports/%41ll", "/reports/all/", "/REPORTS/all", "/report%C5%BF/all"],
  ...["/admin.php", "/admin.php/", "/admin.php/x", "/admin.php/x.css", "/ADMIN.PHP", "/ADMIN.PHP/x", "/admin.php%20"],
  ...[
    "/admin.php.",
    "/admin.php%20/x",
    "/admin.php/admin/panel",
    "/index.php/admin/panel",
    "/index.php/reports/all",
    "/public/../admin/panel",
    "/public/%2e%2e/ADMIN/panel",
  ],
  ...["/admin//panel", "//admin/panel", "/admin/panel;x", "/admin;x/panel", "/admin%2Fpanel", "/admin%5Cpanel"],
  ...[
    "/admin/panel%00",
    "/admin%C0%AFpanel",
    "/%C1%A1dmin/panel",
    "/admin/%E2%80%8Bpanel",
    "/admin/panel%23",
    "/admin/panel%3F",
  ],
];
const METHODS = ["GET", "HEAD", "POST", "PROPFIND", "COPY", "SEARCH", "MKCOL", "get", "Get"];

interface Answer {
  readonly status: number;
  readonly handler: string | undefined;
}

/** The bytes as they are: fetch would make the paths canonical. */
function ask(port: number, path: string, method = "GET", key?: string): Promise<Answer> {
  return new Promise((done, failed) => {
    const headers = key === undefined ? {} : { "X-Api-Key": key };
    const outgoing = request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk;
      });
      response.on("end", () => {
        const understood: Partial<Understood> = body.startsWith("{") ? JSON.parse(body) : {};
        done({ status: response.statusCode ?? 0, handler: understood.handler });
      });
    });
    outgoing.once("error", failed);
    outgoing.end();
  });
}

interface Line {
  readonly path: string;
  readonly kinds: readonly string[];
  readonly handler: string;
  readonly status: number;
  readonly statusCaseSensitive: number;
}

const page = readFileSync(resolve(import.meta.dirname, "../../docs/paths.md"), "utf8");
const LINES: readonly Line[] = [
  ...page.matchAll(/^\| `(\/[^`]*)` \| (.*) \| (.*) \| (\d+)(?:; (\d+) with `caseSensitive`)? \|$/gm),
].map(([, path = "", kinds = "", handler = "", status, otherStatus]) => ({
  path,
  kinds: [...kinds.matchAll(/`([^`]+)`/g)].map(([, kind = ""]) => kind),
  handler,
  status: Number(status),
  statusCaseSensitive: Number(otherStatus ?? status),
}));

test("docs/paths.md has lines of real services", () => {
  expect(LINES.length).toBeGreaterThan(10);
  const known: readonly string[] = REAL_SERVICES;
  expect(LINES.flatMap(({ kinds }) => kinds).filter((kind) => !known.includes(kind))).toEqual([]);
});

describe.for(REAL_SERVICES)("%s", (kind) => {
  let service = 0;
  let postern: Postern;
  beforeAll(async () => {
    if (!hasRealService(kind)) return;
    service = (await startRealService(kind)).port;
    postern = await startPostern(service, policy);
  });
  afterAll(closeAll);

  test("takes paths as docs/paths.md says, and so does postern", async ({ skip }) => {
    skip(!hasRealService(kind), `${kind} is not installed`);
    const lines = LINES.filter(({ kinds }) => kinds.includes(kind));
    const sensitive = lines.some(({ status, statusCaseSensitive: other }) => status !== other)
      ? await startPostern(service, caseSensitive)
      : postern;
    for (const { path, handler, status, statusCaseSensitive } of lines) {
      expect((await ask(service, path)).handler, path).toBe(handler);
      expect((await ask(postern.port, path)).status, path).toBe(status);
      if (status !== statusCaseSensitive)
        expect((await ask(sensitive.port, path)).status, path).toBe(statusCaseSensitive);
    }
  });

  test("answers nothing that is guarded without a key, however it is spelled", async ({ skip }) => {
    skip(!hasRealService(kind), `${kind} is not installed`);
    for (const path of SPELLINGS) {
      const answer = await ask(postern.port, path);
      expect(GUARDED, `${path} → ${answer.handler}`).not.toContain(answer.handler ?? "nothing");
    }
    for (const method of METHODS) {
      for (const path of ["/admin/panel", "/ADMIN/panel", "/admin/panel/"]) {
        const { status } = await ask(postern.port, path, method);
        expect([401, 404, 405], `${method} ${path} → ${status}`).toContain(status);
      }
    }
  });

  test("answers with a key, and everybody what is open", async ({ skip }) => {
    skip(!hasRealService(kind), `${kind} is not installed`);
    const key = "pk_0123456789abcdef0123456789";
    expect(await ask(postern.port, "/admin/panel", "GET", key)).toEqual({ status: 200, handler: "admin" });
    expect(await ask(postern.port, "/reports/all", "GET", key)).toEqual({ status: 200, handler: "all reports" });
    expect(await ask(postern.port, "/reports/Yearly-2026")).toEqual({ status: 200, handler: "report" });
    for (const path of ["/public/Assets/Logo.PNG", "/public/A/", "/else/X.Y", "/reports/one/", "/index.php/x"]) {
      expect(await ask(postern.port, path), path).toEqual(await ask(service, path));
    }
  });
});

test("a :path over HTTP/2 is read as over HTTP/1.1", async () => {
  const { port } = await startPostern(9, (ports) =>
    policy(ports).replace("upstream: app", "upstream: app, protocols: [h2c]"),
  );
  const session = connect(`http://127.0.0.1:${port}`);
  const statusOf = (path: string): Promise<number> =>
    new Promise((done, failed) => {
      const stream = session.request({ ":path": path });
      stream.once("response", (headers) => done(Number(headers[":status"])));
      stream.once("error", failed);
      stream.resume();
    });
  for (const path of ["/ADMIN/panel", "/%41dmin/panel", "/reports/ALL", "/admin.php/x", "/index.php/admin/panel"]) {
    expect(await statusOf(path), path).toBe(404);
  }
  for (const path of ["/admin/panel", "/admin/panel/"]) expect(await statusOf(path), path).toBe(401);
  // Nothing listens there: it was let through.
  expect(await statusOf("/public/ADMIN")).toBe(502);
  session.close();
  await closeAll();
});

test("the log names the other route, and the way out", async () => {
  const postern = await startPostern(9, policy);
  await ask(postern.port, "/reports/ALL");
  expect(await postern.logged((line) => line["reason"] === "route_not_found")).toMatchObject({
    rule: "routes[2]",
    seen: "/reports/ALL, which a service that folds case takes for '/reports/all'",
    wanted: "the path as '/reports/all' spells it, or 'paths: caseSensitive' where the service tells the two apart",
  });
  await ask(postern.port, "/admin.php/x");
  expect(await postern.logged((line) => line["rule"] === "routes[1]")).toMatchObject({
    reason: "route_not_found",
    seen: expect.stringMatching(/^\/admin\.php\/x, .* takes for '\/admin\.php'$/),
    wanted: expect.stringContaining("a route of its own"),
  });
  await closeAll();
});
