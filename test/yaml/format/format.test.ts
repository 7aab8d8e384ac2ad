// Goal: the formatter changes how a file looks and never what it says: values, order, anchors and every comment stay.
import { globSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Lexer, parseAllDocuments } from "yaml";
import { formatYaml } from "../../../src/yaml/format/format.ts";
import { yamlTexts } from "./random-yaml.ts";

const root = resolve(import.meta.dirname, "../../..");

function formatted(text: string): string {
  const result = formatYaml(text);
  if (!result.ok) throw new Error(`${result.error.line}:${result.error.column}: ${result.error.text}`);
  return result.value;
}

/** What every reader makes of it, whichever YAML it knows. */
function valuesOf(text: string, schema: "core" | "yaml-1.1"): unknown {
  const documents = parseAllDocuments(text, { schema, merge: true, logLevel: "silent", uniqueKeys: false });
  return Array.isArray(documents) ? documents.map((one) => one.toJS({ maxAliasCount: -1 })) : documents;
}

/** Comments in the order of the library's own lexer. */
function commentsOf(text: string): readonly string[] {
  const found: string[] = [];
  let isScalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    if (!isScalar && lexeme.startsWith("#")) found.push(lexeme.trimEnd());
    isScalar = lexeme === "\x1f";
  }
  return found;
}

function expectSame(text: string): void {
  const now = formatted(text);
  expect(valuesOf(now, "core")).toEqual(valuesOf(text, "core"));
  expect(valuesOf(now, "yaml-1.1")).toEqual(valuesOf(text, "yaml-1.1"));
  expect(commentsOf(now)).toEqual(commentsOf(text));
  expect(formatted(now)).toBe(now);
}

function isYaml(text: string): boolean {
  const documents = parseAllDocuments(text, {
    schema: "core",
    stringKeys: true,
    uniqueKeys: false,
    logLevel: "silent",
  });
  return Array.isArray(documents) && documents.every(({ errors }) => errors.length === 0);
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = join(folder, name);
    return statSync(join(root, path)).isDirectory() ? filesBelow(path) : [path];
  });
}

const files = [...filesBelow("policies"), ...filesBelow("deploy"), ...filesBelow("docs"), "README.md"];
const read = (file: string): string => readFileSync(join(root, file), "utf8");

test("policies and manifests that come along say the same afterwards", () => {
  const texts = files.filter((file) => /\.ya?ml$/.test(file)).map(read);
  expect(texts.length).toBeGreaterThan(6);
  for (const text of texts) expectSame(text);
});

test("so do the examples of the documentation", () => {
  const blocks = files
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => [...read(file).matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? ""));
  expect(blocks.length).toBeGreaterThan(100);
  for (const block of blocks.filter(isYaml)) expectSame(block);
});

test("so do the policies, tests and keys that tests are made of", () => {
  const sources = globSync("test/**/*.ts", { cwd: root }).map(read);
  const texts = sources.flatMap((source) =>
    [...source.matchAll(/`([^`]*(?:version: 1|routes:|tests:|callers:)[^`]*)`/g)].map((match) => match[1] ?? ""),
  );
  const whole = texts.filter(isYaml);
  expect(whole.length).toBeGreaterThan(100);
  for (const text of whole) expectSame(text);
});

test("so does whatever people write", () => {
  let seen = 0;
  const say = (text: string): void => {
    if (!isYaml(text)) return;
    seen++;
    expectSame(text);
  };
  fc.assert(fc.property(yamlTexts, say), { numRuns: 300 });
  expect(seen).toBeGreaterThan(150);
});

const UNTIDY = `
# about the file


version:   1
routes:
# of the first
- path:  "/a"
  methods: [ GET,POST ]   # far
  tests: {a: 1,b: {},
     c: "\${env:X}" }
      # five in, below the first
-   path: '/b'   # postern: allow route_public because it is

# of what follows
limits: # none


`;

const TIDY = `# about the file

version: 1
routes:
  # of the first
  - path: /a
    methods: [GET, POST]  # far
    tests: { a: 1, b: {},
      c: '\${env:X}' }
    # five in, below the first
  - path: /b     # postern: allow route_public because it is

# of what follows
limits: # none
`;

test("indentation, blanks, empty lines and quotes are those of one style", () => {
  expect(formatted(UNTIDY)).toBe(TIDY);
});

test("comments below each other stay so, and one that goes on below another stays there", () => {
  const aligned = "a: 1       # one\nbbbb: two  # two\n           # and more of it\nc: 3 # close\n";
  expect(formatted(aligned)).toBe(aligned);
  expect(formatted("a:   1 # x\n")).toBe("a: 1 # x\n");
  expect(formatted('a: "1"\t# x\n')).toBe("a: '1' # x\n");
});

test("a quoted text keeps its quotes where it would be something else without them, to any reader", () => {
  const needed = [
    "1e3",
    "on",
    "yes",
    "0x10",
    "~",
    "2026-01-01",
    "007",
    "a: b",
    "a #b",
    "null",
    "1:20",
    "y",
    "e5",
    "",
    " a",
    "[a]",
    "dada8153",
  ];
  for (const text of needed) expect(formatted(`a: "${text}"\n`)).toBe(`a: '${text}'\n`);
  for (const text of ["a", "a b", "/v1/orders", "https://x.example/", "a:b"]) {
    expect(formatted(`a: "${text}"\n`)).toBe(`a: ${text}\n`);
  }
  expect(formatted('a: ["a:b", \'a\', "it\'s", "\\n"]\n')).toBe('a: [\'a:b\', a, "it\'s", "\\n"]\n');
  for (const plain of ["1e3", "on", "~", "007"]) expect(formatted(`a:  ${plain}\n`)).toBe(`a: ${plain}\n`);
});

test("block texts are moved as one, with their own blanks", () => {
  expect(formatted("a:\n    b: |\n        x\n          y\n\n\n    c: |2-\n        z\n")).toBe(
    "a:\n  b: |\n    x\n      y\n\n  c: |2-\n      z\n",
  );
  expect(formatted("a: |+\n x\n\n\nb: 1\n")).toBe("a: |+\n  x\n\n\nb: 1\n");
});

test("lists at the column of their key move, and the comments about them with them", () => {
  expect(formatted("a:\n# first\n- 1\n# second\n- 2\n# of b\nb: 1\n")).toBe(
    "a:\n  # first\n  - 1\n  # second\n  - 2\n# of b\nb: 1\n",
  );
});

test("line ends stay those of the first line, and marks of documents stay", () => {
  expect(formatted("a:  1\r\nb:  2\n")).toBe("a: 1\r\nb: 2\r\n");
  expect(formatted("%YAML 1.2\n--- # d\na:   1\n...\n")).toBe("%YAML 1.2\n--- # d\na: 1\n...\n");
  expect(formatted("")).toBe("");
  expect(formatted("# nothing else")).toBe("# nothing else\n");
  expect(formatted("# nothing else\n    ")).toBe("# nothing else\n");
  expect(formatted("---\n---\n")).toBe("---\n---\n");
});

test("what is not YAML is told with its place", () => {
  expect(formatYaml("a: 1\r\nb: [1\r\nc: 2\r\n")).toMatchObject({ ok: false, error: { line: 3 } });
  const deep = `a: ${"[".repeat(200)}${"]".repeat(200)}`;
  expect(formatYaml(deep)).toMatchObject({ ok: false, error: { text: "nested deeper than 64 levels", line: 1 } });
});
