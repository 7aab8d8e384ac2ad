import { execFile } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { connect, type SecureVersion } from "node:tls";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Issued } from "../../src/cli/development-ca.ts";
import { Listeners } from "../../src/daemon/listeners.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import type { TlsSettings } from "../../src/policy/snapshot.ts";
import { createTelemetry } from "../../src/telemetry/live.ts";
import { type Authority, createAuthority, crlPem } from "../fixtures/authority.ts";
import { eventually } from "../fixtures/eventually.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { listenerOf, snapshotOf, tlsOf } from "../fixtures/snapshot.ts";
import { MemorySink, TestClock } from "../fixtures/telemetry.ts";

let root: Authority;
let middle: Authority;
let server: Issued;
let client: Issued;
let expired: Issued;
let stranger: Issued;
beforeAll(async () => {
  root = await createAuthority("root");
  middle = await root.below("middle");
  server = await root.issue({ subject: "CN=localhost", usage: "server", dnsNames: ["localhost"] });
  client = await root.issue({ subject: "CN=billing", usage: "client" });
  expired = await root.issue({ subject: "CN=late", usage: "client", notAfterMs: Date.now() - 1_000 });
  stranger = await (await createAuthority("stranger")).issue({ subject: "CN=who", usage: "client" });
});

let sink: MemorySink;
let listeners: Listeners;
let served: Socket[];
beforeEach(() => {
  const memory = unlimitedMemory();
  sink = new MemorySink();
  served = [];
  listeners = new Listeners({
    telemetry: createTelemetry({ clock: new TestClock(), sink, processFigures: null, memory }),
    inheritedSockets: new Map(),
    memory,
    serve: (socket) => {
      served.push(socket);
      socket.end("served\n");
    },
  });
});
afterEach(() => listeners.close());

async function listen(changes: Partial<TlsSettings>): Promise<number> {
  const tls = tlsOf(server, {
    clientCertificate: "required",
    clientCa: Buffer.from(root.certificate),
    ...changes,
  });
  const prepared = await listeners.prepare(snapshotOf({ listeners: [listenerOf({ tls })] }));
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.error));
  prepared.value.commit();
  return Number(listeners.status()[0]?.address.split(":").at(-1));
}

interface Visit {
  readonly identity?: Issued | null;
  readonly version?: SecureVersion;
  readonly ciphers?: string;
  /** Sent as soon as the client thinks that it may. */
  readonly early?: string | Buffer;
}

/** What the client was given, or the code of the error that it saw. */
function visit(port: number, { identity = null, version, ciphers, early = "" }: Visit): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      port,
      host: "127.0.0.1",
      ca: root.certificate,
      servername: "localhost",
      ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
      ...(ciphers === undefined ? {} : { ciphers }),
      ...(identity === null ? {} : { cert: identity.certificate, key: identity.key }),
    });
    let seen = "";
    socket.once("secureConnect", () => socket.write(early));
    socket.on("data", (data) => {
      seen += data;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      seen = error.code ?? error.message;
    });
    socket.on("close", () => resolve(seen));
  });
}

const alerts = (): readonly (string | undefined)[] => sink.events("handshake_failed").map(({ detail }) => detail);

describe("a client that is refused in the handshake is told why by an alert", () => {
  const SUITES = [
    ["TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"],
    ["TLSv1.3", "TLS_AES_128_GCM_SHA256"],
    ["TLSv1.3", "TLS_AES_256_GCM_SHA384"],
    ["TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256"],
  ] as const;

  test.each(SUITES)("over %s with %s", async (version, ciphers) => {
    const revoked = await root.issue({ subject: "CN=gone", usage: "client" });
    const crl = crlPem(await root.revoke({ revoked: [revoked.certificate] }));
    const port = await listen({ clientCrl: Buffer.from(crl) });
    const alert = (identity: Issued | null) => visit(port, { identity, version, ciphers });
    const missing = version === "TLSv1.3" ? "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" : /ALERT_HANDSHAKE_FAILURE$/;
    expect(await alert(null)).toMatch(missing);
    expect(await alert(expired)).toMatch(/ALERT_CERTIFICATE_EXPIRED$/);
    expect(await alert(stranger)).toMatch(/ALERT_UNKNOWN_CA$/);
    expect(await alert(revoked)).toMatch(/ALERT_CERTIFICATE_REVOKED$/);
    expect(await alert(server)).toMatch(/UNSUPPORTED_CERTIFICATE$/);
    expect(served).toEqual([]);
    expect(await alert(client)).toBe("served\n");
  });

  test("also where it has sent a request of megabytes meanwhile", async () => {
    const port = await listen({});
    const early = Buffer.alloc(2 ** 21, "x");
    for (let round = 0; round < 5; round++) {
      expect(await visit(port, { identity: stranger, version: "TLSv1.3", early })).toMatch(
        /UNKNOWN_CA|EPIPE|ECONNRESET/,
      );
      expect(await visit(port, { identity: stranger, version: "TLSv1.3", early: "GET / HTTP/1.1\r\n\r\n" })).toMatch(
        /UNKNOWN_CA$/,
      );
    }
    expect(served).toEqual([]);
  });

  test("openssl s_client reads it", async () => {
    const port = await listen({});
    const folder = mkdtempSync(join(tmpdir(), "postern-alert-"));
    writeFileSync(join(folder, "c.pem"), expired.certificate + expired.key);
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const args = ["s_client", "-connect", `127.0.0.1:${port}`, "-cert", join(folder, "c.pem"), version];
      const output = await new Promise<string>((resolve) => {
        const child = execFile("openssl", args, { timeout: PATIENCE_MS }, (_error, out, problems) =>
          resolve(out + problems),
        );
        child.stdin?.on("error", () => {});
      });
      expect(output).toMatch(/alert certificate expired/i);
    }
    rmSync(folder, { recursive: true });
  });

  test("the socket does not stay: who neither reads it nor closes is closed", async () => {
    const port = await listen({});
    const below = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true });
    const deaf = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => void below.write(chunk, () => done()),
    });
    let hears = true;
    below.on("data", (chunk) => void (hears && deaf.push(chunk)));
    const socket = connect({ socket: deaf, ca: root.certificate, servername: "localhost" });
    socket.once("secureConnect", () => {
      hears = false;
    });
    for (const one of [below, socket]) one.on("error", () => {});
    await eventually(() => alerts().length === 1);
    expect(listeners.status()[0]?.connectionsOpen).toBe(1);
    await eventually(() => listeners.status()[0]?.connectionsOpen === 0);
    socket.destroy();
    below.destroy();
  });
});

describe("the log line of a refused client", () => {
  test("has subject, issuer and serial of its certificate", async () => {
    const port = await listen({});
    await visit(port, { identity: stranger });
    await visit(port, {});
    expect(alerts()).toEqual([
      expect.stringMatching(
        /^client certificate: UNABLE_TO_VERIFY_LEAF_SIGNATURE, subject "CN=who", issuer "CN=stranger", serial [0-9A-F]{2,16}$/,
      ),
      "the client shows no certificate",
    ]);
  });

  test("has no more of a name than a line bears, and no terminal escapes", async () => {
    const port = await listen({});
    const hostile = await (await createAuthority("other")).issue({
      subject: `CN=a\u001b[31m${"x".repeat(5_000)}`,
      usage: "client",
    });
    await visit(port, { identity: hostile });
    const [detail = ""] = alerts();
    expect(detail.length).toBeLessThan(700);
    expect(sink.raw.join("")).not.toContain("\u001b");
  });
});

describe("trust in clients", () => {
  test("an authority alone in the file, without those above it, is the anchor that it is meant to be", async () => {
    const port = await listen({ clientCa: Buffer.from(middle.certificate), hasPartialChains: true });
    const below = await middle.issue({ subject: "CN=below", usage: "client" });
    expect(await visit(port, { identity: below })).toBe("served\n");
    const withChain = { ...below, certificate: below.certificate + middle.certificate + root.certificate };
    expect(await visit(port, { identity: withChain })).toBe("served\n");
    // Not whom its root has issued, nor one that is expired.
    expect(await visit(port, { identity: client })).toMatch(/UNKNOWN_CA$/);
    const late = await middle.issue({ subject: "CN=late", usage: "client", notAfterMs: Date.now() - 1_000 });
    expect(await visit(port, { identity: late })).toMatch(/EXPIRED$/);
  });

  test("each of several revocation lists counts, and a client of an authority without one is refused and named", async () => {
    const good = await middle.issue({ subject: "CN=good", usage: "client" });
    const gone = await middle.issue({ subject: "CN=gone", usage: "client" });
    const lists = crlPem(await root.revoke()) + crlPem(await middle.revoke({ revoked: [gone.certificate] }));
    const clientCa = Buffer.from(root.certificate + middle.certificate);
    const port = await listen({ clientCa, clientCrl: Buffer.from(lists) });
    expect(await visit(port, { identity: good })).toBe("served\n");
    expect(await visit(port, { identity: client })).toBe("served\n");
    expect(await visit(port, { identity: gone })).toMatch(/REVOKED$/);
    await listen({ clientCa, clientCrl: Buffer.from(crlPem(await root.revoke())) });
    const again = Number(listeners.status()[0]?.address.split(":").at(-1));
    expect(await visit(again, { identity: good })).toMatch(/UNKNOWN_CA$/);
    expect(alerts().at(-1)).toMatch(/UNABLE_TO_GET_CRL, subject "CN=good", issuer "CN=middle"/);
  });

  test("an RSA key with the exponent 1, with which anybody can sign, is refused where OpenSSL takes it", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = createPrivateKey({
      key: { ...privateKey.export({ format: "jwk" }), e: "AQ", d: "AQ", dp: "AQ", dq: "AQ" },
      format: "jwk",
    });
    const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
    const { certificate } = await root.issue({ subject: "CN=weak", usage: "client", publicKey });
    const identity = { certificate, key: key.export({ type: "pkcs8", format: "pem" }).toString() };
    const port = await listen({});
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      expect(await visit(port, { identity, version })).not.toBe("served\n");
    }
    expect(alerts()).toEqual([
      expect.stringContaining('WEAK_KEY, subject "CN=weak"'),
      expect.stringContaining('WEAK_KEY, subject "CN=weak"'),
    ]);
    expect(served).toEqual([]);
  });
});
