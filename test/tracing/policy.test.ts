// Goal: what the section `tracing` may not say is told with its place. Method: policies with one fault each.
import { expect, test } from "vitest";
import { PUBLIC_ROUTE, policyWith, problemsOf } from "../policy/policy-kit.ts";

const problems = (section: string) =>
  problemsOf(`${policyWith(PUBLIC_ROUTE)}\n${section}\n`, { token: "s3cret", "two-lines": "a\nb" });

test.each([
  ["collector: { url: 'https://otel.example.org:4318' }"],
  ["collector: { url: 'http://127.0.0.1:4318/custom', encoding: json, headers: { authorization: { file: token } } }"],
  ["collector: { url: 'https://otel.example.org' }, sample: off, from: nobody, parent: never, propagators: [b3]"],
])("sound: %s", async (settings) => {
  expect(await problems(`tracing: { ${settings} }`)).toEqual([]);
});

test.each([
  ["collector: { url: otel }", "expected the URL of a collector"],
  ["collector: { url: 'https://user:pass@otel.example.org' }", "expected a URL without a name"],
  ["collector: { url: 'http://otel.example.org', headers: { a: { file: token } } }", "in the clear"],
  [
    "collector: { url: 'https://otel.example.org', headers: { content-type: { file: token } } }",
    "is written for each call",
  ],
  ["collector: { url: 'https://otel.example.org', headers: { authorization: s3cret } }", "a secret never stands in"],
  ["collector: { url: 'https://otel.example.org', ca: nowhere.pem }", "'nowhere.pem'"],
  ["collector: { url: 'https://otel.example.org' }, sample: 0.5", "expected a share"],
  ["collector: { url: 'https://otel.example.org' }, propagators: [jaeger]", "tracecontext"],
  ["collector: { url: 'https://otel.example.org' }, attributes: { 'Bad Name': x }", "the name of an attribute"],
  ["sample: 1%", "collector"],
])("told: %s", async (settings, words) => {
  const told = await problems(`tracing: { ${settings} }`);
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(words);
  expect(told[0]).not.toContain("s3cret");
});
