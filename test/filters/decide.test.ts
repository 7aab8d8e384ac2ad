// Goal: what a decision service answers has one meaning, and bad settings are problems. The rest is tested end to end.
import fc from "fast-check";
import { expect, test } from "vitest";
import { protocolOf, readVerdict } from "../../src/filters/decide/protocol.ts";
import { decideSchema, decisionServiceSchema } from "../../src/filters/decide/schema.ts";

const opa = protocolOf("opa", new URL("http://127.0.0.1:8181/v1/data/orders/allow"));
const authzen = protocolOf("authzen", new URL("https://pdp.example.org/access/v1/evaluation"));

test("only true allows, whatever else an answer holds", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("result", "decision", "evaluations", "allow", "x"), fc.jsonValue()),
      (answer) => {
        const { result, decision, evaluations } = answer as Record<string, unknown>;
        const ofOpa = readVerdict(opa, answer);
        if (ofOpa.ok && ofOpa.value) {
          const inner = result as { allow?: unknown; allowed?: unknown };
          expect([result, inner.allow, inner.allowed].filter((one) => one === true)).toHaveLength(1);
        }
        const ofAuthzen = readVerdict(authzen, answer);
        if (ofAuthzen.ok && ofAuthzen.value) expect(evaluations === undefined ? decision : true).toBe(true);
      },
    ),
  );
});

test("the place for lists stands beside that for one, and OPA has none", () => {
  expect(authzen.batchUrl?.href).toBe("https://pdp.example.org/access/v1/evaluations");
  expect(protocolOf("authzen", new URL("https://pdp.example.org/decide")).batchUrl).toBe(null);
  expect(opa.batchUrl).toBe(null);
});

test.each([
  [{ type: "opa", url: "http://opa.example.org/" }, /in the clear/],
  [{ type: "cedar", url: "https://pdp.example.org/" }, /expected type: opa or authzen/],
  [{ type: "opa", url: "https://pdp.example.org/", token: "t0ken" }, /a secret never stands in the policy/],
  [{ type: "opa", url: "https://pdp.example.org/", cache: { by: [], for: "1s" } }, /./],
  [{ type: "opa", url: "https://pdp.example.org/", cache: { by: ["route"], for: "2d" } }, /at most 60m/],
  [{ type: "opa", url: "https://pdp.example.org/", input: { a: 1 } }, /the name of an attribute/],
])("%j is a problem", (settings, text) => {
  const parsed = decisionServiceSchema.safeParse(settings);
  expect(parsed.success).toBe(false);
  expect(parsed.error?.issues.map(({ message }) => message).join()).toMatch(text);
  expect(parsed.error?.issues.map(({ message }) => message).join()).not.toContain("t0ken");
});

test("a route names one service at least", () => {
  expect(decideSchema.safeParse([]).success).toBe(false);
  expect(decideSchema.safeParse({ by: ["opa"], mode: "audit" }).success).toBe(true);
});
