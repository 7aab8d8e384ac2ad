// Goal: who writes something shorter than a key takes, as `true`, is told what to write.
// Method: compiled policies with one such key each.
import { expect, test } from "vitest";
import { policyWith, problemsOf } from "./policy-kit.ts";

test.each([
  ["cors: true", "expected a mapping, as in { origins: [https://app.example.org] }"],
  ["cors: [https://a.example.org]", "expected a mapping, as in { origins: [https://app.example.org] }"],
  ["cors: { origins: '*' }", "expected a list, as in [https://app.example.org]"],
  ["response: true", "expected a mapping, as in { removeHeaders: [X-Debug] }"],
  ["response: { fields: ['$.ssn'] }", "expected a mapping, as in { remove: ['$..ssn'] }"],
  ["response: { fields: $.ssn }", "expected a rule, as in { remove: ['$..ssn'] }, or a list of them"],
  ["response: { fields: { remove: $.ssn } }", "expected a list of paths, as in ['$..ssn']"],
  ["response: { fields: { remov: ['$.ssn'] } }", "unknown key 'remov'; did you mean 'remove'?"],
  ["response: { fields: [{ remov: ['$.ssn'] }] }", "unknown key 'remov'; did you mean 'remove'?"],
  ["response: { mask: ['$.ssn'] }", "expected paths and masks, as in { '$.card.number': last4 }"],
  ["response: { leaks: [cards] }", "expected groups or kinds and actions, as in { cards: mask, privateKeys: block }"],
  ["response: { validate: { content: [application/json] } }", "expected media types, as in { application/json: {} }"],
  [
    "response: { cookies: true }",
    "expected a rule, as in { secure: true, httpOnly: true, sameSite: Lax }, or a list of them",
  ],
  ["response: { cookies: { secur: true } }", "unknown key 'secur'; did you mean 'secure'?"],
  ["response: { location: true }", "expected a mapping, as in { allow: [https://login.example.org] }"],
  ["rewrite: /x", "expected a mapping, as in { path: /internal/orders } or { prefix: { from: /v1, to: / } }"],
  ["redirect: /x", "expected a mapping, as in { to: /v2/orders }"],
  ["respond: 204", "expected a mapping, as in { status: 503 } or { json: { status: ok } }"],
  ["deprecated: 2026-01-01", "expected a mapping, as in { since: 2026-01-01, sunset: 2027-01-01 }"],
  ["writeOnly: strip", "'writeOnly' does not stand here; expected it under 'response.validate'"],
])("%s", async (key, text) => {
  expect(await problemsOf(policyWith(`routes: [{ path: /a, public: true, ${key} }]`))).toEqual([
    expect.stringContaining(text),
  ]);
});
