// Goal: what real services answer, odd as it may be, reaches the client as one plain answer, and the next request is answered too.
// Method: each service behind one postern, asked over one kept connection. docs/interop.md has a row for each case.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { freePort } from "../fixtures/free-port.ts";
import { testRealCases, using } from "../fixtures/interop-page.ts";
import { writeNginxConf } from "../fixtures/nginx.ts";
import { startPostern } from "../fixtures/postern.ts";
import { PYTHON, startProgram } from "../fixtures/program.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";

const SERVICES = join(import.meta.dirname, "../fixtures/services");
const KINDS = ["gunicorn", "wsgiref", "php", "nginx"] as const;
type Kind = (typeof KINDS)[number];

/** Where each listens, and where postern listens for it. */
const services = new Map<Kind, number>();
const listeners = new Map<Kind, number>();
let folder: string;

beforeAll(async () => {
  for (const kind of KINDS) {
    services.set(kind, await freePort());
    listeners.set(kind, await freePort());
  }
  const listener = (kind: Kind): string =>
    `  - { name: ${kind}, address: '127.0.0.1:${listeners.get(kind)}', upstream: ${kind} }`;
  const upstream = (kind: Kind): string => `  ${kind}: { address: 'http://127.0.0.1:${services.get(kind)}' }`;
  await startPostern(
    0,
    () => `version: 1
service: services
listeners:
${KINDS.map(listener).join("\n")}
upstreams:
${KINDS.map(upstream).join("\n")}
routes:
  - { path: /**, public: true }
`,
  );
  folder = mkdtempSync(join(tmpdir(), "postern-services-"));
  // Started by root, nginx reads its files as somebody else.
  chmodSync(folder, 0o755);
  onClose(() => rmSync(folder, { recursive: true, force: true }));
});
afterAll(closeAll);

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** Asks the service by way of postern, on a connection that is kept: what would stay behind an answer spoils the next. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function ask(kind: Kind, path: string, { method = "GET", headers = {}, body }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const port = listeners.get(kind);
    const sent = request({ host: "127.0.0.1", port, path, method, headers, agent }, (answer) => {
      let text = "";
      answer.setEncoding("latin1").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The same three times, with a sound answer behind each. */
async function expectAnswer(kind: Kind, path: string, expected: object, asked?: Asked): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    expect(await ask(kind, path, asked), path).toMatchObject(expected);
    expect(await ask(kind, "/length"), `behind ${path}`).toMatchObject({ status: 200, body: "whole" });
  }
}

/** Starts a service where postern looks for it, once. */
const started = new Set<Kind>();
async function start(kind: Kind, ...command: [string, ...string[]]): Promise<void> {
  if (started.has(kind)) return;
  started.add(kind);
  const isReady = (): Promise<boolean> => ask(kind, "/length").then(({ status }) => status === 200);
  await startProgram(command, isReady, SERVICES);
}

const startGunicorn = (): Promise<void> =>
  start("gunicorn", "gunicorn", "--workers=1", `--bind=127.0.0.1:${services.get("gunicorn")}`, "odd_app:app");
const startWsgiref = (): Promise<void> => start("wsgiref", PYTHON, "odd_app.py", `${services.get("wsgiref")}`);
const startPhp = (): Promise<void> => start("php", "php", "-S", `127.0.0.1:${services.get("php")}`, "odd-php.php");

/** nginx with a file, and its defaults. */
async function startNginx(): Promise<void> {
  writeFileSync(join(folder, "length"), "whole");
  const file = writeNginxConf(
    folder,
    `listen 127.0.0.1:${services.get("nginx")};
root ${folder};
location = /204 { return 204; }
location = /small { client_max_body_size 1k; proxy_pass http://127.0.0.1:1; }`,
  );
  await start("nginx", "nginx", "-p", folder, "-c", file);
}

const BODILESS = { body: "" };

testRealCases("e2e/what-real-services-answer-passes.test.ts", {
  "204 and 304 with a length, with and without a body: gunicorn": using("gunicorn", async () => {
    await startGunicorn();
    for (const path of ["/204", "/204/body"]) {
      await expectAnswer("gunicorn", path, { status: 204, ...BODILESS });
      expect((await ask("gunicorn", path)).headers).not.toHaveProperty("content-length");
    }
    for (const path of ["/304", "/304/body"]) {
      await expectAnswer("gunicorn", path, { status: 304, headers: { etag: '"1"' }, ...BODILESS });
    }
  }),
  "a body behind the answer to HEAD: gunicorn": using("gunicorn", async () => {
    await startGunicorn();
    const head = { method: "HEAD" };
    await expectAnswer("gunicorn", "/length", { status: 200, headers: { "content-length": "5" }, ...BODILESS }, head);
    await expectAnswer("gunicorn", "/chunks", { status: 200, ...BODILESS }, head);
  }),
  "HTTP/1.0, without a length to the end of the connection: wsgiref": using(PYTHON, async () => {
    await startWsgiref();
    await expectAnswer("wsgiref", "/chunks", { status: 200, body: "whole" });
    await expectAnswer("wsgiref", "/204/body", { status: 204, ...BODILESS });
    await expectAnswer("wsgiref", "/304/body", { status: 304, ...BODILESS });
    await expectAnswer("wsgiref", "/length", { status: 200, ...BODILESS }, { method: "HEAD" });
  }),
  "no length, a body behind 204 and 304, a Host in the answer: `php -S`": using("php", async () => {
    await startPhp();
    await expectAnswer("php", "/", { status: 200, body: "whole" });
    await expectAnswer("php", "/204", { status: 204, ...BODILESS });
    await expectAnswer("php", "/204/body", { status: 204, ...BODILESS });
    await expectAnswer("php", "/304/body", { status: 304, ...BODILESS });
  }),
  "a line end behind the body, blanks before a length: `php -S`": using("php", async () => {
    await startPhp();
    await expectAnswer("php", "/line-end", { status: 200, headers: { "content-length": "5" }, body: "whole" });
    await expectAnswer("php", "/blanks", { status: 200, headers: { "content-length": "5" }, body: "whole" });
  }),
  "HEAD, 204, 304 and 206 of a file: nginx": using("nginx", async () => {
    await startNginx();
    const { headers } = await ask("nginx", "/length");
    const since = { headers: { "if-none-match": `${headers.etag}` } };
    await expectAnswer(
      "nginx",
      "/length",
      { status: 200, headers: { "content-length": "5" }, ...BODILESS },
      { method: "HEAD" },
    );
    await expectAnswer("nginx", "/length", { status: 304, headers: { etag: headers.etag }, ...BODILESS }, since);
    await expectAnswer("nginx", "/length", { status: 206, body: "hol" }, { headers: { range: "bytes=1-3" } });
    await expectAnswer("nginx", "/204", { status: 204, ...BODILESS });
  }),
  "an answer that does not wait for the body, and then the end of the connection: nginx's 413": using(
    "nginx",
    async () => {
      await startNginx();
      await expectAnswer("nginx", "/small", { status: 413 }, { method: "POST", body: Buffer.alloc(2_000_000) });
    },
  ),
  "two framings, two lengths: `php -S`": using("php", async () => {
    await startPhp();
    for (const path of ["/both", "/twice"]) {
      const { status, body } = await ask("php", path);
      expect([status, JSON.parse(body)], path).toMatchObject([502, { reason: "upstream_response_invalid" }]);
      expect(body).not.toContain("whole");
    }
  }),
  // The service writes head and body apart: what is too much may come with the head, behind it, or behind the whole answer.
  "more than announced: `php -S`": using("php", async () => {
    await startPhp();
    for (let turn = 0; turn < 5; turn++) {
      const seen = await ask("php", "/more").catch(({ message }: Error) => message);
      if (typeof seen === "string") expect(seen).toBe("aborted");
      else if (seen.status === 200) expect(seen.body).toBe("whole");
      else expect([seen.status, JSON.parse(seen.body).reason]).toEqual([502, "upstream_response_invalid"]);
      expect(await ask("php", "/")).toMatchObject({ status: 200, body: "whole" });
    }
  }),
});
