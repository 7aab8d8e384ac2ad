import { expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import type { Principal } from "../../src/message/principal.ts";
import { FactsMaker, type FinishedRequest } from "../../src/records/make-facts.ts";
import { readFacts } from "../../src/records/read-facts.ts";
import { REDACTED } from "../../src/support/mask-tokens.ts";
import { certificateOf } from "../fixtures/certificate.ts";
import { exchangeOf } from "../fixtures/telemetry.ts";

const PLACE = { file: 'a "policy".yaml', line: 1, column: 2, path: "routes[0]" };
const TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl";
const maker = new FactsMaker({
  claims: [{ text: "tenant", path: ["tenant"] }],
  headers: new Set(["x-region"]),
  query: new Set(["sort"]),
});

/** Of GET `target` with these headers, which was allowed, and whatever is other. */
function finished(
  target: string,
  lines: readonly (readonly [string, string])[],
  changes: Partial<FinishedRequest> = {},
) {
  const exchange = exchangeOf("GET", target);
  exchange.headers = new HeaderBlock(
    lines.map(([name]) => name),
    lines.map(([, value]) => value),
  );
  return {
    id: "abcdefgh-1",
    listener: 'in "1"',
    route: "/é",
    protocol: "http/1.1",
    policyHash: "0123456789abcdef",
    exchange,
    clientAddress: "2001:db8::1",
    status: 200,
    grpcStatus: null,
    reason: null,
    denial: null,
    decisionMs: 0.020_56,
    upstreamMs: 1.5,
    durationMs: 2.25,
    requestBodyBytes: 0,
    responseBodyBytes: 12,
    denied: false,
    ...changes,
  } satisfies FinishedRequest;
}

function factsOf(request: FinishedRequest) {
  const { text } = maker.make(request, PLACE, 1_700_000_000_000.4);
  expect(text).not.toContain("\n");
  const read = readFacts(JSON.parse(text));
  // What is remembered of it is the same.
  expect(maker.make(request, PLACE, 1_700_000_000_000.4).text).toBe(text);
  if (!read.ok) throw new Error(read.error);
  return read.value;
}

test("a request that was allowed is one line that is read back", () => {
  const facts = factsOf(
    finished(`/orders/${TOKEN}`, [
      ["host", "x"],
      ["accept", 'a/b;q="1"'],
      ["x-é\u2028", "secret"],
      ["x-region", "eu"],
    ]),
  );
  expect(facts).toMatchObject({
    v: 1,
    id: "abcdefgh-1",
    atMs: 1_700_000_000_000,
    listener: 'in "1"',
    client: "2001:db8::1",
    method: "GET",
    path: `/orders/${REDACTED}`,
    query: ["secret"],
    headers: ["host", 'accept: a/b;q="1"', "x-é\ufffd", "x-region: eu"],
    route: "/é",
    place: 'a "policy".yaml:1:2',
    principal: null,
    certificate: null,
    verdict: "allow",
    reason: null,
    denial: null,
    audited: [],
    decisionUs: 20.6,
    upstreamMs: 1.5,
    durationMs: 2.25,
    policyHash: "0123456789abcdef",
  });
});

test("a denial has its places, its caller and its certificate, and what is audited", () => {
  const denial = new Denial("scope_missing", PLACE, `the key ${TOKEN}\u001b[2J`, "é");
  const request = finished("/", [], { reason: "scope_missing", denial, denied: true, upstreamMs: -1, status: 403 });
  request.exchange.audited = [denial, new Denial("rate_limited", null, "1", "2")];
  request.exchange.certificate = certificateOf({ subject: 'CN=a\\"b' });
  request.exchange.principal = {
    authenticator: "okta",
    type: "jwt",
    id: 'u"1',
    key: "okta/u1",
    scopes: new Set(["a"]),
    claims: { sub: "u1", tenant: ["a", 1, true], password: "secret" },
    expiresAtMs: 0,
  };
  const told = { reason: "scope_missing", place: 'a "policy".yaml:1:2', rule: "routes[0]", wanted: "é" };
  expect(factsOf(request)).toMatchObject({
    verdict: "deny",
    reason: "scope_missing",
    denial: { ...told, seen: expect.stringContaining(`the key ${REDACTED}`) },
    audited: [told, { reason: "rate_limited", place: null, rule: null, seen: "1", wanted: "2" }],
    upstreamMs: null,
    principal: {
      id: 'u"1',
      scopes: ["a"],
      claimNames: ["sub", "tenant", "password"],
      claims: { tenant: ["a", 1, true] },
    },
    certificate: { subject: 'CN=a\\"b' },
  });
});

test("a path of any length is cut, and its masks hold", () => {
  expect(factsOf(finished(`/${"a/".repeat(5_000)}`, [])).path).toMatch(/^\/(a\/)+a?…$/);
  for (const usual of ["/v1/orders/1234567890123456", "/o/6f1c1a52-54f3-4c61-9a35-0d6e5f1f2a77/items/"])
    expect(factsOf(finished(usual, [])).path).toBe(usual);
  expect(factsOf(finished(`/1234567890123456/${TOKEN}`, [])).path).toBe(`/1234567890123456/${REDACTED}`);
});

test("of a query it has names, and of what kind and size values are; values of those alone that the policy shows", () => {
  const asked = (query: string): FinishedRequest => {
    const request = finished("/", []);
    const { target } = request.exchange;
    Object.assign(request.exchange, { target: { ...target, query } });
    return request;
  };
  const many = "?page=12&sort=price&q=o%27hara+%3Cb%3E&at=2026-11-30&flag=true&key=";
  const { query, shapes, values } = factsOf(asked(`${many}${TOKEN}&empty=&n=-5.25&sort=%22`));
  expect(query).toEqual(["page", "sort", "q", "at", "flag", "key", "empty", "n", "sort"]);
  expect(shapes?.join(" ")).toBe("integer:2 name:8 text:16 date boolean token:64 empty decimal:-1 text:8");
  expect(values).toEqual([null, "price", null, null, null, null, null, null, '"']);
  expect(factsOf(asked(`?sort=${TOKEN}`)).values).toEqual([REDACTED]);
  expect(factsOf(asked("?q=hunter2"))).not.toHaveProperty("values");
});

function principalOf(id: string): Principal {
  const claims = {};
  const key = `idp/${id}`;
  return { authenticator: "idp", type: "jwt", id, key, scopes: new Set(["read"]), claims, expiresAtMs: 0 };
}

test("what a connection's requests share is told anew when any of it is another", () => {
  const blocks = [new HeaderBlock(["host"], ["x"]), new HeaderBlock(["host", "accept"], ["x", "*/*"])];
  const principals = [null, principalOf("a"), principalOf("b")];
  const certificates = [null, certificateOf({})];
  const places = [PLACE, { ...PLACE, line: 2 }];
  const settings = { claims: [], headers: new Set<string>(), query: new Set<string>() };
  const remembers = new FactsMaker(settings);
  const { connection } = finished("/", []).exchange;
  // Each step changes one thing of the request before, or none: what was kept for another must not be told.
  const picks: number[] = Array.from({ length: 10 }, () => 0);
  for (let step = 0; step < 500; step++) {
    const which = (step * 7) % (picks.length + 3);
    if (which < picks.length) picks[which] = (picks[which] ?? 0) + 1;
    const pick = <T>(at: number, of: readonly T[]): T => of[(picks[at] ?? 0) % of.length] as T;
    const request = finished(pick(0, ["/a", "/b"]), [], {
      clientAddress: pick(1, ["192.0.2.1", "192.0.2.2"]),
      listener: pick(2, ["one", "two"]),
      route: pick(3, ["/r", "/s"]),
      id: `id-${step}`,
    });
    const exchange = Object.assign(exchangeOf(pick(4, ["GET", "PUT"]), pick(0, ["/a", "/b"])), {
      host: pick(5, ["x", "y"]),
      headers: pick(6, blocks),
      principal: pick(7, principals),
      certificate: pick(8, certificates),
      version: step % 50 === 49 ? "2" : null,
      target: { path: pick(0, ["/a", "/b"]), query: step % 40 === 39 ? "?q=1" : "" },
      connection,
    });
    const place = pick(9, places);
    const told = remembers.make({ ...request, exchange }, place, step).text;
    expect(told).toBe(new FactsMaker(settings).make({ ...request, exchange }, place, step).text);
  }
});
