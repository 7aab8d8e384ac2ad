// Goal: a call out ends, whatever is at the other end, and says why. Method: real servers on loopback that misbehave.
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CallRequest, CallSettings } from "../../src/calls/call.ts";
import { callUrl, hostsOf } from "../../src/calls/call-url.ts";
import { guardedLookup, isInnerAddress } from "../../src/calls/lookup.ts";
import { openCaller } from "../../src/calls/open-caller.ts";
import { systemClock } from "../../src/support/clock.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { systemTimers } from "../../src/support/timers.ts";
import { onClose } from "../fixtures/closing.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";

let pki: TestPki;
beforeAll(async () => {
  pki = await createTestPki();
});

const SETTINGS: CallSettings = {
  ca: null,
  certificate: null,
  key: null,
  proxy: null,
  namedHosts: new Set(),
  socketPath: null,
  connectTimeoutMs: 5_000,
  timeoutMs: 5_000,
  answerBytesMax: 1_000,
  breaks: false,
};

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function caller(settings: Partial<CallSettings> = {}, clock = systemClock) {
  const opened = openCaller({ ...SETTINGS, ...settings }, { clock, timers: systemTimers, random: () => 0.5 });
  onClose(() => opened.close());
  return opened;
}

function get(url: string): CallRequest {
  return { method: "GET", url: new URL(url), headers: {}, body: null };
}

const serve = (listener: RequestListener): Promise<number> => listen(createHttpServer(listener));

describe("an answer", () => {
  test("comes whole, with its headers", async () => {
    const port = await serve((request, response) => {
      response.setHeader("Cache-Control", "max-age=60");
      response.end(`${request.method} ${request.url}`);
    });
    const answer = await caller().call(get(`http://127.0.0.1:${port}/keys?a=1`));
    expect(answer).toMatchObject({ ok: true, value: { status: 200, headers: { "cache-control": "max-age=60" } } });
    expect(answer.ok && answer.value.body.toString()).toBe("GET /keys?a=1");
  });

  test.each([
    ["announces too many bytes", 1_001, true],
    ["has too many bytes and announces none", 1_001, false],
  ])("that %s is given up", async (_, bytes, announced) => {
    const port = await serve((_request, response) => {
      if (announced) response.setHeader("Content-Length", bytes);
      response.write("x".repeat(bytes / 2));
      response.end("x".repeat(bytes / 2 + 1));
    });
    const answer = await caller().call(get(`http://127.0.0.1:${port}/`));
    expect(answer).toMatchObject({ ok: false, error: { kind: "answer_too_large" } });
  });

  test("that never ends is given up in time", async () => {
    const port = await serve((_request, response) => {
      const timer = setInterval(() => response.write("."), 20);
      response.on("close", () => clearInterval(timer));
    });
    const answer = await caller({ timeoutMs: 300 }).call(get(`http://127.0.0.1:${port}/`));
    expect(answer).toMatchObject({ ok: false, error: { kind: "timeout" } });
  });

  test("that never begins is given up in time", async () => {
    const port = await listen(createTcpServer(() => {}));
    const answer = await caller({ timeoutMs: 300 }).call(get(`http://127.0.0.1:${port}/`));
    expect(answer).toMatchObject({ ok: false, error: { kind: "timeout" } });
  });

  test("that leads elsewhere is not followed", async () => {
    let asked = 0;
    const port = await serve((_request, response) => {
      asked++;
      response.writeHead(302, { Location: "/elsewhere" }).end();
    });
    const answer = await caller().call(get(`http://127.0.0.1:${port}/`));
    expect(answer).toMatchObject({ ok: false, error: { kind: "redirected" } });
    expect(asked).toBe(1);
  });

  test("that is compressed, though nobody asked for it, is refused", async () => {
    const port = await serve((_request, response) => {
      response.writeHead(200, { "Content-Encoding": "gzip" }).end("bomb");
    });
    const answer = await caller().call(get(`http://127.0.0.1:${port}/`));
    expect(answer).toMatchObject({ ok: false, error: { kind: "answer_encoded" } });
  });

  test("that is no HTTP is a fault", async () => {
    const port = await listen(createTcpServer((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n\r\n")));
    const answer = await caller().call(get(`http://127.0.0.1:${port}/`));
    expect(answer).toMatchObject({ ok: false, error: { kind: "answer_malformed" } });
  });
});

describe("TLS", () => {
  const secure = (): Promise<number> =>
    listen(
      createHttpsServer(
        {
          cert: pki.server.certificate,
          key: pki.server.key,
          ca: pki.ca.certificate,
          requestCert: true,
          rejectUnauthorized: false,
        },
        (request, response) => {
          const { subject } = (request.socket as import("node:tls").TLSSocket).getPeerCertificate();
          response.end(String(subject?.CN ?? "nobody"));
        },
      ),
    );

  test("an authority that nobody trusts is refused, and the policy's own is believed", async () => {
    const port = await secure();
    const url = get(`https://localhost:${port}/`);
    expect(await caller().call(url)).toMatchObject({ ok: false, error: { kind: "tls_untrusted" } });
    const trusting = await caller({ ca: Buffer.from(pki.ca.certificate) }).call(url);
    expect(trusting.ok && trusting.value.body.toString()).toBe("nobody");
  });

  test("a client certificate is shown", async () => {
    const port = await secure();
    const own = {
      ca: Buffer.from(pki.ca.certificate),
      certificate: Buffer.from(pki.client.certificate),
      key: Buffer.from(pki.client.key),
    };
    const answer = await caller(own).call(get(`https://localhost:${port}/`));
    expect(answer.ok && answer.value.body.toString()).toBe("billing");
  });

  test("a certificate for another name is refused", async () => {
    const port = await secure();
    const settings = { ca: Buffer.from(pki.ca.certificate) };
    const answer = await caller(settings).call(get(`https://127.0.0.2:${port}/`));
    expect(answer.ok).toBe(false);
  });
});

describe("where it may not go", () => {
  test.each([
    "169.254.169.254",
    "[fe80::1]",
    "100.100.100.200",
    "[fd00:ec2::254]",
    "0.0.0.0",
    "[::ffff:169.254.169.254]",
  ])("%s is not dialled", async (host) => {
    const answer = await caller().call(get(`http://${host}:1/latest/meta-data/`));
    expect(answer).toMatchObject({ ok: false, error: { kind: "address_refused" } });
  });

  test("a name that leads to a metadata address is refused, unless the policy names it", () => {
    const leads = guardedLookup(new Set(["meta.internal"]), (_host, _options, done) =>
      done(null, [{ address: "169.254.169.254", family: 4 }]),
    );
    const found: unknown[] = [];
    leads("evil.example", {}, (error) => found.push((error as NodeJS.ErrnoException | null)?.code));
    leads("META.internal", {}, (error, address) => found.push(error ?? address));
    expect(found).toEqual(["ADDRESS_REFUSED", "169.254.169.254"]);
  });

  test("of several addresses the inner ones are left out", () => {
    const addresses = [
      { address: "169.254.169.254", family: 4 },
      { address: "192.0.2.7", family: 4 },
    ];
    const leads = guardedLookup(new Set(), (_host, _options, done) => done(null, addresses));
    const found: unknown[] = [];
    leads("id.example", { all: true }, (_error, all) => found.push(all));
    expect(found).toEqual([[addresses[1]]]);
    expect(isInnerAddress("192.0.2.7")).toBe(false);
  });

  test("a URL of the policy is https:, or stays on this machine", () => {
    const reads = (text: string) => callUrl(text).ok;
    expect(["https://id.example/", "http://127.0.0.1:9/", "http://localhost/", "http://[::1]:8/"].map(reads)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    const wrong = [
      "http://id.example/",
      "ftp://id.example/",
      "https://a:b@id.example/",
      "id.example",
      "file:///etc/passwd",
    ];
    expect(wrong.map(reads)).toEqual(wrong.map(() => false));
    expect([...hostsOf([new URL("https://ID.example/"), new URL("https://[fe80::1]/")])]).toEqual([
      "id.example",
      "fe80::1",
    ]);
  });
});

test("nobody listens: the fault says so", async () => {
  const port = await serve(() => {});
  servers.at(-1)?.close();
  const answer = await caller().call(get(`http://127.0.0.1:${port}/`));
  expect(answer).toMatchObject({ ok: false, error: { kind: "connect_failed", text: "nobody listens there" } });
});

test("a name that nobody has: the fault says so", async () => {
  const answer = await caller().call(get("https://nobody.invalid/"));
  expect(answer.ok).toBe(false);
  expect(!answer.ok && ["name_unknown", "connect_failed"]).toContain(!answer.ok && answer.error.kind);
});

test("a closed caller refuses, and what is under way comes to its end", async () => {
  let finish: (() => void) | null = null;
  const port = await serve((_request, response) => {
    finish = () => response.end("late");
  });
  const opened = caller();
  const answer = opened.call(get(`http://127.0.0.1:${port}/`));
  await expect.poll(() => finish !== null, { timeout: PATIENCE_MS }).toBe(true);
  opened.close();
  expect(await opened.call(get(`http://127.0.0.1:${port}/`))).toMatchObject({ ok: false, error: { kind: "closed" } });
  (finish as (() => void) | null)?.();
  expect((await answer).ok).toBe(true);
});

test("an endpoint that fails is left alone, and tried again by one call for all", async () => {
  let status = 500;
  let asked = 0;
  const port = await serve((_request, response) => {
    asked++;
    response.writeHead(status).end();
  });
  let nowMs = 0;
  const opened = caller({ breaks: true }, { monotonicMs: () => nowMs, wallMs: () => nowMs });
  const url = get(`http://127.0.0.1:${port}/`);
  for (let at = 0; at < DEFAULTS.breakerFailures; at++) expect((await opened.call(url)).ok).toBe(true);
  expect(await opened.call(url)).toMatchObject({ ok: false, error: { kind: "circuit_open" } });
  expect(asked).toBe(DEFAULTS.breakerFailures);

  status = 200;
  nowMs += DEFAULTS.breakerMsMax;
  const answers = await Promise.all([opened.call(url), opened.call(url), opened.call(url)]);
  expect(answers.map(({ ok }) => ok)).toEqual([true, false, false]);
  expect(asked).toBe(DEFAULTS.breakerFailures + 1);
  expect((await opened.call(url)).ok).toBe(true);
});

test("a corporate proxy is asked for what is far, and not for this machine", async () => {
  const seen: string[] = [];
  const proxy = createHttpServer((_request, response) => response.writeHead(502).end());
  proxy.on("connect", (request, socket) => {
    seen.push(request.url ?? "");
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  const proxyPort = await listen(proxy);
  const port = await serve((_request, response) => response.end("near"));
  const opened = caller({ proxy: { url: `http://127.0.0.1:${proxyPort}`, except: "inside.example" } });
  expect((await opened.call(get("https://id.example/keys"))).ok).toBe(false);
  const near = await opened.call(get(`http://127.0.0.1:${port}/`));
  expect(near.ok && near.value.body.toString()).toBe("near");
  expect(seen).toEqual(["id.example:443"]);
});
