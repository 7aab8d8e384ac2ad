import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { createTestPki } from "./fixtures/pki.ts";
import { policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/identity.md"), "utf8");
const sectionOf = (heading: string): string => page.split(`## ${heading}\n`)[1]?.split(/\n## /)[0] ?? "";
const [opaque, decisions] = [sectionOf("Opaque tokens"), sectionOf("Decision services")];
const blocks = [...`${opaque}${decisions}`.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const entries = (section: string) =>
  [...section.matchAll(/^\| [^|]+ \| `(\w+: \{.*\})` \|$/gm)].map((match) => match[1] ?? "");

const OWN_KEY = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const CA = (await createTestPki()).ca.certificate;
const FILES = {
  "cluster-ca.pem": CA,
  [`${SERVICE_ACCOUNT}/ca.crt`]: CA,
  [`${SERVICE_ACCOUNT}/token`]: "token-of-tests",
  "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]`,
  "secrets/idp": "secret-of-tests",
  "secrets/pdp": "token-of-tests",
  "secrets/own.key": OWN_KEY,
  "secrets/reviewer": "token-of-tests",
};

/** A part of a policy, as the page shows it → the whole. */
function policyOf(text: string): string {
  const { decide, authenticators, ...top } = parse(text) as Record<string, Record<string, unknown>>;
  const known = { partners: { type: "api-key", header: "X-Key", keys: "keys.yaml" }, ...authenticators };
  const route = { path: "/orders/{orderId}", authenticate: Object.keys(known), decide };
  return policyWith(stringify({ authenticators: known, ...top, routes: [route] }));
}

test("the page has its blocks and rows", () => {
  expect([blocks.length, entries(opaque).length, entries(decisions).length]).toEqual([4, 6, 4]);
});

test.each([
  ...blocks,
  ...entries(opaque).map((entry) => stringify({ authenticators: parse(entry) as unknown })),
  ...entries(decisions).map((entry) =>
    stringify({ decisionServices: parse(entry) as unknown, decide: Object.keys(parse(entry) as object) }),
  ),
])("%s", async (text) => {
  const problems = await problemsOf(policyOf(text), FILES);
  expect(problems).toEqual([]);
});
