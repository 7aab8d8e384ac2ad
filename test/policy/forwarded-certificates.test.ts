import { beforeAll, expect, test } from "vitest";
import { createAuthority, crlPem } from "../fixtures/authority.ts";
import { type Files, NOW_MS, policyWith, problemsOf, warningsOf } from "./policy-kit.ts";

let files: Files;
beforeAll(async () => {
  const [authority, other] = [await createAuthority("a", NOW_MS), await createAuthority("b", NOW_MS)];
  const below = await authority.below("c");
  files = {
    "a.pem": authority.certificate,
    "c.pem": below.certificate,
    "a.crl": crlPem(await authority.revoke()),
    "b.crl": await other.revoke(),
    "c.crl": await below.revoke(),
    "delta.crl": await authority.revoke({ critical: ["2.5.29.27", Buffer.from([2, 1, 1])] }),
  };
});

const policyOf = (entry: string) =>
  policyWith("routes: [{ path: /a, authenticate: [mesh] }]\nauthenticators: { mesh: { type: client-certificate } }\n", {
    listener: `{ name: inbound, address: "127.0.0.1:8080", trustedProxies: [10.0.0.0/8], forwardedClientCertificate: ${entry} }`,
  });

test.each([
  "{ format: nginx, ca: a.pem, crl: a.crl }",
  "{ format: nginx, ca: a.pem, crl: [a.crl] }",
  "{ format: nginx, trustBundles: { example.org: a.pem }, crl: a.crl }",
  "{ format: xfcc, verifiedBy: proxy, namesAlone: true }",
  "{ format: nginx, ca: a.pem, namesAlone: false }",
])("%s is sound", async (entry) => {
  expect(await problemsOf(policyOf(entry), files)).toEqual([]);
});

test("an intermediate that is an anchor needs a list of its own and none from above", async () => {
  const policy = policyOf("{ format: nginx, ca: c.pem, crl: c.crl }");
  expect(await problemsOf(policy, files)).toEqual([]);
  expect((await warningsOf(policy, files)).join()).not.toMatch(/whole chain/);
});

test.each<[string, RegExp]>([
  ["{ format: nginx, ca: a.pem, crl: b.crl }", /no such authority is in 'ca'/],
  ["{ format: nginx, ca: a.pem, crl: none.crl }", /cannot read|does not exist/],
  ["{ format: nginx, ca: a.pem, crl: a.pem }", /holds no revocation list/],
  ["{ format: nginx, ca: a.pem, crl: delta.crl }", /is of a part of the certificates, or of what has changed/],
  ["{ format: xfcc, verifiedBy: proxy, crl: a.crl }", /a list needs the chain that 'ca' verifies/],
  ["{ format: xfcc, ca: a.pem, namesAlone: true }", /expected 'verifiedBy: proxy' beside it/],
  ["{ format: nginx, verifiedBy: proxy, namesAlone: true }", /expected 'format: xfcc'/],
])("%s is a problem", async (entry, text) => {
  expect((await problemsOf(policyOf(entry), files)).join("\n")).toMatch(text);
});
