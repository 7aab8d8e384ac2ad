import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { ec, jwk } from "./filters/jwt-kit.ts";
import { policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/identity.md"), "utf8");
const section = page.split("## Where a token stands\n")[1]?.split(/\n## /)[0] ?? "";
const blocks = [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const rows = [...section.matchAll(/^\| [^|]+ \| `(\w+: \{ type: .*\})` \|$/gm)].map((match) => match[1] ?? "");

const FILES = { "jwks.json": JSON.stringify({ keys: [jwk(ec.publicKey)] }), "secrets/idp": "secret-of-tests" };

interface Part {
  readonly authenticators: Record<string, unknown>;
  readonly routes?: unknown;
}

test("the page has its blocks and rows", () => {
  expect([blocks.length, rows.length]).toEqual([3, 4]);
});

test.each([...blocks, ...rows.map((row) => stringify({ authenticators: parse(row) as unknown }))])(
  "%s",
  async (text) => {
    const { authenticators, routes } = parse(text) as Part;
    const whole = { authenticators, routes: routes ?? [{ path: "/", authenticate: Object.keys(authenticators) }] };
    expect(await problemsOf(policyWith(stringify(whole)), FILES)).toEqual([]);
  },
);
