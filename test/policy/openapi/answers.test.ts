// Goal: what a document says of an operation's answers is what its route holds them to, and the denial names the document.
import { beforeAll, expect, test } from "vitest";
import { CONTINUE, Denial } from "../../../src/decision/verdict.ts";
import type { ResponseCheck } from "../../../src/filters/response-check.ts";
import { Answer } from "../../../src/message/answer.ts";
import { createExchange, createHeaders } from "../../fixtures/route-context.ts";
import { createTokenMint } from "../../fixtures/tokens.ts";
import { type Files, problemsOf, routeOf, snapshotOf, warningsOf } from "../policy-kit.ts";
import { api, filesWith, policyOf } from "./kit.ts";

let jwks: string;
beforeAll(async () => {
  ({ jwks } = await createTokenMint());
});

const document = (responses: string): string =>
  api(`
/orders:
  get:
    operationId: list
    security: []
    responses:
${responses.trim().replaceAll(/^/gm, "      ")}
`);

const RESPONSES = `
'200':
  headers:
    X-Total: { required: true, schema: { type: integer } }
    X-Next: { $ref: 'common.yaml#/headers/Next' }
    Content-Type: { required: true, schema: { type: integer } }
  content:
    application/json: { schema: { $ref: '#/components/schemas/Order' } }
    application/vnd.orders+json: { schema: { $ref: 'common.yaml#/schemas/Secret' } }
    text/csv: { schema: { type: string } }
  links: { self: { operationId: list } }
4XX: { $ref: 'common.yaml#/responses/Problem' }
`;
const COMMON = `
headers: { Next: { schema: { type: string, maxLength: 4 } } }
schemas: { Secret: { type: object, required: [key], properties: { key: { type: string, writeOnly: true } } } }
responses:
  Problem: { content: { application/problem+json: { schema: { type: object, required: [title] } } } }
`;

const files = (responses: string): Files => filesWith(jwks, document(responses), { "api/common.yaml": COMMON });

async function checksOf(settings: string, responses = RESPONSES): Promise<readonly ResponseCheck[]> {
  const snapshot = await snapshotOf(policyOf(`public: true\n${settings}`), files(responses));
  return routeOf(snapshot, "/orders").responseChecks;
}

interface Asked {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
}

const TOTAL = [["x-total", "1"]] as const;

function judged(check: ResponseCheck | undefined, asked: Asked): Denial | string {
  const { status = 200, type = "application/json", headers = TOTAL, body = "" } = asked;
  const answer = new Answer(status, createHeaders([["content-type", type], ...headers]), true);
  const head = check?.judgeHead?.(createExchange(), answer) ?? CONTINUE;
  if (head !== CONTINUE) return head;
  const rule = check?.judgeBody?.(createExchange(), answer) ?? null;
  if (rule === null) return body;
  if (rule.kind !== "whole") throw new Error("no whole rule");
  const left = rule.judge(Buffer.from(body));
  return left instanceof Denial ? left : left.toString();
}

function seen(check: ResponseCheck | undefined, asked: Asked): string {
  const left = judged(check, asked);
  return left instanceof Denial ? `${left.seen} @${left.place?.file}:${left.place?.line} ${left.place?.path}` : left;
}

test("without 'answers' nobody looks at them", async () => {
  expect(await checksOf("")).toEqual([]);
});

test("statuses, headers and bodies are held to the document, through its references", async () => {
  const [check] = await checksOf("answers: {}");
  expect(check?.enforcePercent).toBe(100);
  expect(seen(check, { body: '{"item":"a"}' })).toBe('{"item":"a"}');
  expect(seen(check, { body: '{"item":1}' })).toMatch(
    /^body \/item type @api\/orders\.yaml:\d+ #\/components\/schemas\/Order$/,
  );
  expect(seen(check, { status: 201 })).toMatch(/^status 201 @api\/orders\.yaml:\d+ #\/paths\/~1orders\/get$/);
  expect(seen(check, { headers: [] })).toMatch(/^header x-total: missing @api\/orders\.yaml/);
  expect(seen(check, { headers: [...TOTAL, ["x-next", "abcde"]] })).toMatch(/^header x-next: \/ maxLength @/);
  expect(seen(check, { status: 404, headers: [], type: "application/problem+json", body: "{}" })).toMatch(
    /^body \/ required @api\/common\.yaml:\d+/,
  );
  const secret = { type: "application/vnd.orders+json" };
  expect(seen(check, { ...secret, body: "{}" })).toBe("{}");
  expect(seen(check, { ...secret, body: '{"key":"x"}' })).toMatch(/^body \/key writeOnly @api\/common\.yaml/);
  expect(seen(check, { type: "text/csv", body: "a,b" })).toBe("a,b");
  expect(seen(check, { type: "text/html", body: '{"item":"a"}' })).toMatch(/^200 of content type text\/html @/);
});

test("its words are those of response.validate", async () => {
  const [audit] = await checksOf("answers: { mode: audit, undeclaredStatus: pass, stripUndeclared: true }");
  expect(audit?.enforcePercent).toBe(0);
  expect(seen(audit, { status: 500, headers: [] })).toBe("");
  expect(seen(audit, { body: '{"item":"a","debug":1}' })).toBe('{"item":"a"}');
  const [refuse] = await checksOf("answers: { mode: { enforce: 5% }, undeclaredProperties: refuse, writeOnly: strip }");
  expect(refuse?.enforcePercent).toBe(5);
  expect(seen(refuse, { body: '{"item":"a","debug":1}' })).toMatch(/^body \/debug /);
  expect(seen(refuse, { type: "application/vnd.orders+json", body: '{"key":"x"}' })).toBe("{}");
});

test("an operation's own keys are laid over it, word by word", async () => {
  const own =
    "answers: { mode: audit }\noperations: { list: { response: { validate: { mode: enforce }, maxBytes: 1KiB } } }";
  const checks = await checksOf(own);
  expect(checks.map(({ name, enforcePercent }) => [name, enforcePercent])).toEqual([
    ["maxBytes", 100],
    ["validate", 100],
  ]);
  expect(seen(checks[1], { body: '{"item":1}' })).toMatch(/^body \/item type @/);
});

test("a media type with parameters has the schema that stands there", async () => {
  const schema = "{ schema: { $ref: '#/components/schemas/Order' } }";
  const [check] = await checksOf(
    "answers: {}",
    `\n'200': { content: { 'application/json; charset=utf-8': ${schema} } }\n`,
  );
  expect(seen(check, { body: '{"item":"a"}' })).toBe('{"item":"a"}');
  expect(seen(check, { body: '{"item":1}' })).toMatch(/^body \/item type @/);
});

test("a range in small letters is one, and what nobody can read is not taken for undeclared", async () => {
  const content = "{ content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }";
  const [small] = await checksOf("answers: {}", `\n2xx: ${content}\n`);
  expect(seen(small, { status: 201, body: '{"item":1}' })).toMatch(/^body \/item type @/);
  expect(seen(small, { status: 404, body: "{}" })).toMatch(/^status 404 @/);
  const [partly] = await checksOf("answers: {}", `\n'200': ${content}\n'400 or so': {}\n`);
  expect(seen(partly, { body: '{"item":1}' })).toMatch(/^body \/item type @/);
  expect(seen(partly, { status: 404, body: "{}" })).toBe("{}");
  expect(await checksOf("answers: {}", "\nfine: {}\n")).toEqual([]);
});

test("what of answers is not enforced is told, and so is a key that is wrong", async () => {
  const responses = `
'200': { content: { text/csv: { schema: { type: string } } }, headers: { Set-Cookie: { schema: { type: string } } } }
'20': {}
`;
  const policy = policyOf("public: true\nanswers: {}");
  const told = (await warningsOf(policy, files(responses))).join("\n");
  expect(told).toContain("schemas of text/csv in answers");
  expect(told).toContain("header Set-Cookie of answers");
  expect(told).toContain("answers whose status is none");
  expect((await problemsOf(policyOf("public: true\nanswers: { modes: audit }"), files(RESPONSES))).join()).toContain(
    "did you mean 'mode'?",
  );
});
