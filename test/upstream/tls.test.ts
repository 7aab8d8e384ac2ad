import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { createDevelopmentCa, type DevelopmentCa, type Issued } from "../../src/cli/development-ca.ts";
import type { UpstreamSettings, UpstreamTlsSettings } from "../../src/policy/snapshot.ts";
import { createAuthority } from "../fixtures/authority.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { closeAll, listen, onClose, startProxy, startRawService } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

let pki: TestPki;
let stranger: DevelopmentCa;
beforeAll(async () => {
  pki = await createTestPki();
  stranger = await createDevelopmentCa("stranger", Date.now());
});
afterEach(closeAll);

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

function tlsTo(changes: Partial<UpstreamTlsSettings> = {}): UpstreamTlsSettings {
  return {
    serverName: "localhost",
    ca: Buffer.from(pki.ca.certificate),
    hasPartialChains: false,
    certificate: null,
    key: null,
    minVersion: "TLSv1.2",
    fingerprint: "test",
    ...changes,
  };
}

async function startTlsService(issued: Issued, options: TlsOptions = {}): Promise<number> {
  const server = createHttpsServer({ cert: issued.certificate, key: issued.key, ...options }, (request, response) => {
    response.end(`hello to ${request.headers.host}`);
  });
  server.on("tlsClientError", () => {});
  onClose(() => server.closeAllConnections());
  return listen(server);
}

async function ask(upstreamPort: number, upstream: Partial<UpstreamSettings>) {
  const proxy = await startProxy({ upstreamPort, upstream });
  const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  client.write(GET);
  await client.until(() => /\r\n\r\n.+/.test(client.received));
  return { ...proxy, client, status: Number(client.received.slice(9, 12)) };
}

/** The request is refused, the client learns nothing but that, the log says why. */
async function refused(port: number, tls: UpstreamTlsSettings, seen: RegExp): Promise<void> {
  const { status, records, client } = await ask(port, { tls });
  expect(status).toBe(502);
  expect(records).toMatchObject([{ reason: "upstream_tls_failed" }]);
  expect(records[0]?.denial?.seen).toMatch(seen);
  expect(client.received).not.toMatch(/CERT|localhost|127\.0\.0\.1/);
}

describe("the service is verified", () => {
  test("one whose chain leads to the CA and whose name fits is served, over one connection", async () => {
    const { client } = await ask(await startTlsService(pki.server), { tls: tlsTo() });
    expect(client.received).toContain("hello to a");
    client.write(GET);
    await client.until(() => client.received.split("hello to a").length === 3);
  });

  test("one by address where the certificate names the address", async () => {
    const { status } = await ask(await startTlsService(pki.server), { tls: tlsTo({ serverName: "127.0.0.1" }) });
    expect(status).toBe(200);
  });

  test("not one of another CA", async () => {
    await refused(
      await startTlsService(pki.server),
      tlsTo({ ca: Buffer.from(stranger.certificate) }),
      /UNABLE_TO|SELF_SIGNED/,
    );
  });

  test("not one of our CA without the system's trust, where the policy names no CA", async () => {
    await refused(await startTlsService(pki.server), tlsTo({ ca: null }), /UNABLE_TO|SELF_SIGNED/);
  });

  test("not one with another name", async () => {
    await refused(await startTlsService(pki.server), tlsTo({ serverName: "orders.internal" }), /ALTNAME/);
  });

  test("not one that has its name in the subject alone", async () => {
    const issued = await pki.ca.issue({ commonName: "localhost", usage: "server" });
    await refused(await startTlsService(issued), tlsTo(), /carries no name/);
  });

  test("not one whose certificate has a wildcard inside a label, which Node would take", async () => {
    for (const dnsNames of [["ba*.example.com"], ["*nk.example.com"], ["b*k.example.com"], ["*.*.com"]]) {
      const issued = await pki.ca.issue({ commonName: "w", usage: "server", dnsNames });
      await refused(await startTlsService(issued), tlsTo({ serverName: "bank.example.com" }), /ALTNAME/);
    }
  });

  test("one whose certificate has such a name beside its own, or a wildcard for the whole label", async () => {
    for (const dnsNames of [["ba*.example.com", "bank.example.com"], ["*.example.com"]]) {
      const issued = await pki.ca.issue({ commonName: "w", usage: "server", dnsNames });
      const { status } = await ask(await startTlsService(issued), { tls: tlsTo({ serverName: "bank.example.com" }) });
      expect(status).toBe(200);
    }
  });

  test("one whose authority stands in 'ca' without those above it", async () => {
    const middle = await (await createAuthority("root")).below("middle");
    const issued = await middle.issue({ subject: "CN=s", usage: "server", dnsNames: ["localhost"] });
    const ca = Buffer.from(middle.certificate);
    const port = await startTlsService(issued);
    expect((await ask(port, { tls: tlsTo({ ca, hasPartialChains: true }) })).status).toBe(200);
    await refused(port, tlsTo({ ca: Buffer.from(stranger.certificate), hasPartialChains: true }), /UNABLE_TO/);
  });

  test("not one with an RSA key of exponent 1, with which anybody can sign", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const one = { e: "AQ", d: "AQ", dp: "AQ", dq: "AQ" };
    const weak = createPrivateKey({ key: { ...privateKey.export({ format: "jwk" }), ...one }, format: "jwk" });
    const authority = await createAuthority("careless");
    const publicKey = createPublicKey(weak).export({ type: "spki", format: "der" });
    const { certificate } = await authority.issue({
      subject: "CN=w",
      usage: "server",
      dnsNames: ["localhost"],
      publicKey,
    });
    const key = weak.export({ type: "pkcs8", format: "pem" }).toString();
    const port = await startTlsService({ certificate, key });
    await refused(port, tlsTo({ ca: Buffer.from(authority.certificate) }), /an RSA key with the exponent 1/);
  });

  test("the log names the upstream, the address and the names that the certificate is for", async () => {
    const issued = await pki.ca.issue({
      commonName: "o",
      usage: "server",
      dnsNames: ["other.internal"],
      uris: ["spiffe://a/b"],
    });
    const port = await startTlsService(issued);
    const address = { type: "tcp", host: "localhost", port } as const;
    const { records, client } = await ask(port, { address, tls: tlsTo() });
    expect(records[0]?.denial?.seen).toBe(
      `ERR_TLS_CERT_ALTNAME_INVALID, tried 127.0.0.1:${port}; its certificate is for "DNS:other.internal", "URI:spiffe://a/b"; upstream app at localhost:${port}`,
    );
    expect(client.received).not.toMatch(/other\.internal|127\.0\.0\.1|localhost|upstream app/);
  });

  test("not one that has expired", async () => {
    const issued = await pki.ca.issue({
      commonName: "localhost",
      usage: "server",
      dnsNames: ["localhost"],
      notAfterMs: Date.now() - 1_000,
    });
    await refused(await startTlsService(issued), tlsTo(), /CERT_HAS_EXPIRED/);
  });

  test("not one with a client's certificate", async () => {
    const issued = await pki.ca.issue({ commonName: "localhost", usage: "client", dnsNames: ["localhost"] });
    await refused(await startTlsService(issued), tlsTo(), /INVALID_PURPOSE/);
  });

  test("not one below the lowest version", async () => {
    const port = await startTlsService(pki.server, { maxVersion: "TLSv1.2" });
    await refused(port, tlsTo({ minVersion: "TLSv1.3" }), /ERR_SSL/);
  });

  test("not one that speaks no TLS at all", async () => {
    const port = await startRawService((socket) => socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\n\r\nplain")));
    await refused(port, tlsTo(), /ERR_SSL|EPROTO/);
  });
});

describe("a service that asks for a certificate", () => {
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const demanding = () =>
      startTlsService(pki.server, { ca: pki.ca.certificate, requestCert: true, rejectUnauthorized: true, maxVersion });

    test(`gets postern's own (${maxVersion})`, async () => {
      const tls = tlsTo({ certificate: Buffer.from(pki.client.certificate), key: Buffer.from(pki.client.key) });
      expect((await ask(await demanding(), { tls })).status).toBe(200);
    });

    test(`and refuses postern without one (${maxVersion})`, async () => {
      await refused(await demanding(), tlsTo(), /ERR_SSL|ECONNRESET|closed/);
    });
  }
});

test("a handshake that stands still runs into the time to connect", async () => {
  const port = await startRawService(() => {});
  const { status, records } = await ask(port, { tls: tlsTo(), connectTimeoutMs: 50 });
  expect([status, records[0]?.denial?.seen]).toEqual([
    504,
    expect.stringMatching(/^no handshake in 50 ms; upstream app at 127\.0\.0\.1:\d+$/),
  ]);
});

describe("HTTP/2 over TLS", () => {
  test("is asked for and chosen by ALPN", async () => {
    const server = createSecureServer({ cert: pki.server.certificate, key: pki.server.key }, (request, response) => {
      response.end(`${request.httpVersion} ${request.scheme} ${request.authority}`);
    });
    server.on("session", (session) => onClose(() => session.destroy()));
    const { client } = await ask(await listen(server), { tls: tlsTo(), protocol: "h2" });
    expect(client.received).toContain("2.0 https a");
  });

  test("is not spoken to a service that does not choose it", async () => {
    const server = createTlsServer({ cert: pki.server.certificate, key: pki.server.key }, (socket) => {
      socket.on("error", () => {});
      onClose(() => socket.destroy());
    });
    const { status, records } = await ask(await listen(server), { tls: tlsTo(), protocol: "h2" });
    expect(status).toBe(502);
    expect(records).toMatchObject([
      { reason: "upstream_tls_failed", denial: { seen: expect.stringContaining("ALPN") } },
    ]);
  });
});
