import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { ec, ed, jwk, pem, rsa } from "./filters/jwt-kit.ts";
import { policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/identity.md"), "utf8");
const section = page.split("## Proof\n")[1]?.split(/\n## /)[0] ?? "";
const blocks = [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

const SECRET = "a secret of at least sixteen bytes";
const FILES = {
  "jwks.json": JSON.stringify({ keys: [jwk(ec.publicKey), jwk(rsa.publicKey)] }),
  "keys/billing.pem": pem(ec.publicKey),
  "keys/billing-next.pem": pem(ed.publicKey),
  "keys/bot.json": JSON.stringify(jwk(ed.publicKey)),
  "secrets/github": SECRET,
  "secrets/stripe": SECRET,
  "secrets/stripe-next": SECRET,
  "secrets/partner": SECRET,
};

test("the page has its blocks", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(4);
});

test.each(blocks)("%s", async (text) => {
  const policy = parse(text) as { authenticators: Record<string, unknown> };
  const routes = [{ path: "/", methods: ["POST"], authenticate: Object.keys(policy.authenticators) }];
  expect(await problemsOf(policyWith(stringify({ ...policy, routes })), FILES)).toEqual([]);
});
