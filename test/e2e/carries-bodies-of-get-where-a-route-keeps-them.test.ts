// Goal: a service that is asked by a GET with a body gets it, where its route says so and nowhere else. Method: search services
// in node:http, Flask and Go behind one postern; curl, undici and Python's http.client ask them, over HTTP/1.1 and HTTP/2.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import { type Postern, type Service, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { environment, PYTHON, runProgram, startProgram, works } from "../fixtures/program.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

const QUERY = '{"query":{"match":{"title":"gate"}}}';

const FLASK = `
import sys
from flask import Flask, request
app = Flask(__name__)
@app.get("/flask/_search")
def search():
    return {"method": request.method, "asked": request.get_data(as_text=True)}
app.run(port=int(sys.argv[1]))
`;

const GO = `package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/go/_search", func(writer http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		json.NewEncoder(writer).Encode(map[string]string{"asked": string(body), "method": request.Method})
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
`;

const NEEDS = { node: "true", flask: `${PYTHON} -c 'import flask'`, go: "command -v go" } as const;
type Kind = keyof typeof NEEDS;
const KINDS = (Object.keys(NEEDS) as Kind[]).filter((kind) => process.env["CI"] !== undefined || works(NEEDS[kind]));

let folder: string;
let service: Service;
let postern: Postern;
let clear: string;
let secure: string;
let h2c: number;
let policy: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "postern-search-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  service = await startService((request, response) => {
    const { body = "", method = "" } = service.arrived.at(-1) ?? {};
    if (request.url === "/node/_search") response.end(JSON.stringify({ asked: body, method }));
    return request.url === "/node/_search";
  });
  const at: Record<Kind, number> = { node: service.port, flask: await freePort(), go: await freePort() };
  if (KINDS.includes("flask")) await started("flask", at.flask, [PYTHON, "-c", FLASK, `${at.flask}`]);
  if (KINDS.includes("go")) await started("go", at.go, [goService(), `${at.go}`]);
  const tlsPort = await freePort();
  h2c = await freePort();
  postern = await startPostern(service.port, ({ port, admin }) => {
    policy = `version: 1
service: search
listeners:
  - { name: clear, address: '127.0.0.1:${port}', upstream: node }
  - { name: h2c, address: '127.0.0.1:${h2c}', protocols: [h2c], upstream: node }
  - { name: secure, address: '127.0.0.1:${tlsPort}', upstream: node, tls: { certificate: server.pem, key: server.key } }
admin: { address: '127.0.0.1:${admin}' }
upstreams:
${KINDS.map((kind) => `  ${kind}: { address: 'http://127.0.0.1:${at[kind]}' }`).join("\n")}
routes:
${KINDS.map((kind) => `  - { path: /${kind}/_search, public: true, upstream: ${kind}, keepBodiesIn: [GET, OPTIONS] }`).join("\n")}
  - { path: /**, public: true }
`;
    return policy;
  });
  writeFileSync(join(folder, "ca.pem"), (await theWorld()).pki.ca.certificate);
  clear = `http://127.0.0.1:${postern.port}`;
  secure = `https://localhost:${tlsPort}`;
}, 60_000);
afterAll(closeAll);

function goService(): string {
  const source = join(folder, "search.go");
  writeFileSync(source, GO);
  const binary = join(folder, "search");
  execFileSync("go", ["build", "-o", binary, source], {
    env: { ...environment(), GO111MODULE: "off", CGO_ENABLED: "0" },
  });
  return binary;
}

function started(kind: Kind, port: number, command: readonly [string, ...string[]]): Promise<void> {
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/${kind}/_search`).then(
      ({ ok }) => ok,
      () => false,
    );
  return startProgram(command, answers);
}

/** Status, version, connections made and body of each answer. */
function curl(...args: string[]): Promise<string> {
  const written = [
    "--write-out",
    " %{http_code} %{http_version} %{num_connects}\n",
    "--cacert",
    join(folder, "ca.pem"),
  ];
  return runProgram(["curl", "--silent", "--show-error", "--max-time", "20", "--request", "GET", ...written, ...args]);
}

const answerOf = (text: string): unknown => JSON.parse(text.slice(0, text.lastIndexOf("}") + 1));

describe.each(KINDS)("%s, asked by a GET with a body, gets it", (kind) => {
  test("from curl over HTTP/1.1, by its length and in chunks, and the client's connection lives on", async () => {
    const url = `${clear}/${kind}/_search`;
    for (const how of [[], ["--header", "Transfer-Encoding: chunked"], ["--header", "Expect: 100-continue"]]) {
      const told = await curl(...how, "--data", QUERY, url, url);
      const ends = told.trim().match(/ \d{3} \S+ \d$/gm);
      expect(ends, told).toEqual([" 200 1.1 1", " 200 1.1 0"]);
      expect(answerOf(told.slice(0, told.indexOf(" 200 ")))).toEqual({ asked: QUERY, method: "GET" });
    }
  });

  test("from curl and node:http2 over HTTP/2, of known length and of unknown", async () => {
    const told = await curl("--http2", "--data", QUERY, `${secure}/${kind}/_search`);
    expect(told).toMatch(/ 200 2 1\n$/);
    expect(answerOf(told)).toEqual({ asked: QUERY, method: "GET" });
    const answer = await askH2(openH2(h2c), { ":path": `/${kind}/_search`, ":method": "GET" }, QUERY);
    expect([answer.status, answerOf(answer.body)]).toEqual([200, { asked: QUERY, method: "GET" }]);
  });

  test("from undici, as Elasticsearch's client sends it, and from Python's http.client", async () => {
    const client = new Client(clear);
    onClose(() => void client.destroy());
    for (let round = 0; round < 3; round++) {
      const headers = { "content-type": "application/json" };
      const answer = await client.request({ method: "GET", path: `/${kind}/_search`, body: QUERY, headers });
      expect([answer.statusCode, await answer.body.json()]).toEqual([200, { asked: QUERY, method: "GET" }]);
    }
    const script = `import http.client, sys
client = http.client.HTTPConnection("127.0.0.1", ${postern.port})
for _ in range(2):
    client.request("GET", "/${kind}/_search", body=sys.argv[1])
    print(client.getresponse().read().decode().strip())`;
    const told = await runProgram([PYTHON, "-c", script, QUERY]);
    expect(told.match(/gate/g)).toHaveLength(2);
  });

  test("and without a body it is asked as ever", async () => {
    const told = await curl(`${clear}/${kind}/_search`);
    expect(answerOf(told)).toEqual({ asked: "", method: "GET" });
  });
});

describe("a route that does not keep them", () => {
  test("refuses one as ever, and the connection ends", async () => {
    const before = service.arrived.length;
    const told = await curl("--data", QUERY, `${clear}/other`, `${clear}/other`);
    expect(told.match(/"reason":"request_malformed"/g)).toHaveLength(2);
    expect(told.match(/ 400 1\.1 1$/gm)).toHaveLength(2);
    const overHttp2 = await askH2(openH2(h2c), { ":path": "/other", ":method": "GET" }, QUERY);
    expect(overHttp2.body).toContain("request_malformed");
    expect(service.arrived.length).toBe(before);
    const line = await postern.logged(({ reason, path }) => reason === "request_malformed" && path === "/other");
    expect(line).toMatchObject({ wanted: "none, or a route with 'keepBodiesIn: [GET]' where the service reads it" });
  });

  test("takes no other method's for one that it keeps", async () => {
    const client = await RawClient.connect({ port: postern.port, host: "127.0.0.1" });
    client.write(`HEAD /node/_search HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}`);
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 400 /);
  });
});

test("a request in a body that is refused is no request", async () => {
  const inner = "GET /node/inner HTTP/1.1\r\nHost: a\r\n\r\n";
  const framings = [
    `Content-Length: ${inner.length}\r\n\r\n${inner}`,
    `Transfer-Encoding: chunked\r\n\r\n${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
  ];
  for (const framed of framings) {
    const client = await RawClient.connect({ port: postern.port, host: "127.0.0.1" });
    client.write(`GET /plain HTTP/1.1\r\nHost: a\r\n${framed}GET /behind HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect((await client.untilClosed()).match(/^HTTP\/1\.1 \d+/gm)).toEqual(["HTTP/1.1 400"]);
  }
  await eventually(() => service.arrived.every(({ url }) => !["/plain", "/node/inner", "/behind"].includes(url)));
});

test("an upload under way ends when a reload takes 'keepBodiesIn' away, over HTTP/1.1 and HTTP/2", async () => {
  const arrived = service.arrived.length;
  const part = "x".repeat(0x8000);
  const client = await RawClient.connect({ port: postern.port, host: "127.0.0.1" });
  client.write("GET /node/_search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const stream = openH2(h2c).request({ ":path": "/node/_search", ":method": "GET" }, { endStream: false });
  stream.on("error", () => {});
  const upload = setInterval(() => {
    stream.write(part);
    client.write(`8000\r\n${part}\r\n`);
  }, 50);
  onClose(() => clearInterval(upload));
  const denied = (protocol: string) =>
    postern.logged((line) => line["protocol"] === protocol && line["reason"] === "stream_denied");
  // One that comes after the reload is refused by it, and was never under way.
  await eventually(async () => /^postern_requests_in_flight.* [2-9]$/m.test((await postern.admins("/metrics")).body));
  postern.write("policy.yaml", policy.replaceAll(", keepBodiesIn: [GET, OPTIONS]", ""));
  for (const line of await Promise.all(["http/1.1", "h2"].map(denied))) {
    expect(line).toMatchObject({ method: "GET", seen: expect.stringContaining("body in a GET request") });
  }
  clearInterval(upload);
  expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 403 /);
  expect(service.arrived.length).toBe(arrived);
}, 60_000);
