// Goal: who uploads much and is refused hears why, whatever it sends before it listens; and nobody buys time by it. Method:
// node's fetch, curl and Python's http.client with 30 MB each; raw clients and a clock that the test moves.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { closeAll, onClose, startProxy, type TestProxyOptions } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";
import { TestClock } from "../fixtures/telemetry.ts";

afterEach(closeAll);

const MIB = 1024 * 1024;
const UPLOAD_BYTES = 30 * MIB;
const ROUNDS = 8;

const REFUSALS: Record<string, TestProxyOptions> = {
  "413": { route: { bodyBytesMax: MIB } },
  "401": {
    route: { bodyBytesMax: 100 * MIB },
    evaluate: () => new Denial("credentials_missing", null, "no token", "a token"),
  },
};

const NODE = (port: number): string => `
for (let round = 0; round < ${ROUNDS}; round++) {
  const body = new Uint8Array(${UPLOAD_BYTES});
  const answer = await fetch("http://127.0.0.1:${port}/", { method: "POST", body }).catch((error) => error);
  console.log(answer.status ?? answer.cause?.code ?? answer.message);
}`;

/** Sends everything, and listens then. */
const PYTHON = (port: number): string => `
import http.client
for _ in range(${ROUNDS}):
    try:
        client = http.client.HTTPConnection("127.0.0.1", ${port})
        client.request("POST", "/", body=b"x" * ${UPLOAD_BYTES})
        print(client.getresponse().status)
    except OSError as error:
        print(error)
`;

function linesOf(program: string, args: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", () => resolve(text.trim().split("\n")));
  });
}

describe.each(Object.entries(REFUSALS))(
  "a refusal (%s) of an upload of 30 MB reaches",
  (status, options) => {
    const all = Array(ROUNDS).fill(status);

    test("node's fetch", async () => {
      const { port } = await startProxy(options);
      expect(await linesOf(process.execPath, ["--input-type=module", "-e", NODE(port)])).toEqual(all);
    });

    test("curl", async () => {
      const folder = mkdtempSync(join(tmpdir(), "postern-upload-"));
      onClose(() => rmSync(folder, { recursive: true, force: true }));
      const file = join(folder, "upload");
      writeFileSync(file, Buffer.alloc(UPLOAD_BYTES));
      const { port } = await startProxy(options);
      const args = ["-s", "-o", "/dev/null", "-w", "%{http_code}\n", "-H", "Expect:", "--data-binary", `@${file}`];
      const seen: string[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        seen.push(...(await linesOf("curl", [...args, `http://127.0.0.1:${port}/`])));
      }
      expect(seen).toEqual(all);
    });

    test("Python's http.client, which listens only when it has sent everything", async () => {
      const { port } = await startProxy(options);
      expect(await linesOf("python3", ["-c", PYTHON(port)])).toEqual(all);
    });
  },
  60_000,
);

describe("a client that goes on sending", () => {
  const HEAD = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n";

  async function refused(count = 1) {
    const clock = new TestClock();
    const running = await startProxy({ ...REFUSALS["413"], clock });
    const clients: RawClient[] = [];
    for (let at = 0; at < count; at++) {
      const client = await RawClient.connect({ port: running.port, host: "127.0.0.1", allowHalfOpen: true });
      onClose(() => client.destroy());
      client.write(HEAD);
      await client.untilReceived("body_too_large");
      clients.push(client);
    }
    await unchanging(() => 0, 50);
    return { ...running, clock, clients, client: clients[0] as RawClient };
  }

  const later = ({ clock, sweep }: Awaited<ReturnType<typeof refused>>, ms: number): void => {
    clock.monotonic += ms;
    sweep();
  };

  test("is read while it comes fast enough, and at most so long", async () => {
    const running = await refused();
    const { client, proxy } = running;
    for (let ms = 0; ms + 1_500 < DEFAULTS.lingerUploadTimeoutMs; ms += 1_500) {
      client.write(Buffer.alloc(64 * 1024));
      await eventually(() => client.writableBytes === 0);
      await unchanging(() => 0, 50);
      later(running, 1_500);
      expect(proxy.connectionsOpen).toBe(1);
    }
    client.write(Buffer.alloc(64 * 1024));
    await unchanging(() => 0, 50);
    later(running, 1_501);
    await eventually(() => proxy.connectionsOpen === 0);
  });

  test("buys next to nothing with a byte now and then", async () => {
    const running = await refused();
    const { client, proxy } = running;
    for (let ms = 0; ms < DEFAULTS.lingerTimeoutMs; ms += 500) {
      expect(proxy.connectionsOpen).toBe(1);
      client.write("x");
      await unchanging(() => 0, 50);
      later(running, 501);
    }
    await eventually(() => proxy.connectionsOpen === 0);
  });

  test("is not read beyond so many bytes", async () => {
    const running = await refused();
    const { client } = running;
    client.write(Buffer.alloc(DEFAULTS.lingerUploadBytesMax + 32 * MIB));
    await unchanging(() => client.writableBytes);
    expect(client.writableBytes).toBeGreaterThan(0);
    expect(client.closed).toBe(false);
    later(running, DEFAULTS.lingerTimeoutMs + 1);
    await eventually(() => client.closed);
  });

  test("is one of a bounded number; the others are read as little as anything else", async () => {
    const { clients, proxy } = await refused(DEFAULTS.lingerUploadsMax + 1);
    const flood = Buffer.alloc(16 * MIB);
    const [first] = clients;
    const last = clients.at(-1);
    first?.write(flood);
    last?.write(flood);
    await eventually(() => first?.writableBytes === 0);
    await unchanging(() => last?.writableBytes ?? 0);
    expect(last?.writableBytes).toBeGreaterThan(0);
    first?.destroy();
    await eventually(() => proxy.connectionsOpen === clients.length - 1);
  });
});
