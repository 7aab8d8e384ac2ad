import { describe, expect, test } from "vitest";
import { attribute } from "../../src/attributes/attribute.ts";
import { buildRequestRewrite } from "../../src/filters/request/evaluate.ts";
import { IdentityHeader } from "../../src/filters/request/identity.ts";
import { Passage } from "../../src/filters/request/passage.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { NO_REQUEST_RULES } from "../../src/policy/no-rules.ts";
import { createCertificate, createExchange, createHeaders, createPrincipal } from "../fixtures/route-context.ts";
import { policyWith, problemsOf, snapshotOf } from "../policy/policy-kit.ts";

const clock = { wallMs: () => Date.UTC(2026, 10, 29) };

function header(name: string, text: string): IdentityHeader {
  const found = attribute(text, { phase: "rewrite", parameters: ["tenant"], route: "/t/{tenant}", clock });
  if (!found.ok) throw new Error(found.error);
  return new IdentityHeader(name, found.value, "");
}

/** What the service gets under the names of `identity`, and what else begins with x-. */
function arrives(identity: readonly IdentityHeader[], exchange: Exchange): string[] {
  const rules = { ...NO_REQUEST_RULES, identity };
  const lines = buildRequestRewrite(rules, new Passage(rules, []))(exchange.headers, exchange).split("\r\n");
  return lines.filter((line) => line.startsWith("x-") && !/^x-(?:forwarded|postern)-/.test(line));
}

const sentFor = (claim: unknown): string | undefined =>
  arrives([header("x-v", "jwt.v")], createExchange({ principal: createPrincipal({ claims: { v: claim } }) }))[0]?.slice(
    5,
  );

describe("a value as a header has it", () => {
  test.each([
    ["acme", "acme"],
    ["a b", "a%20b"],
    ["100%", "100%25"],
    ["é", "%C3%A9"],
    ["a,b", "a,b"],
    ["x\r\nX-Admin: 1", "x%0D%0AX-Admin:%201"],
    ["\u0000", "%00"],
    [42, "42"],
    [0.5, "0.5"],
    [true, "true"],
    [["a", "b"], "a,b"],
    [["a,b", "c"], "a%2Cb,c"],
    [["a", 1], "a,1"],
  ])("%j is %s", (claim, wanted) => expect(sentFor(claim)).toBe(wanted));

  test.each([undefined, null, "", {}, [], [[]], [{}], ["a", ""], ["a", null], 2 ** 53, "x".repeat(5_000), "\ud800"])(
    "%j is none",
    (claim) => expect(sentFor(claim)).toBeUndefined(),
  );
});

describe("what the service is told", () => {
  const identity = [
    header("x-user", "principal.id"),
    header("x-tenant", "path.tenant"),
    header("x-san", "certificate.dnsNames"),
  ];

  test("of the caller, its certificate and the path, once for each", () => {
    const exchange = createExchange({
      principal: createPrincipal({ id: "alice" }),
      certificate: createCertificate({ dnsNames: ["a.example.org", "b.example.org"] }),
      params: ["ac%2Cme"],
    });
    const wanted = ["x-user: alice", "x-tenant: ac,me", "x-san: a.example.org,b.example.org"];
    expect(arrives(identity, exchange)).toEqual(wanted);
    expect(arrives(identity, exchange)).toEqual(wanted);
  });

  test("another caller of the same rewrite is another", () => {
    const rules = { ...NO_REQUEST_RULES, identity };
    const rewrite = buildRequestRewrite(rules, new Passage(rules, []));
    for (const id of ["alice", "bob", "alice"]) {
      const exchange = createExchange({ principal: createPrincipal({ id }) });
      expect(rewrite(exchange.headers, exchange)).toContain(`x-user: ${id}\r\n`);
    }
  });

  test("nothing of nobody, and nothing that a client says of itself", () => {
    const names = ["x-user", "x_user", "x.user", "x-tenant", "x_tenant", "x-san"];
    const exchange = createExchange({ headers: names.map((name) => [name, "admin"]) });
    expect(arrives(identity, exchange)).toEqual([]);
    exchange.principal = createPrincipal({ id: "anonymous", type: "anonymous" });
    expect(arrives(identity, exchange)).toEqual([]);
    const rules = { ...NO_REQUEST_RULES, identity, keepHeaders: ["x_user", "x-user"], forward: ["x-user"] };
    const forced = buildRequestRewrite(rules, new Passage(rules, []))(exchange.headers, exchange);
    expect(forced).not.toContain("admin");
    const passage = new Passage(rules, []);
    expect(createHeaders(names.map((name) => [name, "1"])).names.filter((name) => passage.lets(name))).toEqual([]);
  });
});

describe("in a policy", () => {
  const routes =
    "routes: [{ path: '/t/{tenant}/x', public: true }, { path: '/{a}/{tenant}', public: true }, { path: /, public: true }]";
  const problems = (headers: string, more = "") =>
    problemsOf(policyWith(`identity: { headers: { ${headers} } }\n${more}${routes}`));

  test("a path parameter is that of each route", async () => {
    const snapshot = await snapshotOf(policyWith(`identity: { headers: { X-Tenant: path.tenant } }\n${routes}`));
    const told = snapshot.routeList.map((route) => {
      const exchange = createExchange({ params: ["one", "two"] });
      return /x-tenant: (\w+)/.exec(route.rewriteRequest(exchange.headers, exchange))?.[1];
    });
    expect(told).toEqual(["one", "two", undefined]);
  });

  test.each([
    ["X-User: principal.ids", "did you mean 'principal.id'?"],
    ["X-User: query.user", "what the client says"],
    ["X-User: 'request.headers[\"x-user\"]'", "what the client says"],
    ["X-User: body.user", "what the client says"],
    ["X-Forwarded-User: principal.id", "postern writes 'X-Forwarded-User' itself"],
    ["X-User: principal.id, x-user: jwt.sub", "set twice"],
    ["X-Tenant: path.tennant", "no route has 'path.tennant'"],
    ["Host: principal.id", "postern writes 'Host' itself"],
  ])("{ %s } is a problem: %s", async (headers, words) => {
    expect(await problems(headers)).toEqual([expect.stringContaining(words)]);
  });

  test("a name with an underscore is none, and no route may set or keep one that identity writes", async () => {
    expect((await problems("X_User: principal.id")).join()).toContain("letters, digits and dashes");
    const request = (settings: string) =>
      problemsOf(
        policyWith(
          `identity: { headers: { X-User: principal.id } }\nroutes: [{ path: /, public: true, request: { ${settings} } }]`,
        ),
      );
    expect((await request("setHeaders: { x-user: a }")).join()).toContain("is written by 'identity'");
    expect((await request("keepHeaders: [X_User]")).join()).toContain("is written by 'identity'");
  });
});
