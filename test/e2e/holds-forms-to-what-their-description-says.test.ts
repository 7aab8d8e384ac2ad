// Goal: a service gets of a multipart form what its OpenAPI document says, from whichever client, and nothing else of it.
// Method: real parsers behind a document and nothing more in the policy; real clients send what fits and what does not.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { isThere, PYTHON, runProgram } from "../fixtures/program.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";
import { hasRealService, type RealServiceKind, startRealService } from "../fixtures/real-service.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: forms
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
openapi:
  - { file: api.yaml, public: true }
`;
const API = `
openapi: 3.0.3
info: { title: forms, version: '1' }
paths:
  /form:
    post:
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema: { $ref: '#/components/schemas/Upload' }
            encoding: { photo: { contentType: image/png }, lines: { style: deepObject, explode: true } }
          application/x-www-form-urlencoded:
            schema: { $ref: '#/components/schemas/Sale' }
            encoding: { lines: { style: deepObject, explode: true } }
          application/json: { schema: { type: object, additionalProperties: false } }
      responses: { '200': { description: done } }
components:
  schemas:
    Upload:
      type: object
      required: [role, photo]
      additionalProperties: false
      properties:
        role: { type: string, enum: [user] }
        order: { type: object, required: [count], properties: { count: { type: integer, maximum: 9 } } }
        photo: { type: string, format: binary, maxLength: 1000 }
        lines: { $ref: '#/components/schemas/Lines' }
    Lines:
      type: array
      maxItems: 2
      items: { type: object, additionalProperties: false, required: [name], properties: { name: { type: string, maxLength: 5 } } }
    Sale:
      type: object
      required: [lines]
      properties: { lines: { $ref: '#/components/schemas/Lines' }, by: { type: string } }
      oneOf:
        - { required: [card], properties: { by: { enum: [card] }, card: { type: string, maxLength: 4 } } }
        - { required: [iban], properties: { by: { enum: [transfer] }, iban: { type: string } } }
`;
const PNG = Buffer.from("\x89PNG\r\n\x1a\n\x00\xff --\r\n", "latin1");
const ORDER = '{"count":3}';

interface Read {
  readonly status: number;
  readonly reason?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly files?: readonly { readonly name: string; readonly fileName: string; readonly content: string }[];
}

async function post(port: number, body: FormData): Promise<Read> {
  const response = await fetch(`http://127.0.0.1:${port}/form`, { method: "POST", body });
  return { status: response.status, ...((await response.json()) as object) };
}

function form(changes: Readonly<Record<string, string | File | null>> = {}): FormData {
  const made = new FormData();
  const photo = new File([PNG], "a.png", { type: "image/png" });
  for (const [name, value] of Object.entries({ role: "user", photo, ...changes }))
    if (value !== null) made.append(name, value);
  return made;
}

const KINDS: readonly RealServiceKind[] = ["express", "gunicorn+flask", "php", "go"];

describe.for(KINDS)("before %s", (kind) => {
  let service = 0;
  let postern: Postern;
  let folder = "";
  beforeAll(async () => {
    if (!hasRealService(kind)) return;
    folder = mkdtempSync(join(tmpdir(), "postern-forms-"));
    onClose(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "a.png"), PNG);
    service = (await startRealService(kind)).port;
    postern = await startPostern(service, policy, { "api.yaml": API });
  });
  afterAll(closeAll);
  beforeEach(({ skip }) => skip(!hasRealService(kind), `${kind} is not installed`));

  const photo = { name: "photo", fileName: "a.png", content: PNG.toString("latin1") };

  test("forms of browsers pass, an object as a text and as a Blob", async () => {
    const plain = await post(postern.port, form({ order: ORDER }));
    expect(plain).toMatchObject({ status: 200, fields: { role: "user", order: ORDER }, files: [photo] });
    const blob = await post(postern.port, form({ order: new File([ORDER], "blob", { type: "application/json" }) }));
    expect(blob).toMatchObject({ status: 200, fields: { role: "user" } });
    expect(blob.files).toContainEqual({ name: "order", fileName: "blob", content: ORDER });
  });

  test("so do those of curl and Python's requests", async ({ skip }) => {
    skip(!isThere("curl"), "curl is not installed");
    const url = `http://127.0.0.1:${postern.port}/form`;
    const file = `photo=@${join(folder, "a.png")};type=image/png`;
    const parts = ["-F", "role=user", "-F", `order=${ORDER};type=application/json`, "-F", file];
    const told = JSON.parse(await runProgram(["curl", "-sS", ...parts, url])) as Read;
    expect(told).toMatchObject({ fields: { role: "user", order: ORDER }, files: [photo] });
    if (!hasRequests()) return;
    const script = `import requests, sys
files = {"photo": ("a.png", open(sys.argv[2], "rb"), "image/png"), "order": (None, '${ORDER}', "application/json")}
print(requests.post(sys.argv[1], data={"role": "user"}, files=files, timeout=20).text)`;
    const answer = await runProgram([PYTHON, "-c", script, url, join(folder, "a.png")]);
    expect(JSON.parse(answer)).toMatchObject({ fields: { role: "user", order: ORDER }, files: [photo] });
  });

  test.for<[what: string, changes: Readonly<Record<string, string | File | null>>, status: number, name: string]>([
    ["another value", { role: "admin" }, 422, "role"],
    ["a missing field", { role: null }, 422, "role"],
    ["a missing file", { photo: null }, 422, "photo"],
    ["a file that is a field", { photo: "text" }, 422, "photo"],
    ["an object that does not fit", { order: '{"count":10}' }, 422, "order"],
    [
      "an object as a Blob that does not fit",
      { order: new File(['{"count":10}'], "blob", { type: "application/json" }) },
      422,
      "order",
    ],
    ["what nobody declares", { admin: "1" }, 422, "admin"],
    [
      "a file that is too long",
      { photo: new File([PNG, Buffer.alloc(1000)], "a.png", { type: "image/png" }) },
      413,
      "photo",
    ],
    ["a file of another type", { photo: new File(["GIF89a"], "a.gif", { type: "image/gif" }) }, 415, "photo"],
    ["a script as a picture", { photo: new File(["<?php echo 1;"], "a.php", { type: "image/png" }) }, 422, "photo"],
  ])("%s is refused", async ([, changes, status, name]) => {
    expect((await post(service, form(changes))).status).toBe(200);
    expect(await post(postern.port, form(changes))).toMatchObject({ status, errors: [{ in: "form", name }] });
  });

  test.for([
    ["role[x]", "admin"],
    ["Role", "admin"],
    ["role ", "admin"],
    ["%72ole", "admin"],
  ])("a second role as %j is no way round it", async ([name = "", value = ""]) => {
    const answer = await post(postern.port, form({ [name]: value }));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.fields).toBeUndefined();
  });
});

describe.for(["express", "php"] as const)("lists and objects under names with steps, before %s", (kind) => {
  let service = 0;
  let postern: Postern;
  beforeAll(async () => {
    if (!hasRealService(kind)) return;
    service = (await startRealService(kind)).port;
    postern = await startPostern(service, policy, { "api.yaml": API });
  });
  afterAll(closeAll);
  beforeEach(({ skip }) => skip(!hasRealService(kind), `${kind} is not installed`));

  async function sell(port: number, text: string): Promise<Read> {
    const body = new URLSearchParams(text);
    const response = await fetch(`http://127.0.0.1:${port}/form`, { method: "POST", body });
    return { status: response.status, ...((await response.json()) as object) };
  }

  const GOOD = "lines[0][name]=a&lines[1][name]=b&by=card&card=1234";

  test("the service reads what was judged, from either form", async () => {
    const lines = [{ name: "a" }, { name: "b" }];
    expect(await sell(postern.port, GOOD)).toMatchObject({ status: 200, fields: { lines, by: "card" } });
    const sent = form({ "lines[0][name]": "a", "lines[1][name]": "b" });
    expect(await post(postern.port, sent)).toMatchObject({ status: 200, fields: { lines, role: "user" } });
  });

  test.for([
    ["an item that is too long", "lines[0][name]=abcdef&by=card&card=1"],
    ["an item more than may be", `${GOOD}&lines[2][name]=c`],
    ["a list in another spelling", `${GOOD}&lines=x`],
    ["items of which services disagree", "lines[][name]=a&lines[][name]=b&by=card&card=1"],
    ["what the other alternative asks for", "lines[0][name]=a&by=card&iban=DE1"],
    ["neither alternative", "lines[0][name]=a&by=card"],
  ])("%s is refused", async ([, text = ""]) => {
    expect((await sell(service, text)).status).toBe(200);
    const answer = await sell(postern.port, text);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.fields).toBeUndefined();
  });
});

function hasRequests(): boolean {
  try {
    execFileSync(PYTHON, ["-c", "import requests"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
