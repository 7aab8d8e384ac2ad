import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { beforeAll, expect, test } from "vitest";
import type { Issued } from "../../src/cli/development-ca.ts";
import type { TlsSettings } from "../../src/policy/snapshot.ts";
import { type Authority, createAuthority, crlPem, type LeafWishes } from "../fixtures/authority.ts";
import { tlsOf } from "../fixtures/snapshot.ts";
import { noteConnections } from "./noted-listeners.ts";

let ours: Authority;
let partner: Authority;
let plain: Authority;
let server: Issued;
beforeAll(async () => {
  ours = await createAuthority("example.org");
  partner = await createAuthority("partner.net");
  plain = await createAuthority("plain");
  server = await ours.issue({ subject: "CN=localhost", usage: "server", dnsNames: ["localhost"] });
});

const noted = noteConnections();

const pem = (...authorities: readonly Authority[]): Buffer =>
  Buffer.from(authorities.map(({ certificate }) => certificate).join(""));
const certificates = (...authorities: readonly Authority[]): X509Certificate[] =>
  authorities.map(({ certificate }) => new X509Certificate(certificate));

async function listen(changes: Partial<TlsSettings> = {}): Promise<number> {
  const tls = tlsOf(server, {
    clientCertificate: "optional",
    clientCa: pem(ours, partner, plain),
    trust: {
      bundles: new Map([
        ["example.org", certificates(ours)],
        ["partner.net", certificates(partner)],
      ]),
      others: certificates(plain),
      text: "",
    },
    ...changes,
  });
  return noted.listen(tls);
}

function visit(port: number, { certificate, key }: Issued): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", ca: pem(ours), servername: "localhost", cert: certificate, key });
    let seen = "";
    socket.on("data", (data) => {
      seen += data;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      seen = error.code ?? error.message;
    });
    socket.on("close", () => resolve(seen));
  });
}

const leaf = (authority: Authority, wishes: Partial<LeafWishes>): Promise<Issued> =>
  authority.issue({ subject: "CN=workload", usage: "client", ...wishes });

/** What the listener makes of a certificate: null where it is trusted. */
async function judgement(port: number, issued: Issued): Promise<string | null> {
  await visit(port, issued);
  return noted.facts.at(-1)?.certificate?.untrusted ?? null;
}

test("an ID is good when its chain ends in the bundle of its own trust domain", async () => {
  const port = await listen();
  expect(await judgement(port, await leaf(ours, { uris: ["spiffe://example.org/billing"] }))).toBeNull();
  expect(await judgement(port, await leaf(partner, { uris: ["spiffe://partner.net/shop"] }))).toBeNull();
  const middle = await partner.below("partner.net region");
  const below = await leaf(middle, { uris: ["spiffe://partner.net/shop"] });
  const sent = { ...below, certificate: below.certificate + middle.certificate };
  expect(await judgement(port, sent)).toBeNull();
});

test("the authority of one trust domain cannot issue IDs of another", async () => {
  const port = await listen();
  const forged = { uris: ["spiffe://example.org/billing"] };
  expect(await judgement(port, await leaf(partner, forged))).toBe("TRUST_DOMAIN_MISMATCH");
  expect(noted.facts).toHaveLength(1);
  // Neither with the other's authority sent along, nor over an intermediate of the same name.
  const direct = await leaf(partner, forged);
  const along = { ...direct, certificate: direct.certificate + ours.certificate };
  expect(await judgement(port, along)).toBe("TRUST_DOMAIN_MISMATCH");
  const alike = await partner.below("example.org");
  const under = await leaf(alike, forged);
  const chain = { ...under, certificate: under.certificate + alike.certificate + ours.certificate };
  expect(await judgement(port, chain)).toBe("TRUST_DOMAIN_MISMATCH");
});

test("an ID of a trust domain without a bundle is nobody's to issue", async () => {
  const port = await listen();
  for (const authority of [ours, partner, plain]) {
    const issued = await leaf(authority, { uris: ["spiffe://other.example/x"] });
    expect(await judgement(port, issued)).toBe("TRUST_DOMAIN_MISMATCH");
  }
});

test("a trust domain's authority issues IDs alone: a DNS name of its is nobody's", async () => {
  const port = await listen();
  const named = { dnsNames: ["billing.example.org"] };
  expect(await judgement(port, await leaf(plain, named))).toBeNull();
  expect(await judgement(port, await leaf(partner, named))).toBe("TRUST_DOMAIN_MISMATCH");
  // Two IDs are none (X509-SVID section 2), so they do not help either.
  const two = { uris: ["spiffe://partner.net/a", "spiffe://example.org/billing"] };
  expect(await judgement(port, await leaf(partner, two))).toBe("TRUST_DOMAIN_MISMATCH");
});

test("where a certificate is required, the handshake says it", async () => {
  const port = await listen({ clientCertificate: "required" });
  const forged = await leaf(partner, { uris: ["spiffe://example.org/billing"] });
  expect(await visit(port, forged)).not.toBe("served\n");
  expect(noted.facts).toEqual([]);
  expect(noted.sink.events("handshake_failed")[0]).toMatchObject({ reason: "certificate_trust_domain_mismatch" });
  expect(await visit(port, await leaf(ours, { uris: ["spiffe://example.org/billing"] }))).toBe("served\n");
});

test("what OpenSSL finds comes first: revoked, expired, not yet valid", async () => {
  const gone = await leaf(ours, { uris: ["spiffe://example.org/gone"] });
  const lists = [await ours.revoke({ revoked: [gone.certificate] }), await partner.revoke(), await plain.revoke()];
  const port = await listen({ clientCrl: Buffer.from(lists.map(crlPem).join("")) });
  expect(await judgement(port, gone)).toBe("CERT_REVOKED");
  const uris = ["spiffe://example.org/billing"];
  expect(await judgement(port, await leaf(ours, { uris, notAfterMs: Date.now() - 1000 }))).toBe("CERT_HAS_EXPIRED");
  expect(await judgement(port, await leaf(ours, { uris, notBeforeMs: Date.now() + 60_000 }))).toBe(
    "CERT_NOT_YET_VALID",
  );
  expect(await judgement(port, await leaf(ours, { uris }))).toBeNull();
});
