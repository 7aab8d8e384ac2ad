// Goal: what errors of a service say of its inside does not leave; their status, their id and what clients need of the head do.
import { expect, test } from "vitest";
import { responseFilter } from "../../src/filters/response/compile.ts";
import { Answer } from "../../src/message/answer.ts";
import { compileFilter, createExchange, createHeaders } from "../fixtures/route-context.ts";

for (const load of Object.values(responseFilter.parts ?? {})) await load();

interface Left {
  readonly type: string | undefined;
  readonly body: string;
  readonly names: readonly string[];
}

function left(errors: unknown, status: number): Left {
  const { responseChecks, problems } = compileFilter(responseFilter, { errors });
  expect(problems).toEqual([]);
  const headers = createHeaders([
    ["content-type", "text/html"],
    ["etag", '"v1"'],
    ["www-authenticate", "Bearer"],
    ["retry-after", "7"],
  ]);
  const answer = new Answer(status, headers, true, "an-id");
  const [check] = responseChecks;
  expect(check?.judgeHead?.(createExchange(), answer) ?? null).toBeNull();
  const rule = check?.judgeBody?.(createExchange(), answer) ?? null;
  const pieces = ["<pre>Traceback", " at line 7</pre>"].map((piece) => Buffer.from(piece));
  const out = rule?.kind === "stream" ? [...pieces.map((piece) => rule.take(piece)), rule.end()] : pieces;
  return { type: answer.headers.get("content-type"), body: out.join(""), names: answer.headers.names };
}

test.each([400, 404, 499, 500, 503, 599])("a body of %d leaves as a problem document", (status) => {
  const { type, body, names } = left("problem", status);
  expect(type).toBe("application/problem+json");
  expect(JSON.parse(body)).toEqual({ type: "about:blank", title: expect.any(String), status, id: "an-id" });
  expect(names).toEqual(["www-authenticate", "retry-after", "content-type"]);
});

test.each([
  ["problem", 200],
  ["problem", 302],
  ["problem", 600],
  ["pass", 500],
  [{ status: [500] }, 404],
  [{ status: ["5XX"] }, 404],
] as const)("%j leaves the body of %d as it is", (errors, status) => {
  expect(left(errors, status)).toMatchObject({ type: "text/html", body: "<pre>Traceback at line 7</pre>" });
});

test("a template is filled in", () => {
  const template = '{"error":{"code":{status},"text":"{title}","ref":"{id}","more":{}}}';
  expect(left({ template }, 404)).toMatchObject({
    type: "application/json",
    body: '{"error":{"code":404,"text":"Not Found","ref":"an-id","more":{}}}',
  });
  const html = { template: "<h1>{title}</h1>", contentType: "text/html; charset=utf-8" };
  expect(left(html, 503)).toMatchObject({ type: html.contentType, body: "<h1>Service Unavailable</h1>" });
});

test("settings that say nothing, or what cannot be, are told", () => {
  const problemsOf = (errors: unknown): readonly string[] =>
    compileFilter(responseFilter, { errors }).problems.map(({ text }) => text);
  expect(compileFilter(responseFilter, { errors: "pass" }).responseChecks).toEqual([]);
  expect(problemsOf({ template: '{"a":"{detail}"}' })).toEqual([
    expect.stringContaining("'{detail}' is not filled in"),
  ]);
  expect(problemsOf({ template: '{"a":{title}}' })).toEqual([expect.stringContaining("it is no JSON")]);
  expect(problemsOf({ contentType: "text/html" })).toEqual([expect.stringContaining("expected 'template'")]);
  expect(problemsOf({ status: [200] })).toEqual([expect.stringContaining("expected an error's status")]);
});
