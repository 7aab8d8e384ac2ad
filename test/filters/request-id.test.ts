// Goal: what makes no sense of `requestId` is told at load, and what does becomes of one exchange what the page says.
import { expect, test } from "vitest";
import { RequestIds } from "../../src/filters/request-id/evaluate.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { policyWith, problemsOf, warningsOf } from "../policy/policy-kit.ts";

const policy = (settings: string): string => policyWith(`requestId: ${settings}\nroutes: [{ path: /a, public: true }]`);
const RULES = {
  header: "x-request-id",
  from: "anybody",
  traceContext: true,
  random: (bytes: number) => Buffer.alloc(bytes, 0xab),
} as const;

test.each([
  ["{ header: Connection }", /'connection' has a meaning of its own; expected a header like X-Request-Id/],
  ["{ header: Traceparent }", /'traceparent' has a meaning of its own/],
  ["{ header: Authorization }", /'authorization' has a meaning of its own/],
  ["{ header: X-Forwarded-For }", /'x-forwarded-for' has a meaning of its own/],
  ["{ header: Host }", /'host' has a meaning of its own/],
  ["{ header: 'a b' }", /./],
  ["{ from: everybody }", /./],
  ["{ headers: X-Id }", /did you mean 'header'\?/],
])("%s is a problem", async (settings, text) => {
  expect((await problemsOf(policy(settings))).join("\n")).toMatch(text);
});

test("trusting proxies where there are none is a warning", async () => {
  expect((await warningsOf(policy("{ from: trustedProxies }"))).join("\n")).toMatch(/no listener has 'trustedProxies'/);
});

test("a trace that begins here has a new id, and no state of somebody else's trace", () => {
  const exchange = createExchange({ headers: [["tracestate", "a=1"]] });
  new RequestIds(RULES).begin(exchange, "own-1", false);
  const digits = "ab".repeat(16);
  expect([exchange.requestId, exchange.traceId]).toEqual(["own-1", digits]);
  expect(exchange.serviceLines).toBe(`x-request-id: own-1\r\ntraceparent: 00-${digits}-${"ab".repeat(8)}-02\r\n`);
  expect(exchange.answerLines).toBe("x-request-id: own-1\r\n");
});

test("an id that is there twice is nobody's", () => {
  const exchange = createExchange({
    headers: [
      ["x-request-id", "a"],
      ["x-request-id", "a"],
    ],
  });
  new RequestIds(RULES).begin(exchange, "own-1", false);
  expect(exchange.requestId).toBe("own-1");
});
