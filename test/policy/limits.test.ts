import { describe, expect, test } from "vitest";
import { parseAddress, UNIX_PEER } from "../../src/message/address.ts";
import { PUBLIC_ROUTE, policyWith, problemsOf, snapshotOf } from "./policy-kit.ts";

const listenerWith = (more: string, address = "127.0.0.1:8080") =>
  policyWith(PUBLIC_ROUTE, { listener: `{ name: a, address: '${address}', ${more} }` });

function addressOf(text: string) {
  const address = parseAddress(text);
  if (address === null) throw new Error(text);
  return address;
}

describe("limits of a listener", () => {
  test("are read with their units", async () => {
    const keys = [
      "maxConnections: 7, maxConnectionsPerAddress: 3, maxRequestsPerConnection: 1000, maxConnectionAge: 1h",
      "handshakeTimeout: 2s, headTimeout: 3s, requestTimeout: 1m, idleTimeout: 4s",
      "bodyMinRate: 1KiB/s, bodyGrace: 500ms, bodyProgressTimeout: 5s, writeTimeout: 6s",
    ];
    expect((await snapshotOf(listenerWith(keys.join(", ")))).listeners[0]).toMatchObject({
      connectionsMax: 7,
      addressConnectionsMax: 3,
      requestsPerConnectionMax: 1_000,
      connectionAgeMaxMs: 3_600_000,
      handshakeTimeoutMs: 2_000,
      headTimeoutMs: 3_000,
      requestTimeoutMs: 60_000,
      idleTimeoutMs: 4_000,
      bodyBytesPerSecondMin: 1024,
      bodyGraceMs: 500,
      bodyProgressTimeoutMs: 5_000,
      writeTimeoutMs: 6_000,
    });
  });

  test("an address may have half of the connections where nothing else is said, and at least one", async () => {
    for (const [all, one] of [
      [1, 1],
      [5, 3],
      [100, 50],
    ]) {
      const [listener] = (await snapshotOf(listenerWith(`maxConnections: ${all}`))).listeners;
      expect(listener?.addressConnectionsMax).toBe(one);
    }
  });

  test("handshakes are bounded where there are some, and nothing counts them unasked", async () => {
    const [listener] = (await snapshotOf(listenerWith("maxConnectionsPerIdentity: 9"))).listeners;
    expect(listener).toMatchObject({ identityConnectionsMax: 9, handshakes: null });
    for (const key of ["maxHandshakesPerAddress", "maxHandshakes"]) {
      expect(await problemsOf(listenerWith(`${key}: 20/second`))).toMatchObject([
        expect.stringContaining("there are no handshakes without 'tls'"),
      ]);
    }
  });

  test("the minimum rate may be off, and needs its unit", async () => {
    expect((await snapshotOf(listenerWith("bodyMinRate: off"))).listeners[0]?.bodyBytesPerSecondMin).toBe(0);
    for (const wrong of ["240", "240B", "'0x1B/s'", "240B/minute"]) {
      expect(await problemsOf(listenerWith(`bodyMinRate: ${wrong}`))).toMatchObject([
        expect.stringContaining("expected bytes a second, as in 240B/s"),
      ]);
    }
  });
});

describe("proxyProtocol", () => {
  test("knows the peers that it names, in either spelling of IPv4, and no others", async () => {
    const [listener] = (await snapshotOf(listenerWith("proxyProtocol: { from: [10.0.0.0/8, '2001:db8::/32'] }")))
      .listeners;
    const has = (text: string) => listener?.proxyProtocol?.has(addressOf(text));
    expect(["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"].map(has)).toEqual([true, true, true]);
    expect(["11.0.0.1", "2001:db9::1", "127.0.0.1"].map(has)).toEqual([false, false, false]);
    expect(listener?.proxyProtocol?.has(UNIX_PEER)).toBe(false);
  });

  test("names the peers of a Unix socket by a word", async () => {
    const policy = listenerWith("proxyProtocol: { from: [unix] }", "unix:/run/in.sock");
    expect((await snapshotOf(policy)).listeners[0]?.proxyProtocol?.has(UNIX_PEER)).toBe(true);
  });

  test.each([
    ["127.0.0.1:8080", "[unix]", "'unix' is for a listener on a Unix socket"],
    ["unix:/run/in.sock", "[10.0.0.0/8]", "peers of a Unix socket have no address"],
    ["127.0.0.1:8080", "[0.0.0.0/0]", "would let anyone claim any address"],
    ["127.0.0.1:8080", "['::/0']", "would let anyone claim any address"],
    ["127.0.0.1:8080", "[10.0.0.0/33]", "10.0.0.0/33"],
    ["127.0.0.1:8080", "[]", "at least 1 entry"],
  ])("on %s refuses %s", async (address, from, text) => {
    const problems = await problemsOf(listenerWith(`proxyProtocol: { from: ${from} }`, address));
    expect(problems).toMatchObject([expect.stringMatching(new RegExp(text.replaceAll(".", "\\."), "i"))]);
  });
});

test("limits of an upstream are read with their units", async () => {
  const policy = `version: 1
service: orders
listeners: [{ name: a, address: 127.0.0.1:8080 }]
upstreams:
  app: { address: 'http://127.0.0.1:3000', writeTimeout: 1s, responseTimeout: 2s, streamIdleTimeout: 3s, streamMaxDuration: 4s }
${PUBLIC_ROUTE}
`;
  expect((await snapshotOf(policy)).upstreams.get("app")).toMatchObject({
    writeTimeoutMs: 1_000,
    responseTimeoutMs: 2_000,
    streamIdleTimeoutMs: 3_000,
    streamDurationMaxMs: 4_000,
  });
});

describe("keys that limits count", () => {
  const limits = (count: number, more = "") =>
    Array.from({ length: count }, (_, at) => `  l${at}: { rate: 5/second, key: principal${more} }\n`).join("");
  const uses = "routes: [{ path: /, public: true }]";
  const keys = async (count: number, more?: string) =>
    (await snapshotOf(policyWith(`limits:\n${limits(count, more)}${uses}`))).limits.map((limit) => limit.keys);

  test("are 65,536 for each, and an even share where that would be too many", async () => {
    expect(await keys(1)).toEqual([65_536]);
    expect(await keys(32)).toEqual(Array.from({ length: 32 }, () => 65_536));
    expect(new Set(await keys(33))).toEqual(new Set([32_768]));
    expect(new Set(await keys(1_000))).toEqual(new Set([2_048]));
    expect(await keys(2, ", maxKeys: 3000")).toEqual([4_096, 4_096]);
  });

  test("have bounds, for one and for all", async () => {
    const problems = (count: number, more: string) =>
      problemsOf(policyWith(`limits:\n${limits(count, `, maxKeys: ${more}`)}${uses}`));
    for (const wrong of ["1023", "2097153", "1k"]) expect(await problems(1, wrong)).toHaveLength(1);
    expect(await problems(4, "524288")).toEqual([]);
    expect(await problems(6, "524288")).toEqual([
      "11:7 the limits up to here count 2621440 keys at once; expected at most 2097152: give some of them a 'maxKeys' below 524288",
    ]);
  });
});
