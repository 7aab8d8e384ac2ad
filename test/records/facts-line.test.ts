import { expect, test } from "vitest";
import { factsLine } from "../../src/records/facts-line.ts";
import { factsOf } from "./kit.ts";

const denial = { reason: "scope_missing", place: "p:1:2", rule: "routes[0]", seen: 'a "b"\n', wanted: "ü" } as const;

test.each([
  factsOf(),
  factsOf({
    id: '"\\\u0000',
    method: "",
    host: "é",
    path: '/a"b\n\u2028',
    query: ["a", '"'],
    headers: ["x-\u0007"],
    place: null,
    version: "v1",
    upstreamMs: null,
    reason: "scope_missing",
    verdict: "deny",
    denial,
    audited: [denial, denial],
    oneIn: 10,
    certificate: { subject: "CN=a", issuer: "CN=b", spiffeId: null, fingerprint: "ab", untrusted: null },
    trace: [{ phase: "admit", check: "a", result: "pass", place: null, saw: "s", wanted: null, us: 0.5 }],
    principal: {
      id: "u\n1",
      authenticator: "okta",
      type: "jwt",
      scopes: ["a"],
      roles: [],
      groups: [],
      claimNames: ["sub"],
      claims: { tenant: ["a", 1, true] },
    },
  }),
])("a line is what JSON.stringify gives", (facts) => {
  const line = factsLine(facts);
  expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(facts)));
  expect([line.endsWith("}\n"), line.split("\n").length]).toEqual([true, 2]);
  // What is remembered is the same.
  expect(factsLine(facts)).toBe(line);
});
