// Goal: what docs/comparing-policies.md shows is what the command says, and each of its command lines says what it promises.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { DEFAULTS } from "../src/support/defaults.ts";
import { createTestPki } from "./fixtures/pki.ts";
import { folderWith } from "./rehearsal/kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/comparing-policies.md"), "utf8");
const old = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
const EDITS: readonly (readonly [string, string])[] = [
  ["{ scopes: ['orders:read'] }", "{ any: [{ scopes: ['orders:read'] }, { groups: [auditors] }] }"],
  ["10.0.0.0/8", "10.1.0.0/16"],
  ["50/second", "100/second"],
];
const FILES = { "old.yaml": old, "new.yaml": EDITS.reduce((text, [from, to]) => text.replace(from, to), old) };
const shown = [...page.matchAll(/```\n\$ postern ([\s\S]*?)\n```/g)].map(([, text = ""]) => text.split("\n"));

/** Words of a command line as a shell has them, without `postern`. */
function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "").slice(1);
}

test("its commands say what it shows", async () => {
  const { postern } = folderWith(FILES);
  expect(shown.length).toBe(3);
  for (const [command = "", ...lines] of shown) {
    const { out, err } = await postern(...command.split(" "));
    expect(err).toBe("");
    expect(out).toBe(`${lines.join("\n")}\n`);
  }
});

test("explain says of each request what the comparison says of it, by both policies", async () => {
  const { postern } = folderWith(FILES);
  const told = await postern("diff", "--json", "old.yaml", "new.yaml");
  expect(told.code).toBe(1);
  const { differences }: { differences: { before: string; after: string; commands: string[] }[] } = JSON.parse(
    told.out,
  );
  expect(differences.length).toBeGreaterThan(3);
  for (const { before, after, commands } of differences) {
    for (const [at, outcome] of [before, after].entries()) {
      const { out } = await postern(...wordsOf(commands[at] ?? ""));
      const verdict = out.trimEnd().split("\n").at(-1) ?? "";
      expect(verdict, commands[at]).toContain(outcome === "allowed" ? "allowed by route" : `denied: ${outcome}`);
    }
  }
});

test("explain supposes the certificates and the times of which the comparison tells", async () => {
  const pki = await createTestPki();
  const tls = "tls: { certificate: server.pem, key: server.key, clientCertificate: { mode: optional, ca: ca.pem } }";
  const policy = (id: string, end: string): string => `version: 1
service: orders
listeners: [{ name: inbound, address: '127.0.0.1:8443', ${tls} }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
authenticators: { mesh: { type: client-certificate, spiffeIds: ['${id}'] } }
routes:
  - { path: /orders, methods: [GET], authenticate: [mesh] }
  - { path: /old, methods: [GET], public: true, deprecated: { sunset: ${end} } }
`;
  const { postern } = folderWith({
    "old.yaml": policy("spiffe://a/x", "2090-01-01T00:00:00Z"),
    "new.yaml": policy("spiffe://a/*", "2090-02-01T00:00:00Z"),
    "server.pem": pki.server.certificate,
    "server.key": pki.server.key,
    "ca.pem": pki.ca.certificate,
  });
  const told = await postern("diff", "--json", "old.yaml", "new.yaml");
  const { differences } = JSON.parse(told.out) as { differences: { kind: string; commands: string[] }[] };
  const loosened = differences.filter(({ kind }) => kind === "loosened").flatMap(({ commands }) => [commands]);
  expect(loosened.map(([command = ""]) => /--(certificate|at)/.exec(command)?.[1])).toContain("at");
  for (const [before = "", after = ""] of loosened) {
    const codes = [(await postern(...wordsOf(before))).code, (await postern(...wordsOf(after))).code];
    expect(codes, before).toEqual([1, 0]);
  }
});

test("exit codes, questions and what is used wrongly", async () => {
  const { postern } = folderWith({ ...FILES, "bad.yaml": "version: 2\n" });
  const codes = async (...args: readonly string[]): Promise<number> => (await postern("diff", ...args)).code;
  expect(await codes("old.yaml", "old.yaml")).toBe(0);
  expect(await codes("--ask", "equivalent", "old.yaml", "old.yaml")).toBe(0);
  expect(await codes("--ask", "implies", "new.yaml", "old.yaml")).toBe(1);
  expect(await codes("old.yaml", "bad.yaml")).toBe(2);
  expect(await codes("old.yaml")).toBe(2);
  expect(await codes("--ask", "better", "old.yaml", "new.yaml")).toBe(2);
  expect(await codes("--ask", "always-denies", "--route", "/health", "old.yaml")).toBe(1);
  expect(await codes("--ask", "always-denies", "--route", "/none", "old.yaml")).toBe(2);
  expect(await codes("--ask", "always-denies", "old.yaml", "new.yaml")).toBe(2);
  expect(await codes("--ask", "implies", "--route", "/health", "old.yaml", "new.yaml")).toBe(2);
  expect(await codes("--as", "{ dog: rex }", "old.yaml", "new.yaml")).toBe(2);
  const { out } = await postern("diff", "--json", "--as", "{ jwt: { groups: [other] } }", "old.yaml", "new.yaml");
  expect(JSON.parse(out)).toMatchObject({ same: false, leftOut: 0, needsCertificates: false });
});

test("its numbers are the product's", () => {
  expect(page).toContain(`at most ${DEFAULTS.diffWitnessesMax} of them`);
});
