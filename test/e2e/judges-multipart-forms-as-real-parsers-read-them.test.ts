// Goal: what postern judged of a multipart form is what the service behind it reads, and nothing else of it gets there.
// Method: real parsers behind a policy with one field and one file; each attack is tried on the bare service first where it
// works there, and what honest clients send is read by each of them as it was judged.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BOUNDARY, field, file, multipart, readStrictly } from "../fixtures/multipart.ts";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { hasRealService, type RealServiceKind, startRealService } from "../fixtures/real-service.ts";

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
      form:
        fields: { role: { enum: [user] } }
        files: { photo: { types: [image/png], extensions: [png] } }
`;
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
const PNG = "\x89PNG\r\n\x1a\n\x00\xff --\r\n";

interface Read {
  readonly status: number;
  readonly reason?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly files?: readonly { readonly name: string; readonly fileName: string; readonly content: string }[];
}

async function post(port: number, body: string | Buffer, type: string = TYPE): Promise<Read> {
  const bytes = Buffer.from(body as string, "latin1");
  const headers = { "content-type": type };
  const response = await fetch(`http://127.0.0.1:${port}/form`, { method: "POST", headers, body: bytes });
  const text = await response.text();
  return { status: response.status, ...(text.startsWith("{") ? (JSON.parse(text) as object) : {}) };
}

const D = `--${BOUNDARY}`;
const DISPOSITION = "Content-Disposition: form-data";
const USER = `${D}\r\n${DISPOSITION}; name="role"\r\n\r\nuser\r\n`;
const ADMIN = `${D}\r\n${DISPOSITION}; name="role"\r\n\r\nadmin\r\n`;
const END = `${D}--\r\n`;
const SHELL = `${DISPOSITION}; name="photo"; filename="a.php"\r\nContent-Type: image/png\r\n\r\n${PNG}\r\n`;

const isAdmin = ({ fields }: Read): boolean => fields?.["role"] === "admin";
const hasShell = ({ files = [] }: Read): boolean => files.some(({ fileName }) => fileName.endsWith(".php"));

type Attack = readonly [what: string, body: string, type?: string];

/** What works on each of them when nothing is before it. */
const ATTACKS: Partial<Record<RealServiceKind, readonly Attack[]>> = {
  php: [
    ["the second of two", USER + ADMIN + END],
    ["line ends without CR", (ADMIN + END).replaceAll("\r", "")],
    ["a boundary behind a bare LF", USER.replace(/\r\n$/, `\n${ADMIN}${END}`)],
    ["no boundary at the end", USER + ADMIN],
    ["apostrophes for quotes", USER + ADMIN.replaceAll('"', "'") + END],
    ["the last of two names", ADMIN.replace('name="role"', 'name="x"; name="role"') + END],
    ["something before the first boundary", `x\r\n${ADMIN}${END}`],
    ["a blank before a name", ADMIN.replace('"role"', '" role"') + END],
    ["a boundary with more behind it", `${USER.replace(/\r\n$/, "")}\r\n${ADMIN}${END}`, `${TYPE}, x`],
    ["a file that runs", `${D}\r\n${SHELL}${END}`],
  ],
  "gunicorn+flask": [
    ["the first of two", ADMIN + USER + END],
    ["line ends without CR", (ADMIN + END).replaceAll("\r", "")],
    ["a file that runs", `${D}\r\n${SHELL}${END}`],
    ["a name in parts", ADMIN.replace('name="role"', `name*0="ro"; name*1="le"`) + END],
    [
      "a file's name in parts",
      `${D}\r\n${SHELL.replace('filename="a.php"', `filename="a.png"; filename*=utf-8''a.php`)}${END}`,
    ],
    ["something before the first boundary", `x\r\n${ADMIN}${END}`],
    ["blanks behind a boundary", ADMIN.replace(D, `${D}  `) + END],
  ],
  go: [
    ["the second of two", USER + ADMIN + END],
    ["a file that runs", `${D}\r\n${SHELL}${END}`],
    ["blanks behind a boundary", ADMIN.replace(D, `${D}  `) + END],
    ["line ends without CR", (ADMIN + END).replaceAll("\r", "")],
    [
      "quoted-printable",
      ADMIN.replace('"role"', '"role"\r\nContent-Transfer-Encoding: quoted-printable').replace("admin", "=61dmin") +
        END,
    ],
    ["a file's name behind filename*", `${D}\r\n${SHELL.replace('filename="a.php"', `filename*=utf-8''a.php`)}${END}`],
    ["a folded header", ADMIN.replace("; name", ";\r\n name") + END],
  ],
  express: [
    ["a file that runs", `${D}\r\n${SHELL}${END}`],
    [
      "a file's name behind filename*",
      `${D}\r\n${SHELL.replace('filename="a.php"', `filename="a.png"; filename*=utf-8''a.php`)}${END}`,
    ],
    ["something before the first boundary", `x\r\n${ADMIN}${END}`],
    ["something behind the last", `${ADMIN}${END}x`],
    ["a path", `${D}\r\n${SHELL.replace("a.php", "../../a.php")}${END}`],
  ],
};

describe.for(Object.entries(ATTACKS) as [RealServiceKind, readonly Attack[]][])("%s", ([kind, attacks]) => {
  let service = 0;
  let postern: Postern;
  beforeAll(async () => {
    if (!hasRealService(kind)) return;
    service = (await startRealService(kind)).port;
    postern = await startPostern(service, policy);
  });
  afterAll(closeAll);
  beforeEach(({ skip }) => skip(!hasRealService(kind), `${kind} is not installed`));

  test.for(attacks)("%s", async ([, body, type]) => {
    const bare = await post(service, body, type);
    expect(isAdmin(bare) || hasShell(bare), JSON.stringify(bare)).toBe(true);
    const { status, reason } = await post(postern.port, body, type);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(reason).toMatch(/^(?:body_not_multipart|form_field_invalid|file_name_invalid|content_type_unsupported)$/);
  });

  test("what passes is read as it was judged", async () => {
    const role = field("role", "user");
    const honest: readonly Buffer[] = [
      multipart(role, file("photo", "Größe 日本.png", "image/png", Buffer.from(PNG, "latin1"))),
      multipart(file("photo", "a b.c d.png", "image/png", Buffer.from(PNG.repeat(5000), "latin1")), role),
      multipart(
        [`${DISPOSITION}; name=role`, "user"],
        [
          `${DISPOSITION}; name=photo; filename=a.png; filename*=utf-8''a.png\r\nContent-Type: image/png`,
          Buffer.from(PNG, "latin1"),
        ],
      ),
      multipart(role, file("photo", "", "application/octet-stream", "")),
      multipart(role),
    ];
    for (const body of honest) {
      const parts = readStrictly([body]);
      if (typeof parts === "string") throw new Error(parts);
      const read = await post(postern.port, body);
      expect(read).toMatchObject({ status: 200, fields: { role: "user" } });
      const files = (read.files ?? []).filter(({ fileName }) => fileName !== "");
      expect(files).toEqual(parts.filter(({ fileName }) => fileName !== null && fileName !== ""));
    }
  });

  test("fetch's FormData passes", async () => {
    const form = new FormData();
    form.set("role", "user");
    form.set("photo", new File([Buffer.from(PNG, "latin1")], "day.png", { type: "image/png" }));
    const response = await fetch(`http://127.0.0.1:${postern.port}/form`, { method: "POST", body: form });
    expect(await response.json()).toMatchObject({ fields: { role: "user" }, files: [{ name: "photo", content: PNG }] });
  });
});
