// Goal: no honest client's form is refused for how it is written.
// Method: real clients, and the forms of others as they send them, against one postern that judges fields and files.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { readStrictly } from "../fixtures/multipart.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { isThere, PYTHON, runProgram } from "../fixtures/program.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: forms
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
routes:
  - path: /form
    methods: [POST]
    public: true
    validate:
      contentType: [multipart/form-data, application/x-www-form-urlencoded]
      form:
        fields: { title: { required: true, maxLength: 100 }, tags: { type: array } }
        files: { photo: { types: [image/png, application/octet-stream], extensions: [png] } }
`;
const PNG = Buffer.from("\x89PNG\r\n\x1a\n\x00\xff\r\n--x", "latin1");

let service: Service;
let postern: Postern;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "postern-forms-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "Größe.png"), PNG);
  service = await startService();
  postern = await startPostern(service.port, policy);
});
afterAll(closeAll);
beforeEach(() => {
  service.arrived.length = 0;
});

const url = (): string => `http://127.0.0.1:${postern.port}/form`;

/** What arrived, as its one reading has it. */
function arrived(): unknown {
  const [one] = service.arrived;
  const boundary = /boundary="?([^";]+)/.exec(one?.headers["content-type"] ?? "")?.[1] ?? "";
  return readStrictly([Buffer.from(one?.body ?? "", "latin1")], boundary);
}

const PHOTO = { name: "photo", fileName: "Größe.png", content: PNG.toString("latin1") };
const TITLE = { name: "title", fileName: null, content: Buffer.from('ä "day"').toString("latin1") };

test("curl", async ({ skip }) => {
  skip(!isThere("curl"), "curl is not installed");
  const args = ["-sS", "-F", 'title=ä "day"', "-F", "tags=a", "-F", "tags=b", "-F"];
  await runProgram(["curl", ...args, `photo=@${join(folder, "Größe.png")};type=image/png`, url()]);
  expect(arrived()).toMatchObject([TITLE, { name: "tags" }, { name: "tags" }, PHOTO]);
  await runProgram(["curl", "-sS", "--data-urlencode", 'title=ä "day"', "-d", "tags=a&tags=b", url()]);
  const pairs = new URLSearchParams(service.arrived[1]?.body);
  expect([...pairs]).toEqual([
    ["title", 'ä "day"'],
    ["tags", "a"],
    ["tags", "b"],
  ]);
});

test("fetch, with FormData and URLSearchParams", async () => {
  const form = new FormData();
  form.set("title", 'ä "day"');
  form.append("photo", new File([PNG], "Größe.png", { type: "image/png" }));
  expect((await fetch(url(), { method: "POST", body: form })).status).toBe(200);
  expect(arrived()).toEqual([TITLE, PHOTO]);
  const body = new URLSearchParams([["title", "ä b"]]);
  expect((await fetch(url(), { method: "POST", body })).status).toBe(200);
});

test("Python's requests", async ({ skip }) => {
  const python = [PYTHON, "python3"].find(hasRequests);
  if (python === undefined) skip("requests is not installed");
  const script = `import requests, sys
files = {"photo": ("Größe.png", open(sys.argv[2], "rb"), "image/png")}
print(requests.post(sys.argv[1], data={"title": 'ä "day"', "tags": ["a", "b"]}, files=files, timeout=20).status_code)
print(requests.post(sys.argv[1], data={"title": 'ä "day"', "tags": ["a", "b"]}, timeout=20).status_code)`;
  const told = await runProgram([python ?? PYTHON, "-c", script, url(), join(folder, "Größe.png")]);
  expect(told.trim().split("\n")).toEqual(["200", "200"]);
  expect(arrived()).toMatchObject([TITLE, { name: "tags" }, { name: "tags" }, PHOTO]);
});

function hasRequests(python: string): boolean {
  try {
    execFileSync(python, ["-c", "import requests"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const DISPOSITION = "Content-Disposition: form-data";
const CONTENT = "\x89PNG\r\n\x1a\n";

/** Forms as others write them: the boundary as it stands in Content-Type, and headers and content of each part. */
const SHAPES: readonly (readonly [who: string, boundary: string, ...parts: (readonly [string, string])[]])[] = [
  [
    "Chrome, Safari",
    "----WebKitFormBoundary7MA4YWxkTrZu0gW",
    [`${DISPOSITION}; name="title"`, "two\r\nlines"],
    [`${DISPOSITION}; name="photo"; filename="a %22b%22.png"\r\nContent-Type: image/png`, CONTENT],
  ],
  [
    "Chrome, no file chosen",
    "----WebKitFormBoundary7MA4YWxkTrZu0gW",
    [`${DISPOSITION}; name="title"`, ""],
    [`${DISPOSITION}; name="photo"; filename=""\r\nContent-Type: application/octet-stream`, ""],
  ],
  [
    "Firefox",
    "----geckoformboundaryb8a1d5a2c6c4e0f1",
    [`${DISPOSITION}; name="title"`, "a"],
    [`${DISPOSITION}; name="photo"; filename="it's a.png"\r\nContent-Type: image/png`, CONTENT],
  ],
  ["Firefox before", "---------------------------735323031399963166993862150", [`${DISPOSITION}; name="title"`, "a"]],
  [
    ".NET's HttpClient",
    '"9a1b2c3d-0000-4000-8000-0123456789ab"',
    [`Content-Type: text/plain; charset=utf-8\r\n${DISPOSITION}; name=title`, "a"],
    [`${DISPOSITION}; name=photo; filename=a.png; filename*=utf-8''a.png\r\nContent-Type: image/png`, CONTENT],
  ],
  [
    "OkHttp, Retrofit",
    "1c7b2f3e-0000-4000-8000-0123456789ab",
    [
      `${DISPOSITION}; name="title"\r\nContent-Transfer-Encoding: binary\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: 1`,
      "a",
    ],
    [
      `${DISPOSITION}; name="photo"; filename="a.png"\r\nContent-Type: image/png\r\nContent-Length: ${CONTENT.length}`,
      CONTENT,
    ],
  ],
  [
    "Spring's RestClient",
    "ZKxE1c0FZ4kTq9mV_wYb3n8uJrLs2d7H",
    [`${DISPOSITION}; name="title"\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: 1`, "a"],
    [
      `${DISPOSITION}; name="photo"; filename="a.png"\r\nContent-Type: image/png\r\nContent-Length: ${CONTENT.length}`,
      CONTENT,
    ],
  ],
  [
    "Apache HttpClient",
    "ZKxE1c0FZ4kTq9mV-wYb3n8uJrLs2d7H",
    [`${DISPOSITION}; name="title"\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit`, "a"],
    [
      `${DISPOSITION}; name="photo"; filename="a.png"\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary`,
      CONTENT,
    ],
  ],
  [
    "Go's mime/multipart",
    "5a1d9c8b7e6f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f",
    [`${DISPOSITION}; name="title"`, "a"],
    [`${DISPOSITION}; name="photo"; filename="a.png"\r\nContent-Type: application/octet-stream`, CONTENT],
  ],
  [
    "form-data of npm, axios, Postman",
    "--------------------------515890814546601021194782",
    [`${DISPOSITION}; name="title"`, "a"],
    [`${DISPOSITION}; name="photo"; filename="a.png"\r\nContent-Type: image/png`, CONTENT],
  ],
];

test.for(SHAPES)("%s", async ([, boundary, ...parts]) => {
  const dashed = `--${boundary.replaceAll('"', "")}`;
  const pieces = parts.map(([head, content]) => `${dashed}\r\n${head}\r\n\r\n${content}\r\n`);
  const body = Buffer.from(`${pieces.join("")}${dashed}--\r\n`, "latin1");
  const headers = { "content-type": `multipart/form-data; boundary=${boundary}` };
  const response = await fetch(url(), { method: "POST", headers, body });
  expect(await response.json()).toEqual({ ok: true });
  expect(service.arrived[0]?.body).toBe(body.toString("latin1"));
});
