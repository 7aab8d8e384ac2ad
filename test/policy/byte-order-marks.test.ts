// Goal: a byte order mark is read or named by every reader alike, and so is UTF-16. Method: one policy that names a file of
// each kind, each of them once with a mark and once in UTF-16.
import { beforeAll, describe, expect, test } from "vitest";
import { type Authority, createAuthority } from "../fixtures/authority.ts";
import { createTokenMint } from "../fixtures/tokens.ts";
import { type Files, NOW_MS, policyWith, problemsOf, snapshotOf } from "./policy-kit.ts";

const POLICY = policyWith(`authenticators:
  keys: { type: api-key, header: x-key, keys: keys.yaml }
  own: { type: jwt, issuer: https://id.example, audience: api, algorithms: [RS256], keys: jwks.json }
  asked:
    type: introspection
    endpoint: https://id.example/introspect
    ca: call-ca.pem
    clientId: postern
    clientSecret: { file: client.secret }
    audience: api
defaults:
  address: { denyFile: deny.txt }
routes:
  - { path: /a, authenticate: [keys, own, asked], validate: { body: { schema: schema.json, maxBytes: 1KiB } } }
`);

let authority: Authority;
let files: Files;

beforeAll(async () => {
  authority = await createAuthority("root", NOW_MS);
  files = {
    "keys.yaml": `callers:\n  - { name: acme, keys: [{ sha256: '${"ab".repeat(32)}' }] }\n`,
    "jwks.json": (await createTokenMint()).jwks,
    "call-ca.pem": authority.certificate,
    "client.secret": "a secret of some length",
    "deny.txt": "192.0.2.1\n",
    "schema.json": '{ "type": "object" }',
  };
});

const marked = (text: string | Buffer): Buffer => Buffer.from(`\ufeff${text}`);
const utf16 = (text: string | Buffer): Buffer => Buffer.from(`\ufeff${text}`, "utf16le");

test("the policy of this test is sound as it is", async () => {
  expect(await problemsOf(POLICY, files)).toEqual([]);
});

describe.each(["keys.yaml", "jwks.json", "call-ca.pem", "client.secret", "deny.txt", "schema.json"])("%s", (name) => {
  test("with a byte order mark is read without it", async () => {
    const { hash } = await snapshotOf(POLICY, { ...files, [name]: marked(files[name] ?? "") });
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
  });

  test("in UTF-16 is named", async () => {
    const problems = await problemsOf(POLICY, { ...files, [name]: utf16(files[name] ?? "") });
    expect(problems).toEqual([expect.stringContaining("UTF-16")]);
  });
});

test("the policy itself, too", async () => {
  expect(await problemsOf(marked(POLICY), files)).toEqual([]);
  expect(await problemsOf(utf16(POLICY), files)).toEqual([expect.stringContaining("UTF-16")]);
});

test("a secret of any bytes is no text in UTF-16", async () => {
  const bytes = Buffer.from("00fffe017f80feff", "hex");
  expect(await problemsOf(POLICY, { ...files, "client.secret": bytes })).toEqual([]);
});
