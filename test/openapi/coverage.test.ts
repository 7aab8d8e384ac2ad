import { expect, test } from "vitest";
import { answersCoverageOf, coverageOf } from "../../src/openapi/coverage.ts";
import { described, document } from "./kit.ts";

const API = `
paths:
  /a:
    post:
      requestBody:
        content:
          application/json: { schema: { $ref: '#/components/schemas/A' } }
          multipart/related:
            schema:
              type: array
              prefixItems: [{ type: string }, { type: integer, minimum: 1, maximum: 2 }]
              items: false
      responses:
        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } }
components:
  schemas:
    A:
      additionalProperties: false
      properties: { id: { type: string, readOnly: true }, password: { type: string, writeOnly: true } }
`;

test("a body that nobody declares is loose, where a request may have one", () => {
  const description = described(document("paths: { /a: { get: { responses: {} }, delete: { responses: {} } } }"));
  const weak = description.operations.map((operation) => coverageOf(operation, description).weak);
  expect(weak).toEqual([[], [expect.objectContaining({ part: "body", what: "none is declared, and any passes" })]]);
});

test("what may not be there is bounded, and parts by their place are looked at", () => {
  const description = described(document(API));
  const [operation] = description.operations;
  if (operation === undefined) throw new Error("no operation");
  const weak = (found: ReturnType<typeof coverageOf>): readonly string[] => found.weak.map(({ part }) => part);
  const requests = coverageOf(operation, description);
  expect(weak(requests)).toEqual(["body /password", "body multipart/related /0"]);
  expect(requests.bounded).toBe(4);
  expect(weak(answersCoverageOf(operation, description))).toEqual(["200 /id"]);
});
