import { beforeAll, expect, test } from "vitest";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { compileFilter, createExchange, MemoryBody, onlyCheck } from "../fixtures/route-context.ts";

beforeAll(async () => {
  await validateFilter.prepare?.();
});

/** `files` by their names relative to the policy; a reference that leads out of the root would find what is there. */
function compile(schema: string, files: Readonly<Record<string, unknown>>) {
  const texts = Object.fromEntries(Object.entries(files).map(([name, content]) => [name, JSON.stringify(content)]));
  return compileFilter(validateFilter, { body: { schema } }, { files: texts });
}

async function reasonOf(compiled: ReturnType<typeof compile>, body: unknown): Promise<string | null> {
  const exchange = createExchange({
    method: "POST",
    headers: [["content-type", "application/json"]],
    body: new MemoryBody([JSON.stringify(body)]),
  });
  return (await onlyCheck(compiled).evaluate(exchange))?.reason ?? null;
}

const MONEY = { $defs: { amount: { type: "integer", minimum: 1 } } };

test("a reference leads to another file beside the schema, and what stands there is judged", async () => {
  const compiled = compile("schemas/order.json", {
    "schemas/order.json": { properties: { total: { $ref: "shared/money.json#/$defs/amount" } } },
    "schemas/shared/money.json": MONEY,
  });
  expect(compiled.problems).toEqual([]);
  expect(await reasonOf(compiled, { total: 5 })).toBeNull();
  expect(await reasonOf(compiled, { total: 0 })).toBe("body_schema_mismatch");
});

test("documents that call themselves by URLs lie beside each other as their URLs do; nothing is fetched", async () => {
  const compiled = compile("order.json", {
    "order.json": {
      $id: "https://schemas.example.org/v1/order.json",
      properties: { total: { $ref: "money.json#/$defs/amount" } },
    },
    "money.json": { $id: "https://schemas.example.org/v1/money.json", ...MONEY },
  });
  expect(compiled.problems).toEqual([]);
  expect(await reasonOf(compiled, { total: "five" })).toBe("body_schema_mismatch");
});

test("files may refer to each other in a circle", async () => {
  const compiled = compile("tree.json", {
    "tree.json": { properties: { leaves: { items: { $ref: "leaf.json" } } } },
    "leaf.json": { properties: { name: { type: "string" }, below: { $ref: "tree.json" } } },
  });
  expect(compiled.problems).toEqual([]);
  expect(await reasonOf(compiled, { leaves: [{ below: { leaves: [{ name: 1 }] } }] })).toBe("body_schema_mismatch");
  expect(await reasonOf(compiled, { leaves: [{ below: { leaves: [{ name: "a" }] } }] })).toBeNull();
});

test.each([
  ["out of the policy's folder", "../../secret.json"],
  ["out of it by escapes", "%2e%2e/%2e%2e/secret.json"],
  ["out of it by an escaped slash", "..%2f..%2fsecret.json"],
  ["to an absolute file", "file:///etc/hostname"],
  ["to another host", "https://schemas.example.org/secret.json"],
  ["to a file that is not there", "absent.json"],
])("a reference %s is a problem, and nothing is read there", (_, $ref) => {
  const outside = { "../secret.json": MONEY, "/etc/hostname": MONEY };
  const { problems } = compile("schemas/order.json", { "schemas/order.json": { $ref }, ...outside });
  expect(problems.length).toBeGreaterThan(0);
});
