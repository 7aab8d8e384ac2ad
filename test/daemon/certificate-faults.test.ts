import { connect } from "node:tls";
import { beforeAll, expect, test } from "vitest";
import type { Issued } from "../../src/cli/development-ca.ts";
import { Denial } from "../../src/decision/verdict.ts";
import { clientCertificateKind } from "../../src/filters/client-certificate/compile.ts";
import type { ConnectionFacts } from "../../src/message/connection.ts";
import type { TlsSettings } from "../../src/policy/snapshot.ts";
import { systemClock } from "../../src/support/clock.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { request, testContext } from "../filters/identity-context.ts";
import { type Authority, createAuthority, crlPem } from "../fixtures/authority.ts";
import { eventually } from "../fixtures/eventually.ts";
import { tlsOf } from "../fixtures/snapshot.ts";
import { noteConnections } from "./noted-listeners.ts";

const DAY_MS = 86_400_000;

let root: Authority;
let server: Issued;
let revoked: Issued;
let crl: string;
/** What clients show, by what is wrong with it. */
const shown = new Map<string, Issued>();
beforeAll(async () => {
  root = await createAuthority("root");
  const stranger = await createAuthority("stranger");
  const middle = await root.below("middle");
  const ended = await root.below("ended", Date.now() - DAY_MS);
  const client = { subject: "CN=billing", usage: "client" } as const;
  server = await root.issue({ subject: "CN=localhost", usage: "server", dnsNames: ["localhost"] });
  revoked = await root.issue(client);
  crl = crlPem(await root.revoke({ revoked: [revoked.certificate] }));
  const with_ = (issued: Issued, ...more: readonly Authority[]): Issued => ({
    ...issued,
    certificate: issued.certificate + more.map(({ certificate }) => certificate).join(""),
  });
  shown.set("certificate_expired", await root.issue({ ...client, notAfterMs: Date.now() - 1_000 }));
  shown.set("certificate_not_yet_valid", await root.issue({ ...client, notBeforeMs: Date.now() + DAY_MS }));
  shown.set("certificate_usage_mismatch", server);
  shown.set("certificate_issuer_unknown, a missing intermediate", await middle.issue(client));
  shown.set("certificate_issuer_unknown, a stranger", await stranger.issue(client));
  shown.set("certificate_untrusted, a stranger with its authority", with_(await stranger.issue(client), stranger));
  shown.set("certificate_expired, of an authority between", with_(await ended.issue(client), ended));
});

const noted = noteConnections();

async function listen(changes: Partial<TlsSettings>): Promise<number> {
  const tls = tlsOf(server, { clientCa: Buffer.from(root.certificate), ...changes });
  return noted.listen(tls);
}

function visit(port: number, { certificate, key }: Issued): Promise<void> {
  return new Promise((resolve) => {
    const ca = root.certificate;
    const socket = connect({ port, host: "127.0.0.1", ca, servername: "localhost", cert: certificate, key });
    socket.on("error", () => {});
    socket.resume();
    socket.on("close", () => resolve());
  });
}

/** How a route that wants a certificate denies the request of that connection. */
function denialOf(one: ConnectionFacts | undefined): string {
  const context = { ...testContext(), clock: systemClock };
  const settings = clientCertificateKind.schema.parse({ type: "client-certificate" });
  const authenticator = atOnce(stepsOf(clientCertificateKind.compile("mesh", settings, context)));
  const answer = authenticator?.authenticate(request([], one?.certificate ?? null));
  return answer instanceof Denial ? answer.reason : "none";
}

/** The reason at the handshake where a certificate is required, and at the request where it is optional. */
async function reasonsOf(issued: Issued, changes: Partial<TlsSettings> = {}): Promise<readonly string[]> {
  await visit(await listen({ clientCertificate: "required", ...changes }), issued);
  await eventually(() => noted.sink.events("handshake_failed").length === 1);
  expect(noted.facts).toEqual([]);
  const atHandshake = String(noted.sink.events("handshake_failed")[0]?.["reason"]);
  await visit(await listen({ clientCertificate: "optional", ...changes }), issued);
  return [atHandshake, denialOf(noted.facts[0])];
}

test.each([
  "certificate_expired",
  "certificate_not_yet_valid",
  "certificate_usage_mismatch",
  "certificate_issuer_unknown, a missing intermediate",
  "certificate_issuer_unknown, a stranger",
  "certificate_untrusted, a stranger with its authority",
  "certificate_expired, of an authority between",
])("%s has the same word at the handshake and at the request", async (name) => {
  const [reason = ""] = name.split(",");
  expect(await reasonsOf(shown.get(name) as Issued)).toEqual([reason, reason]);
});

test("so has a revoked one, and one of which nobody can tell", async () => {
  expect(await reasonsOf(revoked, { clientCrl: Buffer.from(crl) })).toEqual(Array(2).fill("certificate_revoked"));
});

test("so has one whose authority's list has ended", async () => {
  const ended = await root.revoke({ nextUpdateMs: Date.now() - 1_000, thisUpdateMs: Date.now() - DAY_MS });
  const good = await root.issue({ subject: "CN=good", usage: "client" });
  const reasons = await reasonsOf(good, { clientCrl: Buffer.from(crlPem(ended)) });
  expect(reasons).toEqual(Array(2).fill("certificate_revocation_unknown"));
});
