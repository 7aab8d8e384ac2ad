import { beforeAll, describe, expect, test } from "vitest";
import { CONTINUE, Denial, type Verdict } from "../../src/decision/verdict.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { type Clock, systemClock } from "../../src/support/clock.ts";
import { BOUNDARY, cutAt, field, file, multipart } from "../fixtures/multipart.ts";
import { compileFilter, createExchange, MemoryBody, onlyCheck } from "../fixtures/route-context.ts";

beforeAll(async () => {
  await validateFilter.prepare?.({});
  for (const load of Object.values(validateFilter.parts ?? {})) await load();
});

const stillClock: Clock = { ...systemClock, monotonicMs: () => 0 };
const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`;
const URLENCODED = "application/x-www-form-urlencoded";
const PNG = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(4000, "x")]);

const SETTINGS = {
  fields: {
    title: { type: "string", maxLength: 20, required: true },
    count: { type: "integer", minimum: 1 },
    tags: { type: "array", items: { type: "string", maxLength: 5 }, maxItems: 2 },
  },
  files: {
    photo: { maxBytes: "8KiB", types: ["image/png", "text/*"], extensions: ["png", "txt"] },
    scans: { maxCount: 2, required: false, content: "unchecked" },
  },
};

type Settings = Record<string, unknown>;

const compile = (form: Settings, more: Settings = {}) =>
  compileFilter(validateFilter, { form, ...more }, { clock: stillClock });

const withBody = (body: Buffer | string, type: string): Exchange =>
  createExchange({ method: "POST", headers: [["content-type", type]], body: new MemoryBody([body]) });

/** As the pipeline has it: the check, and then its watch while the body streams. */
async function judge(body: Buffer | string, form: Settings = SETTINGS, type: string = MULTIPART): Promise<Verdict> {
  const check = onlyCheck(compile(form, { contentType: [MULTIPART.split(";")[0], URLENCODED] }));
  const exchange = withBody(body, type);
  const verdict = await check.evaluate(exchange);
  if (verdict !== CONTINUE || exchange.collectedBody !== null) return verdict;
  const watch = check.watch?.(exchange);
  expect(watch).toBeDefined();
  for (const piece of cutAt(Buffer.from(body), [10, 100, 500, 1000])) {
    const judged = (await watch?.scan(piece)) ?? 0;
    if (judged instanceof Denial) return judged;
  }
  return watch?.end() ?? CONTINUE;
}

const TITLE = field("title", "a day");

describe("a multipart form", () => {
  test.each<[string, Buffer]>([
    [
      "all of it",
      multipart(
        TITLE,
        field("count", "3"),
        field("tags", "a"),
        field("tags", "b"),
        file("photo", "a.png", "image/png", PNG),
      ),
    ],
    ["only what is required", multipart(TITLE)],
    ["a file field in which nobody chose a file", multipart(TITLE, file("photo", "", "application/octet-stream", ""))],
    ["several files", multipart(TITLE, file("scans", "a.exe", "x/y", "MZ"), file("scans", "b", "x/y", ""))],
    ["text", multipart(TITLE, file("photo", "a.TXT", "text/plain", "1 < 2"))],
    ["a charset that says what it is", multipart(field("_charset_", "UTF-8"), TITLE)],
  ])("%s passes", async (_, body) => {
    const form = { ...SETTINGS, fields: { ...SETTINGS.fields, _charset_: {} } };
    expect(await judge(body, form)).toBe(CONTINUE);
    expect(await judge(body, { ...form, buffer: true })).toBe(CONTINUE);
  });

  test.each<[string, string, Buffer]>([
    ["form_field_invalid", "form title: missing", multipart(field("count", "1"))],
    ["form_field_invalid", "form title: missing", Buffer.from(`--${BOUNDARY}--\r\n`)],
    ["form_field_invalid", "form title: / maxLength", multipart(field("title", "a".repeat(21)))],
    ["form_part_too_large", "form title: more bytes", multipart(field("title", "a".repeat(81)))],
    ["form_field_invalid", "form title: sent twice", multipart(TITLE, TITLE)],
    ["form_field_invalid", "form count: type, not integer", multipart(field("count", "0x1"), TITLE)],
    [
      "form_field_invalid",
      "form tags: / maxItems",
      multipart(TITLE, field("tags", "a"), field("tags", "a"), field("tags", "a")),
    ],
    ["form_field_invalid", "form role: undeclared", multipart(TITLE, field("role", "admin"))],
    ["form_field_invalid", "form shell: undeclared", multipart(TITLE, file("shell", "a.png", "image/png", PNG))],
    [
      "form_field_invalid",
      "form title: a file where a field is expected",
      multipart(file("title", "a.png", "image/png", PNG)),
    ],
    ["form_field_invalid", "form photo: a field where a file is expected", multipart(TITLE, field("photo", "x"))],
    [
      "form_field_invalid",
      "form photo: more files",
      multipart(TITLE, file("photo", "a.png", "image/png", PNG), file("photo", "b.png", "image/png", PNG)),
    ],
    [
      "form_part_too_large",
      "form photo: more bytes",
      multipart(TITLE, file("photo", "a.png", "image/png", Buffer.concat([PNG, PNG, PNG]))),
    ],
    ["file_name_invalid", "form photo: extension 'php'", multipart(TITLE, file("photo", "a.php", "image/png", PNG))],
    [
      "file_name_invalid",
      "form photo: a file name with two extensions",
      multipart(TITLE, file("photo", "a.php.png", "image/png", PNG)),
    ],
    [
      "file_name_invalid",
      "form scans: a file name with a path separator",
      multipart(TITLE, file("scans", "../a", "image/png", PNG)),
    ],
    ["file_type_unsupported", "form photo: type image/gif", multipart(TITLE, file("photo", "a.png", "image/gif", PNG))],
    [
      "file_type_unsupported",
      "form photo: no type",
      multipart(TITLE, ['Content-Disposition: form-data; name="photo"; filename="a.png"', PNG]),
    ],
    [
      "file_content_mismatch",
      "form photo: content that is no image/png",
      multipart(TITLE, file("photo", "a.png", "image/png", "<?php")),
    ],
    [
      "file_content_mismatch",
      "form photo: content that is no image/png",
      multipart(TITLE, file("photo", "a.png", "image/png", "")),
    ],
    [
      "file_content_mismatch",
      "form photo: content that is no text, as text/plain is",
      multipart(TITLE, file("photo", "a.txt", "text/plain", PNG)),
    ],
    [
      "file_content_mismatch",
      "form photo: markup, not text/plain",
      multipart(TITLE, file("photo", "a.txt", "text/plain", " <script>")),
    ],
    ["body_not_multipart", "title in another spelling", multipart(TITLE, field("title[x]", "b"))],
    ["body_not_multipart", "title in another spelling", multipart(TITLE, field("TITLE", "b"))],
    ["body_not_multipart", "title in another spelling", multipart(TITLE, field("%74itle", "b"))],
    ["body_not_multipart", "a field that is no UTF-8", multipart(field("title", Buffer.from([0xff])))],
    ["body_not_multipart", "a form in another charset than UTF-8", multipart(field("_charset_", "utf-7"))],
    [
      "body_not_multipart",
      "content of a file without a name",
      multipart(TITLE, file("photo", "", "application/octet-stream", PNG)),
    ],
    [
      "body_not_multipart",
      "a part of another length than its Content-Length",
      multipart(['Content-Disposition: form-data; name="title"\r\nContent-Length: 3', "abcd"]),
    ],
    ["body_not_multipart", "no boundary that ends it", multipart(TITLE).subarray(0, -6)],
  ])("%s: %s", async (reason, seen, body) => {
    const form = seen.includes("charset") ? { fields: { _charset_: {} } } : SETTINGS;
    expect(await judge(body, form)).toMatchObject({ reason, seen });
    expect(await judge(body, { ...form, buffer: true })).toMatchObject({ reason, seen });
  });

  test("what is undeclared passes where the policy ignores it, within the same bounds", async () => {
    const form = { ...SETTINGS, undeclared: "ignore", maxFieldBytes: "1KiB", maxFieldsBytes: "2KiB", maxParts: 4 };
    expect(await judge(multipart(TITLE, field("x", "1"), field("x", "2"), file("y", "y", "a/b", PNG)), form)).toBe(
      CONTINUE,
    );
    expect(await judge(multipart(TITLE, field("x", "1".repeat(1025))), form)).toMatchObject({
      reason: "form_part_too_large",
    });
    const long = field("x", "1".repeat(1000));
    expect(await judge(multipart(TITLE, long, long, long), form)).toMatchObject({ reason: "form_part_too_large" });
    expect(
      await judge(multipart(TITLE, TITLE, ...[1, 2, 3].map((n) => field(`f${n}`, ""))), { ...form, fields: {} }),
    ).toMatchObject({ reason: "form_parts_exceeded" });
    expect(await judge(multipart(file("y", "..", "a/b", PNG)), form)).toMatchObject({ reason: "file_name_invalid" });
  });

  test("the client hears which field, and nothing of its value", async () => {
    const denial = (await judge(multipart(field("title", "secret-".repeat(4))))) as Denial;
    expect(denial.body.errors).toEqual([
      { in: "form", name: "title", pointer: "", keyword: "maxLength", detail: "expected at most 20 characters" },
    ]);
    expect(denial.place?.path).toBe("validate.form.fields.title.maxLength");
    expect(JSON.stringify(denial)).not.toContain("secret");
    const other = (await judge(multipart(TITLE, file("photo", "a.gif", "image/gif", "")))) as Denial;
    expect(other.body.errors[0]).toMatchObject({ in: "form", name: "photo", keyword: "extensions" });
    expect(other.place?.path).toBe("validate.form.files.photo.extensions");
    const hidden = onlyCheck(compile(SETTINGS, { errors: "hidden" }));
    const watch = hidden.watch?.(withBody("", MULTIPART));
    expect(watch?.scan(multipart(TITLE, TITLE))).toMatchObject({ body: { errors: [] } });
  });

  test("a field, and a file's beginning, stay until they were judged; the rest goes on", () => {
    const watch = onlyCheck(compile(SETTINGS)).watch?.(withBody("", MULTIPART));
    const body = multipart(TITLE, file("photo", "a.png", "image/png", PNG));
    const start = body.indexOf("\x89", 0, "latin1");
    expect(watch?.scan(body.subarray(0, 60))).toBe(60);
    const untilPhoto = body.indexOf(`\r\n--${BOUNDARY}`);
    expect(watch?.scan(body.subarray(60, start + 500))).toBe(start + 500 - untilPhoto);
    expect(watch?.scan(body.subarray(start + 500, start + 2000))).toBe(0);
    expect(watch?.scan(body.subarray(start + 2000))).toBe(`\r\n--${BOUNDARY}--\r\n`.length);
    expect(watch?.end()).toBe(CONTINUE);
  });
});

test("an object is JSON in a field of its own", async () => {
  const form = {
    fields: { order: { type: "object", properties: { count: { type: "integer" } }, required: ["count"] } },
  };
  expect(await judge(multipart(field("order", '{"count":1}')), form)).toBe(CONTINUE);
  const seen = async (value: string) => ((await judge(multipart(field("order", value)), form)) as Denial).seen;
  expect(await seen('{"count":"1"}')).toBe("form order: /count type");
  expect(await seen("{}")).toBe("form order: / required");
  expect(await seen('{"count":1,"count":2}')).toContain("form order: content:");
});

describe("an urlencoded form", () => {
  const form = { fields: SETTINGS.fields, maxParts: 5, maxFieldBytes: "100B", maxFieldsBytes: "1KiB" };
  test.each(["title=a", "title=a&count=3&tags=a&tags=b", "title=a+b%C3%A4"])("%s passes", async (body) => {
    expect(await judge(body, form, URLENCODED)).toBe(CONTINUE);
  });

  test.each([
    ["form_field_invalid", "form title: missing", "count=1"],
    ["form_field_invalid", "form title: sent twice", "title=a&title=b"],
    ["form_field_invalid", "form role: undeclared", "title=a&role=admin"],
    ["form_field_invalid", "form role: undeclared", "title=a;role=admin"],
    ["form_field_invalid", "form: more fields", "title=a&tags=a&tags=b&tags=c&tags=d&tags=e"],
    ["form_field_invalid", "form title: more bytes", `title=${"a".repeat(101)}`],
    ["body_not_form", "title in another spelling", "title=a&title[x]=b"],
    ["body_not_form", "an escape that is no UTF-8", "title=%ff"],
    ["body_not_form", "not UTF-8", Buffer.from([0x61, 0xff])],
    ["body_not_form", "a form in another charset than UTF-8", "title=a&_charset_=utf-7"],
    ["body_too_large", "1100 bytes", "title=a&x=".padEnd(1100, "x")],
  ])("%s: %s", async (reason, seen, body) => {
    expect(await judge(body as string | Buffer, form, URLENCODED)).toMatchObject({ reason, seen });
  });

  test.each([
    ["title=a&title[x]=b", "title in another spelling"],
    ["title=secret%ff", "an escape that is no UTF-8"],
    ["title=a&_charset_=secret", "a form in another charset than UTF-8"],
  ])("the client hears why %s has not one reading", async (body, why) => {
    const error = {
      in: "form",
      pointer: "",
      keyword: "content",
      detail: `expected a form that all services read alike: ${why}`,
    };
    expect(await judge(body, form, URLENCODED)).toMatchObject({ body: { errors: [error] } });
  });

  test("has no files", async () => {
    const files = { photo: { required: true } };
    expect(await judge("title=a", { ...form, files }, URLENCODED)).toMatchObject({ seen: "form photo: missing" });
    expect(await judge("title=a&photo=b", { ...form, files }, URLENCODED)).toMatchObject({
      seen: "form photo: undeclared",
    });
  });
});

describe("the head", () => {
  const judgeHead = (headers: [string, string][], form: Settings = SETTINGS, body: string = "x") =>
    onlyCheck(compile(form)).evaluate(createExchange({ method: "POST", headers, body: new MemoryBody([body]) }));

  test.each([
    [[["content-type", "application/json"]], "content_type_unsupported"],
    [[["content-type", URLENCODED]], "content_type_unsupported"],
    [[], "content_type_unsupported"],
    [[["content-type", `${MULTIPART}; charset=utf-7`]], "content_type_unsupported"],
    [[["content-type", "multipart/form-data"]], "body_not_multipart"],
    [[["content-type", "multipart/form-data; boundary=a; xboundary=b"]], "body_not_multipart"],
    [
      [
        ["content-type", MULTIPART],
        ["content-encoding", "gzip"],
      ],
      "content_encoding_unsupported",
    ],
  ] as [[string, string][], string][])("%j: %s", async (headers, reason) => {
    expect(await judgeHead(headers)).toMatchObject({ reason });
  });
});

describe("settings", () => {
  test.each<[string, Settings, Settings]>([
    ["'photo' is a field, too; expected one of them", { fields: { photo: {} }, files: { photo: {} } }, {}],
    [
      "'application/json' is no form; expected multipart/form-data or application/x-www-form-urlencoded",
      {},
      { contentType: ["application/json"] },
    ],
    ["files come in multipart/form-data alone", { files: { a: {} } }, { contentType: [URLENCODED] }],
    ["fields are held in memory; expected at most 1MiB", { maxFieldBytes: "2MiB" }, {}],
    ["that is held in memory; expected at most 64MiB", { maxBytes: "65MiB", buffer: true }, {}],
    ["both 'body' and 'form'; expected one of them ('form' has maxBytes, too)", {}, { body: { maxBytes: "1KiB" } }],
  ])("%s", (text, form, more) => {
    expect(compile(form, more).problems.map((problem) => problem.text)).toEqual([text]);
  });

  test("a wrong schema has its place", () => {
    expect(compile({ fields: { a: { minLengt: 3 } } }).problems[0]).toMatchObject({
      path: "validate.form.fields.a.minLengt",
    });
  });

  test("the route takes as much as the form", () => {
    expect(compile({ maxBytes: "1GiB" }).bodyBytesMax).toBe(1024 ** 3);
    expect(compile({ maxBytes: "1GiB" }, { mode: "audit" }).bodyBytesMax).toBeNull();
  });
});

describe("JSON in a field that takes long", () => {
  let ms = 0;
  const slow: Clock = { ...systemClock, monotonicMs: () => (ms += 3) };
  const items = (count: number, last: unknown = 1): string =>
    JSON.stringify({ list: [...Array.from({ length: count }, (_, at) => ({ a: at })), { a: last }] });
  const list = {
    type: "object",
    properties: { list: { type: "array", items: { properties: { a: { type: "integer" } } } } },
  };
  const form = {
    maxFieldBytes: "1MiB",
    fields: { one: list, many: { type: "array", items: list } },
  };
  const FORMS: readonly (readonly [string, string, (name: string, text: string) => Buffer, Settings])[] = [
    ["multipart", MULTIPART, (name, text) => multipart(field(name, text)), {}],
    ["a buffered one", MULTIPART, (name, text) => multipart(field(name, text)), { buffer: true }],
    ["an urlencoded one", URLENCODED, (name, text) => Buffer.from(`${name}=${encodeURIComponent(text)}`), {}],
  ];

  test.each(FORMS.flatMap((way) => [[...way, "one"] as const, [...way, "many"] as const]))(
    "%s: lets others have their turn",
    async (_what, type, body, more, name) => {
      const sendAll = async (text: string): Promise<{ verdict: Verdict; others: number }> => {
        const settings = { form: { ...form, ...more }, contentType: [MULTIPART.split(";")[0], URLENCODED] };
        const check = onlyCheck(compileFilter(validateFilter, settings, { clock: slow }));
        const exchange = withBody(body(name, text), type);
        let others = 0;
        const other = (): void => {
          others++;
          next = setImmediate(other);
        };
        let next = setImmediate(other);
        let verdict = await check.evaluate(exchange);
        const watch =
          verdict === CONTINUE && exchange.collectedBody === null ? (check.watch?.(exchange) ?? null) : null;
        const scanned = await watch?.scan(body(name, text));
        if (watch !== null) verdict = scanned instanceof Denial ? scanned : await watch.end();
        clearImmediate(next);
        return { verdict, others };
      };
      const good = await sendAll(items(20_000));
      expect(good.verdict).toBe(CONTINUE);
      expect(good.others).toBeGreaterThan(20);
      const at = name === "many" ? "/0/list/20000/a" : "/list/20000/a";
      expect((await sendAll(items(20_000, "x"))).verdict).toMatchObject({ seen: `form ${name}: ${at} type` });
      const cut = (await sendAll(items(20_000).slice(0, -1))).verdict;
      expect(cut).toMatchObject({ seen: expect.stringContaining(`form ${name}: content`) });
    },
  );
});

describe("a long form that is judged as a whole as well", () => {
  const schema = { oneOf: [{ required: ["a"] }, { required: ["b"] }] };
  const form = { fields: { a: { type: "string", maxLength: 60_000 }, b: { type: "string" } }, schema: "whole.json" };
  const long = "x".repeat(50_000);
  const FORMS = [
    ["urlencoded", URLENCODED, Buffer.from(`a=${long}`), Buffer.from(`a=${long}&b=y`), {}],
    [
      "buffered",
      MULTIPART,
      multipart(field("a", long)),
      multipart(field("a", long), field("b", "y")),
      { buffer: true },
    ],
  ] as const;

  test.each(FORMS)("%s: does not wait for its own end", async (_what, type, good, bad, more) => {
    const settings = { form: { ...form, ...more }, contentType: [MULTIPART.split(";")[0], URLENCODED] };
    const files = { "whole.json": JSON.stringify(schema) };
    const check = onlyCheck(compileFilter(validateFilter, settings, { clock: stillClock, files }));
    expect(await check.evaluate(withBody(good, type))).toBe(CONTINUE);
    expect(await check.evaluate(withBody(bad, type))).toMatchObject({ seen: expect.stringContaining("oneOf") });
  });
});

describe("a form of many fields, each of which takes long", () => {
  let ms = 0;
  const slow: Clock = { ...systemClock, monotonicMs: () => (ms += 3) };
  const form = { fields: { tags: { type: "array", items: { type: "string", maxLength: 5 }, maxItems: 90 } } };
  const tags = (count: number): Buffer =>
    multipart(...Array.from({ length: count }, (_, at) => field("tags", `t${at}`)));
  const start = (body: Buffer, more: Settings = {}) => {
    const settings = { form: { ...form, ...more }, contentType: [MULTIPART.split(";")[0]] };
    const check = onlyCheck(compileFilter(validateFilter, settings, { clock: slow }));
    return { check, exchange: withBody(body, MULTIPART) };
  };

  test.each([50, 91])("lets others have their turn between two of %i", async (count) => {
    const { check, exchange } = start(tags(count));
    expect(await check.evaluate(exchange)).toBe(CONTINUE);
    const watch = check.watch?.(exchange);
    let others = 0;
    const other = (): void => {
      others++;
      next = setImmediate(other);
    };
    let next = setImmediate(other);
    const judged = await watch?.scan(tags(count));
    clearImmediate(next);
    expect(typeof judged).toBe("number");
    expect(others).toBeGreaterThan(count / 2);
    const verdict = await watch?.end();
    if (count <= 90) expect(verdict).toBe(CONTINUE);
    else expect(verdict).toMatchObject({ seen: "form tags: / maxItems" });
  });

  test("and so where all of it is here, which ends at the first fault", async () => {
    const good = start(tags(50), { buffer: true });
    expect(await good.check.evaluate(good.exchange)).toBe(CONTINUE);
    const wrong = multipart(field("tags", "a"), field("role", "admin"), field("tags", "b"));
    const bad = start(wrong, { buffer: true });
    expect(await bad.check.evaluate(bad.exchange)).toMatchObject({ seen: "form role: undeclared" });
    const long = multipart(
      ...Array.from({ length: 80 }, () => field("tags", "a")),
      file("x", "a", "x/y", Buffer.alloc(200_000)),
    );
    const late = start(long, { buffer: true });
    expect(await late.check.evaluate(late.exchange)).toMatchObject({ seen: "form x: undeclared" });
  });
});
