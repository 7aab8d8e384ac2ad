// Goal: a route ends when the policy says so and no millisecond before, brown-outs come and go, exceptions last as long as they are
// to, and what does not make sense is told at load.
// Method: compiled policies judged with a clock that is moved.
import { expect, test } from "vitest";
import { EndDenial } from "../../src/decision/verdict.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import type { Route } from "../../src/policy/snapshot.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { examine, fixedClock, policyWith, problemsOf, routeOf, warningsOf } from "../policy/policy-kit.ts";

const KEYS = { "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]` };
const policy = (deprecated: string): string =>
  policyWith(`authenticators: { partners: { type: api-key, header: X-Key, keys: keys.yaml } }
routes: [{ path: /v0/**, authenticate: [partners], deprecated: ${deprecated} }]`);

async function ending(deprecated: string) {
  const clock = { monotonicMs: () => 0, wallMs: () => nowMs };
  let nowMs = fixedClock.wallMs();
  const { snapshot, problems } = await examine(policy(deprecated), KEYS, clock);
  if (snapshot === null) throw new Error(JSON.stringify(problems));
  const route = routeOf(snapshot, "/v0/**");
  const ask = async (at: string, caller = "other") => {
    nowMs = Date.parse(at);
    return judge(route, createExchange({ principal: createPrincipal({ id: caller, key: `partners/${caller}` }) }));
  };
  return { route, ask };
}

async function judge({ checks }: Route, exchange: Exchange) {
  for (const check of checks.filter(({ name }) => name === "deprecated")) {
    const denial = await check.evaluate(exchange);
    if (denial !== null) return { denial, outcome: exchange.deprecated };
  }
  return { denial: null, outcome: exchange.deprecated };
}

test("it ends at its sunset, and answers say so before", async () => {
  const { route, ask } = await ending(
    "{ since: 2026-01-01, sunset: 2027-01-01, successor: /v1/, announcement: 'https://example.org/news' }",
  );
  expect(await ask("2026-12-31T23:59:59.999Z")).toEqual({ denial: null, outcome: "served" });
  const { denial, outcome } = await ask("2027-01-01T00:00:00Z");
  expect(outcome).toBe("ended");
  expect(denial).toBeInstanceOf(EndDenial);
  expect(denial).toMatchObject({
    reason: "version_ended",
    place: { path: "routes[0].deprecated.sunset" },
    members: { sunset: "2027-01-01T00:00:00Z", successor: "/v1/", announcement: "https://example.org/news" },
  });
  const lines = route.rewriteResponse(new HeaderBlock(["deprecation", "link"], ["true", '</a>; rel="next"']), true);
  expect(lines).not.toContain("deprecation: true");
  expect(lines.split("\r\n")).toEqual(
    expect.arrayContaining([
      "deprecation: @1767225600",
      "sunset: Fri, 01 Jan 2027 00:00:00 GMT",
      'link: </a>; rel="next"',
      'link: </v1/>; rel="successor-version"',
      'link: <https://example.org/news>; rel="deprecation"',
      'link: <https://example.org/news>; rel="sunset"',
    ]),
  );
});

test("a brown-out has a beginning and an end, and tells how long it lasts", async () => {
  const { ask } = await ending(
    "{ sunset: 2027-01-01, brownouts: ['2026-12-01T09:00Z/PT15M', '2026-12-02T09:00:00+01:00/2026-12-02T09:30+01:00'] }",
  );
  expect((await ask("2026-12-01T08:59:59.999Z")).outcome).toBe("served");
  const { denial, outcome } = await ask("2026-12-01T09:00:00.500Z");
  expect([denial?.reason, outcome, denial?.headers]).toEqual([
    "version_brownout",
    "brownout",
    [["retry-after", "900"]],
  ]);
  expect((await ask("2026-12-01T09:15:00Z")).outcome).toBe("served");
  expect((await ask("2026-12-02T08:00:00Z")).denial?.reason).toBe("version_brownout");
  expect((await ask("2026-12-02T08:30:00Z")).denial).toBeNull();
});

test("an exception holds for its callers alone, until its own end", async () => {
  const { ask } = await ending(
    "{ sunset: 2026-12-01, brownouts: ['2026-11-01T09:00Z/PT1H'], except: [{ callers: [acme], until: 2027-03-31 }] }",
  );
  expect(await ask("2026-11-01T09:00:00Z", "acme")).toEqual({ denial: null, outcome: "excepted" });
  expect(await ask("2027-03-31T23:59:59Z", "acme")).toEqual({ denial: null, outcome: "excepted" });
  expect((await ask("2027-03-31T23:59:59Z", "acme2")).denial?.reason).toBe("version_ended");
  expect((await ask("2027-04-01T00:00:00Z", "acme")).denial?.reason).toBe("version_ended");
});

test("without a date there is nothing to tell but who asks", async () => {
  const { route, ask } = await ending("{}");
  expect((await ask("2126-12-01T00:00:00Z")).outcome).toBe("served");
  expect(route.rewriteResponse(new HeaderBlock([], []), true)).not.toMatch(/deprecation|sunset|link/);
});

test.each([
  [
    "{ since: 2027-01-02, sunset: 2027-01-01 }",
    /ends before it is deprecated; expected a 'sunset' that is not before 'since'/,
  ],
  ["{ since: 2027-02-30 }", /expected a date or a time with its zone/],
  ["{ brownouts: ['2026-12-01/PT1H'] }", /expected a beginning with its zone and a duration or an end/],
  ["{ brownouts: ['2026-12-01T09:00Z/PT0S'] }", /expected a beginning/],
  ["{ brownouts: ['2026-12-01T09:00Z/2026-12-01T08:00Z'] }", /expected a beginning/],
  ["{ brownouts: ['2026-12-01T09:00Z/P1M'] }", /expected a beginning/],
  ["{ successor: '//evil.example' }", /expected a path or an https URL/],
  ["{ successor: '/v1>; rel=x' }", /expected a path or an https URL/],
  ["{ announcement: 'javascript:alert(1)' }", /expected a path or an https URL/],
  ["{ sunsets: 2027-01-01 }", /unknown key 'sunsets'; did you mean 'sunset'\?/],
  ["{ except: [{ until: 2027-01-01 }] }", /the rule asks for nothing/],
  ["{ except: [{ callers: [acme] }] }", /until/],
  ["{ except: [{ when: 'body.total > 1', until: 2027-01-01 }] }", /the body is not known when this is judged/],
])("%s is a problem", async (deprecated, text) => {
  expect((await problemsOf(policy(deprecated), KEYS)).join("\n")).toMatch(text);
});

test.each([
  ["{ sunset: 2026-11-01 }", /it has ended, and nobody is excepted/],
  ["{ sunset: 2027-01-01, brownouts: ['2027-02-01T09:00Z/PT1H'] }", /reaches beyond 'sunset'/],
  ["{ since: 2026-12-10, brownouts: ['2026-12-05T09:00Z/PT1H'] }", /begins before 'since'/],
  [
    "{ sunset: 2026-11-01, except: [{ callers: [acme], until: 2026-11-05 }, { callers: [b], until: 2027-01-01 }] }",
    /this exception is over/,
  ],
  [
    "{ sunset: 2027-01-01, except: [{ callers: [acme], until: 2026-12-31 }] }",
    /ends before 'sunset', so it has no effect/,
  ],
  ["{ sunset: 2027-01-01, successor: /v9/ }", /no route of the policy serves the successor/],
])("%s is a warning", async (deprecated, text) => {
  expect((await warningsOf(policy(deprecated), KEYS)).join("\n")).toMatch(text);
});
