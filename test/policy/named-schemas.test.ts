// Goal: a route may name a schema of a description for what it asks and for what it answers, wherever a schema may stand.
import { expect, test } from "vitest";
import { policyWith, problemsOf } from "./policy-kit.ts";

const ORDERS = `openapi: 3.1.0
info: { title: orders, version: '1' }
paths: {}
components: { schemas: { Order: { type: object, properties: { id: { type: integer } } }, Id: { type: integer } } }
`;
const ORDER = "schema: 'orders.yaml#/components/schemas/Order'";

test.each([
  `routes: [{ path: /a, public: true, response: { validate: { content: { application/json: { ${ORDER} } } } } }]`,
  `routes: [{ path: /a, public: true, response: { validate: { content: { application/x-ndjson: { item${ORDER.replace("s", "S")} } } } } }]`,
  `routes: [{ path: /a, public: true, response: { validate: { responses: { 4XX: { content: { application/json: { ${ORDER} } } } } } } }]`,
  `defaults: { response: { validate: { content: { application/json: { ${ORDER} } } } } }
routes: [{ path: /a, public: true }]`,
  `routes: [{ path: /a, public: true, validate: { body: { ${ORDER} } } }]`,
])("%s", async (routes) => {
  expect(await problemsOf(policyWith(routes), { "orders.yaml": ORDERS })).toEqual([]);
  expect(
    await problemsOf(policyWith(routes.replace("schemas/Order", "schemas/Nothing")), { "orders.yaml": ORDERS }),
  ).toEqual([expect.stringContaining("Nothing")]);
});
