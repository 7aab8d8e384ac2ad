import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/identity.md"), "utf8");
const HEADINGS = ["API keys", "Basic", "More than one at once", "Challenges", "Brute force", "Revocation"];
const sectionOf = (heading: string): string => page.split(`\n## ${heading}\n`)[1]?.split(/\n## /)[0] ?? "";
const blocks = HEADINGS.flatMap((heading) =>
  [...sectionOf(heading).matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? ""),
);
const rows = [
  ...sectionOf("Keys and passwords, if you come from elsewhere").matchAll(/^\| [^|]+ \| `([^`]+)`[^|]*\|$/gm),
].map((match) => match[1] ?? "");

const HASH = `$scrypt$ln=10,r=1,p=1$c2FsdHNhbHRzYWx0$${"A".repeat(43)}`;
const AUTHENTICATORS = {
  mesh: { type: "client-certificate" },
  partners: { type: "api-key", header: "X-Key", keys: "keys.yaml" },
  staff: { type: "basic", users: "users.yaml" },
};
const LIMITS = { perCaller: { rate: "10/second", key: "principal" } };

/** A part of a policy or of a file beside it, as the page shows it → the whole policy and its files. */
function wholeOf(text: string): { policy: string; files: Record<string, string> } {
  const part = (parse(
    text
      .replaceAll("KEY", `"${"ab".repeat(32)}"`)
      .replaceAll("OTHER", `"${"cd".repeat(32)}"`)
      .replaceAll("HASH", `"${HASH}"`),
  ) ?? {}) as Record<string, unknown>;
  if ("jti" in part) {
    return { policy: wholeOf("revoked: revoked.yaml").policy, files: { ...wholeOf("").files, "revoked.yaml": text } };
  }
  const { callers, users, authenticate, request, authenticators, routes, ...top } = part;
  const known = { ...AUTHENTICATORS, ...(authenticators as object | undefined) };
  const route = {
    path: "/orders",
    authenticate: authenticate ?? Object.keys(known),
    request,
  };
  const policy = { authenticators: known, limits: LIMITS, routes: routes ?? [route], ...top };
  return {
    policy: policyWith(stringify(policy, { aliasDuplicateObjects: false })),
    files: {
      "keys.yaml": stringify({ callers: callers ?? [{ name: "acme", keys: [{ sha256: "ab".repeat(32) }] }] }),
      "revoked.yaml": "jti: []\n",
      "users.yaml": stringify({ users: users ?? [{ name: "alice", passwordHash: HASH }] }),
    },
  };
}

test("the page has its blocks and rows", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(5);
  expect(rows.length).toBeGreaterThanOrEqual(24);
});

test.each([...blocks, ...rows])("%s", async (text) => {
  const { policy, files } = wholeOf(text);
  expect(await problemsOf(policy, files)).toEqual([]);
});
