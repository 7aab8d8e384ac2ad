// Goal: a policy can be checked where its secrets are not. Method: the same policy with and without each of its files.
import { beforeAll, expect, test } from "vitest";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { examinePolicy } from "../../src/policy/compile.ts";
import { err, ok } from "../../src/support/result.ts";
import { createTestPki } from "../fixtures/pki.ts";
import { createTokenMint } from "../fixtures/tokens.ts";
import { type Files, fixedClock, NOW_MS } from "./policy-kit.ts";

const POLICY = `version: 1
service: orders
listeners:
  - name: inbound
    address: 0.0.0.0:8443
    tls:
      certificate: tls.crt
      key: tls.key
      clientCertificate: { mode: optional, ca: ca.crt }
upstreams:
  app: { address: 'https://127.0.0.1:3000', tls: { ca: ca.crt, certificate: tls.crt, key: tls.key } }
authenticators:
  mesh: { type: client-certificate, trustDomain: example.org }
  keys: { type: api-key, header: X-Api-Key, keys: keys.yaml }
  idp: { type: jwt, issuer: 'https://idp.example.org/', audience: [orders], algorithms: [RS256], keys: jwks.json }
routes:
  - path: /v1/orders
    authenticate: [mesh, keys, idp]
    authorize: { any: [{ scopes: [read] }, { roles: [a] }] }
    address: { denyFile: deny.txt }
    validate: { body: { schema: order.json } }
    limit: [byTenant, bySubject]
limits:
  byTenant: { rate: 1/second, key: jwt.tenant, absent: unlimited }
  ofAFile: { rate: 9/second, key: principal }
  bySubject: { rate: 1/second, key: certificate.subject, absent: unlimited }
`;

let files: Files;
beforeAll(async () => {
  const pki = await createTestPki(NOW_MS);
  const { jwks } = await createTokenMint();
  files = {
    "tls.crt": pki.server.certificate,
    "tls.key": pki.server.key,
    "ca.crt": pki.ca.certificate,
    "keys.yaml": `callers: [{ name: acme, limit: ofAFile, keys: [{ sha256: "${"0a".repeat(32)}" }] }]\n`,
    "jwks.json": jwks,
    "deny.txt": "192.0.2.1\n",
    "order.json": '{ "type": "object" }',
  };
});

function look(policy: string, present: Files, offline: boolean) {
  const contents = new Map(Object.entries({ "policy.yaml": policy, ...present }));
  return examinePolicy("policy.yaml", {
    cwd: "/srv",
    clock: fixedClock,
    offline,
    lint: "all",
    rateTables: new RateTables([1, 2], fixedClock, 64),
    readFile: (absolute) => {
      const content = contents.get(absolute.replace("/srv/", ""));
      return content === undefined ? err("does not exist") : ok(Buffer.from(content));
    },
  });
}

test("with every file missing there is no problem and no warning, each is listed at its line, and there is no snapshot", async () => {
  const { problems, warnings, absent, snapshot } = await look(POLICY, {}, true);
  expect([...problems, ...warnings]).toEqual([]);
  expect(absent.map(({ place, text }) => `${place.line} ${text}`)).toEqual([
    "7 'tls.crt' does not exist",
    "8 'tls.key' does not exist",
    "9 'ca.crt' does not exist",
    "11 'ca.crt' does not exist",
    "11 'tls.crt' does not exist",
    "11 'tls.key' does not exist",
    "14 'keys.yaml' does not exist",
    "15 'jwks.json' does not exist",
    "20 'deny.txt' does not exist",
    "21 'order.json' does not exist",
  ]);
  expect(snapshot).toBeNull();
});

test("whichever one is missing, nothing else is said of it", async () => {
  for (const name of Object.keys(files)) {
    const { [name]: _, ...others } = files;
    const { problems, warnings, absent } = await look(POLICY, others, true);
    expect([...problems, ...warnings], name).toEqual([]);
    expect(new Set(absent.map(({ text }) => text)), name).toEqual(new Set([`'${name}' does not exist`]));
  }
});

test("what is there is looked at, and problems elsewhere are found", async () => {
  const { problems } = await look(POLICY.replace("[mesh, keys", "[mash, keys"), { "order.json": "{" }, true);
  expect(problems.map(({ place, text }) => `${place.line} ${text}`)).toEqual([
    "18 authenticator 'mash' is not defined; did you mean 'mesh'?",
    "1 cannot be read as JSON: not JSON", // of order.json
  ]);
});

test("with every file there, it is the same as without the word; and a missing policy is a problem", async () => {
  const { problems, absent, snapshot } = await look(POLICY, files, true);
  expect([...problems, ...absent]).toEqual([]);
  expect(snapshot?.hash).toBe((await look(POLICY, files, false)).snapshot?.hash);
  expect((await look(POLICY, {}, false)).problems).not.toEqual([]);
});
