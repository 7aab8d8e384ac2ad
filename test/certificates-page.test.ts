import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { createAuthority, crlPem } from "./fixtures/authority.ts";
import { type Files, NOW_MS, policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/identity.md"), "utf8");
const section = page.split("## Certificates\n")[1]?.split(/\n## /)[0] ?? "";
const blocks = [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const rows = [...section.matchAll(/^\| [^|]+ \| `(.*)` \|$/gm)].map((match) => match[1] ?? "");

let files: Files;
beforeAll(async () => {
  const authority = await createAuthority("a", NOW_MS);
  const { certificate, key } = await authority.issue({ subject: "CN=s", usage: "server" });
  const crl = crlPem(await authority.revoke());
  const authorities = ["ca", "clients-ca", "example", "partner", "bundle"].map((name) => [
    `${name}.pem`,
    authority.certificate,
  ]);
  const lists = ["ca", "clients", "partner"].map((name) => [`${name}.crl`, crl]);
  files = { ...Object.fromEntries([...authorities, ...lists]), "s.pem": certificate, "s.key": key };
});

/** A part of a policy, as the page shows it → the whole. */
function policyOf(text: string): string {
  const { clientCertificate, tls, forwardedClientCertificate, trustedProxies, request, authenticators, mesh } = parse(
    text,
  ) as Record<string, unknown>;
  const usual = { certificate: "s.pem", key: "s.key" };
  const asked = clientCertificate ?? { mode: "optional", ca: "ca.pem" };
  const behindProxy = { trustedProxies: trustedProxies ?? ["10.0.0.0/8"], forwardedClientCertificate };
  const listener = {
    name: "inbound",
    address: "127.0.0.1:8443",
    ...(forwardedClientCertificate === undefined
      ? { tls: tls ?? { ...usual, clientCertificate: asked } }
      : behindProxy),
  };
  const known = authenticators ?? { mesh: mesh ?? { type: "client-certificate" } };
  const route = { path: "/a", authenticate: Object.keys(known), ...(request === undefined ? {} : { request }) };
  const plain = { aliasDuplicateObjects: false };
  return policyWith(stringify({ authenticators: known, routes: [route] }, plain), {
    listener: JSON.stringify(listener),
  });
}

test("the page has its blocks and rows, and no row of the table escapes", () => {
  expect(blocks.length).toBe(10);
  expect(rows.length).toBe(section.split("\n").filter((line) => line.startsWith("| ")).length - 1);
  expect(rows.length).toBeGreaterThan(25);
});

test.each([...blocks, ...rows])("%s", async (text) => {
  expect(await problemsOf(policyOf(text), files)).toEqual([]);
});
