// Goal: who uploads over HTTP/2 and is refused hears why, and buys no time by what it still sends. Method: curl, node:http2,
// undici's fetch and Go's net/http with 30 MB each; raw frames and a clock that the test moves.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Agent, fetch } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { settle, startAttacked } from "../fixtures/h2-attacked.ts";
import { openH2 } from "../fixtures/h2-client.ts";
import { ERROR, FLAG, fields, frame, request, rstStream, TYPE } from "../fixtures/h2-frames.ts";
import { startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { environment, runProgram, works } from "../fixtures/program.ts";
import { closeAll, onClose, startProxy } from "../fixtures/proxy.ts";
import { TestClock } from "../fixtures/telemetry.ts";

const MIB = 1024 * 1024;
const ROUNDS = 5;
const evaluate = (): Denial => new Denial("credentials_missing", null, "no token", "a token");

/** One that is refused at its announced length, and one that is refused for want of a key. */
const PATHS = { "/small": 413, "/keys": 401 } as const;

const GO = `package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	pem, _ := os.ReadFile(os.Args[2])
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	for round := 0; round < ${ROUNDS}; round++ {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
		client := &http.Client{Transport: transport}
		for _, body := range []io.Reader{bytes.NewReader(make([]byte, 30<<20)), io.LimitReader(zeros{}, 30<<20)} {
			answer, err := client.Post(os.Args[1], "text/plain", body)
			if err != nil {
				fmt.Println(err)
				continue
			}
			text, err := io.ReadAll(answer.Body)
			fmt.Println(answer.Proto, answer.StatusCode, strings.Contains(string(text), "reason"), err)
		}
	}
}

type zeros struct{}

func (zeros) Read(bytes []byte) (int, error) { return len(bytes), nil }
`;

describe.each(Object.entries(PATHS))("a refusal of an upload of 30 MB (%s, %i) reaches", (path, status) => {
  let folder: string;
  let base: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "postern-h2-upload-"));
    onClose(() => rmSync(folder, { recursive: true, force: true }));
    const service = await startService();
    const port = await freePort();
    await startPostern(
      service.port,
      ({ app }) => `version: 1
service: uploads
listeners: [{ name: secure, address: '127.0.0.1:${port}', upstream: app, tls: { certificate: server.pem, key: server.key } }]
upstreams: { app: { address: 'http://127.0.0.1:${app}' } }
authenticators: { keys: { type: api-key, header: x-key, keys: keys.yaml } }
routes:
  - { path: /small, public: true, validate: { body: { maxBytes: 1KiB } } }
  - { path: /keys, authenticate: [keys] }
`,
    );
    writeFileSync(join(folder, "ca.pem"), (await theWorld()).pki.ca.certificate);
    writeFileSync(join(folder, "upload"), Buffer.alloc(30 * MIB));
    base = `https://localhost:${port}`;
  }, 60_000);
  afterAll(closeAll);

  test("curl", async () => {
    const args = ["--cacert", join(folder, "ca.pem"), "-H", "Expect:", "--data-binary", `@${join(folder, "upload")}`];
    for (let round = 0; round < ROUNDS; round++) {
      const told = await runProgram(["curl", "--silent", "-w", " %{http_code} %{http_version}", ...args, base + path]);
      expect(told).toMatch(new RegExp(`"reason".* ${status} 2$`));
    }
  }, 60_000);

  test("undici's fetch", async () => {
    const { ca } = (await theWorld()).pki;
    for (let round = 0; round < ROUNDS; round++) {
      const dispatcher = new Agent({ allowH2: true, connect: { ca: ca.certificate } });
      const pieces = (function* () {
        for (let at = 0; at < 30; at++) yield Buffer.alloc(MIB);
      })();
      const body = Readable.from(pieces);
      const answer = await fetch(base + path, { method: "POST", body, dispatcher, duplex: "half" });
      expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining('"reason"')]);
      await dispatcher.destroy();
    }
  }, 60_000);

  test.skipIf(process.env["CI"] === undefined && !works("command -v go"))(
    "Go's net/http",
    async () => {
      writeFileSync(join(folder, "client.go"), GO);
      const binary = join(folder, "client");
      const env = { ...environment(), GO111MODULE: "off", CGO_ENABLED: "0" };
      execFileSync("go", ["build", "-o", binary, join(folder, "client.go")], { env });
      const told = await runProgram([binary, base + path, join(folder, "ca.pem")]);
      expect(told.trim().split("\n")).toEqual(Array(2 * ROUNDS).fill(`HTTP/2.0 ${status} true <nil>`));
    },
    60_000,
  );
});

test("node:http2 hears of a refusal what it says, and its stream ends without an error", async () => {
  const { port } = await startProxy({ protocol: "h2", evaluate });
  const session = openH2(port);
  const stream = session.request({ ":path": "/", ":method": "POST" });
  let status = 0;
  let text = "";
  stream.on("response", (headers) => {
    status = headers[":status"] ?? 0;
  });
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const closed = new Promise((resolve) => stream.on("close", () => resolve(stream.rstCode)));
  for (let at = 0; at < 30; at++) stream.write(Buffer.alloc(MIB / 4));
  stream.end();
  expect(await closed).toBe(0);
  expect([status, text]).toEqual([401, expect.stringContaining("credentials_missing")]);
  closeAll();
}, 60_000);

describe("a client that goes on sending", () => {
  afterEach(closeAll);

  const post = (id: number): Buffer => request(id, fields("/", [], "POST"), false);
  const data = (id: number, bytes: number): Buffer => frame(TYPE.data, 0, id, Buffer.alloc(bytes));

  async function refused(ids: readonly number[] = [1]) {
    const clock = new TestClock();
    const running = await startAttacked({ evaluate, clock });
    const { client } = running;
    client.write(Buffer.concat(ids.map(post)));
    const ends = () => client.frames.filter(({ type, flags }) => type === TYPE.data && (flags & FLAG.endStream) !== 0);
    await client.until(() => ends().length === ids.length);
    const later = (ms: number): void => {
      clock.monotonic += ms;
      running.sweep();
    };
    const resets = () => client.frames.filter(({ type }) => type === TYPE.rstStream);
    return { ...running, later, resets };
  }

  test("is told to stop when it stands still, with NO_ERROR and behind its answer", async () => {
    const { client, later, resets } = await refused();
    later(DEFAULTS.lingerTimeoutMs - 1);
    await settle(client);
    expect(resets()).toEqual([]);
    later(2);
    await client.until(() => resets().length > 0);
    expect(resets()[0]).toMatchObject({ stream: 1 });
    expect(resets()[0]?.payload.readUInt32BE(0)).toBe(ERROR.none);
  });

  test("is not told so where it ends its body, or leaves, however often", async () => {
    const ids = Array.from({ length: 90 }, (_, at) => 2 * at + 1);
    const { client, later, resets } = await refused(ids);
    client.write(Buffer.concat(ids.map((id, at) => (at % 3 === 0 ? frame(TYPE.data, 1, id, "x") : rstStream(id)))));
    await settle(client);
    later(DEFAULTS.lingerUploadTimeoutMs + 1);
    await settle(client);
    expect(resets()).toEqual([]);
    expect(client.frames.some(({ type }) => type === TYPE.goaway)).toBe(false);
  });

  test("gets room for more while it comes fast enough, and at most so long", async () => {
    const { client, later, resets } = await refused();
    const widened = () => client.frames.filter(({ type, stream }) => type === TYPE.windowUpdate && stream === 1).length;
    let spentMs = 0;
    for (; spentMs + 1_500 < DEFAULTS.lingerUploadTimeoutMs; spentMs += 1_500) {
      for (let at = 0; at < 4; at++) client.write(data(1, 16 * 1024));
      await settle(client);
      later(1_500);
      await settle(client);
      expect(resets()).toEqual([]);
    }
    expect(widened()).toBeGreaterThan(1);
    later(1_501);
    await client.until(() => resets().length > 0);
  });

  test("buys next to nothing with a byte now and then", async () => {
    const { client, later, resets } = await refused();
    for (let ms = 0; ms < DEFAULTS.lingerTimeoutMs; ms += 500) {
      client.write(data(1, 1));
      await settle(client);
      later(501);
    }
    await client.until(() => resets().length > 0);
  });

  test("holds up no connection that has to go", async () => {
    const { client, proxy, later } = await refused();
    void proxy.drain();
    await settle(client);
    later(DEFAULTS.lingerTimeoutMs + 1);
    await eventually(() => proxy.connectionsOpen === 0);
  });
});
