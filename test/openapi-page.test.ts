import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { OPENAPI_DEFAULTS } from "../src/support/openapi-defaults.ts";
import { createTokenMint } from "./fixtures/tokens.ts";
import { examine, policyWith } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/openapi.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

const DOCUMENT = `openapi: 3.1.0
servers: [{ url: /v1 }]
security: [{ oauth: ['orders:read'] }, { key: [] }]
paths:
  /orders/{id}:
    get: { operationId: getOrder }
    delete: { operationId: deleteOrder }
  /orders:
    post:
      operationId: createOrder
      parameters: [{ name: ids, in: query, schema: { type: array, items: { type: object } } }]
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
components:
  schemas: { Order: { type: object } }
  securitySchemes:
    oauth: { type: oauth2, flows: {} }
    key: { type: apiKey, in: header, name: X-Api-Key }
`;

const AUTHENTICATORS = {
  okta: { type: "jwt", issuer: "https://id.example/", audience: ["a"], algorithms: ["RS256"], keys: "jwks.json" },
  partners: { type: "api-key", header: "X-Api-Key", keys: "keys.yaml" },
};

async function look(top: object): ReturnType<typeof examine> {
  const { jwks } = await createTokenMint();
  const policy = policyWith(stringify({ authenticators: AUTHENTICATORS, ...top }));
  return examine(policy, { "jwks.json": jwks, "keys.yaml": "callers: []\n", "openapi/orders.yaml": DOCUMENT });
}

test("the page has its blocks", () => {
  expect(blocks).toHaveLength(3);
});

test.each(blocks)("%s", async (text) => {
  const { problems, snapshot, warnings } = await look(parse(text) as object);
  expect(problems.map((problem) => problem.text)).toEqual([]);
  expect(snapshot?.routeList.map(({ template }) => template).sort()).toEqual([
    "/v1/orders",
    "/v1/orders/{id}",
    "/v1/orders/{id}",
  ]);
  const told = warnings.map((warning) => warning.text).find((warning) => warning.includes("not enforced"));
  expect(told).toContain(
    "'openapi/orders.yaml': not enforced: lists of objects or lists in parameters (openapi/orders.yaml:11:20)",
  );
});

test("a route may name a schema of the document, as the page says", async () => {
  const [, schema = ""] = /schema: '(openapi[^']+)'/.exec(page) ?? [];
  const route = (name: string): object => ({ path: "/x", public: true, validate: { body: { schema: name } } });
  const openapi = [{ file: "openapi/orders.yaml", authenticate: { oauth: "okta", key: "partners" } }];
  expect((await look({ openapi, routes: [route(schema)] })).problems).toEqual([]);
  const { problems } = await look({ openapi, routes: [route(`${schema}s`)] });
  expect(problems.map(({ text }) => text)).toEqual([
    "there is no schema 'openapi/orders.yaml#/components/schemas/Orders'; expected one of a document of section 'openapi'",
  ]);
});

test("its numbers are the product's", () => {
  const { openapiFileBytesMax, openapiBytesMax, openapiFilesMax, openapiOperationsMax, openapiDepthMax } =
    OPENAPI_DEFAULTS;
  const { openapiNodesMax, openapiReferencesMax, openapiBasesMax, openapiAlternativesMax } = OPENAPI_DEFAULTS;
  const { openapiOverlayValuesMax } = OPENAPI_DEFAULTS;
  for (const row of [
    `| ${openapiFileBytesMax / 1024 ** 2} MiB, ${openapiBytesMax / 1024 ** 2} MiB |`,
    `| files | ${openapiFilesMax} |`,
    `| operations | ${openapiOperationsMax.toLocaleString("en")} |`,
    `| ${openapiDepthMax}, ${openapiNodesMax.toLocaleString("en")} |`,
    `| ${openapiReferencesMax} |`,
    `| ${openapiOverlayValuesMax.toLocaleString("en")} |`,
    `| ${openapiBasesMax}, ${openapiAlternativesMax} |`,
  ]) {
    expect(page).toContain(row);
  }
});
