// Goal: of an answer no field leaves that its route does not let this caller see, in whatever form, spelling and pieces.
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { responseFilter } from "../../src/filters/response/compile.ts";
import type { ResponseCheck, StreamRule } from "../../src/filters/response-check.ts";
import { Answer } from "../../src/message/answer.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { compileFilter, createExchange, createHeaders, createPrincipal } from "../fixtures/route-context.ts";

for (const load of Object.values(responseFilter.parts ?? {})) await load();
await responseFilter.prepare?.();

const JSON_TYPE = "application/json";

function checksOf(settings: object): readonly ResponseCheck[] {
  const { responseChecks, problems } = compileFilter(responseFilter, settings);
  expect(problems).toEqual([]);
  return responseChecks;
}

function ruleOf(settings: object, types: readonly string[], exchange: Exchange, status = 200): StreamRule | null {
  const [check] = checksOf(settings);
  if (check === undefined || check.appliesTo?.(exchange) === false) return null;
  const headers = createHeaders(types.map((type) => ["content-type", type]));
  const rule = check.judgeBody?.(exchange, new Answer(status, headers, true)) ?? null;
  if (rule !== null && rule.kind !== "stream") throw new Error("not a stream");
  return rule;
}

interface Case {
  readonly type?: string | readonly string[];
  readonly cuts?: readonly number[];
  readonly exchange?: Exchange;
  readonly status?: number;
}

/** What leaves of a body, or the denial. */
function left(settings: object, body: string | Buffer, more: Case = {}): string {
  const { type = JSON_TYPE, cuts = [7], exchange = createExchange(), status } = more;
  const rule = ruleOf(settings, typeof type === "string" ? [type] : type, exchange, status);
  const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  if (rule === null) return bytes.toString("latin1");
  let text = "";
  for (let at = 0, cut = 0; at < bytes.length; cut++) {
    const size = cuts[cut % cuts.length] ?? 1;
    const taken = rule.take(bytes.subarray(at, at + size));
    if (taken instanceof Denial) return `${taken.reason}: ${taken.seen}`;
    text += taken.toString("latin1");
    at += size;
  }
  const last = rule.end();
  return last instanceof Denial ? `${last.reason}: ${last.seen}` : text + last.toString("latin1");
}

const fields = (settings: object, more: object = {}): object => ({ fields: settings, ...more });
const NO_SSN = fields({ remove: ["$..ssn"] });

describe("a list of what leaves", () => {
  test.each([
    [["$.id"], '{"id":1,"name":"x","id":2}', '{"id":1,"id":2}'],
    [["$.id"], '{"name":"x","id":{"a":[1]}}', '{"id":{"a":[1]}}'],
    [["$.items[*].id"], '{"items":[{"id":1,"ssn":2},{"ssn":3}],"total":2}', '{"items":[{"id":1},{}]}'],
    [["$.items[*].id"], '{"items":"all of it"}', "{}"],
    [["$.items[*].id"], '{"items":["all of it",{"id":1}, 7]}', '{"items":[{"id":1}]}'],
    [["$.items[*].id"], '"all of it"', "null"],
    [["$.items[*].id"], "[1,2]", "[]"],
    [["/a/b"], '{"a":{"b":1,"c":2},"b":3}', '{"a":{"b":1}}'],
    [["$..id"], '{"a":{"b":[{"id":1,"x":2}]},"x":3}', '{"a":{"b":[{"id":1}]}}'],
    [["$.id"], '{"id":1}\\n{"ssn":2,"id":3}\\n', '{"id":1}\\n{"id":3}\\n'],
    [["$.id"], "", ""],
  ])("%j of %s", (allow, body, rest) => {
    expect(left(fields({ allow }), body.replaceAll("\\n", "\n"))).toBe(rest.replaceAll("\\n", "\n"));
  });

  test("lets no body pass that is no JSON, but for an empty one and the end mark of an event stream", () => {
    const settings = fields({ allow: ["$.id"] });
    expect(left(settings, "<p>", { type: "text/html" })).toBe("response_unreadable: no JSON");
    expect(left(settings, gzipSync("{}"), { type: "application/octet-stream" })).toBe("response_unreadable: no JSON");
    expect(left(settings, "", { type: "text/html" })).toBe("");
    expect(left(settings, "data: [DONE]\n\n", { type: "text/event-stream" })).toBe("data: [DONE]\n\n");
    expect(left(settings, "data: 078-05-1120\n\n", { type: "text/event-stream" })).toBe("data: null\n\n");
    expect(left(settings, "data: it is x\n\n", { type: "text/event-stream" })).toMatch(/^response_unreadable/);
  });
});

describe("several rules", () => {
  const settings = fields([
    { remove: ["$.cost"], unless: { roles: ["auditor"] } },
    { allow: ["$.id", "$.cost"], when: { scopes: ["orders:few"] } },
    { remove: ["$.id"], when: { when: "request.method == 'POST'" } },
  ]);
  const BODY = '{"id":1,"cost":2,"note":3}';
  const asked = (scopes: string[], roles: string[], method = "GET"): Exchange =>
    createExchange({ method, principal: createPrincipal({ scopes: new Set(scopes), claims: { roles } }) });

  test.each([
    [asked([], []), '{"id":1,"note":3}'],
    [asked([], ["auditor"]), BODY],
    [asked(["orders:few"], []), '{"id":1}'],
    [asked(["orders:few"], ["auditor"]), '{"id":1,"cost":2}'],
    [asked(["orders:few"], ["auditor"], "POST"), '{"cost":2}'],
    [createExchange(), '{"note":3}'],
  ])("%# each for whom it is", (exchange, rest) => {
    // Without a caller nobody knows whether it has the scope, so that the second applies as well.
    expect(left(settings, BODY, { exchange })).toBe(exchange.principal === null ? '{"id":1}' : rest);
  });

  test("who may see all gets the very bytes, and its answer is not looked into", () => {
    const [check] = checksOf(fields({ remove: ["$.a"], unless: { roles: ["auditor"] } }));
    expect(check?.appliesTo?.(asked([], ["auditor"]))).toBe(false);
    expect(check?.appliesTo?.(asked([], []))).toBe(true);
    expect(check?.appliesTo?.(createExchange())).toBe(true);
  });
});

describe("a field is not hidden", () => {
  test.each([
    ["by a second member", '{"ssn":1,"ssn":2,"a":3}', '{"a":3}'],
    ["by escapes", '{"\\u0073\\u0073\\u006e":1,"a":3}', '{"a":3}'],
    ["by a NUL", '{"ssn\\u0000":1}', "response_unreadable: a name with U+0000"],
    ["by a byte order mark", '\xef\xbb\xbf{"ssn":1}', "\xef\xbb\xbf{}"],
    ["by UTF-16", Buffer.from('{"ssn":1}', "utf16le"), "response_unreadable: not JSON"],
    ["by UTF-16 with its mark", Buffer.from('\ufeff{"ssn":1}', "utf16le"), "response_unreadable: not JSON"],
    ["by a comment", '{/*"*/"ssn":1}', "response_unreadable: not JSON"],
    ["by what stands before it", ')]}\'\n{"ssn":1}', "response_unreadable: not JSON"],
    ["by what stands behind it", '{} {"ssn":1}', "{} {}"],
    ["by blanks", `${" \n".repeat(5_000)}{"ssn":1}`, `${" \n".repeat(5_000)}{}`],
    ["by being cut off", '{"ssn":', "response_unreadable: cut JSON"],
    ["by depth", `${'{"a":'.repeat(300)}{"ssn":1}`, "response_unreadable: nested deeper than 256"],
  ])("%s", (_how, body, rest) => {
    expect(left(NO_SSN, body)).toBe(rest);
    expect(left(NO_SSN, body, { cuts: [1] })).toBe(rest);
  });

  test.each([
    ["text/plain", "{}"],
    ["text/html; charset=utf-8", "{}"],
    ["image/png", "{}"],
    ["application/vnd.api+json", "{}"],
    [`${JSON_TYPE}; charset=utf-7`, "response_unreadable: a charset that nobody here reads"],
    [`${JSON_TYPE}; charset=utf-16le`, "response_unreadable: a charset that nobody here reads"],
    [`${JSON_TYPE}; charset=iso-8859-1`, "{}"],
    [`${JSON_TYPE}; charset=utf-8; charset=utf-16`, "response_unreadable: a Content-Type with more than one reading"],
  ])("by the label %s", (type, rest) => {
    expect(left(NO_SSN, '{"ssn":1}', { type })).toBe(rest);
  });

  test.each([
    ["text/javascript; charset=utf-8", `/**/ typeof f === 'function' && f({"ssn":1});`], // Express, ?callback=f
    ["application/javascript", 'f([{"ssn":1}])'],
    ["application/xml", "<ssn>1</ssn>"],
    ["application/vnd.orders+xml", "<ssn>1</ssn>"],
    ["text/csv", "id,ssn\n1,2\n"],
    ["application/x-www-form-urlencoded", "ssn=1"],
    ["application/yaml", "ssn: 1\n"],
    ["application/vnd.orders+yaml", "ssn: 1\n"],
    ["application/json5", '// it is\n{"ssn":1}'],
    ["application/x-msgpack", "\x81\xa3ssn\x01"],
    ["avro/binary", "\x02\x16123-45-6789"],
    ["application/x-avro-binary", "\x02\x16123-45-6789"],
    ["application/vnd.ms-excel.sheet.macroEnabled.12", "PK"],
    ["application/cbor", "\xa1cssn\x01"],
    ["application/toml", "ssn = 1\n"],
    ["text/turtle", '<a> <ssn> "1" .'],
    ["application/vnd.php.serialized", 'a:1:{s:3:"ssn";i:1;}'],
    ["application/vnd.apache.parquet", "PAR1"],
    ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK\x03\x04"],
    ["application/vnd.ms-excel", "\xd0\xcf\x11\xe0"],
    ["application/vnd.google.protobuf", "\x0a\x011"],
    ["application/grpc-web+proto", "\0\0\0\0\x03\x0a\x011"],
    ["multipart/mixed; boundary=b", '--b\r\n\r\n{"ssn":1}\r\n--b--'],
    ["text/html", "<pre>{&quot;ssn&quot;: 1}</pre>"], // Django REST framework, for who takes pages
  ])("in another form that a client may ask for: %s", (type, body) => {
    expect(left(NO_SSN, body, { type, cuts: [500] })).toBe("response_unreadable: no JSON");
    expect(left(fields({ remove: ["$..ssn"] }, { unreadable: "pass" }), body, { type })).toBe(body);
    expect(left({ maxItems: 3 }, body, { type, cuts: [500] })).toBe(body);
  });

  test.each([
    ["text/html", "<h1>404 Not Found</h1>", 404],
    ["text/html", '<p>Found. Redirecting to <a href="/b">/b</a></p>', 302],
    ["text/plain; charset=utf-8", "404 page not found\n", 404],
    ["text/plain", "ok", 200],
    ["application/pdf", "%PDF-1.7", 200],
    ["image/png", "\x89PNG", 200],
    ["application/octet-stream", "PK\x03\x04", 200],
  ])("and what has none passes: %s, %s", (type, body, status) => {
    expect(left(NO_SSN, body, { type, status })).toBe(body);
  });

  test("by two labels, or none", () => {
    expect(left(NO_SSN, '{"ssn":1}', { type: [JSON_TYPE, "text/plain"] })).toMatch(/^response_unreadable/);
    expect(left(NO_SSN, '{"ssn":1}', { type: [] })).toBe("{}");
    expect(left(NO_SSN, Buffer.from('\ufeff{"ssn":1}', "utf16le"), { type: [] })).toMatch(/UTF-16/);
  });

  test("in trailers, which do not leave", () => {
    const rule = ruleOf(NO_SSN, [JSON_TYPE], createExchange());
    expect(rule?.judgeTrailers?.(createHeaders([["x-ssn", "1"]]))).toMatchObject({ names: [] });
  });

  test("within a text that has JSON, which is no field: the page says so", () => {
    const body = JSON.stringify({ log: JSON.stringify({ ssn: 1 }) });
    expect(left(NO_SSN, body)).toBe(body);
  });
});

describe("events are read as their reader joins them", () => {
  const type = "text/event-stream";
  test.each([
    ['data: {"ssn":1,"a":2}\n\n', 'data: {"a":2}\n\n'],
    ['id: 1\r\nevent: x\r\ndata:{"ssn":1}\r\nretry: 5\r\n\r\n', "id: 1\r\nevent: x\r\ndata: {}\r\nretry: 5\r\n\r\n"],
    ['data: {"s\ndata: sn":1}\n\n', "response_unreadable"],
    ['data: {"ssn":\ndata: 1,"a":2}\n\n', 'data: {"a":2}\n\n'],
    ['data: {"a":2,\ndata\ndata: "ssn":1}\n\n', 'data: {"a":2}\n\n'],
    ['data: {"ssn":1}\rdata: {"ssn":2}\r\r', "data: {}\rdata: {}\r\r"],
    ['\xef\xbb\xbfdata: {"ssn":1}\n\n', "\xef\xbb\xbfdata: {}\n\n"],
    [": ping\n\ndata: [DONE]\n\ndata: plain text\n\n", ": ping\n\ndata: [DONE]\n\ndata: plain text\n\n"],
    ['data: {"ssn":1', "response_unreadable: cut JSON"],
    ['data: {"ssn":1}', "data: {}\n"],
    ['data: {"a":1}\n\n: x\n\ndata:  {"a":1}\nid: 4\n\n', 'data: {"a":1}\n\n: x\n\ndata:  {"a":1}\nid: 4\n\n'],
    [`data: {"a":"${"x".repeat(300_000)}","ssn":1}\n\n`, "response_unreadable: an event of more than 262144 bytes"],
  ])("%#: %.40s", (body, rest) => {
    const sizes = body.length > 1_000 ? [[1_000]] : [[1], [2], [3], [7], [1_000]];
    for (const cuts of sizes)
      expect(left(NO_SSN, body, { type, cuts }).slice(0, rest.length + 1)).toBe(
        rest === "response_unreadable" ? `${rest}:` : rest,
      );
  });
});

test("what cannot be read passes as it is where the policy says so", () => {
  const settings = fields({ remove: ["$.ssn"] }, { unreadable: "pass" });
  for (const body of ["<p>", '{"a":1', '{"ssn\\u0000":1}', `{"a":[${"[".repeat(300)}`, "{'a':1}"]) {
    expect(left(settings, body)).toBe(body);
    expect(left(settings, body, { cuts: [1] })).toBe(body);
  }
});

test("a rule that only audits is told of what it would have removed", () => {
  const [check] = checksOf(fields({ remove: ["$..ssn"], mode: "audit" }));
  expect(check?.enforcePercent).toBe(0);
  const headers = createHeaders([["content-type", JSON_TYPE]]);
  const rule = check?.judgeBody?.(createExchange(), new Answer(200, headers, true));
  if (rule?.kind !== "stream") throw new Error("no rule");
  rule.take(Buffer.from('{"ssn":1,"a":{"ssn":2}}'));
  rule.end();
  expect(rule.noted?.()).toMatchObject({ reason: "response_denied", seen: "2 fields" });
});

test("however an answer is cut, the same leaves", () => {
  const body = Buffer.from('{"items":[{"id":1,"ssn":"1,2]}"},{"ssn":null}],"größe":{"ssn":[{}]},"z":1}\n{"ssn":1}');
  const whole = left(NO_SSN, body, { cuts: [body.length] });
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }), (cuts) => {
      expect(left(NO_SSN, body, { cuts })).toBe(whole);
    }),
  );
  expect(JSON.parse(Buffer.from(whole.split("\n")[0] ?? "", "latin1").toString())).toEqual({
    items: [{ id: 1 }, {}],
    größe: {},
    z: 1,
  });
});

test("bytes that are no JSON at all pass as they are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const body = Buffer.from(bytes);
      const rest = left(NO_SSN, body, { type: "application/octet-stream", cuts: [3] });
      if (!rest.startsWith("response_unreadable")) expect(rest).toBe(body.toString("latin1"));
    }),
  );
  const zipped = gzipSync("x".repeat(100));
  expect(gunzipSync(Buffer.from(left(NO_SSN, zipped, { type: "application/zip" }), "latin1")).length).toBe(100);
});

test("settings that are wrong are told, each at its place", () => {
  const told = (settings: unknown): string[] =>
    compileFilter(responseFilter, { fields: settings }, { isPublic: true }).problems.map(
      ({ path, text }) => `${path}: ${text}`,
    );
  expect(told({ allow: ["$.a"], remove: ["$.b"] })).toEqual([
    "response.fields: both 'allow' and 'remove'; write two rules, in a list",
  ]);
  expect(told([{ unless: { roles: ["a"] } }])).toEqual(["response.fields[0]: expected 'allow' or 'remove'"]);
  expect(told({ remove: ["ssn"] })).toEqual([expect.stringMatching(/^response\.fields\.remove\[0\]: expected a path/)]);
  expect(told([{ remove: ["$.a"] }, { remove: ["$"] }])).toEqual([
    "response.fields[1].remove[0]: '$' is the whole answer; expected a path to a field",
  ]);
  expect(told({ remove: ["$.a"], unless: { roles: ["a"] }, when: { roles: ["b"] } })).toEqual([
    "response.fields.when: both 'unless' and 'when'; expected one of them",
  ]);
  expect(told({ remove: ["$.a"], when: { when: "body.a == 1" } })).toEqual([
    expect.stringContaining("the request's body is not there any more"),
  ]);
  expect(told({ remove: ["$.a"], unless: {} })).toEqual([expect.stringContaining("the rule asks for nothing")]);
});
