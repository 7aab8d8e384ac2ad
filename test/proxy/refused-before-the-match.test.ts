// Goal: what has no valid reading counts for its address as any other request does, and an address that may send nothing
// learns nothing from it. Method: the data path with checks before the match, refused requests as bytes.
import { afterEach, describe, expect, test } from "vitest";
import { CONTINUE, Denial, type Verdict } from "../../src/decision/verdict.ts";
import { addressFilter } from "../../src/filters/address/compile.ts";
import type { Check } from "../../src/filters/filter.ts";
import { buildCidrTable } from "../../src/matching/cidr-table.ts";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import {
  closeAll,
  startProxy,
  startScriptedService,
  type TestProxy,
  type TestProxyOptions,
} from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";
import { compileFilter, onlyCheck } from "../fixtures/route-context.ts";
import { TestClock } from "../fixtures/telemetry.ts";

afterEach(closeAll);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** Requests over HTTP/1.1 that nobody judges further, each with why. */
const REFUSED = {
  "a method that is no token": ["G@T / HTTP/1.1\r\nHost: a\r\n\r\n", "request_malformed"],
  "a version of another age": ["GET / HTTP/2.0\r\nHost: a\r\n\r\n", "http_version_unsupported"],
  "bytes that are no HTTP": ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "request_malformed"],
  "two lengths": ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "request_malformed"],
  "a bare LF": ["GET / HTTP/1.1\nHost: a\r\n\r\n", "request_malformed"],
  "a respelled name": ["GET / HTTP/1.1\r\nHost: a\r\nX_Postern_Principal: root\r\n\r\n", "request_malformed"],
  "no Host": ["GET / HTTP/1.1\r\n\r\n", "host_invalid"],
  "two Hosts": ["GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "host_invalid"],
  "an ambiguous target": ["GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n", "target_ambiguous"],
  "another authority": ["GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "target_ambiguous"],
  "a method that is never forwarded": ["TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "method_forbidden"],
  "an unknown expectation": ["GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", "expectation_failed"],
  "a head that is too long": [`GET / HTTP/1.1\r\nHost: a\r\nX-A: ${"a".repeat(40_000)}\r\n\r\n`, "head_too_large"],
  "too many lines": [`GET / HTTP/1.1\r\nHost: a\r\n${"X-A: a\r\n".repeat(200)}\r\n`, "headers_too_many"],
  "a handshake without its key": [
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "websocket_invalid",
  ],
} as const;

/** Notes whose request it is asked about, and says what it is told to say. */
function watching(verdict: Verdict | Promise<Verdict> = CONTINUE): { check: Check; seen: string[] } {
  const seen: string[] = [];
  const place = { file: "test.yaml", line: 1, column: 1, path: "defaults.limit[0]" };
  const check: Check = {
    name: "limit",
    phase: "admit",
    place,
    enforcePercent: 100,
    evaluate: ({ clientAddress }) => {
      seen.push(clientAddress.text);
      return verdict;
    },
    explain: () => "",
  };
  return { check, seen };
}

async function send(proxy: TestProxy, bytes: string): Promise<string> {
  const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  client.write(bytes);
  await client.until(({ received, closed }) => closed || /\r\n\r\n/.test(received));
  client.destroy();
  return client.received;
}

const trusting = (): NonNullable<TestProxyOptions["listener"]> => {
  const table = buildCidrTable(["127.0.0.0/8"]);
  if (!table.ok) throw new Error("no table");
  return { trustedProxies: table.value };
};

describe("over HTTP/1.1", () => {
  for (const [name, [bytes, reason]] of Object.entries(REFUSED)) {
    test(`${name} counts once, and is denied to an address that is denied`, async () => {
      const { check, seen } = watching();
      const proxy = await startProxy({ admitChecks: [check] });
      expect(await send(proxy, bytes)).toContain(`"reason":"${reason}"`);
      expect(seen).toEqual(["127.0.0.1"]);
      expect(proxy.records).toMatchObject([{ reason, clientAddress: "127.0.0.1", grpcStatus: null }]);

      const denied = await startProxy({
        admitChecks: [onlyCheck(compileFilter(addressFilter, { deny: ["127.0.0.0/8"] }))],
      });
      const answer = await send(denied, bytes);
      expect(answer).toMatch(/^HTTP\/1.1 403 Forbidden\r\n/);
      expect(answer).toContain('"reason":"address_denied"');
      expect(answer).not.toContain(reason);
      expect(denied.records).toMatchObject([{ status: 403, reason: "address_denied" }]);
    });
  }

  test("a head that does not come in time counts, too", async () => {
    const { check, seen } = watching();
    const clock = new TestClock();
    clock.monotonic = 1;
    const upstreamPort = await startScriptedService(() => OK);
    const proxy = await startProxy({ upstreamPort, admitChecks: [check], clock, listener: { headTimeoutMs: 10_000 } });
    const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
    // Behind a whole request, so that its answer tells that the cut one was read.
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHo");
    await client.untilReceived("ok");
    clock.monotonic += 10_000;
    proxy.sweep();
    expect(await client.untilReceived("head_timeout")).toMatch(/HTTP\/1.1 408 /);
    expect(seen).toEqual(["127.0.0.1", "127.0.0.1"]);
  });

  test("a limit that is used up says so, not what is wrong with the request", async () => {
    const { check } = watching(new Denial("rate_limited", null, "", "", [["retry-after", "1"]]));
    const proxy = await startProxy({ admitChecks: [check] });
    expect(await send(proxy, REFUSED["two Hosts"][0])).toMatch(/^HTTP\/1.1 429 [\s\S]*retry-after: 1\r\n/);
  });

  test("a check that has to wait is waited for", async () => {
    const { check } = watching(Promise.resolve(CONTINUE));
    const proxy = await startProxy({ admitChecks: [check] });
    expect(await send(proxy, REFUSED["two Hosts"][0])).toContain("host_invalid");
  });

  test("a check that only audits leaves the refusal, and its word in the record", async () => {
    const { check } = watching(new Denial("address_denied", null, "", ""));
    const proxy = await startProxy({ admitChecks: [{ ...check, enforcePercent: 0 }] });
    expect(await send(proxy, REFUSED["two Hosts"][0])).toContain("host_invalid");
    expect(proxy.records[0]?.exchange.audited).toMatchObject([{ reason: "address_denied" }]);
  });

  test.each([
    [
      "a whole head counts for the client that the proxy names",
      "X-Forwarded-For: 192.0.2.1\r\nHost: b\r\n\r\n",
      "192.0.2.1",
    ],
    [
      "what the client wrote before it is not believed",
      "X-Forwarded-For: 10.0.0.1, 192.0.2.1\r\nHost: b\r\n\r\n",
      "192.0.2.1",
    ],
    ["a folded line counts for the peer", "X-Forwarded-For: 192.0.2.1\r\n , 192.0.2.2\r\n\r\n", "127.0.0.1"],
    ["a name that is none counts for the peer", "X-Forwarded-For: nobody\r\n\r\n", "127.0.0.1"],
    ["a cut head counts for the peer", `X-Forwarded-For: 192.0.2.1\r\nX-A: ${"a".repeat(40_000)}`, "127.0.0.1"],
  ])("behind a trusted proxy %s", async (_name, lines, address) => {
    const { check, seen } = watching();
    const proxy = await startProxy({ admitChecks: [check], listener: trusting() });
    expect(await send(proxy, `GET / HTTP/1.1\r\nHost: a\r\n${lines}`)).toMatch(/^HTTP\/1.1 4/);
    expect(seen).toEqual([address]);
    expect(proxy.records[0]?.clientAddress).toBe(address);
  });
});

describe("over HTTP/2", () => {
  const MALFORMED = { ":path": "/", x_postern_principal: "root" };
  const GRPC = { "content-type": "application/grpc", te: "trailers" };

  test("a head without a valid reading counts for its client, and is denied to an address that is denied", async () => {
    const { check, seen } = watching();
    const proxy = await startProxy({ protocol: "h2", admitChecks: [check], listener: trusting() });
    const answer = await askH2(openH2(proxy.port), { ...MALFORMED, "x-forwarded-for": "192.0.2.1" });
    expect(answer).toMatchObject({ status: 400, body: expect.stringContaining("request_malformed") });
    expect(seen).toEqual(["192.0.2.1"]);
    const deny = onlyCheck(compileFilter(addressFilter, { deny: ["127.0.0.0/8"] }));
    const denied = await startProxy({ protocol: "h2", admitChecks: [deny] });
    const refused = await askH2(openH2(denied.port), MALFORMED);
    expect(refused).toMatchObject({ status: 403, body: expect.stringContaining("address_denied") });
    expect(denied.records).toMatchObject([{ status: 403, reason: "address_denied", grpcStatus: null }]);
  });

  test("a gRPC call is told in its own way, and recorded with the reason's status", async () => {
    const deny = onlyCheck(compileFilter(addressFilter, { deny: ["127.0.0.0/8"] }));
    const proxy = await startProxy({ protocol: "h2", admitChecks: [deny] });
    const session = openH2(proxy.port);
    for (const head of [MALFORMED, { ":path": "/" }]) {
      const answer = await askH2(session, { ...head, ":method": "POST", ...GRPC }, "");
      expect(answer).toMatchObject({ status: 200, body: "", headers: { "grpc-status": "7" } });
    }
    expect(proxy.records).toMatchObject([
      { status: 403, grpcStatus: 7, reason: "address_denied" },
      { status: 403, grpcStatus: 7, reason: "address_denied" },
    ]);
  });

  test("the type alone makes no gRPC call: a GET is refused as one", async () => {
    const proxy = await startProxy({ protocol: "h2", evaluate: () => new Denial("scope_missing", null, "", "") });
    const answer = await askH2(openH2(proxy.port), { ":path": "/", ...GRPC });
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining("scope_missing") });
  });
});

test("over HTTP/1.1 the type of a gRPC call hides no denial behind status 200", async () => {
  const proxy = await startProxy({ evaluate: () => new Denial("scope_missing", null, "", "") });
  const answer = await send(
    proxy,
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nTE: trailers\r\nContent-Length: 0\r\n\r\n",
  );
  expect(answer).toMatch(/^HTTP\/1.1 403 Forbidden\r\n/);
  expect(answer).toContain("application/problem+json");
  expect(proxy.records).toMatchObject([{ status: 403, grpcStatus: null, reason: "scope_missing" }]);
});

test("a request that can be read is judged as before: the address first, then its form, then the route", async () => {
  const { check, seen } = watching();
  const upstreamPort = await startScriptedService(() => OK);
  const proxy = await startProxy({ upstreamPort, admitChecks: [check] });
  expect(await send(proxy, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")).toMatch(/^HTTP\/1.1 200 /);
  expect(seen).toEqual(["127.0.0.1"]);
});
