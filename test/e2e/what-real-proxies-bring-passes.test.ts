// Goal: postern stands behind the usual load balancers with the settings that people have.
// Method: HAProxy and nginx before one postern; the service notes what arrives. docs/interop.md has a row for each case.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { testRealCases, using } from "../fixtures/interop-page.ts";
import { writeNginxConf } from "../fixtures/nginx.ts";
import { type Arrived, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { runProgram, startProgram } from "../fixtures/program.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";

let service: Service;
let postern: Postern;
let folder: string;

beforeAll(async () => {
  service = await startService();
  postern = await startPostern(
    service.port,
    ({ port, app }) => `version: 1
service: proxied
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', trustedProxies: [127.0.0.1], upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
routes:
  - { path: /**, public: true }
  - { path: /named, hosts: [orders.example], public: true }
`,
  );
  folder = mkdtempSync(join(tmpdir(), "postern-proxies-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
});
afterAll(closeAll);

const arrived = (path: string): Arrived[] => service.arrived.filter(({ url }) => url === path);

/** Whether something answers there with a status below 500. */
const answers = (url: string) => (): Promise<boolean> =>
  fetch(url).then(
    (answer) => answer.arrayBuffer().then(() => answer.status < 500),
    () => false,
  );

/** A request with each method, ten at a time: with a body, with one in chunks, without. */
async function exchange(base: string): Promise<void> {
  const send = async (method: string, body?: string | ReadableStream): Promise<void> => {
    const answer = await fetch(`${base}/${method}`, {
      method,
      ...(body === undefined ? {} : { body, duplex: "half" }),
    });
    expect(answer.status, method).toBe(200);
    expect(await answer.text(), method).toBe(method === "HEAD" ? "" : '{"ok":true}');
  };
  const chunks = (): ReadableStream => new Blob(["hel", "lo"]).stream();
  const turns = Array.from({ length: 10 }, () => [
    send("GET"),
    send("HEAD"),
    send("POST", "hello"),
    send("PUT", chunks()),
  ]);
  await Promise.all(turns.flat());
  const { pathname } = new URL(base);
  for (const method of ["GET", "HEAD"]) expect(arrived(`${pathname}/${method}`)).toHaveLength(10);
  for (const method of ["POST", "PUT"]) {
    expect(arrived(`${pathname}/${method}`).map(({ body }) => body)).toEqual(Array(10).fill("hello"));
  }
}

/** HAProxy in front, with further lines for its only server; gives its port, and what its statistics say of the server. */
async function startHaproxy(lines: string): Promise<{ port: number; check(): Promise<string> }> {
  const [port, stats] = [await freePort(), await freePort()];
  const file = join(folder, `haproxy-${port}.cfg`);
  writeFileSync(
    file,
    `defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
  timeout check 5s
listen through
  bind 127.0.0.1:${port}
  option forwardfor
${lines.replaceAll(/^/gm, "  ")}
  server postern 127.0.0.1:${postern.port} check inter 100ms
listen stats
  bind 127.0.0.1:${stats}
  stats enable
  stats uri /stats
`,
  );
  await startProgram(["haproxy", "-db", "-f", file], answers(`http://127.0.0.1:${stats}/stats;csv`));
  const check = async (): Promise<string> => {
    const [head = "", ...rows] = (await (await fetch(`http://127.0.0.1:${stats}/stats;csv`)).text()).split("\n");
    const row = rows.find((line) => line.startsWith("through,postern,")) ?? "";
    return row.split(",")[head.split(",").indexOf("check_status")] ?? "";
  };
  return { port, check };
}

/** nginx in front, with further lines for the place where it proxies, and for its server. */
async function startNginx(lines: string, serverLines = ""): Promise<string> {
  const port = await freePort();
  const own = mkdtempSync(join(folder, "nginx-"));
  const place = `location / { proxy_pass http://127.0.0.1:${postern.port}; ${lines} }`;
  const file = writeNginxConf(own, `listen 127.0.0.1:${port};\n${serverLines}\n${place}`);
  const base = `http://127.0.0.1:${port}`;
  await startProgram(["nginx", "-p", own, "-c", file], answers(`${base}/ready`));
  return base;
}

testRealCases("e2e/what-real-proxies-bring-passes.test.ts", {
  "a health check in HTTP/1.0 without Host: HAProxy's `option httpchk`": using("haproxy", async () => {
    const { port, check } = await startHaproxy("option httpchk");
    await eventually(async () => /^(?:\* )?L7OK$/.test(await check()));
    expect(arrived("/")[0]).toMatchObject({ method: "OPTIONS", headers: { host: `127.0.0.1:${postern.app}` } });
    await exchange(`http://127.0.0.1:${port}/haproxy`);
    expect(arrived("/haproxy/GET")[0]?.headers["x-forwarded-for"]).toBe("127.0.0.1, 127.0.0.1");
  }),
  "a health check with a Host of its own: HAProxy's `http-check send`": using("haproxy", async () => {
    const { check } = await startHaproxy(
      "option httpchk\nhttp-check send meth GET uri /named ver HTTP/1.1 hdr Host orders.example",
    );
    await eventually(async () => /^(?:\* )?L7OK$/.test(await check()));
    expect(arrived("/named")[0]).toMatchObject({ method: "GET", headers: { host: "orders.example" } });
  }),
  "a health check without a path: HAProxy's `option httpchk OPTIONS *`": using("haproxy", async () => {
    const { check } = await startHaproxy("option httpchk OPTIONS *");
    await eventually(async () => /^(?:\* )?L7STS$/.test(await check()));
    const line = await postern.logged(({ event, reason }) => event === "request" && reason === "target_ambiguous");
    expect(line).toMatchObject({ status: 400, seen: "asterisk or authority form" });
  }),
  "HTTP/1.0 with `Connection: close`: nginx's `proxy_pass` as it is": using("nginx", async () => {
    await exchange(`${await startNginx("")}/nginx`);
    expect(arrived("/nginx/GET")[0]?.headers.host).toBe(`127.0.0.1:${postern.port}`);
  }),
  "`Connection: upgrade` without Upgrade: nginx with the usual lines for WebSockets": using("nginx", async () => {
    const upgrade = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;";
    await exchange(`${await startNginx(`proxy_http_version 1.1; ${upgrade}`)}/upgrade`);
    expect(arrived("/upgrade/GET")[0]?.headers).not.toHaveProperty("upgrade");
  }),
  "`wss`, `HTTPS`, `ws` and no scheme in X-Forwarded-Proto: nginx": using("nginx", async () => {
    for (const [word, scheme] of Object.entries({ wss: "https", HTTPS: "https", ws: "http", gopher: "http" })) {
      const base = await startNginx(`proxy_set_header X-Forwarded-Proto ${word};`);
      expect((await fetch(`${base}/scheme/${word}`)).status).toBe(200);
      expect(arrived(`/scheme/${word}`)[0]?.headers["x-forwarded-proto"], word).toBe(scheme);
    }
  }),
  "`unix:` in X-Forwarded-For: nginx that listens on a socket": using("nginx", async () => {
    const socket = join(folder, "front.sock");
    await startNginx("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", `listen unix:${socket};`);
    const told = await runProgram(["curl", "--silent", "--unix-socket", socket, "http://a/over-socket"]);
    expect(told).toBe('{"ok":true}');
    const headers = arrived("/over-socket")[0]?.headers;
    expect(headers?.["x-forwarded-for"]).toBe("127.0.0.1");
    const line = await postern.logged(({ path }) => path === "/over-socket");
    expect(line).toMatchObject({ status: 200, client: "unknown" });
  }),
});
