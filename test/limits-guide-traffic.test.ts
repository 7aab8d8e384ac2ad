import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { REASONS } from "../src/decision/reason.ts";
import { LIMIT_DEFAULTS } from "../src/support/limit-defaults.ts";
import { createTestPki } from "./fixtures/pki.ts";
import { examine, policyWith } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/limits-guide.md"), "utf8");

function sectionOf(title: string): { readonly text: string; readonly blocks: readonly string[] } {
  const text = page.split(`## ${title}\n`)[1]?.split(/\n## /)[0] ?? "";
  return { text, blocks: [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "") };
}

const bytes = sectionOf("Bytes a second");
const connections = sectionOf("Connections and handshakes");

test("the sections have their blocks", () => {
  expect([bytes.blocks.length, connections.blocks.length]).toEqual([2, 1]);
});

test.each(bytes.blocks)("%s", async (text) => {
  expect(await examine(policyWith(text))).toMatchObject({ problems: [], warnings: [] });
});

test.each(connections.blocks)("%s", async (text) => {
  const { ca, server } = await createTestPki();
  const files = { "server.pem": server.certificate, "server.key": server.key, "ca.pem": ca.certificate };
  const rest = 'upstreams: { app: { address: "http://127.0.0.1:3000" } }\nroutes: [{ path: /, public: true }]\n';
  expect((await examine(`version: 1\nservice: orders\n${text}${rest}`, files)).problems).toEqual([]);
});

test("its numbers and reasons are the product's", () => {
  expect(LIMIT_DEFAULTS.bandwidthDelayMs).toBe(30_000);
  expect(bytes.text).toContain("30s if absent");
  expect(REASONS.bandwidth_exceeded.status).toBe(429);
});
