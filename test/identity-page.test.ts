import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { createTestPki } from "./fixtures/pki.ts";
import { policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/identity.md"), "utf8");
const section = page.split("## Authorization\n")[1]?.split(/\n## /)[0] ?? "";
const blocks = [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const rows = [...section.matchAll(/^\| [^|]+ \| `(authorize: .*)` \|$/gm)].map((match) =>
  (match[1] ?? "").replaceAll("\\|", "|"),
);

const KEYS = `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]`;

/** A part of a policy, as the page shows it → the whole: what a route may say stands on a route with a parameter. */
function policyOf(text: string): string {
  const { authorize, validate, ...top } = parse(text) as Record<string, unknown>;
  const route = { path: "/t/{tenant}/orders/{orderId}", authenticate: ["partners"], authorize, validate };
  const authenticators = { partners: { type: "api-key", header: "X-Key", keys: "keys.yaml" } };
  return policyWith(stringify({ authenticators, ...top, routes: [route] }, { aliasDuplicateObjects: false }));
}

test("the page has its blocks and rows", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(9);
  expect(rows.length).toBeGreaterThanOrEqual(13);
});

test.each([...blocks, ...rows])("%s", async (text) => {
  expect(await problemsOf(policyOf(text), { "keys.yaml": KEYS, "order.json": "true" })).toEqual([]);
});

const authenticators = [...page.matchAll(/^\| [^|]+ \| `(\{ type: jwt.*\})` \|$/gm)].map((match) => match[1] ?? "");

test("the page has a row for each provider", () => {
  expect(authenticators.length).toBeGreaterThanOrEqual(12);
});

test.each(authenticators)("%s", async (text) => {
  const route = { path: "/orders", authenticate: ["tokens"] };
  const authenticator: unknown = parse(text);
  const policy = policyWith(stringify({ authenticators: { tokens: authenticator }, routes: [route] }));
  const ca = (await createTestPki()).ca.certificate;
  const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";
  const files = { "legacy-ca.pem": ca, [`${serviceAccount}/ca.crt`]: ca, [`${serviceAccount}/token`]: "t" };
  expect(await problemsOf(policy, files)).toEqual([]);
});
