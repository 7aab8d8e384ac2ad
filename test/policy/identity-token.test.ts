import { expect, test } from "vitest";
import { PUBLIC_ROUTE, policyWith, problemsOf, warningsOf } from "./policy-kit.ts";

const withToken = (token: string) => policyWith(`identity: { token: ${token} }\n${PUBLIC_ROUTE}`);

test.each([
  ["{}", /'audience'|audience/],
  ["{ audience: a, claims: { sub: principal.id } }", /postern says 'sub' itself/],
  ["{ audience: a, claims: { path: request.path } }", /is of the request; expected what is of the caller/],
  ["{ audience: a, claims: { id: principal.idd } }", /did you mean/],
  ["{ audience: a, header: Host }", /expected another name|expected/],
  ["{ audience: a, lifetime: 1s }", /expected 5s to 1h/],
])("%s is a problem", async (token, text) => {
  expect((await problemsOf(withToken(token))).join("\n")).toMatch(text);
});

test("a header and the token cannot have one name", async () => {
  const policy = policyWith(
    `identity: { headers: { X-Identity-Token: principal.id }, token: { audience: a } }\n${PUBLIC_ROUTE}`,
  );
  expect((await problemsOf(policy)).join()).toMatch(/is set twice/);
});

test("keys that nobody can ask for are a warning", async () => {
  expect((await warningsOf(withToken("{ audience: a }"))).join()).toMatch(/no service can ask for the keys/);
});
