import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually } from "../fixtures/eventually.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { closeAll, listen, onClose, startProxy, startRawService } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";
import { type Lane, startLane } from "../fuzz/forward-campaign.ts";
import { BODYLESS_CASES, SMUGGLING_CASES, type SmugglingCase } from "./smuggling-cases.ts";

const FINAL = /^HTTP\/1\.1 (?!1)(\d\d\d) /m;

/** Sends the case and reads what comes until the connection ends, or until the one answer is there and the rest is quiet. */
async function send(port: number, { wire, expected }: SmugglingCase): Promise<string> {
  const client = await RawClient.connect({ port, host: "127.0.0.1" });
  client.write(wire);
  if (expected === "one") await client.until(() => FINAL.test(client.received));
  else await client.untilClosed();
  client.destroy();
  return client.received;
}

describe("nothing but a refusal, or exactly one request to a node:http service", () => {
  let lane: Lane;
  beforeAll(async () => {
    lane = await startLane();
  });
  afterAll(closeAll);

  for (const smuggling of SMUGGLING_CASES) {
    test(smuggling.name, async () => {
      lane.service.collected.length = 0;
      const received = await send(lane.proxy.port, smuggling);
      const whole = lane.service.collected.filter(({ complete }) => complete);
      if (smuggling.expected === "one") {
        expect(whole.map(({ start }) => start.split(" ")[1])).toEqual(["/first"]);
        expect(FINAL.exec(received)?.[1]).toBe("200");
      } else {
        expect(whole).toEqual([]);
        expect(FINAL.exec(received)?.[1]).toBe(String(smuggling.expected));
        expect(received).toContain("connection: close\r\n");
      }
      expect(received.match(/^HTTP\/1\.1 [2-5]/gm)).toHaveLength(1);
    });
  }

  test("and none of them is found by a service later", () => {
    expect(lane.service.collected.filter(({ start }) => start.includes("smuggled"))).toEqual([]);
  });
});

describe("where a route keeps the bodies of methods without one", () => {
  afterEach(closeAll);

  for (const smuggling of BODYLESS_CASES) {
    test(`${smuggling.name}, whose body is a request, is one, and nothing follows it on its connection`, async () => {
      const seen: string[] = [];
      const upstreamPort = await startRawService((socket) => {
        const at = seen.push("") - 1;
        socket.on("data", (chunk) => {
          seen[at] += chunk.toString("latin1");
          if (/smuggled.*\r\n\r\n(?:\r\n0\r\n\r\n)?$/s.test(seen[at] ?? "")) socket.end(OK);
        });
      });
      const { port } = await startProxy({ upstreamPort, route: { keepsBodiesIn: ["GET", "HEAD", "OPTIONS"] } });
      const client = await RawClient.connect({ port, host: "127.0.0.1" });
      client.write(`${smuggling.wire}GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      await eventually(() => /\r\n\r\n/.test(seen[1] ?? ""));
      expect(seen[0]).toMatch(/^(?:GET|HEAD|OPTIONS) \/first HTTP\/1\.1\r\n.*connection: close\r\n/s);
      expect(seen[0]).not.toContain("/next");
      expect(seen[1]).toMatch(/^GET \/next /);
      client.destroy();
    });
  }
});

const hasNginx = ((): boolean => {
  try {
    execFileSync("nginx", ["-v"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasNginx)(
  "nothing but a refusal, or exactly one request to nginx (only where it is installed)",
  () => {
    afterEach(closeAll);

    test("all cases, counted in its access log", async () => {
      const nginx = await startNginx();
      const { port } = await startProxy({ upstreamPort: nginx.port });
      for (const smuggling of SMUGGLING_CASES) await send(port, smuggling);
      await send(port, {
        name: "",
        wire: "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        expected: "one",
      });
      const lines = await nginx.logged("/end");
      // nginx answers and logs before it has read a body, so that a body which breaks off later is counted too.
      const wanted = SMUGGLING_CASES.filter(({ expected }) => expected === "one").length;
      expect(lines.filter((line) => / \/first /.test(line)).length).toBeGreaterThanOrEqual(wanted);
      expect(lines.length).toBeLessThanOrEqual(SMUGGLING_CASES.length + 1);
      expect(lines.filter((line) => !/ \/(?:first|end) /.test(line))).toEqual([]);
    });
  },
);

interface Nginx {
  readonly port: number;
  /** Lines of the access log once one of them names this path. */
  logged(path: string): Promise<string[]>;
}

async function startNginx(): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), "postern-nginx-"));
  const probe = createServer();
  const port = await listen(probe);
  await new Promise((resolve) => probe.close(resolve));
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit; events {}
     http { ${paths.join(" ")}
       log_format counted "$request_method $uri $status"; access_log ${folder}/access.log counted;
       server { listen 127.0.0.1:${port}; location / { return 200 "ok"; } } }`,
  );
  const child = spawn("nginx", ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  onClose(() => {
    child.kill("SIGTERM");
    void exited.then(() => rmSync(folder, { recursive: true, force: true }));
  });
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const client = await RawClient.connect({ port, host: "127.0.0.1" }).catch(() => null);
    client?.destroy();
    if (client !== null) break;
    if (Date.now() > deadline || child.exitCode !== null) throw new Error("nginx does not start");
  }
  return {
    port,
    logged: async (path) => {
      for (;;) {
        const lines = readFileSync(join(folder, "access.log"), "utf8").split("\n").slice(0, -1);
        if (lines.some((line) => line.includes(` ${path} `))) return lines;
        if (Date.now() > deadline + PATIENCE_MS) throw new Error(`nginx logged no ${path}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

describe("what is left of a body after an early answer is no request", () => {
  afterEach(closeAll);

  /** A service that answers heads and never looks at bodies, and what it was sent. */
  async function startHasty() {
    const hasty = { port: 0, sent: [] as string[], connections: 0 };
    hasty.port = await startRawService((socket) => {
      hasty.connections++;
      let answered = false;
      socket.on("data", (chunk) => {
        hasty.sent.push(chunk.toString("latin1"));
        if (!answered) socket.write(OK);
        answered = true;
      });
    });
    return hasty;
  }

  test("the service answers before the body is there: the client's connection and the service's end", async () => {
    const hasty = await startHasty();
    const { port, records } = await startProxy({ upstreamPort: hasty.port });
    const client = await RawClient.connect({ port, host: "127.0.0.1" });
    // So much that the service gets to see the request before it is whole.
    const begun = "x".repeat(DEFAULTS.bodyPreludeBytes);
    const length = begun.length + SMUGGLED.length * 2;
    client.write(`POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${begun}`);
    await client.untilReceived("ok");
    client.write(SMUGGLED + SMUGGLED);
    client.write(SMUGGLED);
    await client.untilClosed();
    expect(client.received.match(/^HTTP/gm)).toHaveLength(1);
    expect(hasty.sent.join("")).not.toContain("/smuggled");
    expect(records).toHaveLength(1);
    // The service still waits for the body there: another client's request would be read as its rest.
    const next = await RawClient.connect({ port, host: "127.0.0.1" });
    next.write("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    await next.untilReceived("ok");
    expect(hasty.connections).toBe(2);
  });

  test("a denial before the body is there: the body is read away as a body", async () => {
    const hasty = await startHasty();
    const { port, records } = await startProxy({ upstreamPort: hasty.port, route: { bodyBytesMax: 10 } });
    const client = await RawClient.connect({ port, host: "127.0.0.1" });
    client.write(`POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n`);
    await client.untilReceived("body_too_large");
    client.write(`${SMUGGLED}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until(({ received }) => received.endsWith("ok"));
    expect(hasty.sent.join("")).toMatch(/^GET \/next HTTP\/1.1\r\n/);
    expect(records.map(({ status }) => status)).toEqual([413, 200]);
  });

  test("a denial of a chunked body ends the connection", async () => {
    const hasty = await startHasty();
    const { port } = await startProxy({
      upstreamPort: hasty.port,
      evaluate: () => new Denial("scope_missing", null, "a", "b"),
    });
    const client = await RawClient.connect({ port, host: "127.0.0.1" });
    client.write(`POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`);
    await client.untilClosed();
    expect(client.received.match(/^HTTP/gm)).toHaveLength(1);
    expect(hasty.sent).toEqual([]);
  });
});

describe("a service that leaves bodies unread", () => {
  afterEach(closeAll);

  test("gets the body of a DELETE as the last thing on its connection, and is told so", async () => {
    const connections: string[] = [];
    const upstreamPort = await startRawService((socket) => {
      const at = connections.push("") - 1;
      socket.on("data", (chunk) => {
        connections[at] += chunk.toString("latin1");
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });
    const { port } = await startProxy({ upstreamPort });
    const client = await RawClient.connect({ port, host: "127.0.0.1" });
    client.write(`DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`);
    await client.untilReceived("ok");
    client.write("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.until(() => client.received.split("\r\n\r\nok").length === 3);
    expect(connections).toEqual([
      `DELETE / HTTP/1.1\r\nhost: a\r\ncontent-length: ${SMUGGLED.length}\r\nconnection: close\r\n\r\n${SMUGGLED}`,
      "GET /next HTTP/1.1\r\nhost: a\r\n\r\n",
    ]);
  });
});
