import { beforeAll, expect, test } from "vitest";
import { createAuthority } from "../fixtures/authority.ts";
import { type Files, NOW_MS, policyWith, problemsOf } from "./policy-kit.ts";

let files: Files;
beforeAll(async () => {
  const authority = await createAuthority("a", NOW_MS);
  const { certificate, key } = await authority.issue({ subject: "CN=s", usage: "server" });
  files = { "a.pem": authority.certificate, "s.pem": certificate, "s.key": key };
});

const policyOf = (entry: string) =>
  policyWith("routes: [{ path: /a, authenticate: [mesh] }]\nauthenticators: { mesh: { type: client-certificate } }\n", {
    listener: `{ name: inbound, address: "127.0.0.1:8443", tls: { certificate: s.pem, key: s.key, clientCertificate: { mode: required, trustBundles: { partner.net: ${entry} } } } }`,
  });

const URL = "url: 'https://partner.net/bundle'";
const ID = "spiffeId: 'spiffe://partner.net/spire/server'";

test.each([
  `{ ${URL} }`,
  `{ ${URL}, ca: a.pem }`,
  `{ ${URL}, ${ID}, bootstrap: a.pem }`,
  "{ socket: 'unix:/run/a.sock' }",
])("%s is a place of a bundle", async (entry) => {
  expect(await problemsOf(policyOf(entry), files)).toEqual([]);
});

test.each<[string, RegExp]>([
  ["{}", /'url' is missing; expected that of its bundle endpoint, or 'socket'/],
  [`{ ${URL}, socket: 'unix:/run/a.sock' }`, /'url' and 'socket' at once/],
  ["{ socket: /run/a.sock }", /expected a Unix socket by its absolute path/],
  ["{ socket: 'unix:/run/a.sock', ca: a.pem }", /of a bundle endpoint; expected 'url' beside it/],
  [`{ ${URL}, ${ID} }`, /'bootstrap' is missing/],
  [`{ ${URL}, bootstrap: a.pem }`, /'spiffeId' is missing/],
  [`{ ${URL}, ${ID}, bootstrap: a.pem, ca: a.pem }`, /the domain's own bundle vouches for it/],
  [`{ ${URL}, ${ID}, bootstrap: none.pem }`, /cannot read|does not exist/],
  [`{ ${URL}, spiffeId: 'spiffe://example.org/spire/server', bootstrap: a.pem }`, /expected an ID of partner\.net/],
  [`{ ${URL}, spiffeId: 'spiffe://partner.net', bootstrap: a.pem }`, /expected a SPIFFE ID, as in/],
])("%s is a problem", async (entry, text) => {
  expect((await problemsOf(policyOf(entry), files)).join("\n")).toMatch(text);
});
