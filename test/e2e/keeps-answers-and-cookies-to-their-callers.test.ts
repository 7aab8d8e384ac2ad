// Goal: cookies of real services leave with the flags of the policy and still work, and a shared cache before postern hands no
// caller another's answer.
// Method: Flask, PHP and Express with their sessions behind postern, over HTTP/1.1 and HTTP/2; and nginx with a cache in front.
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../fixtures/free-port.ts";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import { writeNginxConf } from "../fixtures/nginx.ts";
import { startPostern, startService } from "../fixtures/postern.ts";
import { startProgram } from "../fixtures/program.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";
import { type RealServiceKind, startRealService } from "../fixtures/real-service.ts";

const KINDS = ["gunicorn+flask", "php", "express"] as const satisfies readonly RealServiceKind[];
type Kind = (typeof KINDS)[number];

/** What each calls its session. */
const SESSIONS: Readonly<Record<Kind, string>> = {
  "gunicorn+flask": "session",
  php: "PHPSESSID",
  express: "connect.sid",
};
const KEYS = { ada: "pk_of_ada_of_the_tests_00000001", ben: "pk_of_ben_of_the_tests_00000002" };

const ports = new Map<Kind, { readonly h1: number; readonly h2: number }>();
let nginx = 0;

beforeAll(async () => {
  const services = new Map<Kind, number>();
  for (const kind of KINDS) {
    services.set(kind, (await startRealService(kind)).port);
    ports.set(kind, { h1: await freePort(), h2: await freePort() });
  }
  const inner = await startService(({ headers }, response) => {
    response.setHeader("Content-Type", "application/json");
    response.setHeader("Cache-Control", "public, max-age=600");
    response.setHeader("X-Accel-Expires", "600");
    response.setHeader("ETag", '"1"');
    response.end(JSON.stringify({ caller: headers["x-user"] }));
    return true;
  });
  const cached = await freePort();
  const listeners = KINDS.flatMap((kind, at) => [
    `  - { name: plain-${at}, address: '127.0.0.1:${ports.get(kind)?.h1}', upstream: service-${at} }`,
    `  - { name: multiplexed-${at}, address: '127.0.0.1:${ports.get(kind)?.h2}', protocols: [h2c], upstream: service-${at} }`,
  ]);
  const upstreams = KINDS.map((kind, at) => `  service-${at}: { address: 'http://127.0.0.1:${services.get(kind)}' }`);
  const callers = Object.entries(KEYS).map(([name, key]) => {
    const sha256 = createHash("sha256").update(key).digest("hex");
    return `  - { name: ${name}, keys: [{ sha256: ${sha256} }] }`;
  });
  await startPostern(
    inner.port,
    ({ app }) => `version: 1
service: sessions
listeners:
${listeners.join("\n")}
  - { name: cached, address: '127.0.0.1:${cached}', upstream: app }
upstreams:
${upstreams.join("\n")}
  app: { address: 'http://127.0.0.1:${app}' }
authenticators: { keys: { type: api-key, header: X-Key, keys: keys.yaml } }
identity: { headers: { X-User: principal.id } }
routes:
  - { path: /session, public: true, response: { cookies: [{ names: [theme], secure: true }, { secure: true, httpOnly: true, sameSite: Lax }] } }
  - { path: /public/page, public: true }
  - { path: /own, authenticate: [keys] }
  - { path: /same-for-all, authenticate: [keys], response: { cache: shared } }
`,
    { "keys.yaml": `callers:\n${callers.join("\n")}\n` },
  );
  nginx = await freePort();
  await startCache(nginx, cached);
});
afterAll(closeAll);

async function startCache(port: number, behind: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "postern-cache-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  const file = writeNginxConf(
    folder,
    `listen 127.0.0.1:${port};
location / {
  proxy_pass http://127.0.0.1:${behind};
  proxy_cache answers;
  add_header X-Cache $upstream_cache_status;
}`,
  );
  const zone = `proxy_cache_path ${folder}/cache keys_zone=answers:1m;`;
  writeFileSync(
    file,
    `user root;\n${readFileSync(file, "utf8").replace("access_log off;", `access_log off;\n  ${zone}`)}`,
  );
  const isReady = (): Promise<boolean> =>
    ask(port, "/own").then(
      ({ status }) => status === 401,
      () => false,
    );
  await startProgram(["nginx", "-p", folder, "-c", file], isReady, folder);
}

interface Answer {
  readonly status: number;
  readonly cookies: readonly string[];
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function ask(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((done, failed) => {
    get({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        body += piece;
      });
      response.on("error", failed);
      response.on("end", () => {
        const cookies = response.headers["set-cookie"] ?? [];
        done({ status: response.statusCode ?? 0, cookies, headers: response.headers, body });
      });
    }).on("error", failed);
  });
}

async function askBy(protocol: "h1" | "h2", kind: Kind, path: string, cookie: string): Promise<Answer> {
  const port = ports.get(kind)?.[protocol] ?? 0;
  const sent: Record<string, string> = cookie === "" ? {} : { cookie };
  if (protocol === "h1") return ask(port, path, sent);
  const { status, headers, body } = await askH2(openH2(port), { ":path": path, ...sent });
  return { status, cookies: headers["set-cookie"] ?? [], headers, body };
}

describe.each(KINDS)("%s", (kind) => {
  test.each(["h1", "h2"] as const)(
    "sessions hold over %s, in cookies with the flags of the policy",
    async (protocol) => {
      const first = await askBy(protocol, kind, "/session", "");
      expect(JSON.parse(first.body)).toEqual({ times: 1 });
      const session = first.cookies.find((line) => line.startsWith(`${SESSIONS[kind]}=`)) ?? "";
      const flags = session.split("; ").map((flag) => flag.toLowerCase());
      expect(flags).toEqual(expect.arrayContaining(["path=/", "secure", "httponly", "samesite=lax"]));
      expect(new Set(flags).size).toBe(flags.length);
      const theme = first.cookies.find((line) => line.startsWith("theme="));
      // Each framework's date has its comma, and no flag that nobody asked for.
      expect(theme).toMatch(/^theme=dark;.*expires=Wed, 18 May 2033 03:33:20 GMT.*; Secure$/i);
      expect(theme).not.toMatch(/httponly|samesite/i);
      expect(first.cookies).toHaveLength(2);
      const again = await askBy(protocol, kind, "/session", session.split(";")[0] ?? "");
      expect(JSON.parse(again.body)).toEqual({ times: 2 });
    },
  );

  test("an answer with cookies is no shared cache's", async () => {
    const { headers } = await askBy("h1", kind, "/session", "");
    expect(headers["cache-control"]).toMatch(/no-store|private/);
  });
});

describe("nginx keeps answers before postern", () => {
  const askCache = async (path: string, caller: keyof typeof KEYS) => {
    const { status, headers, body } = await ask(nginx, path, { "X-Key": KEYS[caller] });
    return { status, from: headers["x-cache"], said: headers["cache-control"], vary: headers["vary"], body };
  };

  test("each caller gets its own answer, though the service called it public", async () => {
    for (const caller of ["ada", "ben", "ada"] as const) {
      expect(await askCache("/own", caller)).toEqual({
        status: 200,
        from: "MISS",
        said: "private, max-age=600",
        vary: "x-key",
        body: `{"caller":"${caller}"}`,
      });
    }
  });

  test("where the policy says so, an answer is kept for all", async () => {
    const said = { status: 200, said: "public, max-age=600", vary: undefined, body: '{"caller":"ada"}' };
    expect(await askCache("/same-for-all", "ada")).toEqual({ ...said, from: "MISS" });
    expect(await askCache("/same-for-all", "ben")).toEqual({ ...said, from: "HIT" });
  });
});
