// Goal: a version is read where no service could read another, what makes no sense of `versions` is told at load, and the routes of
// one version are no other's.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AMBIGUOUS, MediaVersions } from "../../src/filters/versions/media-versions.ts";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import { OwnAnswer } from "../../src/proxy/own-page.ts";
import { judgePreflight } from "../../src/proxy/preflight.ts";
import { serviceRequest } from "../../src/proxy/service-request.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { policyWith, problemsOf, snapshotOf, warningsOf } from "../policy/policy-kit.ts";

const FROM = "versions: { from: [{ header: Api-Version }, { query: v }], default: '1' }";

/** A policy with routes, each `path version more`. */
function policyOf(versions: string, ...routes: readonly string[]): string {
  const lines = routes.map((route) => {
    const [path = "", version = "", ...more] = route.split(" ");
    const own = version === "-" ? "" : `, version: ${version}`;
    return `  - { path: '${path}', public: true${own}${more.length === 0 ? "" : `, ${more.join(" ")}`} }`;
  });
  return policyWith([versions, "routes:", ...lines].join("\n"));
}

interface Asked {
  readonly method?: string;
  readonly headers?: readonly (readonly [string, string])[];
}

/** Which route takes it, as `LINE version`, or why none. */
function ask({ versions, routes }: Snapshot, target: string, { method = "GET", headers = [] }: Asked = {}): string {
  const [path = "", query] = target.split("?");
  const exchange = createExchange({ path, query: query === undefined ? "" : `?${query}`, headers, method });
  const match = (versions?.routesFor(exchange) ?? routes).match(exchange.host, method, path);
  if (match.kind === "not_found") return match.kind;
  const verdict = versions?.judge(exchange, match.route) ?? null;
  if (verdict !== null) return verdict.reason;
  return match.kind === "found" ? `${match.route.place.line} ${exchange.version}` : match.kind;
}

describe("a media type", () => {
  const media = new MediaVersions([
    "version",
    "application/vnd.acme.v{version}+json",
    "application/vnd.acme.v{version}+xml",
  ]);
  test.each([
    ["application/json;version=2", "2"],
    ["application/json; Version=2.1 ;charset=utf-8", "2.1"],
    ['application/json;version="2"', "2"],
    ["application/vnd.acme.v2+json", "2"],
    ["Application/Vnd.Acme.V2+JSON", "2"],
    ["application/vnd.acme.v2026-10-01+xml", "2026-10-01"],
    ["application/vnd.acme.v2+json, application/vnd.acme.v2+xml;q=0.5", "2"],
    ["application/vnd.acme.v2+json, application/problem+json, */*;q=0.1", "2"],
    ["application/json;version=2;q=0.8, */*;q=0.1", "2"],
    ["*/*", null],
    ["application/json;version", null],
    ["text/html, application/xml;q=0.9, */*;q=0.8", null],
    ["application/vnd.other.v2+json", null],
    ['text/plain;x="a,b', null],
    ["", null],
  ])("%s names %s", (text, version) => expect(media.read(text)).toBe(version));

  test.each([
    "application/json;version=1;version=2",
    "application/json;version=1, application/json;version=2",
    "application/json, application/json;version=2",
    "application/json;version=2;q=0.1, application/json",
    "application/json;version=2;q=0",
    "application/json;version=",
    "application/json;version =2",
    "application/json;version*=UTF-8''2",
    "application/json;xversion=2",
    'application/json;x="version=2"',
    'application/json;x="version=2";version=1',
    'application/json;version="2,3"',
    'application/json;version="\\2"',
    "application/vnd.acme.v2+json;version=1",
    "application/vnd.acme.v2",
    "application/vnd.acme.v2+yaml",
    "text/vnd.acme.v2+json",
    "application/vnd.acme.v1+json;x=vnd.acme.v2",
    "version=2",
    ", application/json;version=2",
    "application/json;version=2;q=2",
  ])("%s may be read in more than one way", (text) => expect(media.read(text)).toBe(AMBIGUOUS));

  test("a long field is read in steps that grow with its length alone", () => {
    for (const text of ["version*".repeat(4_000), `a/b${";version".repeat(4_000)}`, `version${" ".repeat(30_000)}`]) {
      expect(media.read(text)).toBeNull();
    }
  });
});

describe("a request", () => {
  test.each([
    ["/a", {}, "8 1"],
    ["/a?v=2", {}, "9 2"],
    ["/a?x=1&v=2", { headers: [["api-version", "2"]] }, "9 2"],
    ["/a?v=%32", {}, "9 2"],
    ["/a?vv=3&version=4&v2=1", {}, "8 1"],
    ["/a?v=2&v=2", {}, "version_ambiguous"],
    ["/a?x;v=2", {}, "version_ambiguous"],
    ["/a?v=1;v=2", {}, "version_ambiguous"],
    ["/a?V=2", {}, "version_ambiguous"],
    ["/a?_v=2", {}, "version_ambiguous"],
    ["/a?v[]=2", {}, "version_ambiguous"],
    ["/a?%76=1&v=1", {}, "version_ambiguous"],
    ["/a?v=", {}, "version_unknown"],
    ["/a?v", {}, "version_unknown"],
    ["/a?v=1%00", {}, "version_unknown"],
    ["/a", { headers: [["api-version", ""]] }, "version_unknown"],
    ["/a", { headers: [["api-version", "1, 2"]] }, "version_unknown"],
    ["/a", { headers: [["api-version", "01"]] }, "version_unknown"],
    ["/a", { headers: [["api.version", "2"]] }, "version_ambiguous"],
    ["/a", { headers: [["api-versions", "2"]] }, "8 1"],
  ] as const)("%s with %j is %s", async (target, asked, outcome) => {
    expect(ask(await snapshotOf(policyOf(FROM, "/a '1'", "/a '2'")), target, asked)).toBe(outcome);
  });

  test("the service gets the version that was judged, in headers or, without any, in the query", async () => {
    const told = async (versions: string, target: string, headers: readonly (readonly [string, string])[] = []) => {
      const snapshot = await snapshotOf(policyOf(versions, "/a '1'", "/a '2'"));
      const [path = "", query] = target.split("?");
      const exchange = createExchange({ path, query: query === undefined ? "" : `?${query}`, headers });
      const match = snapshot.versions?.routesFor(exchange).match("localhost", "GET", path);
      const upstream = snapshot.upstreams.get("app");
      if (match?.kind !== "found" || upstream === undefined) throw new Error("no route");
      expect(snapshot.versions?.judge(exchange, match.route)).toBeNull();
      // Judged again, as what lasts is after a reload, it is not told twice.
      expect(snapshot.versions?.judge(exchange, match.route)).toBeNull();
      const request = serviceRequest(exchange, match.route, upstream, null);
      return [request.target, ...request.lines.split("\r\n").filter((line) => /^(?:api|x)-version/.test(line))];
    };
    expect(await told(FROM, "/a")).toEqual(["/a", "api-version: 1"]);
    expect(await told(FROM, "/a?v=2")).toEqual(["/a?v=2", "api-version: 2"]);
    expect(await told(FROM, "/a", [["api-version", "2"]])).toEqual(["/a", "api-version: 2"]);
    const several = "versions: { from: [{ header: Api-Version }, { header: X-Version }], default: '1' }";
    expect(await told(several, "/a", [["x-version", "2"]])).toEqual(["/a", "api-version: 2", "x-version: 2"]);
    const query = "versions: { from: [{ query: v }, { mediaType: version }], default: '1' }";
    expect(await told(query, "/a")).toEqual(["/a?v=1"]);
    expect(await told(query, "/a?b=1&%76=2")).toEqual(["/a?b=1&v=2"]);
    expect(await told(query, "/a?b=1", [["accept", "application/json;version=2"]])).toEqual(["/a?b=1&v=2"]);
  });
});

describe("routes", () => {
  test("a path of one version is no broader route's in another, and no other host's", async () => {
    const snapshot = await snapshotOf(
      policyOf(
        FROM,
        "/a '1'",
        "/b '2' methods: [POST]",
        "/b '1' methods: [GET]",
        "/** -",
        "/a '2' hosts: [other.example]",
      ),
    );
    const two = { headers: [["api-version", "2"]] } as const;
    expect(ask(snapshot, "/a", two)).toBe("version_unknown");
    expect(ask(snapshot, "/a")).toBe("8 1");
    expect(ask(snapshot, "/a/", two)).toBe("version_unknown");
    expect(ask(snapshot, "/b", two)).toBe("method_not_allowed");
    expect(ask(snapshot, "/b", { method: "POST" })).toBe("method_not_allowed");
    expect(ask(snapshot, "/b", { ...two, method: "POST" })).toBe("9 2");
    expect(ask(snapshot, "/c", two)).toBe("11 null");
    expect(ask(snapshot, "/c?v=9")).toBe("11 null");
    expect(ask(snapshot, "/a?v=9")).toBe("version_unknown");
  });

  test("without a default who names none is refused where it matters", async () => {
    const snapshot = await snapshotOf(policyOf("versions: { from: [{ header: V }] }", "/a ['1','2']", "/** -"));
    expect([ask(snapshot, "/a"), ask(snapshot, "/b")]).toEqual(["version_missing", "9 null"]);
    expect(ask(snapshot, "/a", { headers: [["v", "2"]] })).toBe("8 2");
  });

  test("a policy without the section has no trees but one", async () => {
    expect((await snapshotOf(policyOf("", "/a -"))).versions).toBeNull();
  });

  test("two of one version and path are a problem, two of different ones are none", async () => {
    expect(await problemsOf(policyOf(FROM, "/a '1'", "/a '2'", "/a ['1','3']"))).toEqual([
      "10:5 no request reaches this: the route '/a' at line 8 takes the usual methods of this path already",
    ]);
    expect((await problemsOf(policyOf(FROM, "/a -", "/a '1'"))).join()).toMatch(/^9:5 no request reaches this/);
  });

  test("a broad route of one version loses no method to a path of another", async () => {
    expect((await warningsOf(policyOf(FROM, "/** '1'", "/a '2' methods: [GET]"))).join()).not.toMatch(
      /not of every path/,
    );
    expect((await warningsOf(policyOf(FROM, "/** '1'", "/a '1' methods: [GET]"))).join()).toMatch(/not of every path/);
  });
});

describe("what makes no sense", () => {
  test.each([
    [policyOf("", "/a '1'"), /nothing says where requests name their version; expected a section 'versions'/],
    [policyOf(FROM, "/a 1"), /expected a version in quotes, as in '2' or '2024-01-01'/],
    [policyOf(FROM, "/a 'a b'"), /./],
    [policyOf("versions: { from: [] }", "/a '1'"), /expected at least one place/],
    [policyOf("versions: { from: [{}] }", "/a '1'"), /expected one of: header, query, mediaType/],
    [policyOf("versions: { from: [{ header: V, query: v }] }", "/a '1'"), /expected one of: header, query, mediaType/],
    [policyOf("versions: { from: [{ heade: V }] }", "/a '1'"), /did you mean 'header'\?/],
    [policyOf("versions: { from: [{ header: Accept }] }", "/a '1'"), /'accept' has a meaning of its own/],
    [policyOf("versions: { from: [{ header: X-Forwarded-For }] }", "/a '1'"), /has a meaning of its own/],
    [policyOf("versions: { from: [{ header: Api_Version }] }", "/a '1'"), /arrives otherwise at some services/],
    [policyOf("versions: { from: [{ mediaType: 'a/{version}' }] }", "/a '1'"), /expected the name of a parameter/],
    [
      policyOf("versions: { from: [{ header: V }], default: '2' }", "/a '1'"),
      /no route has version '2'; did you mean '1'\?/,
    ],
  ])("%s", async (policy, text) => expect((await problemsOf(policy)).join("\n")).toMatch(text));

  test.each([
    [policyOf("versions: { from: [{ mediaType: version }], default: '1' }", "/a '1'"), /cannot be told the default/],
    [policyOf("versions: { from: [{ header: V }] }", "/a -"), /no route has a 'version'/],
    [policyOf(FROM, "/a '1' request: { setHeaders: { Api-Version: '2' } }"), /has no say in api-version/],
  ])("%s is a warning", async (policy, text) => expect((await warningsOf(policy)).join("\n")).toMatch(text));
});

describe("a preflight", () => {
  const ORIGIN = "https://app.example.org";
  const preflight = async (policy: string, path: string, asked: string | null, query = "") => {
    const headers = [
      ["origin", ORIGIN],
      ["access-control-request-method", "PUT"],
      ...(asked === null ? [] : [["access-control-request-headers", asked] as const]),
    ] as const;
    const exchange = createExchange({ method: "OPTIONS", path, query, headers });
    const answer = judgePreflight({ snapshot: await snapshotOf(policy), exchange, route: null });
    if (!(answer instanceof OwnAnswer)) return answer?.reason ?? null;
    return answer.headers.get("access-control-allow-headers");
  };
  const cors = (origin: string, ...headers: readonly string[]): string =>
    `cors: { origins: ['${origin}'], headers: [${headers.join()}] }`;
  const policy = policyOf(
    FROM,
    `/a '1' ${cors(ORIGIN, "X-A", "X-B")}`,
    `/a '2' ${cors("*", "X-B", "X-C")}`,
    `/b '1' ${cors(ORIGIN)}`,
    `/b '2' ${cors("https://other.example.org")}`,
    `/c '1' ${cors(ORIGIN)}`,
    "/c '2'",
  );

  test("that tells the header's name is for every version that has the path, with what all let pass", async () => {
    expect(await preflight(policy, "/a", "api-version")).toBe("api-version, content-type, x-b");
    expect(await preflight(policy, "/b", "api-version")).toBe("origin_denied");
    expect(await preflight(policy, "/c", "x-a, api-version")).toBeNull();
  });

  test("that does not is for the default, or for what its query names", async () => {
    expect(await preflight(policy, "/b", null)).toBe("api-version, content-type");
    expect(await preflight(policy, "/a", "x-c", "?v=2")).toBe("api-version, content-type, x-b, x-c");
    expect(await preflight(policy, "/b", "api-version", "?v=2")).toBe("origin_denied");
    expect(await preflight(policy, "/a", null, "?v=2&v=1")).toBeNull();
    expect(await preflight(policy, "/a", null, "?v=9")).toBeNull();
  });
});

/** What services do with a head, each in its own way: every text that one of them takes for the version. */
function naiveReadings(target: string, lines: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const line of lines) {
    const [name = "", value = ""] = line.split(/: ?(.*)/, 2);
    if (name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_") === "API_VERSION") found.push(value);
    if (/^(?:accept|content-type)$/i.test(name)) {
      for (const [, text = ""] of value.matchAll(/version\s*=\s*"?([^;,"\s]*)/gi)) found.push(text);
    }
  }
  for (const pair of (target.split("?")[1] ?? "").split(/[&;]/)) {
    const [name = "", value = ""] = pair.split("=", 2).map((text) => decodeURIComponent(text.replaceAll("+", " ")));
    const [folded] = name.trimStart().toLowerCase().replaceAll(/[-. ]/g, "_").split("[", 1);
    if (folded === "api_version") found.push(value);
  }
  return found;
}

test("whatever passes, every service reads the version that was judged, and each is told it", async () => {
  const sources = "{ header: Api-Version }, { query: api-version }, { mediaType: version }";
  const snapshot = await snapshotOf(policyOf(`versions: { from: [${sources}], default: '1' }`, "/a '1'", "/a '2'"));
  const upstream = snapshot.upstreams.get("app");
  if (upstream === undefined) throw new Error("no upstream");
  const version = fc.constantFrom("1", "2", "1", "2", "3", "", "1, 2", '"2"');
  const header = fc.tuple(fc.constantFrom("api-version", "api-version", "api_version", "api.version"), version);
  const media = fc
    .array(fc.tuple(fc.constantFrom(";version=", ";Version=", ";q=0.5;version=", ";x=", ";xversion="), version))
    .map((parts) => parts.map(([mark, text]) => `a/b${mark}${text}`).join(", "));
  const accept = fc.tuple(fc.constantFrom("accept", "content-type"), media);
  const parameter = fc
    .tuple(
      fc.constantFrom(
        "api-version",
        "api-version",
        "%61pi-version",
        "API-VERSION",
        "api.version",
        "api-version[]",
        "b",
      ),
      version,
    )
    .map(([name, text]) => `${name}=${encodeURIComponent(text)}`);
  const query = fc.tuple(fc.array(parameter, { maxLength: 2 }), fc.constantFrom("&", "&", ";"));
  let passed = 0;
  fc.assert(
    fc.property(fc.array(fc.oneof(header, accept), { maxLength: 2 }), query, (headers, [pairs, between]) => {
      const text = pairs.length === 0 ? "" : `?${pairs.join(between)}`;
      const exchange = createExchange({ path: "/a", query: text, headers });
      const match = snapshot.versions?.routesFor(exchange).match(exchange.host, "GET", "/a");
      if (match?.kind !== "found" || snapshot.versions?.judge(exchange, match.route) !== null) return;
      passed++;
      const request = serviceRequest(exchange, match.route, upstream, null);
      const read = new Set(naiveReadings(request.target, request.lines.split("\r\n")));
      expect([...read]).toEqual([exchange.version]);
      expect(match.route.versions).toEqual([exchange.version]);
    }),
    { numRuns: 3_000, seed: 14 },
  );
  expect(passed).toBeGreaterThan(300);
});
