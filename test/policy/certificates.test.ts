import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import {
  examine,
  type Files,
  fixedClock,
  NOW_MS,
  PUBLIC_ROUTE,
  policyWith,
  snapshotOf,
  warningsOf,
} from "./policy-kit.ts";

const DAY_MS = 86_400_000;
const SHADOW = "root:$6$secret$hash:19000:0:99999:7:::\n";

let pki: TestPki;
let files: Files;
beforeAll(async () => {
  pki = await createTestPki(NOW_MS);
  files = {
    "s.pem": pki.server.certificate,
    "s.key": pki.server.key,
    "other.key": pki.client.key,
    "ca.pem": pki.ca.certificate,
    "crl.pem": await pki.ca.revoke([pki.client.certificate], NOW_MS),
    shadow: SHADOW,
  };
});

function policy(tls: string): string {
  return policyWith(PUBLIC_ROUTE, { listener: `{ name: inbound, address: 0.0.0.0:8443, tls: { ${tls} } }` });
}

async function problemTexts(tls: string, more: Files = {}): Promise<readonly string[]> {
  return (await examine(policy(tls), { ...files, ...more })).problems.map(
    ({ place, text }) => `${place.path}: ${text}`,
  );
}

const SERVER = "certificate: s.pem, key: s.key";

describe("a listener's certificate", () => {
  test("goes into the snapshot with its key, and its facts with it", async () => {
    const text = policy(`${SERVER}, clientCertificate: { mode: required, ca: ca.pem, crl: crl.pem }`);
    const { listeners, certificates } = await snapshotOf(text, files);
    expect(listeners[0]?.tls).toMatchObject({ minVersion: "TLSv1.2", clientCertificate: "required" });
    expect(certificates).toEqual([
      {
        file: "/srv/conf/s.pem",
        use: "listener inbound",
        subject: "CN=localhost",
        notAfterMs: NOW_MS + 30 * DAY_MS,
        isShown: true,
      },
      expect.objectContaining({ file: "/srv/conf/ca.pem", use: "listener inbound client CA" }),
    ]);
  });

  test("its fingerprint changes with anything of it", async () => {
    const fingerprintOf = async (tls: string) => (await snapshotOf(policy(tls), files)).listeners[0]?.tls?.fingerprint;
    const fingerprints = await Promise.all([
      fingerprintOf(SERVER),
      fingerprintOf(`${SERVER}, minVersion: TLSv1.3`),
      fingerprintOf(`${SERVER}, clientCertificate: { mode: optional, ca: ca.pem }`),
      fingerprintOf(`${SERVER}, clientCertificate: { mode: required, ca: ca.pem }`),
      fingerprintOf(`${SERVER}, clientCertificate: { mode: required, ca: ca.pem, crl: crl.pem }`),
    ]);
    expect(new Set(fingerprints).size).toBe(5);
    expect(await fingerprintOf(SERVER)).toBe(fingerprints[0]);
  });

  test("must fit its key", async () => {
    expect(await problemTexts("certificate: s.pem, key: other.key")).toEqual([
      "listeners[0].tls.key: the key does not fit the first certificate of 's.pem'",
    ]);
  });

  test("must be valid now", async () => {
    const past = await pki.ca.issue({ commonName: "old", usage: "server", notAfterMs: NOW_MS - DAY_MS });
    const future = await pki.ca.issue({ commonName: "new", usage: "server", notBeforeMs: NOW_MS + DAY_MS });
    expect(await problemTexts(SERVER, { "s.pem": past.certificate, "s.key": past.key })).toEqual([
      "listeners[0].tls.certificate: the certificate of CN=old expired at 2026-11-30T00:00:00Z",
    ]);
    expect(await problemTexts(SERVER, { "s.pem": future.certificate, "s.key": future.key })).toEqual([
      "listeners[0].tls.certificate: the certificate of CN=new is not valid before 2026-12-02T00:00:00Z",
    ]);
  });

  test("that ends soon is a warning, once it is in the last third of its life", async () => {
    expect(await warningsOf(policy(SERVER), files)).toEqual([]);
    const clock = { ...fixedClock, wallMs: () => NOW_MS + 25 * DAY_MS };
    const { warnings } = await examine(policy(SERVER), files, clock);
    expect(warnings.map(({ text }) => text)).toEqual([
      "the certificate of CN=localhost expires at 2026-12-31T00:00:00Z, in 5 days",
    ]);
  });

  test("http/1.1 before h2 is a warning: the listener's order counts, and no client would get h2", async () => {
    const protocols = (list: string) => policy(SERVER).replace("tls:", `protocols: ${list}, tls:`);
    expect(await warningsOf(protocols("[http/1.1, h2]"), files)).toEqual([
      expect.stringContaining("http/1.1 stands before h2, so clients that know both speak HTTP/1.1"),
    ]);
    for (const list of ["[h2, http/1.1]", "[http/1.1]", "[h2]"]) {
      expect(await warningsOf(protocols(list), files)).toEqual([]);
    }
  });

  test("a chain in the wrong order is a warning", async () => {
    const chain = { ...files, "s.pem": pki.server.certificate + pki.client.certificate };
    expect(await warningsOf(policy(SERVER), chain)).toEqual([
      expect.stringContaining("certificate 2 of the file is not the issuer of certificate 1"),
    ]);
  });

  test("an encrypted key, a key in place of a certificate and garbage are told apart", async () => {
    const encrypted = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
    }).privateKey;
    expect(await problemTexts(SERVER, { "s.key": encrypted })).toEqual([
      expect.stringContaining("the private key is encrypted"),
    ]);
    expect(await problemTexts("certificate: s.key, key: s.key")).toEqual([
      "listeners[0].tls.certificate: 's.key': the file holds no certificate; expected PEM",
    ]);
    const garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    expect(await problemTexts(SERVER, { "s.pem": garbage })).toEqual([
      expect.stringContaining("certificate 1 of the file cannot be read"),
    ]);
  });

  test("missing files are named as the policy names them", async () => {
    expect(await problemTexts("certificate: ../no.pem, key: /no/such.key")).toEqual([
      "listeners[0].tls.certificate: '../no.pem' does not exist; expected a file, relative to the policy",
      "listeners[0].tls.key: '/no/such.key' does not exist; expected a file, relative to the policy",
    ]);
  });
});

describe("authorities of clients", () => {
  const client = (settings: string) => `${SERVER}, clientCertificate: { ${settings} }`;

  test("must be named where certificates are asked for: the public authorities must not vouch for clients", async () => {
    expect(await problemTexts(client("mode: optional"))).toEqual([expect.stringContaining("'ca' is missing")]);
  });

  test("must be certificates that are valid", async () => {
    expect(await problemTexts(client("mode: optional, ca: s.key"))).toEqual([
      "listeners[0].tls.clientCertificate.ca: 's.key': the file holds no certificate; expected PEM",
    ]);
    const clock = { ...fixedClock, wallMs: () => NOW_MS + 60 * DAY_MS };
    const { problems } = await examine(policy(client("mode: optional, ca: ca.pem")), files, clock);
    expect(problems.map(({ place }) => place.path)).toEqual([
      "listeners[0].tls.certificate",
      "listeners[0].tls.clientCertificate.ca",
    ]);
  });

  test("a revocation list must be one", async () => {
    expect(await problemTexts(client("mode: optional, ca: ca.pem, crl: ca.pem"))).toEqual([
      expect.stringContaining("the file holds no revocation list"),
    ]);
    const broken = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    expect(await problemTexts(client("mode: optional, ca: ca.pem, crl: c.pem"), { "c.pem": broken })).toEqual([
      "listeners[0].tls.clientCertificate.crl: 'c.pem': revocation list 1 of the file cannot be read",
    ]);
  });

  test("a client-certificate authenticator without a listener that asks for one is a warning", async () => {
    const text = `${policy(SERVER)}\nauthenticators: { mesh: { type: client-certificate } }\n`.replace(
      PUBLIC_ROUTE,
      "routes: [{ path: /, authenticate: [mesh] }]",
    );
    expect(await warningsOf(text, files)).toEqual([expect.stringContaining("so 'mesh' lets nobody in")]);
  });
});

describe("a policy that names a file which is none of its own", () => {
  test.each([
    ["tls", policy("certificate: shadow, key: shadow, clientCertificate: { mode: optional, ca: shadow, crl: shadow }")],
    ["address", policyWith(`defaults: { address: { denyFile: ../conf/shadow } }\n${PUBLIC_ROUTE}`)],
    [
      "api-key",
      policyWith(
        `authenticators: { a: { type: api-key, header: X-K, keys: shadow } }\nroutes: [{ path: /, authenticate: [a] }]`,
      ),
    ],
    [
      "jwt",
      policyWith(
        `authenticators: { a: { type: jwt, issuer: i, audience: [a], algorithms: [ES256], keys: shadow } }\nroutes: [{ path: /, authenticate: [a] }]`,
      ),
    ],
  ])("is told that it does not fit, and nothing of its content (%s)", async (_, text) => {
    const examination = await examine(text, files);
    expect(examination.snapshot).toBeNull();
    expect(examination.problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(examination)).not.toMatch(/root|\$6|secret|19000/);
  });
});
