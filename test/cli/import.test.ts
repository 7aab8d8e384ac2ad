import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";

const ORDERS = `openapi: 3.0.3
info: { title: Order Desk, version: '1' }
servers: [{ url: /v1 }]
security: [{ oauth: ['orders:read'] }]
paths:
  /orders:
    get:
      operationId: list
      parameters:
        - { name: q, in: query, schema: { type: string } }
        - { name: page, in: query, schema: { type: integer, minimum: 1, maximum: 9 } }
        - { name: sid, in: cookie, schema: { type: string, maxLength: 9 } }
        - { name: odd, in: query, schema: { type: array, items: { type: object } } }
    post:
      operationId: create
      security: [{ key: [] }, {}]
      requestBody: { content: { application/json: { schema: { $ref: 'common.yaml#/Order' } } } }
  /health:
    get:
      security: []
      responses:
        200:
          headers: { X-Count: { schema: { type: integer, minimum: 0, maximum: 9 } } }
          content: { application/json: { schema: { $ref: 'common.yaml#/Order' } } }
        default: { description: none }
components:
  securitySchemes:
    oauth: { type: openIdConnect, openIdConnectUrl: 'https://id.example.org/.well-known/openid-configuration' }
    key: { type: apiKey, in: header, name: X-Key }
`;
const COMMON = `Order:
  type: object
  additionalProperties: false
  properties:
    item: { type: string, maxLength: 9, nullable: true }
    parts: { type: array, items: { $ref: '#/Order' } }
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "postern-import-"));
  const files = { "api/orders.yaml": ORDERS, "api/common.yaml": COMMON, "keys.yaml": "callers: []\n" };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function postern(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const code = await main(args, {
    stdout: (text) => {
      out += text;
    },
    stderr: (text) => {
      err += text;
    },
    cwd: folder,
    clock: systemClock,
  });
  return { code, out, err };
}

describe("postern import openapi", () => {
  test("prints a policy that has no problems, and judges bodies by the document", async () => {
    const { code, out, err } = await postern("import", "openapi", "api/orders.yaml");
    expect(code).toBe(0);
    expect(err).toBe("api/orders.yaml:13:11: note: not enforced: lists of objects or lists in parameters\n");
    expect(out).toContain("# list, api/orders.yaml:7:5; not enforced: lists of objects or lists in parameters\n");
    expect(out).toContain("issuer: https://id.example.org\n");
    writeFileSync(join(folder, "policy.yaml"), out);
    writeFileSync(join(folder, "body.json"), '{"item": null, "parts": [{"item": 1}]}');
    const checked = await postern("check", "policy.yaml");
    expect(checked.out).toMatch(/policy\.yaml: no problems/);
    const body = ["--header", "Content-Type: application/json", "--body", "body.json"];
    const judged = await postern("explain", "--policy", "policy.yaml", ...body, "POST /v1/orders");
    expect(judged.out).toContain("body /parts/0/item type; wanted expected null or string");
  });

  test("with an Overlay, tells that a policy's schemas do not have what it changes", async () => {
    const overlay = "overlay: 1.0.0\nactions: [{ target: '$.paths[\"/health\"]', remove: true }]\n";
    writeFileSync(join(folder, "overlay.yaml"), overlay);
    const { out, err } = await postern("import", "openapi", "--overlay", "overlay.yaml", "api/orders.yaml");
    expect(out).not.toContain("/health");
    expect(err).toContain("api/orders.yaml:1:1: warning: routes have what the Overlay makes of the document, and");
    const { err: other } = await postern(
      "import",
      "openapi",
      "--coverage",
      "--overlay",
      "overlay.yaml",
      "api/orders.yaml",
    );
    expect(other).not.toContain("Overlay");
  });

  test("--answers holds answers to the document as well, audited at first", async () => {
    const { code, out } = await postern("import", "openapi", "--answers", "api/orders.yaml");
    expect(code).toBe(0);
    writeFileSync(join(folder, "answers.yaml"), out);
    expect((await postern("check", "answers.yaml")).out).toMatch(/answers\.yaml: no problems/);
    expect(out).toMatch(/validate:\n +mode: audit\n +responses:\n/);
    expect((await postern("import", "openapi", "api/orders.yaml")).out).not.toContain("responses");
  });

  test("as JSON it is the same value", async () => {
    const { out } = await postern("import", "openapi", "--json", "--base-path", "/", "api/orders.yaml");
    const policy = JSON.parse(out) as { service: string; routes: { path: string; public?: boolean }[] };
    expect(policy.service).toBe("order-desk");
    expect(policy.routes.map(({ path }) => path)).toEqual(["/orders", "/orders", "/health"]);
    expect(policy.routes[2]?.public).toBe(true);
  });

  test("--coverage says what is loose, with a figure", async () => {
    const { code, out } = await postern("import", "openapi", "--coverage", "api/orders.yaml");
    expect(code).toBe(0);
    // GET: page and sid bounded, q loose, odd not read. POST: the object and item bounded, the list not.
    expect(out.split("\n").slice(0, 11)).toEqual([
      "api/orders.yaml: OpenAPI 3.0, 3 operations, 44% of what requests may hold is bounded and enforced",
      "most often: no maxItems (2), no maxLength, pattern or format (1), additionalProperties open (1); 'undeclaredProperties: refuse' closes objects",
      "",
      "  33%  GET /v1/orders  (list, 7:5)",
      "       enforced: callers with scopes or roles; query q, page; cookies sid",
      "       not enforced: lists of objects or lists in parameters",
      "       loose: query q: no maxLength, pattern or format (10:43)",
      "       loose: query odd: no maxItems (13:45)",
      "       loose: query odd /*: additionalProperties open (13:67)",
      "",
      "  66%  POST /v1/orders  (create, 14:5)",
    ]);
    expect(out).toContain("loose: body /parts: no maxItems (api/common.yaml:6:14)");
    const report = JSON.parse((await postern("import", "openapi", "--coverage", "--json", "api/orders.yaml")).out);
    expect(report).toMatchObject({
      percent: 44,
      operations: [{ percent: 33, callers: "scopes" }, {}, { callers: "everybody", percent: 100 }],
    });
  });

  test("--coverage counts an operation once that several base paths have, and takes several documents", async () => {
    const bases = ["--base-path", "/v1", "--base-path", "/v2"];
    const { out } = await postern("import", "openapi", "--coverage", ...bases, "api/orders.yaml", "api/orders.yaml");
    expect(out.match(/OpenAPI 3.0, .*/g)).toEqual(
      Array(2).fill("OpenAPI 3.0, 3 operations at 6 paths, 44% of what requests may hold is bounded and enforced"),
    );
    expect(out).toContain("most often: no maxItems (2)");
    for (const base of ["/v1", "/v2"]) expect(out.split(` GET ${base}/orders `)).toHaveLength(3);
    const json = await postern("import", "openapi", "--coverage", "--json", "api/orders.yaml", "api/orders.yaml");
    expect(JSON.parse(json.out)).toMatchObject([{ percent: 44 }, { percent: 44 }]);
    expect((await postern("import", "openapi", "api/orders.yaml", "api/orders.yaml")).code).toBe(2);
  });

  test("--coverage has a figure for answers, too", async () => {
    const { out } = await postern("import", "openapi", "--coverage", "api/orders.yaml");
    expect(out.match(/answers: .*/g)).toEqual(["answers: 200, default; 60% of what they may hold is bounded"]);
    const report = JSON.parse((await postern("import", "openapi", "--coverage", "--json", "api/orders.yaml")).out);
    expect(report.operations[2].answers).toEqual({
      percent: 60,
      statuses: ["200", "default"],
      loose: [
        { part: "200 /parts", what: "no maxItems", place: "api/common.yaml:6:14" },
        { part: "default", what: "no content", place: expect.stringMatching(/^api\/orders\.yaml:/) },
      ],
    });
  });

  test("problems have the document's lines, and exit code 1", async () => {
    writeFileSync(join(folder, "bad.yaml"), "openapi: 3.1.0\nsecurity: {}\npaths: {}\n");
    const { code, out, err } = await postern("import", "openapi", "bad.yaml");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toBe(
      "bad.yaml:2:1: 'security' is expected to be a list of schemes, as in [{ oauth: [orders:read] }]\n",
    );
    expect((await postern("import", "openapi", "none.yaml")).err).toBe("none.yaml: cannot be read\n");
  });

  test("is told how it is used", async () => {
    expect((await postern("import", "swagger", "a.yaml")).code).toBe(2);
    expect((await postern("import", "openapi")).err).toContain("expected one FILE");
    expect((await postern("import", "openapi", "--base-path", "v1", "api/orders.yaml")).err).toContain(
      "'v1' is no path",
    );
  });
});
