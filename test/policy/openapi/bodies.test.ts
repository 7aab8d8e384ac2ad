import { beforeAll, describe, expect, test } from "vitest";
import { CONTINUE, Denial, type Verdict } from "../../../src/decision/verdict.ts";
import type { Check } from "../../../src/filters/filter.ts";
import { createExchange, MemoryBody } from "../../fixtures/route-context.ts";
import { createTokenMint } from "../../fixtures/tokens.ts";
import { type Files, routeOf, snapshotOf, warningsOf } from "../policy-kit.ts";
import { api, filesWith, policyOf } from "./kit.ts";

let jwks: string;
beforeAll(async () => {
  ({ jwks } = await createTokenMint());
});

/** One operation, POST /orders, whose body has these media types. */
const document = (content: string): string =>
  `${api(
    `
/orders:
  post:
    security: []
    requestBody:
      required: true
      content:
${content.trim().replaceAll(/^/gm, "        ")}
`,
  )}`;

async function checkOf(content: string, settings = "public: true", others: Files = {}): Promise<Check> {
  const snapshot = await snapshotOf(policyOf(settings), filesWith(jwks, document(content), others));
  const check = routeOf(snapshot, "/orders").checks.find(({ name }) => name === "validate");
  if (check === undefined) throw new Error("nothing is validated");
  return check;
}

const looseOf = async (content: string): Promise<readonly string[]> =>
  await warningsOf(policyOf("public: true"), filesWith(jwks, document(content)));

/** As the pipeline has it: the check, and then its watch while the body streams. */
async function judge(check: Check, type: string, body: string | Buffer): Promise<Verdict> {
  const headers = [["content-type", type]] as const;
  const exchange = createExchange({ method: "POST", headers, body: new MemoryBody([body]) });
  const verdict = await check.evaluate(exchange);
  const watch = verdict === CONTINUE && exchange.collectedBody === null ? (check.watch?.(exchange) ?? null) : null;
  if (watch === null) return verdict;
  const judged = await watch.scan(Buffer.from(body));
  return judged instanceof Denial ? judged : watch.end();
}

describe("itemSchema (3.2)", () => {
  const STREAMS = `
application/x-ndjson: { itemSchema: { $ref: '#/components/schemas/Order' } }
application/json-seq: { itemSchema: { $ref: 'item.yaml' } }
application/json: { schema: { $ref: '#/components/schemas/Order' } }
`;
  const others = { "api/item.yaml": "{ type: object, required: [count] }" };

  test("judges each item of a stream, beside bodies that are held", async () => {
    const check = await checkOf(STREAMS, "public: true", others);
    expect(await judge(check, "application/x-ndjson", '{"item":"a"}\n{"item":"b"}\n')).toBe(CONTINUE);
    expect(await judge(check, "application/x-ndjson", '{"item":"a"}\n{"item":7}\n')).toMatchObject({
      reason: "body_schema_mismatch",
      place: { file: "api/orders.yaml" },
      body: { errors: [{ item: 2, pointer: "/item", keyword: "type" }] },
    });
    expect(await judge(check, "application/json-seq", '\u001e{"count":1}\n\u001e{}\n')).toMatchObject({
      body: { errors: [{ item: 2, keyword: "required" }] },
    });
    expect(await judge(check, "application/json", '{"item":7}')).toMatchObject({ seen: "body /item type" });
  });

  test("has the bounds that the policy gives it", async () => {
    const bounds = "{ validate: { body: { items: { maxCount: 1 } } } }";
    const check = await checkOf(STREAMS, `public: true\noperations: { 'POST /orders': ${bounds} }`, others);
    const verdict = await judge(check, "application/x-ndjson", '{"item":"a"}\n{"item":"b"}\n');
    expect(verdict).toMatchObject({ reason: "body_items_exceeded", place: { file: "conf/policy.yaml" } });
  });

  test("is told where it cannot be enforced", async () => {
    const told = await looseOf(`
multipart/mixed: { itemSchema: { type: object } }
application/jsonl: { schema: { type: array }, itemSchema: { type: object } }
text/event-stream: { itemSchema: { properties: { data: { contentMediaType: application/json } } } }
`);
    expect(told.join()).toContain(
      "not enforced: itemSchema of multipart/mixed (api/orders.yaml:10:11), schemas of whole streams (api/orders.yaml:11:32)",
    );
    expect(told.join()).toContain("contentMediaType");
  });
});
