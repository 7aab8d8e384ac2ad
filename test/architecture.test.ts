import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const src = join(root, "src");

/** Folders from the top down, as src/README.md lists them. */
const RANKS = [
  "main.ts",
  "cli",
  "daemon",
  "comparison",
  "rehearsal",
  "learning",
  "proxy",
  "upstream",
  "policy",
  "filters",
  "limits",
  "proof",
  "anomalies",
  "inventory",
  "tracing",
  "records",
  "telemetry",
  "protobuf",
  "expression",
  "attributes",
  "openapi",
  "leaks",
  "detection",
  "schema",
  "addresses",
  "matching",
  "http2",
  "http1",
  "websocket",
  "spiffe",
  "health",
  "resources",
  "calls",
  "bodies",
  "message",
  "memory",
  "decision",
  "yaml",
  "support",
];

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
const text = new Map(files.map((name) => [name, withoutComments(readFileSync(join(src, name), "utf8"))]));
const IMPORT = /(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+\.ts)"/g;
const importsOf = (name: string): string[] =>
  [...(text.get(name) ?? "").matchAll(IMPORT)].map((match) => relative(src, join(src, dirname(name), match[1] ?? "")));
const folderOf = (name: string): string => name.split("/")[0] ?? "";

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}
const rankOf = (name: string): number => RANKS.indexOf(folderOf(name));

test("the map lists every folder, in the order that this test holds", () => {
  const map = readFileSync(join(src, "README.md"), "utf8");
  const listed = [...map.matchAll(/^([a-z0-9]+)(?:\/|\.ts) {2,}/gm)].map((match) => match[1]);
  expect(listed).toEqual(RANKS.map((name) => name.replace(".ts", "")));
  expect([...new Set(files.map(folderOf))].filter((folder) => !RANKS.includes(folder))).toEqual([]);
});

test("imports point downward, types included", () => {
  const upward = files.flatMap((from) =>
    importsOf(from)
      .filter((to) => rankOf(to) < rankOf(from))
      .map((to) => `${from} → ${to}`),
  );
  expect(upward).toEqual([]);
});

test("there is no import cycle, types included", () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) cycles.push([...path.slice(path.indexOf(name)), name].join(" → "));
    if (path.includes(name) || done.has(name)) return;
    for (const next of importsOf(name)) visit(next, [...path, name]);
    done.add(name);
  };
  for (const name of files) visit(name, []);
  expect(cycles).toEqual([]);
});

test("every file is reached from main.ts", () => {
  const reached = new Set<string>();
  const visit = (name: string): void => {
    if (reached.has(name)) return;
    reached.add(name);
    for (const next of importsOf(name)) visit(next);
  };
  visit("main.ts");
  expect(files.filter((name) => !reached.has(name))).toEqual([]);
});

describe("a request is forwarded only with a permit that the pipeline minted", () => {
  test("only proxy/pipeline.ts mints", () => {
    const users = files.filter((name) => /\bmintPermit\b/.test(text.get(name) ?? ""));
    expect(users.sort()).toEqual(["decision/permit.ts", "proxy/pipeline.ts"]);
  });

  test("nobody casts to a permit", () => {
    expect(files.filter((name) => /as (?:unknown as )?Permit\b/.test(text.get(name) ?? ""))).toEqual([]);
  });
});

test("an identity is assumed by explain, the tests of a policy and a candidate alone, never on the data path", () => {
  const setters = files.filter((name) => /\.assumed\s*=[^=]/.test(text.get(name) ?? ""));
  expect(setters.sort()).toEqual(["message/exchange.ts", "rehearsal/described-request.ts", "rehearsal/trial.ts"]);
});

test("clock, environment and process are read at the edge alone", () => {
  const edge = (name: string) => /^(?:main\.ts|cli\/|support\/clock\.ts)/.test(name);
  const effects = /\bDate\.now\(|\bperformance\.now\(|\bprocess\.(?:env|argv|exit|stdout|stderr|on)\b/;
  expect(files.filter((name) => !edge(name) && effects.test(text.get(name) ?? ""))).toEqual([]);
});

test("no type holes", () => {
  const holes = /\bas any\b|: any(?:[;,)=\]]|\[\])|<any>|@ts-ignore|@ts-expect-error|as unknown as/;
  expect(files.filter((name) => holes.test(text.get(name) ?? ""))).toEqual([]);
});

describe("every protection has its parts", () => {
  const folders = readdirSync(join(src, "filters"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of folders) {
    test(`${name}: schema, compile, evaluate, a page and a test`, () => {
      for (const part of ["schema.ts", "compile.ts", "evaluate.ts", "README.md"]) {
        expect(existsSync(join(src, "filters", name, part)), part).toBe(true);
      }
      expect(readdirSync(join(root, "test", "filters")).some((file) => file.startsWith(name))).toBe(true);
    });
  }
});

test("files stay short enough to read in one sitting", () => {
  const long = files.filter((name) => (text.get(name) ?? "").split("\n").length > 400);
  expect(long).toEqual([]);
});
