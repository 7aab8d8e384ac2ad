import { beforeAll, describe, expect, test } from "vitest";
import type { UpstreamSettings } from "../../src/policy/snapshot.ts";
import { upstreamKey } from "../../src/upstream/create-upstream.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { examine, type Files, NOW_MS, PUBLIC_ROUTE, policyWith, snapshotOf, warningsOf } from "./policy-kit.ts";

let pki: TestPki;
let files: Files;
beforeAll(async () => {
  pki = await createTestPki(NOW_MS);
  files = {
    "ca.pem": pki.ca.certificate,
    "client.pem": pki.client.certificate,
    "client.key": pki.client.key,
    "other.key": pki.server.key,
  };
});

/** `fields` stands behind the address, as `', protocol: h2`; the policy's own quote closes it. */
const policy = (address: string, fields = "") =>
  policyWith(PUBLIC_ROUTE).replace("{ address: 'http://127.0.0.1:3000' }", `{ address: '${address}'${fields} }`);

async function upstreamOf(address: string, fields = "", more: Files = {}): Promise<UpstreamSettings | undefined> {
  return (await snapshotOf(policy(address, fields), { ...files, ...more })).upstreams.get("app");
}

async function problemTexts(address: string, fields = "", more: Files = {}): Promise<readonly string[]> {
  const { problems } = await examine(policy(address, fields), { ...files, ...more });
  return problems.map(({ place, text }) => `${place.path}: ${text}`);
}

describe("the address says how the service is spoken to", () => {
  test.each([
    ["http://127.0.0.1:3000", "", "http/1.1", 3000, null],
    ["https://127.0.0.1", "", "http/1.1", 443, "127.0.0.1"],
    ["https://Orders.internal:3443", "", "http/1.1", 3443, "orders.internal"],
    ["https://orders.internal:3443", ", protocol: h2", "h2", 3443, "orders.internal"],
    ["h2c://127.0.0.1:3000", "", "h2", 3000, null],
    ["h2c://127.0.0.1", ", protocol: h2", "h2", 80, null],
  ] as const)("%s%s", async (address, fields, protocol, port, serverName) => {
    const upstream = await upstreamOf(address, fields);
    expect(upstream).toMatchObject({ protocol, address: { type: "tcp", port }, streamIdleTimeoutMs: 300_000 });
    expect(upstream?.tls?.serverName ?? null).toBe(serverName);
  });

  test("a Unix socket speaks HTTP/1.1, or HTTP/2 where it is said", async () => {
    expect(await upstreamOf("unix:/run/a.sock")).toMatchObject({ protocol: "http/1.1", tls: null });
    expect(await upstreamOf("unix:/run/a.sock", ", protocol: h2")).toMatchObject({ protocol: "h2", tls: null });
  });

  test("and is not contradicted", async () => {
    expect(await problemTexts("http://127.0.0.1:3000", ", protocol: h2")).toEqual([
      "upstreams.app.protocol: http: is HTTP/1.1; expected an address with h2c: for HTTP/2 in the clear",
    ]);
    expect(await problemTexts("h2c://127.0.0.1:3000", ", protocol: http/1.1")).toEqual([
      "upstreams.app.protocol: h2c: is HTTP/2; expected an address with http: for HTTP/1.1",
    ]);
    for (const address of ["http://127.0.0.1:3000", "h2c://127.0.0.1:3000", "unix:/run/a.sock"]) {
      expect(await problemTexts(address, ", tls: { ca: ca.pem }")).toEqual([
        expect.stringMatching(/^upstreams\.app\.tls: TLS to an address of '(?:http|h2c|unix):'; expected https:/),
      ]);
    }
  });

  test.each(["https://", "https://0x7f.1", "https://a:b@c", "https://a/path", "h2://a:1", "ftp://a", "h2c:/a"])(
    "%s is none",
    async (address) => expect(await problemTexts(address)).toHaveLength(1),
  );

  test("in the clear to another machine is warned of, with TLS it is not", async () => {
    expect(await warningsOf(policy("h2c://orders.internal:3000"), files)).toHaveLength(1);
    expect(await warningsOf(policy("https://orders.internal:3443"), files)).toEqual([]);
  });
});

describe("tls of an upstream", () => {
  test("has the service verified by its own CA and shows postern's certificate; all are watched and told of", async () => {
    const fields = ", tls: { ca: ca.pem, certificate: client.pem, key: client.key, serverName: orders.internal }";
    const snapshot = await snapshotOf(policy("https://127.0.0.1:3443", fields), files);
    expect(snapshot.upstreams.get("app")?.tls).toMatchObject({
      serverName: "orders.internal",
      ca: Buffer.from(pki.ca.certificate),
      certificate: Buffer.from(pki.client.certificate),
      minVersion: "TLSv1.2",
    });
    expect(snapshot.certificates.map(({ use }) => use)).toEqual(["upstream app CA", "upstream app"]);
    expect(snapshot.files.slice(1)).toEqual(["/srv/conf/ca.pem", "/srv/conf/client.pem", "/srv/conf/client.key"]);
  });

  test("with another certificate is another policy, and gets other connections", async () => {
    const fields = ", tls: { ca: ca.pem, certificate: client.pem, key: client.key }";
    const other = await createTestPki(NOW_MS);
    const before = await snapshotOf(policy("https://127.0.0.1:3443", fields), files);
    const after = await snapshotOf(policy("https://127.0.0.1:3443", fields), {
      ...files,
      "ca.pem": other.ca.certificate,
    });
    expect(after.hash).not.toBe(before.hash);
    const keys = [before, after, before].map(({ upstreams }) => [...upstreams.values()].map(upstreamKey).join());
    expect(keys[0]).toBe(keys[2]);
    expect(keys[0]).not.toBe(keys[1]);
    expect(keys.join()).not.toContain("PRIVATE KEY");
  });

  test("has no switch that turns the verification off", async () => {
    for (const key of ["verify", "rejectUnauthorized", "insecure", "skipVerify"]) {
      expect(await problemTexts("https://127.0.0.1:3443", `, tls: { ${key}: false }`)).toHaveLength(1);
    }
  });

  test("needs files that are what they should be", async () => {
    const day = 86_400_000;
    const old = await pki.ca.issue({ commonName: "old", usage: "client", notAfterMs: NOW_MS - day });
    const own = (more: Files = {}) =>
      problemTexts("https://127.0.0.1:3443", ", tls: { certificate: client.pem, key: client.key }", more);
    expect(await own({ "client.key": pki.server.key })).toEqual([
      "upstreams.app.tls.key: the key does not fit the first certificate of 'client.pem'",
    ]);
    expect(await own({ "client.pem": old.certificate, "client.key": old.key })).toEqual([
      "upstreams.app.tls.certificate: the certificate of CN=old expired at 2026-11-30T00:00:00Z",
    ]);
    expect(await problemTexts("https://127.0.0.1:3443", ", tls: { certificate: client.pem }")).toEqual([
      "upstreams.app.tls: 'key' is missing; expected a certificate and its key, or neither",
    ]);
    expect(await problemTexts("https://127.0.0.1:3443", ", tls: { ca: client.key }")).toEqual([
      "upstreams.app.tls.ca: 'client.key': the file holds no certificate; expected PEM",
    ]);
    expect(await problemTexts("https://127.0.0.1:3443", ", tls: { ca: none.pem }")).toEqual([
      "upstreams.app.tls.ca: 'none.pem' does not exist; expected a file, relative to the policy",
    ]);
    expect(await problemTexts("https://127.0.0.1:3443", ", tls: { serverName: 'a/b' }")).toEqual([
      expect.stringContaining("upstreams.app.tls.serverName: expected a host name"),
    ]);
  });
});
