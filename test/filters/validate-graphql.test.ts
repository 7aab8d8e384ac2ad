import { beforeAll, describe, expect, test } from "vitest";
import { hashOfDocument } from "../../src/bodies/graphql/allowed.ts";
import type { Denial } from "../../src/decision/verdict.ts";
import type { Check } from "../../src/filters/filter.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { type Compiled, compileFilter, createExchange, MemoryBody, onlyCheck } from "../fixtures/route-context.ts";

beforeAll(async () => {
  await validateFilter.prepare?.();
  await validateFilter.parts?.["graphql"]?.();
});

function compile(graphql: unknown, files: Readonly<Record<string, string>> = {}, more: object = {}): Compiled {
  return compileFilter(validateFilter, { graphql, ...more }, { files });
}

async function post(check: Check, body: unknown, query = "", type = "application/json"): Promise<Denial | null> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = [["content-type", type]] as const;
  return check.evaluate(createExchange({ method: "POST", headers, body: new MemoryBody([text]), query }));
}

async function get(check: Check, parameters: Record<string, string>): Promise<Denial | null> {
  return check.evaluate(createExchange({ method: "GET", query: `?${new URLSearchParams(parameters)}` }));
}

const nested = (depth: number): string => "{a".repeat(depth) + "}".repeat(depth);

describe("what a document may cost", () => {
  const judge = (query: string, settings: object = {}, variables?: object) =>
    post(onlyCheck(compile(settings)), { query, variables });

  test("an honest one passes, with all that the language has", async () => {
    const query = `"what it is for"
      query Orders($n: Int = 10, $filter: Filter) @live {
        viewer { orders(first: $n, filter: $filter) { edges { node { id ...Item @include(if: true) } } } }
        ... on Query { __typename }
      }
      fragment Item on Order { name text(format: """a "block" \\""" string""") price(in: EUR, tags: ["a", "\\u{1F600}"]) }`;
    expect(await judge(query, {}, { n: 20, filter: { limit: null } })).toBeNull();
  });

  test.each([
    [{}, nested(15), null],
    [{}, nested(16), "depth 16"],
    [{ depth: 3 }, "{a{...F}} fragment F on Q{b{c{d}}}", "depth 4"],
    [{ aliases: 2 }, "{x:a y:a z:a}", "aliases 3"],
    [{ aliases: 5 }, "{...F ...F ...F} fragment F on Q{x:a y:b}", "aliases 6"],
    [{ directives: 1 }, "{a @x @x}", "directives 2"],
    [{ complexity: 100 }, "{a(first:100){b}}", "complexity 200"],
    [{ complexity: 100 }, "{a(first:10){b(last:10){c}}}", "complexity 210"],
    [{ complexity: 100 }, "{a(page:{size:{limit:101}})}", "complexity 101"],
    [{ complexity: 100 }, '{a(first:"1\\u00300")}', null],
    [{ complexity: 100 }, '{a(first:"1\\u003000")}', "complexity 1000"],
    [{ complexity: 100 }, '{a(first:"\\\\u{FFFFFFFF}")}', null],
    [{ complexity: 100 }, `{a(first:"${" ".repeat(200)}1000")}`, "complexity Infinity"],
    [{ complexity: 100 }, `{a(text:"${"\\n".repeat(20_000)}")}`, null],
    [{ complexity: 100 }, "{a(first:-1)}", "complexity Infinity"],
    [{ complexity: 100, lists: ["take"] }, "{a(first:1000) b(take:99)}", null],
  ])("%j: %s", async (settings, query, seen) => {
    const denial = await judge(query, settings);
    if (seen === null) expect(denial).toBeNull();
    else expect(denial).toMatchObject({ reason: "graphql_too_costly", seen });
  });

  test("fragments that double each other are counted without being walked", async () => {
    const fragments = Array.from({ length: 60 }, (_, at) => `fragment F${at} on Q{...F${at + 1} ...F${at + 1}}`);
    const query = `{...F0} ${fragments.join(" ")} fragment F60 on Q{a}`;
    expect(await judge(query)).toMatchObject({ reason: "graphql_too_costly", seen: "complexity 1152921504606847000" });
  });

  test("a length comes from the request's variables, or from their defaults", async () => {
    const query = "query($n:Int=1000,$p:Page){a(first:$n){b(page:$p){c}}}";
    expect(await judge(query, {}, { n: 10 })).toBeNull();
    expect(await judge(query, {}, {})).toBeNull();
    expect(await judge(query, {}, { n: 10_000 })).toMatchObject({ seen: "complexity 30000" });
    expect(await judge(query, {}, { n: 10, p: { in: { limit: 1000 } } })).toMatchObject({ seen: "complexity 20010" });
    expect(await judge(query, {}, { n: "10000" })).toMatchObject({ seen: "complexity 30000" });
  });

  test("all operations are judged, whichever is asked for", async () => {
    const query = `query Small{a} query Large${nested(20)}`;
    const denial = await post(onlyCheck(compile({})), { query, operationName: "Small" });
    expect(denial).toMatchObject({ reason: "graphql_too_costly", seen: "depth 20" });
  });

  test("the schema is told to nobody unless the policy says so", async () => {
    for (const query of [
      "{__schema{types{name}}}",
      '{x:__type(name:"A"){name}}',
      "{a{...F}} fragment F on Q{__schema{a}}",
    ]) {
      expect(await judge(query)).toMatchObject({ reason: "graphql_introspection" });
      expect(await judge(query, { introspection: "allow" })).toBeNull();
    }
    expect(await judge("{__typename a}")).toBeNull();
  });

  test("types of operations can be closed", async () => {
    const denial = await judge("mutation{a}", { types: ["query"] });
    expect(denial).toMatchObject({ reason: "graphql_operation_denied", seen: "mutation" });
    expect(await judge("query{a}", { types: ["query"] })).toBeNull();
  });
});

describe("what has no one reading is refused", () => {
  test.each([
    "{a",
    "{}",
    "",
    "type A{b:Int}",
    "{a} type A{b:Int}",
    "{a(b:1 b:2)}",
    "{a(b:{c:1 c:2})}",
    "query A{a} query A{b}",
    "{a} query A{b}",
    "{...F} fragment F on Q{a} fragment F on Q{b}",
    "{...F} fragment F on Q{...G} fragment G on Q{...F}",
    "{a} fragment F on Q{...F}",
    "{...F}",
    "query($a:Int $a:Int){b}",
    '{a(b:"\\uD800")}',
    "{a(b:01)}",
    "{a(b:1x)}",
    "{a\u0000}",
    "{a(b:$)}",
    `{${" a".repeat(DEFAULTS.graphqlTokensMax)}}`,
    `{a#${"x".repeat(DEFAULTS.graphqlCharsMax)}\n}`,
    nested(65),
    `{a(b:${"[".repeat(65)}${"]".repeat(65)})}`,
  ])("%s", async (query) => {
    expect(await post(onlyCheck(compile({ depth: 100 })), { query })).toMatchObject({ reason: "graphql_invalid" });
  });

  test.each([
    '{"query":"{a}","QUERY":"{b}"}',
    '{"query":"{a}","query":"{b}"}',
    '{"query":"{a}","id":"1"}',
    '{"query":["{a}"]}',
    '{"query":"{a}","variables":"{}"}',
    '{"query":"{a}","variables":[]}',
    '{"query":"{a}","extensions":1}',
    '{"query":"{a}","extensions":{"PersistedQuery":{"version":1,"sha256Hash":"00"}}}',
    '{"query":"{a}","documentId":"a"}',
    "{}",
    "[]",
    "null",
    '"{a}"',
    "",
  ])("%s", async (body) => {
    expect(await post(onlyCheck(compile({ batch: 5 })), body)).toMatchObject({ reason: "graphql_invalid" });
  });

  test.each(["?query={b}", "?QUERY={b}", "?query[]={b}", "?x=1;query={b}", "?variables={}", "?documentId=1"])(
    "a POST with %s, which some services take for the document",
    async (query) => {
      const check = onlyCheck(compile({}));
      expect(await post(check, { query: "{a}" }, query)).toMatchObject({ reason: "graphql_invalid" });
      expect(await post(check, { query: "{a}" }, "?trace=1")).toBeNull();
    },
  );

  test("bodies of other types, which browsers send across sites", async () => {
    const check = onlyCheck(compile({}));
    for (const type of [
      "text/plain",
      "application/graphql",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
    ])
      expect(await post(check, { query: "{a}" }, "", type)).toMatchObject({ reason: "content_type_unsupported" });
    expect(await post(check, { query: "{a}" }, "", "application/graphql+json; charset=utf-8")).toBeNull();
  });
});

describe("a list of requests", () => {
  test("is refused where the policy does not let it in", async () => {
    expect(await post(onlyCheck(compile({})), [{ query: "{a}" }])).toMatchObject({ reason: "graphql_too_costly" });
    const check = onlyCheck(compile({ batch: 2 }));
    expect(await post(check, [{ query: "{a}" }, { query: "{b}" }])).toBeNull();
    expect(await post(check, [1, 2, 3])).toMatchObject({ seen: "a list of 3 requests" });
  });

  test("tells which request is none, why and where in it", async () => {
    const check = onlyCheck(compile({ batch: 2 }));
    const detail =
      "expected a GraphQL request that all services read alike: another token was expected at line 2, column 1";
    expect(await post(check, [{ query: "{a}" }, { query: "{a\n)}" }])).toMatchObject({
      body: { errors: [{ pointer: "/1", keyword: "graphql", detail }] },
    });
  });

  test("has what one request may have, and each is judged", async () => {
    const check = onlyCheck(compile({ batch: 10, aliases: 3, complexity: 4 }));
    const denial = await post(check, [{ query: "{x:a y:a}" }, { query: "{x:a y:a}" }]);
    expect(denial).toMatchObject({ seen: "aliases 4", body: { errors: [{ pointer: "/1", keyword: "aliases" }] } });
    expect(await post(check, [{ query: "{a b c}" }, { query: "{a b}" }])).toMatchObject({ seen: "complexity 5" });
  });
});

describe("a GET", () => {
  test("needs the policy's word", async () => {
    const denial = await get(onlyCheck(compile({})), { query: "{a}" });
    expect(denial).toMatchObject({ reason: "method_not_allowed", headers: [["allow", "POST"]] });
  });

  test("is judged by its query, and never a mutation", async () => {
    const check = onlyCheck(compile({ methods: ["GET", "POST"], depth: 2 }));
    expect(
      await get(check, { query: "query Q($n:Int){a(first:$n)}", variables: '{"n":2}', operationName: "Q" }),
    ).toBeNull();
    expect(await get(check, { query: "{a{b{c}}}" })).toMatchObject({ seen: "depth 3" });
    expect(await get(check, { query: "query($n:Int){a(first:$n)}", variables: '{"n":20000}' })).toMatchObject({
      seen: "complexity 20000",
    });
    expect(await get(check, { query: "mutation M{a} query Q{a}", operationName: "Q" })).toMatchObject({
      reason: "graphql_operation_denied",
      seen: "mutation by GET",
    });
    for (const wrong of ["?query={a}&query={b}", "?Query={a}", "?query={a}&variables={", "?query=%ff", "?x=1"])
      expect(await check.evaluate(createExchange({ method: "GET", query: wrong }))).toMatchObject({
        reason: "graphql_invalid",
      });
  });

  test("of a browser that asks first is let through", async () => {
    const check = onlyCheck(compile({}));
    expect(await check.evaluate(createExchange({ method: "OPTIONS" }))).toBeNull();
    expect(await check.evaluate(createExchange({ method: "HEAD", query: "?query={a}" }))).toMatchObject({
      reason: "method_not_allowed",
    });
  });
});

describe("operations that are allowed", () => {
  const known = "query Known { a { b } }";
  const hash = hashOfDocument(known);
  const manifest = {
    format: "apollo-persisted-query-manifest",
    version: 1,
    operations: [{ id: "k1", name: "Known", type: "query", body: known }],
  };
  const persisted = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } });

  test.each([[[known]], [[hash]], [{ k1: known }], [manifest]])("%j: no other document passes", async (file) => {
    const check = onlyCheck(compile({ operations: "ops.json" }, { "ops.json": JSON.stringify(file) }));
    expect(await post(check, { query: known })).toBeNull();
    expect(await post(check, { query: known, ...persisted(hash) })).toBeNull();
    expect(await post(check, persisted(hash))).toBeNull();
    expect(await post(check, { documentId: `sha256:${hash}` })).toBeNull();
    expect(await post(check, { query: "{a}" })).toMatchObject({ reason: "graphql_operation_denied" });
    expect(await post(check, persisted(hashOfDocument("{a}")))).toMatchObject({ reason: "graphql_operation_denied" });
    expect(await post(check, { documentId: "k2" })).toMatchObject({ reason: "graphql_operation_denied" });
  });

  test("what is asked for by its id is judged by its text", async () => {
    const files = { "ops.json": JSON.stringify({ deep: "{a{b{c}}}", flat: "{a}" }) };
    const check = onlyCheck(compile({ operations: "ops.json", depth: 2 }, files));
    expect(await post(check, { documentId: "flat" })).toBeNull();
    expect(await post(check, { documentId: "deep" })).toMatchObject({ reason: "graphql_too_costly" });
  });

  test.each([
    ["ops.json", "{", "not JSON"],
    ["ops.json", "[]", "it allows nothing"],
    ["ops.json", "[1]", "expected a list of documents"],
    ["other.json", "[]", "cannot read ops.json"],
  ])("%s of '%s' is a problem: %s", (name, text, problem) => {
    expect(compile({ operations: "ops.json" }, { [name]: text }).problems[0]?.text).toContain(problem);
  });
});

describe("a hash for a document that was sent before", () => {
  const query = "{a{b}}";
  const extensions = { persistedQuery: { version: 1, sha256Hash: hashOfDocument(query) } };

  test("is an unknown operation where the policy does not want it", async () => {
    expect(await post(onlyCheck(compile({})), { extensions })).toMatchObject({ reason: "graphql_operation_denied" });
  });

  test("is asked for with its document once, and then stands for it", async () => {
    const check = onlyCheck(compile({ persisted: "remember", methods: ["GET", "POST"] }));
    expect(await post(check, { extensions })).toMatchObject({ reason: "graphql_persisted_unknown" });
    expect(await post(check, { query, extensions })).toBeNull();
    expect(await post(check, { extensions })).toBeNull();
    expect(await get(check, { extensions: JSON.stringify(extensions) })).toBeNull();
  });

  test("never stands for another document, nor for one that was refused", async () => {
    const check = onlyCheck(compile({ persisted: "remember", depth: 1 }));
    expect(await post(check, { query: "{a}", extensions })).toMatchObject({ reason: "graphql_invalid" });
    expect(await post(check, { query, extensions })).toMatchObject({ reason: "graphql_too_costly" });
    expect(await post(check, { extensions })).toMatchObject({ reason: "graphql_persisted_unknown" });
  });

  test("of variables is judged each time", async () => {
    const check = onlyCheck(compile({ persisted: "remember" }));
    const document = "query($n:Int){a(first:$n)}";
    const own = { persistedQuery: { version: 1, sha256Hash: hashOfDocument(document) } };
    expect(await post(check, { query: document, extensions: own, variables: { n: 1 } })).toBeNull();
    expect(await post(check, { extensions: own, variables: { n: 1e6 } })).toMatchObject({ seen: "complexity 1000000" });
  });
});

test("a body is judged in one way", () => {
  const { problems } = compile({}, {}, { body: { schema: "order.json" } });
  expect(problems[0]?.text).toContain("'graphql' or by 'body.schema'");
});

test("keys that contradict or mean nothing are problems", () => {
  expect(compile({ depth: 0 }).problems[0]?.text).toContain("expected a whole number from 1 to 100");
  expect(compile({ deep: 3 }).problems[0]?.text).toContain("unknown key 'deep'");
  expect(compile({ operations: "o", persisted: "remember" }, { o: '["{a}"]' }).problems[0]?.text).toContain("take");
});
