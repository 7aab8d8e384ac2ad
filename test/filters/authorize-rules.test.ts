import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { authorizeFilter } from "../../src/filters/authorize/compile.ts";
import { allOf, anyOf, noneOf, type Rule, Undecided } from "../../src/filters/authorize/evaluate.ts";
import { parseAddress, UNIX_PEER } from "../../src/message/address.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { LocalTime } from "../../src/support/local-time.ts";
import {
  type ContextOptions,
  compileFilter,
  createCertificate,
  createExchange,
  createPrincipal,
  onlyCheck,
} from "../fixtures/route-context.ts";

type Options = Omit<ContextOptions, "key">;

/** Asked by itself, and below any, which asks quietly first: both have to come to the same. */
function judge(settings: unknown, exchange: Exchange, options: Options = {}): Denial | null {
  const [verdict, below] = [settings, { any: [settings] }].map((rule) =>
    onlyCheck(compileFilter(authorizeFilter, rule, options)).evaluate(exchange),
  );
  if (verdict instanceof Promise || below instanceof Promise) throw new Error("authorize must answer at once");
  expect([below === null, below instanceof Undecided]).toEqual([verdict === null, verdict instanceof Undecided]);
  return verdict ?? null;
}

const problemsOf = (settings: unknown, options: Options = {}): string[] =>
  compileFilter(authorizeFilter, settings, options).problems.map(({ path, text }) => `${path}: ${text}`);
const warningsOf = (settings: unknown, options: Options = {}): string[] =>
  compileFilter(authorizeFilter, settings, options).warnings.map(({ text }) => text);
const withClaims = (claims: Record<string, unknown>, params: string[] = []): Exchange =>
  createExchange({ principal: createPrincipal({ claims }), params });

const place = { file: "policy.yaml", line: 1, column: 1, path: "" };

describe("any, all and not are what logic says, undecided parts included", () => {
  type Model = boolean | null;
  type Tree =
    | { readonly leaf: Model }
    | { readonly any: readonly Tree[] }
    | { readonly all: readonly Tree[] }
    | { readonly not: Tree };

  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.constantFrom(true, false, null).map((leaf) => ({ leaf })),
      fc.array(tie("tree"), { minLength: 1, maxLength: 4 }).map((any) => ({ any })),
      fc.array(tie("tree"), { minLength: 1, maxLength: 4 }).map((all) => ({ all })),
      tie("tree").map((not) => ({ not })),
    ),
  }));

  function model(node: Tree): Model {
    if ("leaf" in node) return node.leaf;
    if ("not" in node) {
      const inner = model(node.not);
      return inner === null ? null : !inner;
    }
    const parts = ("any" in node ? node.any : node.all).map(model);
    const decisive = "any" in node;
    if (parts.includes(decisive)) return decisive;
    return parts.includes(null) ? null : !decisive;
  }

  function build(node: Tree): Rule {
    if ("leaf" in node) {
      const denial =
        node.leaf === null
          ? new Undecided("attribute_missing", place, "u", "w")
          : new Denial("scope_missing", place, "s", "w");
      return {
        label: "leaf",
        wanted: "w",
        phase: "authorize",
        parts: [],
        judge: () => (node.leaf === true ? null : denial),
      };
    }
    if ("not" in node) return noneOf(build(node.not), "not", place);
    if ("any" in node) return anyOf(node.any.map(build), "any", place);
    return allOf(node.all.map(build), "all");
  }

  test("for every tree", () => {
    const exchange = createExchange();
    fc.assert(
      fc.property(tree, (node) => {
        const rule = build(node);
        const outcomes = [rule.judge(exchange), rule.judge(exchange, true)].map((verdict) =>
          verdict === null ? true : verdict instanceof Undecided ? null : false,
        );
        return outcomes.every((outcome) => outcome === model(node));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("not", () => {
  test("holds where the rule fails, and the denial names what it excludes", () => {
    const rule = { not: { claims: { suspended: true } } };
    expect(judge(rule, withClaims({}))).toBeNull();
    expect(judge(rule, withClaims({ suspended: false }))).toBeNull();
    expect(judge(rule, withClaims({ suspended: true }))).toMatchObject({
      reason: "not_authorized",
      seen: "claim suspended true",
      wanted: "not (claim suspended true)",
    });
  });

  test.each([
    [{ not: { scopes: ["admin"] } }, createExchange()],
    [{ not: { match: { "path.orderId": "jwt.blocked" } } }, withClaims({}, ["7"])],
    [{ not: { spiffeId: "spiffe://example.org/**" } }, createExchange({ principal: createPrincipal() })],
    [{ not: { not: { callers: "alice" } } }, createExchange()],
  ])("%j does not hold where nobody can tell", (rule, exchange) => {
    expect(judge(rule, exchange)).toBeInstanceOf(Undecided);
  });

  test("an address that is not known is in no network, and not outside of one", () => {
    const exchange = createExchange({ principal: createPrincipal() });
    exchange.clientAddress = UNIX_PEER;
    expect(judge({ not: { networks: "203.0.113.0/24" } }, exchange)).toBeInstanceOf(Undecided);
    expect(judge({ networks: ["0.0.0.0/0", "::/0"] }, exchange)?.reason).toBe("address_denied");
  });
});

describe("what a caller is", () => {
  const exchange = createExchange({
    principal: createPrincipal({ id: "alice", authenticator: "okta", claims: { groups: ["order-desk", "staff"] } }),
  });

  test("groups are all needed, and roles are no groups", () => {
    expect(judge({ groups: ["order-desk", "staff"] }, exchange)).toBeNull();
    expect(judge({ groups: ["order-desk", "admins"] }, exchange)?.reason).toBe("group_missing");
    expect(judge({ groups: ["x"] }, withClaims({ roles: ["x"] }))?.reason).toBe("group_missing");
  });

  test("callers and authenticators are one of a list, case exact", () => {
    expect(judge({ callers: ["bob", "alice"] }, exchange)).toBeNull();
    expect(judge({ callers: "Alice" }, exchange)?.reason).toBe("caller_mismatch");
    expect(judge({ callers: "okta/alice" }, exchange)?.reason).toBe("caller_mismatch");
    const okta = { name: "okta", type: "jwt" } as never;
    expect(judge({ authenticators: ["okta"] }, exchange, { authenticators: [okta] })).toBeNull();
    const partner = createExchange({ principal: createPrincipal({ authenticator: "partners" }) });
    expect(judge({ authenticators: "okta" }, partner, { authenticators: [okta] })?.reason).toBe(
      "authenticator_mismatch",
    );
    expect(problemsOf({ authenticators: "otka" })).toEqual([
      expect.stringContaining("authorize.authenticators: authenticator 'otka' is not defined"),
    ]);
  });

  test("a certificate's DNS names and subject, whatever its spelling", () => {
    const certificate = createCertificate({ dnsNames: ["a.shop.example.org"], subject: "CN=billing,O=Shop" });
    const shop = createExchange({ certificate });
    expect(judge({ dnsNames: "*.shop.example.org" }, shop)).toBeNull();
    expect(judge({ dnsNames: "*.example.org" }, shop)?.reason).toBe("certificate_mismatch");
    expect(judge({ subjects: "O = Shop, CN = billing" }, shop)).toBeNull();
    expect(judge({ subjects: "CN=billing" }, shop)?.reason).toBe("certificate_mismatch");
    const untrusted = createExchange({ certificate: { ...certificate, untrusted: "SELF_SIGNED" } });
    expect(judge({ dnsNames: "*.shop.example.org" }, untrusted)?.seen).toContain("not trusted");
  });

  test("* in a SPIFFE ID stands for one segment", () => {
    const of = (spiffeId: string) => createExchange({ certificate: createCertificate({ spiffeId }) });
    const rule = { spiffeId: "spiffe://example.org/ns/*/sa/billing" };
    expect(judge(rule, of("spiffe://example.org/ns/shop/sa/billing"))).toBeNull();
    expect(judge(rule, of("spiffe://example.org/ns/shop/x/sa/billing"))?.reason).toBe("spiffe_id_mismatch");
    expect(judge(rule, of("spiffe://example.org/ns/sa/billing"))?.reason).toBe("spiffe_id_mismatch");
    expect(problemsOf({ spiffeId: "spiffe://*/ns" })).not.toHaveLength(0);
  });
});

describe("the request and the moment", () => {
  test("networks hold the client's address, also where it is written in another way", () => {
    const of = (peer: string) => createExchange({ peer, principal: createPrincipal() });
    const rule = { networks: ["10.0.0.0/8", "2001:db8::/32"] };
    expect(judge(rule, of("10.1.2.3"))).toBeNull();
    expect(judge(rule, of("2001:db8::7"))).toBeNull();
    expect(judge(rule, of("192.0.2.1"))).toMatchObject({ reason: "address_denied", seen: "address 192.0.2.1" });
    const mapped = parseAddress("::ffff:10.1.2.3");
    const exchange = of("192.0.2.1");
    if (mapped !== null) exchange.clientAddress = mapped;
    expect(judge(rule, exchange)).toBeNull();
    expect(problemsOf({ networks: "10.0.0.1/8" })).toEqual([expect.stringContaining("bits set behind its length")]);
  });

  test("methods have to be the route's", () => {
    expect(judge({ methods: ["GET"] }, createExchange({ method: "GET" }))).toBeNull();
    expect(judge({ methods: ["GET"] }, createExchange({ method: "POST" }))?.reason).toBe("method_not_authorized");
    expect(problemsOf({ methods: ["POST"] })).toEqual([expect.stringContaining("the route does not take POST")]);
    expect(problemsOf({ methods: ["HEAD"] })).toEqual([]);
  });

  const at = (rule: unknown, iso: string): boolean =>
    judge({ time: rule }, createExchange(), { clock: { monotonicMs: () => 0, wallMs: () => Date.parse(iso) } }) ===
    null;

  test("a window is of its time zone, summer time included", () => {
    const rule = { days: ["mon", "tue", "wed", "thu", "fri"], hours: "08:00-18:00", timeZone: "Europe/Berlin" };
    expect(at(rule, "2026-11-30T07:00:00Z")).toBe(true);
    expect(at(rule, "2026-11-30T06:59:59Z")).toBe(false);
    expect(at(rule, "2026-11-30T16:59:59Z")).toBe(true);
    expect(at(rule, "2026-11-30T17:00:00Z")).toBe(false);
    expect(at(rule, "2026-11-29T10:00:00Z")).toBe(false);
    expect(at(rule, "2026-07-01T06:00:00Z")).toBe(true);
    expect(at(rule, "2026-07-01T16:00:00Z")).toBe(false);
  });

  test("a window over midnight belongs to the day on which it begins", () => {
    const rule = { days: ["fri"], hours: "22:00-06:00" };
    expect(at(rule, "2026-12-04T22:00:00Z")).toBe(true);
    expect(at(rule, "2026-12-05T05:59:00Z")).toBe(true);
    expect(at(rule, "2026-12-05T06:00:00Z")).toBe(false);
    expect(at(rule, "2026-12-04T05:00:00Z")).toBe(false);
    expect(at(rule, "2026-12-05T23:00:00Z")).toBe(false);
  });

  test("one of several windows is enough, and 24:00 is the day's end", () => {
    const rule = [{ days: ["sat"] }, { days: ["sun"], hours: "12:00-24:00" }];
    expect(at(rule, "2026-12-05T00:00:00Z")).toBe(true);
    expect(at(rule, "2026-12-06T11:59:00Z")).toBe(false);
    expect(at(rule, "2026-12-06T23:59:59Z")).toBe(true);
    expect(at(rule, "2026-12-07T00:00:00Z")).toBe(false);
  });

  test("local time is what the platform says, at every quarter of an hour of a year", () => {
    for (const zone of ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]) {
      const local = new LocalTime(zone);
      const format = new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        weekday: "short",
        hour: "numeric",
        minute: "numeric",
        hourCycle: "h23",
      });
      for (let ms = Date.UTC(2026, 0, 1, 0, 7); ms < Date.UTC(2027, 0, 1); ms += 5 * 3_600_000 + 15 * 60_000) {
        const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
        const { weekday, minute } = local.at(ms);
        expect([weekday, minute], `${zone} ${new Date(ms).toISOString()}`).toEqual([
          ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].indexOf(parts["weekday"] ?? ""),
          60 * Number(parts["hour"]) + Number(parts["minute"]),
        ]);
      }
    }
  });

  test.each([
    {},
    { timeZone: "UTC" },
    { days: [] },
    { days: ["monday"] },
    { hours: "8-18" },
    { hours: "08:00-08:00" },
    { hours: "08:00-24:01" },
    { days: ["mon"], timeZone: "Mars/Olympus" },
  ])("%j is no window", (time) => expect(problemsOf({ time })).not.toHaveLength(0));
});

describe("roles that the policy defines", () => {
  const roles = { clerk: { any: [{ scopes: ["orders:read", "orders:write"] }, { groups: ["order-desk"] }] } };

  test("a defined name is its rule, and no claim stands for it", () => {
    const desk = withClaims({ groups: ["order-desk"] });
    expect(judge({ roles: ["clerk"] }, desk, { roles })).toBeNull();
    const forged = withClaims({ roles: ["clerk"], groups: ["clerk"] });
    const denial = judge({ roles: ["clerk"] }, forged, { roles });
    expect(denial).toMatchObject({ reason: "role_missing" });
    expect(denial?.seen).toMatch(/^not in role clerk: scopes \(none\); no group order-desk$/);
    expect(denial?.place?.path).toBe("authorize.roles");
    expect(denial?.parts).toHaveLength(2);
  });

  test("other names are roles that callers bring, and both kinds stand side by side", () => {
    const both = { roles: ["clerk", "auditor"] };
    expect(judge(both, withClaims({ groups: ["order-desk"], roles: ["auditor"] }), { roles })).toBeNull();
    expect(judge(both, withClaims({ groups: ["order-desk"] }), { roles })?.seen).toBe("no role auditor");
    expect(judge(both, withClaims({ roles: ["auditor"] }), { roles })?.seen).toContain("not in role clerk");
  });

  test("inside a definition names are those that callers bring, its own too", () => {
    const own = { admin: { roles: ["admin"], networks: ["192.0.2.0/24"] } };
    expect(judge({ roles: ["admin"] }, withClaims({ roles: ["admin"] }), { roles: own })).toBeNull();
    expect(judge({ roles: ["admin"] }, withClaims({}), { roles: own })?.reason).toBe("role_missing");
  });

  test("a name that is nearly a defined one is warned of", () => {
    expect(warningsOf({ roles: ["clrk"] }, { roles })).toEqual([expect.stringContaining("did you mean 'clerk'?")]);
    expect(warningsOf({ roles: ["auditor"] }, { roles })).toEqual([]);
  });

  test("a name that nobody can have is a problem", () => {
    const mesh = { name: "mesh", type: "client-certificate" } as never;
    expect(problemsOf({ roles: ["auditor"] }, { roles, authenticators: [mesh] })).toEqual([
      expect.stringContaining("no caller of this policy has roles of its own"),
    ]);
    expect(problemsOf({ roles: ["clerk"] }, { roles, authenticators: [mesh] })).toEqual([]);
  });

  test("a role that compares a path parameter fits only routes that have it", () => {
    const own = { tenant: { match: { "path.tenant": "jwt.tenant" } } };
    const options = { roles: own, template: "/t/{tenant}" };
    expect(judge({ roles: ["tenant"] }, withClaims({ tenant: "acme" }, ["acme"]), options)).toBeNull();
    expect(judge({ roles: ["tenant"] }, withClaims({ tenant: "acme" }, ["evil"]), options)?.reason).toBe(
      "role_missing",
    );
    expect(problemsOf({ roles: ["tenant"] }, { roles: own, template: "/orders" })).toEqual([
      expect.stringContaining("the route's path has no parameter 'tenant'"),
    ]);
  });
});

describe("match", () => {
  const rule = { match: { "path.orderId": "jwt.order" } };
  const judged = (param: string, order: unknown): string | null =>
    judge(rule, withClaims({ order }, [param]))?.reason ?? null;

  test.each([
    ["7", "7", null],
    ["7", 7, null],
    ["%37", "7", null],
    ["7", ["6", "7"], null],
    ["7", ["6", "8"], "attribute_mismatch"],
    ["7", "8", "attribute_mismatch"],
    ["07", 7, "attribute_mismatch"],
    ["7%20", "7", "attribute_mismatch"],
    ["acme", "ACME", "attribute_mismatch"],
    ["%2537", "7", "attribute_mismatch"],
    ["a%2Cb", ["a", "b"], "attribute_mismatch"],
    ["7", undefined, "attribute_missing"],
    ["undefined", undefined, "attribute_missing"],
    ["null", null, "attribute_missing"],
    ["7", "", "attribute_missing"],
    ["[object Object]", {}, "attribute_mismatch"],
    ["7", [], "attribute_mismatch"],
    ["true", true, "attribute_mismatch"],
  ])("a path of %s and a claim of %j: %s", (param, claim, reason) => expect(judged(param, claim)).toBe(reason));

  test("names that every object inherits are no claims", () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const inherited = { match: { "path.orderId": `jwt.${name}` } };
      expect(judge(inherited, withClaims({}, ["function Object() { [native code] }"]))?.reason).toBe(
        "attribute_missing",
      );
    }
  });

  test("the denial says what was seen and wanted, at its pair", () => {
    expect(judge(rule, withClaims({ order: "8" }, ["7"]))).toMatchObject({
      reason: "attribute_mismatch",
      seen: 'path.orderId "7", jwt.order "8"',
      wanted: "path.orderId equal to jwt.order",
      place: { path: "authorize.match.path.orderId" },
    });
  });

  test("body members are compared in phase validate, behind the body's own check, and the rest before", () => {
    const settings = { scopes: ["a"], match: { "body.owner": "principal.id" } };
    const { checks, bodyWantedAt, problems } = compileFilter(authorizeFilter, settings);
    expect(problems).toEqual([]);
    expect(checks.map(({ phase, late }) => [phase, late])).toEqual([
      ["authorize", false],
      ["validate", true],
    ]);
    expect(bodyWantedAt).toEqual(["authorize.match.body.owner"]);
    const exchange = createExchange({ principal: createPrincipal() });
    const verdict = () => checks[1]?.evaluate(exchange);
    expect(verdict()).toMatchObject({ reason: "attribute_missing" });
    exchange.bodyValue = { owner: "alice" };
    expect(verdict()).toBeNull();
    exchange.bodyValue = { owner: "bob" };
    expect(verdict()).toMatchObject({ seen: 'body.owner (not shown), principal.id "alice"' });
    exchange.bodyValue = { owner: "alice", Owner: "bob" };
    expect(verdict()).toMatchObject({ reason: "attribute_missing" });
  });

  test.each([
    [{ "path.orderid": "jwt.x" }, "did you mean 'orderId'?"],
    [{ "pth.orderId": "jwt.x" }, "did you mean 'path'?"],
    [{ "path.orderId": "jwt" }, "needs a name"],
    [{ "path.orderId": "acme" }, "no attribute 'acme'"],
    [{ "path.orderId": "path.orderId" }, "compared with itself"],
    [{ "principal.scopes": "principal.roles" }, "two lists"],
    [{ now: "jwt.iat" }, "a moment"],
    [{}, "at least one"],
  ])("%j is a problem: %s", (match, words) => expect(problemsOf({ match }).join()).toContain(words));

  test("a public route has no caller to compare with", () => {
    expect(problemsOf({ match: { "path.orderId": "jwt.x" } }, { isPublic: true })).toHaveLength(1);
    expect(problemsOf({ match: { "path.orderId": "query.id" } }, { isPublic: true })).toEqual([]);
  });
});

describe("when", () => {
  beforeAll(async () => authorizeFilter.prepare?.());

  const rule = { when: 'path.orderId == jwt.order || "orders:large" in principal.scopes' };

  test("a condition that holds lets pass, one that does not denies with what was looked at", () => {
    expect(judge(rule, withClaims({ order: "7" }, ["7"]))).toBeNull();
    const large = createExchange({ principal: createPrincipal({ scopes: new Set(["orders:large"]) }), params: ["7"] });
    expect(judge(rule, large)).toBeNull();
    expect(judge(rule, withClaims({ order: "8" }, ["7"]))).toMatchObject({
      reason: "condition_failed",
      seen: 'path.orderId "7", jwt.order "8", principal.scopes []',
      wanted: rule.when,
      place: { path: "authorize.when" },
    });
  });

  test("a condition that comes to no answer denies, below not as well, and says what was missing", () => {
    const absent = withClaims({}, ["7"]);
    expect(judge({ when: 'jwt.plan == "gold"' }, absent)).toMatchObject({
      reason: "condition_error",
      seen: "there is no jwt.plan: jwt.plan (absent)",
    });
    expect(judge({ not: { when: 'jwt.plan == "free"' } }, absent)).toBeInstanceOf(Undecided);
    expect(judge({ when: 'has(jwt.plan) && jwt.plan == "gold"' }, absent)?.reason).toBe("condition_failed");
  });

  test("a parameter that comes twice is neither there nor absent", () => {
    const twice = createExchange({ principal: createPrincipal(), query: "?admin=0&admin=1" });
    expect(judge({ when: '!has(query.admin) || query.admin == "0"' }, twice)?.reason).toBe("condition_error");
    expect(
      judge({ when: '!has(query.admin) || query.admin == "0"' }, createExchange({ principal: createPrincipal() })),
    ).toBeNull();
  });

  test("a condition about the body waits for it", () => {
    const settings = { when: "body.total < 10000 && body.items.all(i, i.price > 0)" };
    const { checks, bodyWantedAt } = compileFilter(authorizeFilter, settings);
    expect(checks.map(({ phase, late }) => [phase, late])).toEqual([["validate", true]]);
    expect(bodyWantedAt).toEqual(["authorize.when"]);
    const exchange = createExchange({ principal: createPrincipal() });
    const verdict = () => checks[0]?.evaluate(exchange);
    expect(verdict()).toMatchObject({
      reason: "condition_error",
      seen: expect.stringContaining("there is no body.total"),
    });
    exchange.bodyValue = { total: 9999, items: [{ price: 1 }] };
    expect(verdict()).toBeNull();
    exchange.bodyValue = { total: 10_000, items: [] };
    expect(verdict()).toMatchObject({ seen: "body.total (not shown), body.items (not shown)" });
  });

  test.each([
    ["path.order == jwt.x", 0, "has no parameter 'order'"],
    ["jwt.a == 1 && principal.scope == 'x'", 14, "did you mean 'principal.scopes'?"],
    ["request.method == 1", 15, "never equal"],
    ["body.x ==", 9, "ends where"],
    ['principal.id.matches("(")', 21, "the pattern"],
  ])("%s is a problem at its offset", (when, offset, words) => {
    const [problem] = compileFilter(authorizeFilter, { when }).problems;
    expect(problem).toEqual({ path: `authorize.when+${offset}`, text: expect.stringContaining(words) });
  });
});

test("explain tells of every rule what it came to", () => {
  const settings = { any: [{ scopes: ["x"] }, { match: { "path.orderId": "jwt.order" } }] };
  const check = onlyCheck(compileFilter(authorizeFilter, settings));
  const text = check.explain(withClaims({ order: "7" }, ["7"]));
  expect(text).toContain("any[0].scopes (scopes x) does not hold: scopes (none)");
  expect(text).toContain("any[1].match.path.orderId (path.orderId equal to jwt.order) holds");
});
