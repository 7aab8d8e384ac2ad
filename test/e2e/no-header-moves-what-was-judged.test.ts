// Goal: whatever a header says, the service serves the path, host and method that were judged, to the caller that was.
// Method: real frameworks behind postern; each header that somebody is known to trust, in each spelling that CGI folds.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { isReserved } from "../../src/message/reserved-names.ts";
import { TRUSTED_HEADERS } from "../../src/message/trusted-headers.ts";
import { BUILT } from "../fixtures/built.ts";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";
import { hasRealService, REAL_SERVICES, startRealService, type Understood } from "../fixtures/real-service.ts";

afterEach(closeAll);

/** `/public/**` is public, `/admin/**` wants a scope that nobody has. */
const policy =
  (request = "{}") =>
  ({ port, app }: PolicyPorts): string =>
    `version: 1
service: sample
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
authenticators: { keys: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
defaults: { request: ${request} }
routes:
  - { path: /public/**, public: true }
  - { path: /admin/**, authenticate: [keys], authorize: { scopes: [admin] } }
`;

/** Names that no client's header has behind postern, in the spellings that servers take for one another. */
const SPELLINGS = [
  ...new Set(
    TRUSTED_HEADERS.flatMap(({ names }) => names)
      .map((name) => name.replace(/\*$/, "-x"))
      .flatMap((name) => [name, name.replace(/[^A-Za-z0-9]/g, "_"), name.replace(/[^A-Za-z0-9]/g, ".")])
      // Another spelling of what postern writes itself is refused; lets-no-client-speak-for-postern has those.
      .filter((name) => !isReserved(name.toLowerCase().replace(/[^a-z0-9]/g, "-"))),
  ),
];

/** Below the limit on header lines. */
const BATCH = 80;
const MARK = "/public/spoofed";

async function understood(postern: Postern, headers: Record<string, string>): Promise<Understood> {
  const { status, body } = await postern.call({ path: "/public/page", headers });
  expect(status, body).toBe(200);
  return JSON.parse(body) as Understood;
}

test.for(REAL_SERVICES)("%s sees none of the headers that somebody trusts", async (kind, { skip }) => {
  skip(!hasRealService(kind), `${kind} is not installed`);
  const { port } = await startRealService(kind);
  const postern = await startPostern(port, policy());
  const plain = await understood(postern, { "X-Tenant": "acme" });
  for (let at = 0; at < SPELLINGS.length; at += BATCH) {
    const batch = Object.fromEntries(SPELLINGS.slice(at, at + BATCH).map((name) => [name, MARK]));
    const seen = await understood(postern, batch);
    expect(JSON.stringify(seen)).not.toContain("spoofed");
    const { handler, method, path, root, host, scheme, user } = plain;
    expect(seen).toMatchObject({ handler, method, path, root, host, scheme, user });
  }
});

test("a header that moves the path below gunicorn opens nothing behind postern", async ({ skip }) => {
  for (const kind of ["gunicorn+flask", "gunicorn+django"] as const) {
    skip(!hasRealService(kind), `${kind} is not installed`);
    const { port } = await startRealService(kind);
    const attack = { path: "/public/admin/panel", headers: { SCRIPT_NAME: "/public" } };
    // That it is an attack at all: the service alone obeys.
    expect(await direct(port, attack)).toMatchObject({ handler: "admin" });
    const postern = await startPostern(port, policy());
    expect((await postern.call({ path: "/admin/panel" })).status).toBe(401);
    const behind = JSON.parse((await postern.call(attack)).body) as Understood;
    expect(behind).toMatchObject({ handler: "public", root: "" });
    // A policy that names the header has taken the word for it.
    const named = await startPostern(port, policy("{ keepHeaders: [SCRIPT_NAME] }"));
    expect(JSON.parse((await named.call(attack)).body)).toMatchObject({ handler: "admin" });
  }
});

test("with the policy of 'postern init' a key for /v1 reaches nothing beside it", async ({ skip }) => {
  skip(!hasRealService("gunicorn+flask"), "gunicorn+flask is not installed");
  const { port } = await startRealService("gunicorn+flask");
  const folder = mkdtempSync(join(tmpdir(), "postern-init-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  const init = spawnSync(process.execPath, [BUILT, "init", folder], { encoding: "utf8" });
  const key = /X-Api-Key: ([\w-]+)/.exec(init.stdout)?.[1] ?? "";
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const names = ["keys.yaml", "tls/ca.crt", "tls/tls.crt", "tls/tls.key", "issuer.jwks.json"];
  const postern = await startPostern(
    port,
    (ports) =>
      read("policy.yaml")
        .replace(":8443", `:${ports.port}`)
        .replace(":3000", `:${ports.app}`)
        .replace(":9901", `:${ports.admin}`),
    Object.fromEntries(names.map((name) => [name, read(name)])),
  );
  const attack = { path: "/v1/admin/panel", headers: { "X-Api-Key": key, SCRIPT_NAME: "/v1" } };
  expect(await direct(port, attack)).toMatchObject({ handler: "admin" });
  const status = await new Promise((done, failed) => {
    const ask = { host: "127.0.0.1", port: postern.port, servername: "localhost", ca: read("tls/ca.crt"), ...attack };
    const request = httpsRequest({ ...ask, agent: false }, (response) => {
      response.resume();
      done(response.statusCode);
    });
    request.once("error", failed);
    request.end();
  });
  expect(status).toBe(404);
});

test("COPY writes nowhere but where it was judged", async ({ skip }) => {
  skip(!hasRealService("nginx"), "nginx is not installed");
  const { port, folder } = await startDav();
  const route = "  - { path: /files/**, methods: [COPY, GET], public: true }\n";
  const copying = (request: string) => (ports: PolicyPorts) =>
    policy(request)(ports).replace("routes:\n", `routes:\n${route}`);
  const secret = (): string => readFileSync(join(folder, "admin/panel"), "utf8");
  const attack = { method: "COPY", path: "/files/a", headers: { Destination: "/admin/panel" } };
  const postern = await startPostern(port, copying("{}"));
  expect((await postern.call(attack)).status).toBe(400);
  expect(secret()).toBe("secret");
  const named = await startPostern(port, copying("{ keepHeaders: [Destination] }"));
  expect((await named.call(attack)).status).toBe(204);
  expect(secret()).toBe("attack");
});

/** What the service understands of a request that no postern has judged. */
function direct(port: number, ask: { path: string; headers: Record<string, string> }): Promise<unknown> {
  return new Promise((done, failed) => {
    const request = httpRequest({ host: "127.0.0.1", port, ...ask, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk;
      });
      response.on("end", () => done(JSON.parse(body)));
    });
    request.once("error", failed);
    request.end();
  });
}

/** nginx with its WebDAV module over a folder of two files. */
async function startDav(): Promise<{ port: number; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), "postern-dav-"));
  for (const [name, content] of [
    ["files/a", "attack"],
    ["admin/panel", "secret"],
  ] as const) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const port = await freePort();
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; worker_processes 1; error_log stderr; pid ${folder}/pid; events { worker_connections 64; }
user root;
http {
  access_log off;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  server { listen 127.0.0.1:${port}; root ${folder}; location / { dav_methods PUT DELETE COPY MOVE; } }
}
`,
  );
  const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin` };
  const child = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "ignore", env });
  onClose(() => {
    child.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually(() =>
    fetch(`http://127.0.0.1:${port}/files/a`).then(
      (response) => response.ok,
      () => false,
    ),
  );
  return { port, folder };
}
