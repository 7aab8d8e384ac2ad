// Goal: what the data path judges as a body streams is seen by tests of the policy and by `explain`, too.
import { expect, test } from "vitest";
import { policyWith } from "../policy/policy-kit.ts";
import { folderWith } from "./kit.ts";

const form = (type: string): string =>
  `--b\r\nContent-Disposition: form-data; name="photo"; filename="a.pdf"\r\nContent-Type: ${type}\r\n\r\n%PDF-1.7\r\n--b--\r\n`;
const request = (path: string, type: string, file: string): string =>
  `request: { method: POST, path: ${path}, headers: { content-type: '${type}' }, bodyFile: ${file} }`;
const MULTIPART = "multipart/form-data; boundary=b";

const POLICY = (mode: string): string =>
  policyWith(`routes:
  - path: /upload
    methods: [POST]
    public: true
    validate: { form: { files: { photo: { required: true, types: [application/pdf] } } }${mode} }
  - path: /lines
    methods: [POST]
    public: true
    validate: { body: { content: { application/jsonl: { itemSchema: item.json } } } }
`);
const FILES = {
  "item.json": JSON.stringify({ type: "object", required: ["id"] }),
  "good.bin": form("application/pdf"),
  "bad.bin": form("text/html"),
  "lines.jsonl": '{"id":1}\n{"id":2}\n',
  "broken.jsonl": '{"id":1}\n{"no":2}\n',
};

test("tests of a policy expect refusals of files and of items", async () => {
  const { postern } = folderWith({
    ...FILES,
    "policy.yaml": POLICY(""),
    "policy.test.yaml": `tests:
  - { name: a picture, ${request("/upload", MULTIPART, "good.bin")}, expect: { allow: true } }
  - { name: a page, ${request("/upload", MULTIPART, "bad.bin")}, expect: { deny: true } }
  - { name: lines, ${request("/lines", "application/jsonl", "lines.jsonl")}, expect: { allow: true } }
  - { name: a line that is none, ${request("/lines", "application/jsonl", "broken.jsonl")}, expect: { deny: true } }
`,
  });
  const { code, out } = await postern("test", "policy.yaml");
  expect(out).toContain("4 passed");
  expect(out).not.toContain("never denied");
  expect(code).toBe(0);
});

test("explain says why a form is refused, and by which line", async () => {
  const { postern } = folderWith({ ...FILES, "policy.yaml": POLICY("") });
  const explain = (file: string) =>
    postern("explain", "--policy", "policy.yaml", "-H", `Content-Type: ${MULTIPART}`, "--body", file, "POST /upload");
  expect((await explain("good.bin")).code).toBe(0);
  const { out } = await explain("bad.bin");
  expect(out).toMatch(/validate +validate +deny +policy\.yaml:\d+:\d+/);
});

test("what only audits lets it through, as the data path does", async () => {
  const { postern } = folderWith({
    ...FILES,
    "policy.yaml": POLICY(", mode: audit"),
    "policy.test.yaml": `tests: [{ name: a page, ${request("/upload", MULTIPART, "bad.bin")}, expect: { allow: true } }]\n`,
  });
  expect((await postern("test", "policy.yaml")).code).toBe(0);
});
