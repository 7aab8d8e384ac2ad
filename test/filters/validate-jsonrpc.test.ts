import { beforeAll, describe, expect, test } from "vitest";
import type { Denial } from "../../src/decision/verdict.ts";
import type { Check } from "../../src/filters/filter.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { type Compiled, compileFilter, createExchange, MemoryBody, onlyCheck } from "../fixtures/route-context.ts";

beforeAll(async () => {
  await validateFilter.prepare?.();
  await validateFilter.parts?.["jsonrpc"]?.();
});

const CREATE = JSON.stringify({
  type: "object",
  required: ["count"],
  properties: { count: { type: "integer", maximum: 9 }, name: { type: "string", pattern: "^(a|b)*$" } },
});

function compile(jsonrpc: object, more: object = {}): Compiled {
  return compileFilter(validateFilter, { jsonrpc, ...more }, { files: { "create.json": CREATE } });
}

async function post(check: Check, body: unknown, query = ""): Promise<Denial | null> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = [["content-type", "application/json"]] as const;
  return check.evaluate(createExchange({ method: "POST", headers, body: new MemoryBody([text]), query }));
}

const call = (method: string, params?: unknown, id: unknown = 1) => ({ jsonrpc: "2.0", method, params, id });

test.each([
  [["ping"], "ping", true],
  [["ping"], "Ping", false],
  [["ping"], "ping ", false],
  [["orders.*"], "orders.create", true],
  [["orders.*"], "orders", false],
  [["*.get"], "orders.get", true],
  [["a*b*c"], "a1b2c", true],
  [["a*b*c"], "abc", true],
  [["a*b*bc"], "abc", false],
  [["aa*aa"], "aaa", false],
  [["*"], "rpc.discover", true],
])("of %j, %s is allowed: %s", async (methods, method, allowed) => {
  const denial = await post(onlyCheck(compile({ methods })), call(method));
  expect(denial?.reason ?? null).toBe(allowed ? null : "jsonrpc_method_denied");
});

test.each([
  '{"jsonrpc":"2.0","method":"ping","METHOD":"shutdown","id":1}',
  '{"jsonrpc":"2.0","method":"ping","method":"shutdown","id":1}',
  '{"jsonrpc":"2.0","method":"ping","extra":1,"id":1}',
  '{"jsonrpc":"1.0","method":"ping","id":1}',
  '{"method":"ping","id":1}',
  '{"jsonrpc":2.0,"method":"ping","id":1}',
  '{"jsonrpc":"2.0","method":["ping"],"id":1}',
  '{"jsonrpc":"2.0","method":"ping","params":"x","id":1}',
  '{"jsonrpc":"2.0","method":"ping","params":null,"id":1}',
  '{"jsonrpc":"2.0","method":"ping","id":{}}',
  '{"jsonrpc":"2.0","result":1,"id":1}',
  "[]",
  "[[]]",
  "1",
  "",
])("%s is refused", async (body) => {
  expect(await post(onlyCheck(compile({ methods: ["ping"], batch: 3 })), body)).toMatchObject({
    reason: "jsonrpc_invalid",
  });
});

test("honest calls pass, of all forms of params and ids", async () => {
  const check = onlyCheck(compile({ methods: ["ping"] }));
  for (const id of ["a", 1, -1.5, null, 12345678901234567890n])
    expect(
      await post(check, `{"jsonrpc":"2.0","method":"ping","id":${typeof id === "bigint" ? id : JSON.stringify(id)}}`),
    ).toBeNull();
  expect(await post(check, call("ping", [1, { a: 2 }]))).toBeNull();
  expect(await post(check, { jsonrpc: "2.0", method: "ping" })).toBeNull();
});

test("notifications can be refused", async () => {
  const check = onlyCheck(compile({ methods: ["ping"], notifications: "refuse" }));
  expect(await post(check, { jsonrpc: "2.0", method: "ping" })).toMatchObject({ seen: "a notification" });
  expect(await post(check, call("ping", [], null))).toBeNull();
});

describe("a list", () => {
  test("is let in by its own key alone, and not longer than that", async () => {
    expect(await post(onlyCheck(compile({ methods: ["ping"] })), [call("ping")])).toMatchObject({
      reason: "jsonrpc_invalid",
      wanted: "one call, no list",
    });
    const check = onlyCheck(compile({ methods: ["ping"], batch: 2 }));
    expect(await post(check, [call("ping"), call("ping")])).toBeNull();
    expect(await post(check, [call("ping"), call("ping"), call("ping")])).toMatchObject({ seen: "a list of 3 calls" });
  });

  test("tells which call is none, and why", async () => {
    const check = onlyCheck(compile({ methods: ["ping"], batch: 5 }));
    const detail = "expected a JSON-RPC 2.0 call that all services read alike: no version 2.0";
    expect(await post(check, [call("ping"), { ...call("ping"), jsonrpc: "1.0" }])).toMatchObject({
      body: { errors: [{ pointer: "/1", keyword: "jsonrpc", detail }] },
    });
  });

  test("has each of its calls judged", async () => {
    const check = onlyCheck(compile({ methods: ["ping"], batch: 5 }));
    expect(await post(check, [call("ping"), call("stop")])).toMatchObject({
      reason: "jsonrpc_method_denied",
      body: { errors: [{ pointer: "/1", keyword: "methods" }] },
    });
  });
});

describe("params under a schema", () => {
  const settings = { methods: ["create", "ping"], batch: 500, paramsSchema: { create: "create.json" } };

  test("are judged, short or long, alone or in a list", async () => {
    const check = onlyCheck(compile(settings));
    expect(await post(check, call("create", { count: 3 }))).toBeNull();
    expect(await post(check, call("ping", { count: 99 }))).toBeNull();
    expect(await post(check, call("create"))).toMatchObject({ reason: "body_schema_mismatch" });
    expect(await post(check, call("create", [3]))).toMatchObject({ seen: "body /params type" });
    const long = Array.from({ length: 400 }, () => call("create", { count: 1, name: "ab".repeat(60) }));
    expect(await post(check, long)).toBeNull();
    expect(await post(check, [...long, call("create", { count: 10 })])).toMatchObject({
      seen: "body /400/params/count maximum",
    });
  });

  test("that nobody can call are a problem, as is a file that is not there", () => {
    const { problems } = compile({ methods: ["ping"], paramsSchema: { create: "other.json" } });
    expect(problems.map(({ path }) => path)).toEqual(Array(2).fill("validate.jsonrpc.paramsSchema.create"));
  });
});

test("no call comes by the query, and a stream may be opened", async () => {
  const check = onlyCheck(compile({ methods: ["ping"] }));
  expect(await post(check, call("ping"), "?Method=stop")).toMatchObject({ reason: "jsonrpc_invalid" });
  expect(await post(check, call("ping"), "?trace=1")).toBeNull();
  expect(await check.evaluate(createExchange({ method: "GET", query: "?method=stop" }))).toMatchObject({
    reason: "jsonrpc_invalid",
  });
  expect(await check.evaluate(createExchange({ method: "GET" }))).toBeNull();
});
