import { beforeAll, expect, test } from "vitest";
import { CONTINUE, type Verdict } from "../../src/decision/verdict.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { BOUNDARY, multipart } from "../fixtures/multipart.ts";
import { compileFilter, createExchange, MemoryBody, onlyCheck } from "../fixtures/route-context.ts";

beforeAll(async () => {
  await validateFilter.prepare?.();
  await validateFilter.parts?.["parts"]?.();
});

const TYPE = "multipart/related";

async function judge(parts: object, body: Buffer): Promise<Verdict> {
  const check = onlyCheck(compileFilter(validateFilter, { body: { content: { [TYPE]: { parts } } } }));
  const headers = [["content-type", `${TYPE}; boundary=${BOUNDARY}`]] as const;
  const exchange = createExchange({ method: "POST", headers, body: new MemoryBody([body]) });
  exchange.collectedBody = body;
  return check.evaluate(exchange);
}

const sent = (type: string, name?: string): readonly [string, string] => [
  `Content-Type: ${type}${name === undefined ? "" : `\r\nContent-Disposition: inline; name="${name}"`}`,
  "a",
];

test("a part that has a place of its own is judged there, though another place takes any name", async () => {
  const parts = { prefix: [{}, { name: "meta", types: ["text/csv"] }], items: {} };
  expect(await judge(parts, multipart(sent("text/html", "a"), sent("text/csv", "meta")))).toBe(CONTINUE);
  expect(await judge(parts, multipart(sent("text/html"), sent("text/csv")))).toBe(CONTINUE);
  expect(await judge(parts, multipart(sent("text/html", "meta")))).toMatchObject({ reason: "file_type_unsupported" });
  const late = multipart(sent("text/html", "a"), sent("text/csv"), sent("text/html", "meta"));
  expect(await judge(parts, late)).toMatchObject({ seen: "part 3: undeclared" });
});
