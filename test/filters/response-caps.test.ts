// Goal: an answer is no larger, longer or deeper than its route lets it be, in whatever form JSON comes.
import { expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { responseFilter } from "../../src/filters/response/compile.ts";
import type { StreamRule } from "../../src/filters/response-check.ts";
import { Answer } from "../../src/message/answer.ts";
import { compileFilter, createExchange, createHeaders } from "../fixtures/route-context.ts";

for (const load of Object.values(responseFilter.parts ?? {})) await load();

function ruleOf(settings: object, type: string | null): StreamRule {
  const { responseChecks, problems } = compileFilter(responseFilter, settings);
  expect(problems).toEqual([]);
  const headers = createHeaders(type === null ? [] : [["content-type", type]]);
  const rule = responseChecks[0]?.judgeBody?.(createExchange(), new Answer(200, headers, true));
  if (rule?.kind !== "stream") throw new Error("no rule");
  return rule;
}

/** What leaves of a body that comes byte by byte, or the denial. */
function seen(settings: object, type: string | null, body: string): string {
  const rule = ruleOf(settings, type);
  let text = "";
  for (const byte of Buffer.from(body, "latin1")) {
    const taken = rule.take(Buffer.from([byte]));
    if (taken instanceof Denial) return `${taken.reason}: ${taken.seen}`;
    text += taken.toString("latin1");
  }
  const last = rule.end();
  return last instanceof Denial ? `${last.reason}: ${last.seen}` : text + last.toString("latin1");
}

const JSON_TYPE = "application/json";

test.each([
  [{ maxBytes: "5B" }, "text/plain", "12345", null],
  [{ maxBytes: "5B" }, "text/plain", "123456", "response_denied: more than 5 bytes"],
  [{ maxItems: 2 }, JSON_TYPE, "[1,[2,3]]", null],
  [{ maxItems: 2 }, JSON_TYPE, '{"a":{"b":[1,2,3]}}', "response_denied: more than 2 items"],
  [{ maxItems: 2 }, JSON_TYPE, '{"a":1,"b":2,"c":3}', null],
  [{ maxItems: 2 }, "application/x-ndjson", "{}\n{}\n", null],
  [{ maxItems: 2 }, "application/x-ndjson", "{}\n{}\n{}", "response_denied: more than 2 items"],
  [{ maxItems: 2 }, "application/json-seq", "\x1e{}\n\x1e{}\n\x1e1\n", "response_denied: more than 2 items"],
  [{ maxItems: 2 }, "text/event-stream", "data: [1,2]\n\ndata: [1]\n\ndata: [DONE]\n\n", null],
  [{ maxItems: 2 }, "text/event-stream", "data: [1,\r\ndata:2,3]\r\n\r\n", "response_denied: more than 2 items"],
  [{ maxDepth: 2 }, JSON_TYPE, '{"a":[1]}', null],
  [{ maxDepth: 2 }, JSON_TYPE, '{"a":[{}]}', "response_denied: nested deeper than 2"],
  [{ maxDepth: 2 }, "application/problem+json", "[[[]]]", "response_denied: nested deeper than 2"],
  [{ maxDepth: 2 }, "text/html", " \n[[[]]]", "response_denied: nested deeper than 2"],
  [{ maxDepth: 2 }, null, "[[[]]]", "response_denied: nested deeper than 2"],
  [{ maxDepth: 2 }, "text/html", "<p>[[[]]]", null],
  [{ maxDepth: 2 }, JSON_TYPE, "<p>", "response_unreadable: not JSON"],
  [{ maxDepth: 2 }, JSON_TYPE, "", null],
  [{ maxDepth: 2 }, JSON_TYPE, "[[", "response_unreadable: cut JSON"],
  [{ maxDepth: 2, unreadable: "pass" }, JSON_TYPE, "<p>[[[[", null],
  [{ maxDepth: 2 }, `${JSON_TYPE}; charset=utf-16`, "[]", "response_unreadable: a charset that nobody here reads"],
  [{ maxDepth: 2 }, "text/plain", "[\0[\0[\0", "response_unreadable: not JSON"],
  [{ maxDepth: 2 }, "text/plain", "\xff\xfe[\0[\0[\0", "response_unreadable: JSON in UTF-16 or UTF-32"],
  [
    { maxDepth: 2 },
    `${JSON_TYPE}; charset=utf-8; charset=utf-16`,
    "[]",
    "response_unreadable: a Content-Type with more than one reading",
  ],
] as const)("%# %j of %s", (settings, type, body, denied) => {
  expect(seen(settings, type, body)).toBe(denied ?? body);
});

test("a policy that has none of them has no check, and one that says it wrong is told", () => {
  expect(compileFilter(responseFilter, {}).responseChecks).toEqual([]);
  const { problems } = compileFilter(responseFilter, { maxItems: 0, unreadable: "drop", maxByte: 1 });
  expect(problems.map(({ text }) => text)).toEqual([
    expect.stringContaining("refuse"),
    expect.stringContaining("expected a whole number from 1 on"),
    expect.stringContaining("did you mean 'maxBytes'?"),
  ]);
});
