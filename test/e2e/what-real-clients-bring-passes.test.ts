// Goal: what real clients and proxies send, odd as it may be, reaches the service as one plain request.
// Method: each of them against one postern; the service notes what arrives. docs/interop.md has a row for each case.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { sendUnaryData } from "@grpc/grpc-js";
import { Client } from "undici";
import { afterAll, beforeAll, expect } from "vitest";
import { freePort } from "../fixtures/free-port.ts";
import { startGrpcService } from "../fixtures/grpc.ts";
import { type RealCase, testRealCases, using } from "../fixtures/interop-page.ts";
import { type Arrived, type Postern, type Service, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { environment, PYTHON, runProgram } from "../fixtures/program.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";

const CLIENTS = join(import.meta.dirname, "../fixtures/clients");
const BIG = 2_000_000;

let service: Service;
let postern: Postern;
/** What the clients read, what is built for them, and the socket. */
let folder: string;
let clear: string;
let secure: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "postern-clients-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  service = await startService((request, response) => {
    // With its length, as HTTP/1.0 needs it to keep a connection.
    if (request.url === "/ab") response.end('{"ok":true}');
    return request.url === "/ab";
  });
  const grpc = await startGrpcService({
    unary: (call: { request: Buffer }, reply: sendUnaryData<Buffer>) => reply(null, Buffer.from(`re: ${call.request}`)),
  });
  const tlsPort = await freePort();
  postern = await startPostern(
    service.port,
    ({ port, app }) => `version: 1
service: clients
listeners:
  - { name: clear, address: '127.0.0.1:${port}', upstream: app }
  - { name: secure, address: '127.0.0.1:${tlsPort}', upstream: app, tls: { certificate: server.pem, key: server.key } }
  - { name: socket, address: 'unix:${join(folder, "grpc.sock")}', protocols: [h2c, http/1.1], upstream: grpc }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
  grpc: { address: 'h2c://127.0.0.1:${grpc}' }
routes:
  - { path: /**, public: true }
`,
  );
  writeFileSync(join(folder, "ca.pem"), (await theWorld()).pki.ca.certificate);
  clear = `http://127.0.0.1:${postern.port}`;
  secure = `https://localhost:${tlsPort}`;
});
afterAll(closeAll);

/** What reached the service of one path. */
function arrived(path: string): Arrived[] {
  return service.arrived.filter(({ url }) => url === path);
}

function only(path: string): Arrived {
  const requests = arrived(path);
  expect(requests, path).toHaveLength(1);
  return requests[0] as Arrived;
}

/** None of the headers that are between a client and its next hop. */
function expectPlain({ headers }: Arrived): void {
  const names = ["upgrade", "http2-settings", "connection", "expect", "keep-alive", "proxy-connection", "te"];
  for (const name of names) expect(headers, name).not.toHaveProperty(name);
}

/** curl, with what it got: status, version, body. */
async function curl(...args: string[]): Promise<string> {
  const written = ["--write-out", "%{http_code} %{http_version} ", "--cacert", join(folder, "ca.pem")];
  return runProgram(["curl", "--silent", "--show-error", "--max-time", "20", ...written, ...args]);
}

const CURL: Readonly<Record<string, RealCase>> = {
  "an offer of h2c, with and without a body: `curl --http2`": using("curl", async () => {
    expect(await curl("--http2", `${clear}/curl/offer`)).toBe('{"ok":true}200 1.1 ');
    expect(await curl("--http2", "--data", "hi", `${clear}/curl/offer/post`)).toBe('{"ok":true}200 1.1 ');
    expectPlain(only("/curl/offer"));
    expectPlain(only("/curl/offer/post"));
    expect(only("/curl/offer/post").body).toBe("hi");
  }),
  "HTTP/1.0, and HTTP/1.0 without Host: `curl --http1.0`": using("curl", async () => {
    expect(await curl("--http1.0", `${clear}/curl/1.0`)).toBe('{"ok":true}200 1.1 ');
    expect(await curl("--http1.0", "--header", "Host:", `${clear}/curl/hostless`)).toBe('{"ok":true}200 1.1 ');
    expect(only("/curl/1.0").headers.host).toBe(`127.0.0.1:${postern.port}`);
    expect(only("/curl/hostless").headers.host).toBe(`127.0.0.1:${postern.app}`);
  }),
  "HTTP/1.0 by ALPN: `curl --http1.0` with TLS": using("curl", async () => {
    const told = await curl("--http1.0", "--verbose", "--stderr", "-", `${secure}/curl/alpn`);
    expect(told).toMatch(/ALPN: server accepted http\/1\.0/);
    expect(told).toMatch(/200 1\.1 $/);
    only("/curl/alpn");
  }),
  "a HEAD: `curl --head`": using("curl", async () => {
    expect(await curl("--head", `${clear}/curl/head`)).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)+\r\n200 1\.1 $/);
    expect(only("/curl/head")).toMatchObject({ method: "HEAD", body: "" });
  }),
  "a big body behind `Expect: 100-continue`: `curl --data-binary`": using("curl", async () => {
    writeFileSync(join(folder, "big"), "x".repeat(BIG));
    const told = await curl(
      "--expect100-timeout",
      "15",
      "--data-binary",
      `@${join(folder, "big")}`,
      `${clear}/curl/big`,
    );
    expect(told).toBe('{"ok":true}200 1.1 ');
    expectPlain(only("/curl/big"));
    expect(only("/curl/big").body).toHaveLength(BIG);
  }),
  "a GET with an empty body in chunks: `curl --request GET --upload-file -`": using("curl", async () => {
    const empty = ["--request", "GET", "--upload-file", "-", "--header", "Expect:"];
    expect(await curl(...empty, `${clear}/curl/empty`)).toBe('{"ok":true}200 1.1 ');
    expect(only("/curl/empty").headers).not.toHaveProperty("transfer-encoding");
  }),
  "an empty Expect, an empty port in Host: `curl --header`": using("curl", async () => {
    const odd = ["--header", "Expect;", "--header", "Host: orders.example:"];
    expect(await curl(...odd, `${clear}/curl/odd`)).toBe('{"ok":true}200 1.1 ');
    expectPlain(only("/curl/odd"));
    expect(only("/curl/odd").headers.host).toBe("orders.example");
  }),
  "escapes of reserved characters, and of others: `curl`": using("curl", async () => {
    const asked = {
      "/foo%2Bbar": "/foo%2Bbar",
      "/a%2cb,c": "/a%2Cb,c",
      "/foo%3Acancel": "/foo%3Acancel",
      "/%61%2Eb": "/a.b",
    };
    for (const [path, arrives] of Object.entries(asked)) {
      expect(await curl(`${clear}/curl${path}`)).toBe('{"ok":true}200 1.1 ');
      only(`/curl${arrives}`);
    }
  }),
  "quotes and angle brackets in a query: `curl --globoff`": using("curl", async () => {
    expect(await curl("--globoff", `${clear}/curl/raw?query=up{job="a"}&q=<b>`)).toBe('{"ok":true}200 1.1 ');
    only("/curl/raw?query=up{job=%22a%22}&q=%3Cb%3E");
  }),
  "an absolute target, `Proxy-Connection`: `curl --proxy`": using("curl", async () => {
    expect(await curl("--proxy", clear, "http://orders.example/curl/proxied")).toBe('{"ok":true}200 1.1 ');
    expect(only("/curl/proxied").headers.host).toBe("orders.example");
    expectPlain(only("/curl/proxied"));
  }),
  "TE: `curl --tr-encoding`": using("curl", async () => {
    expect(await curl("--tr-encoding", `${clear}/curl/te`)).toBe('{"ok":true}200 1.1 ');
    expectPlain(only("/curl/te"));
  }),
  "bytes beyond ASCII, and nothing, in headers: `curl --header`": using("curl", async () => {
    const odd = ["--header", "X-Name: Jürgen", "--header", "X-Empty;"];
    expect(await curl(...odd, `${clear}/curl/bytes`)).toBe('{"ok":true}200 1.1 ');
    const { headers } = only("/curl/bytes");
    expect([Buffer.from(`${headers["x-name"]}`, "latin1").toString(), headers["x-empty"]]).toEqual(["Jürgen", ""]);
  }),
  "a GET with chunks behind `Expect: 100-continue`: `curl --request GET --upload-file -`": using("curl", async () => {
    const told = await curl("--request", "GET", "--upload-file", "-", `${clear}/curl/unknown`);
    expect(told).toMatch(/"reason":"request_malformed".*400 1\.1 $/);
    expect(arrived("/curl/unknown")).toEqual([]);
  }),
  "an escaped slash, an empty segment, a `;` in a path: `curl`": using("curl", async () => {
    for (const path of ["/a%2Fb", "//a", "/a;b"]) {
      expect(await curl(`${clear}/curl/two${path}`)).toMatch(/"reason":"target_ambiguous".*400 1\.1 $/);
    }
    expect(service.arrived.filter(({ url }) => url.startsWith("/curl/two"))).toEqual([]);
  }),
  "TLS 1.2 and 1.3: `curl --tls-max`": using("curl", async () => {
    for (const version of ["1.2", "1.3"]) {
      const told = await curl("--tls-max", version, "--verbose", "--stderr", "-", `${secure}/curl/tls`);
      expect(told).toContain(`SSL connection using TLSv${version}`);
    }
    expect(arrived("/curl/tls")).toHaveLength(2);
  }),
  "TLS 1.1: `curl --tls-max 1.1`": using("curl", async () => {
    // Debian's own level would not even let curl offer it.
    const old = ["--tls-max", "1.1", "--tlsv1.1", "--ciphers", "DEFAULT:@SECLEVEL=0"];
    await expect(curl(...old, `${secure}/curl/old-tls`)).rejects.toThrow(/alert protocol version/);
    expect(arrived("/curl/old-tls")).toEqual([]);
  }),
  "an empty Host in HTTP/1.1: `curl --header 'Host;'`": using("curl", async () => {
    expect(await curl("--header", "Host;", `${clear}/curl/no-host`)).toMatch(/"reason":"host_invalid".*400 1\.1 $/);
    expect(arrived("/curl/no-host")).toEqual([]);
  }),
  "a GET with a body: `curl --request GET --data`": using("curl", async () => {
    const told = await curl("--request", "GET", "--data", "{}", `${clear}/curl/get-body`);
    expect(told).toMatch(/"reason":"request_malformed".*400 1\.1 $/);
    expect(arrived("/curl/get-body")).toEqual([]);
  }),
};

const LIBRARIES: Readonly<Record<string, RealCase>> = {
  "an offer of h2c in every first request, HTTP/2 with TLS: Java's HttpClient": using("javac", async () => {
    const store = join(folder, "trusted.p12");
    const importing = ["-importcert", "-noprompt", "-alias", "ca", "-file", join(folder, "ca.pem")];
    const kept = ["-keystore", store, "-storetype", "PKCS12", "-storepass", "changeit"];
    execFileSync("keytool", [...importing, ...kept], { stdio: "ignore" });
    const trust = [`-Djavax.net.ssl.trustStore=${store}`, "-Djavax.net.ssl.trustStorePassword=changeit"];
    // One short run: nothing is worth optimising, and the other core is somebody else's.
    const lean = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
    const told = await runProgram(["java", ...lean, ...trust, join(CLIENTS, "Client.java"), clear, secure]);
    expect(
      told
        .trimEnd()
        .split("\n")
        .map((line) => line.trimEnd()),
    ).toEqual([
      'http/java/get HTTP_1_1 200 {"ok":true}',
      "http/java/head HTTP_1_1 200",
      'http/java/post HTTP_1_1 200 {"ok":true}',
      'http/java/expected HTTP_1_1 200 {"ok":true}',
      'http/java/again HTTP_1_1 200 {"ok":true}',
      'https/java/get HTTP_2 200 {"ok":true}',
      'https/java/post HTTP_2 200 {"ok":true}',
    ]);
    const requests = service.arrived.filter(({ url }) => url.startsWith("/java/"));
    for (const request of requests) expectPlain(request);
    expect(requests.filter(({ method }) => method === "POST").map(({ body }) => body)).toEqual([
      "hello",
      "hello",
      "hello",
    ]);
  }),
  "chunks, `Expect: 100-continue`, HEAD, over HTTP/1.1 and HTTP/2: Go's net/http": using("go", async () => {
    const binary = join(folder, "go-client");
    const env = { ...environment(), GO111MODULE: "off", CGO_ENABLED: "0" };
    execFileSync("go", ["build", "-o", binary, join(CLIENTS, "client.go")], { env });
    const told = await runProgram([binary, clear, secure, join(folder, "ca.pem")]);
    const answers = (version: string): string[] => [
      `GET ${version} 200 {"ok":true}`,
      `HEAD ${version} 200 `,
      ...["POST", "PUT", "DELETE"].map((method) => `${method} ${version} 200 {"ok":true}`),
    ];
    expect(told).toBe(`${[...answers("HTTP/1.1"), ...answers("HTTP/2.0")].join("\n")}\n`);
    expect(arrived("/go/chunked").map(({ body }) => body)).toEqual(["hello", "hello"]);
    expect(arrived("/go/expected").map(({ body }) => body.length)).toEqual([300_000, 300_000]);
    expect(arrived("/go/expected").every(({ headers }) => headers["expect"] === undefined)).toBe(true);
  }),
  "chunks, an empty body with a length in a GET, HTTP/1.0 without Host: Python's http.client": using(
    PYTHON,
    async () => {
      const told = await runProgram([PYTHON, join(CLIENTS, "client.py"), `${postern.port}`]);
      const answered = (name: string): string => `${name} 200 {"ok":true}`;
      expect(told.split("\n")).toEqual([
        answered("GET"),
        "HEAD 200 ",
        answered("POST"),
        answered("POST"),
        answered("GET"),
        answered("urllib"),
        answered("GET"),
        "",
      ]);
      expect(["post", "chunked", "urllib"].map((name) => only(`/python/${name}`).body)).toEqual([
        "hello",
        "hello",
        "hello",
      ]);
      expect(only("/python/old").headers.host).toBe(`127.0.0.1:${postern.app}`);
    },
  ),
  "a body of unknown length, many at once: `fetch` of node": using("node", async () => {
    const body = (): ReadableStream => new Blob(["hel", "lo"]).stream();
    const post = (): Promise<Response> =>
      fetch(`${clear}/fetch/post`, { method: "POST", body: body(), duplex: "half" });
    const answers = await Promise.all(Array.from({ length: 10 }, post));
    for (const answer of answers) expect(await answer.json()).toEqual({ ok: true });
    expect(arrived("/fetch/post").map((request) => request.body)).toEqual(Array(10).fill("hello"));
    const head = await fetch(`${clear}/fetch/head`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  }),
  "requests before the answers to the last: undici with `pipelining`": using("node", async () => {
    const client = new Client(clear, { pipelining: 10 });
    onClose(() => void client.destroy());
    const paths = Array.from({ length: 20 }, (_, at) => `/undici/${at}`);
    const answers = await Promise.all(paths.map((path) => client.request({ method: "GET", path })));
    for (const { statusCode, body } of answers) expect([statusCode, await body.json()]).toEqual([200, { ok: true }]);
    for (const path of paths) only(path);
  }),
  "what URL code leaves raw in paths and queries: `fetch` of node": using("node", async () => {
    expect((await fetch(`${clear}/fetch/a|b[c]?q=x|y\\z&part=100%`)).status).toBe(200);
    only("/fetch/a%7Cb%5Bc%5D?q=x|y%5Cz&part=100%25");
  }),
  "an `:authority` that is no host, over a Unix socket: grpcio": {
    needs: `${PYTHON} -c 'import grpc'`,
    run: async () => {
      const socket = join(folder, "grpc.sock");
      for (const authority of ["", encodeURIComponent(socket)]) {
        const told = await runProgram([PYTHON, join(CLIENTS, "grpc_client.py"), socket, authority]);
        expect(told, authority).toBe("re: first\nre: second\n");
      }
    },
  },
  "HTTP/1.0, its connection closed or kept: `ab`": using("ab", async () => {
    for (const kept of [[], ["-k"]]) {
      const told = await runProgram(["ab", ...kept, "-n", "50", "-c", "5", `${clear}/ab`]);
      expect(told).toMatch(/Complete requests: +50\nFailed requests: +0\n/);
      expect(told).not.toContain("Non-2xx");
      if (kept.length > 0) expect(told).toMatch(/Keep-Alive requests: +50\n/);
    }
    expect(arrived("/ab")).toHaveLength(100);
  }),
};

testRealCases("e2e/what-real-clients-bring-passes.test.ts", { ...CURL, ...LIBRARIES });
