import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { addressFilter } from "../../src/filters/address/compile.ts";
import type { AddressSettings } from "../../src/filters/address/schema.ts";
import type { RouteContext } from "../../src/filters/filter.ts";
import { REGISTRY } from "../../src/filters/index.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { examine, fixedClock, PUBLIC_ROUTE, policyWith, routeOf, snapshotOf } from "./policy-kit.ts";

const SHA256 = createHash("sha256").update("test-key").digest("hex");
const KEYS = { "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: '${SHA256}' }] }]\n` };
const AUTHENTICATORS = `authenticators:
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
  others: { type: api-key, header: X-Other-Key, keys: keys.yaml }
`;

describe("defaults", () => {
  test("address rules of the defaults judge every request, and stand in no route a second time", async () => {
    const snapshot = await snapshotOf(
      policyWith(`
defaults: { address: { deny: [192.0.2.1] } }
routes:
  - { path: /a, public: true, address: { allow: [198.51.100.0/24] } }
  - { path: /b, public: true }`),
    );
    expect(snapshot.admitChecks.map(({ place }) => place.path)).toEqual(["defaults.address"]);
    expect(routeOf(snapshot, "/a").checks.map(({ place }) => place.path)).toEqual(["routes[0].address"]);
    expect(routeOf(snapshot, "/b").checks).toEqual([]);
  });

  test("limits that need a caller go into each route, the cheap ones before the match", async () => {
    const snapshot = await snapshotOf(
      policyWith(`
limits:
  perAddress: { rate: 5/second, key: client.address }
  perCaller: { rate: 5/second, key: principal }
defaults: { limit: [perAddress, perCaller] }
${PUBLIC_ROUTE}`),
    );
    expect(snapshot.admitChecks.map(({ place }) => place.path)).toEqual(["defaults.limit[0]"]);
    expect(routeOf(snapshot, "/").checks.map(({ place }) => place.path)).toEqual(["defaults.limit[1]"]);
  });

  test("a limit by route in the defaults counts each route apart", async () => {
    const snapshot = await snapshotOf(
      policyWith(`
limits: { each: { rate: 1/day, key: route } }
defaults: { limit: [each] }
routes: [{ path: /a, public: true }, { path: /b, public: true }]`),
    );
    const judge = (template: string) => routeOf(snapshot, template).checks[0]?.evaluate(createExchange());
    expect(judge("/a")).toBeNull();
    expect(judge("/b")).toBeNull();
    expect(judge("/a")).toMatchObject({ reason: "rate_limited" });
  });

  test("public beats the authenticators of the defaults, and their authorization", async () => {
    const snapshot = await snapshotOf(
      policyWith(`
${AUTHENTICATORS}defaults: { authenticate: [partners, others], authorize: { scopes: [read] } }
routes: [{ path: /open, public: true }, { path: /closed }]`),
      KEYS,
    );
    expect(routeOf(snapshot, "/open").isPublic).toBe(true);
    expect(routeOf(snapshot, "/open").checks).toEqual([]);
    expect(routeOf(snapshot, "/closed").checks.map(({ name }) => name)).toEqual(["authenticate", "authorize"]);
  });

  test("a route overrides the defaults key by key, and lists whole", async () => {
    const snapshot = await snapshotOf(
      policyWith(`
defaults: { response: { removeHeaders: [X-One], securityHeaders: 'off' } }
routes:
  - { path: /a, public: true }
  - { path: /b, public: true, response: { removeHeaders: [X-Two] } }`),
    );
    const answer = new HeaderBlock(["x-one", "x-two"], ["1", "2"]);
    expect(routeOf(snapshot, "/a").rewriteResponse(answer, false)).toBe("x-two: 2\r\n");
    expect(routeOf(snapshot, "/b").rewriteResponse(answer, false)).toBe("x-one: 1\r\n");
    expect(snapshot.rewriteResponse(answer, false)).toBe("x-two: 2\r\n");
  });

  test("a problem in merged settings stands where its key was written", async () => {
    const { problems } = await examine(
      policyWith(`
defaults:
  response: { securityHeaders: apy }
routes:
  - path: /a
    public: true
    response: { removeHeaders: [Bad Name] }`),
    );
    expect(problems.map(({ place }) => `${place.line} ${place.path}`)).toEqual([
      "7 defaults.response.securityHeaders",
      "11 routes[0].response.removeHeaders[0]",
    ]);
  });
});

describe("routes", () => {
  test("checks stand in the order of the phases, whatever the order of the keys", async () => {
    const snapshot = await snapshotOf(
      policyWith(`
${AUTHENTICATORS}limits: { perCaller: { rate: 5/second, key: principal }, perAddress: { rate: 5/second, key: client.address } }
routes:
  - path: /a
    limit: [perCaller, perAddress]
    authorize: { scopes: [a] }
    authenticate: [partners, others]
    address: { deny: [192.0.2.1] }`),
      KEYS,
    );
    expect(routeOf(snapshot, "/a").checks.map(({ phase }) => phase)).toEqual([
      "admit",
      "admit",
      "authenticate",
      "authorize",
      "limit",
    ]);
  });

  test("credentials for any authenticator stay with postern, also on routes that do not ask for them", async () => {
    const snapshot = await snapshotOf(
      policyWith(
        `${AUTHENTICATORS}routes: [{ path: /a, authenticate: [partners, others] }, { path: /open, public: true }]`,
      ),
      KEYS,
    );
    const sent = new HeaderBlock(
      ["authorization", "x-api-key", "x-other-key", "x-mine"],
      ["Bearer secret", "secret", "secret", "kept"],
    );
    const forwarded = routeOf(snapshot, "/open").rewriteRequest(sent, createExchange());
    expect(forwarded).toContain("x-mine: kept\r\n");
    expect(forwarded).not.toContain("secret");
  });

  test("the tree finds what the list holds", async () => {
    const snapshot = await snapshotOf(policyWith("routes: [{ path: '/a/{id}', methods: [GET], public: true }]"));
    const match = snapshot.routes.match("any.example.org", "GET", "/a/1");
    expect(match).toMatchObject({ kind: "found", route: snapshot.routeList[0], params: ["1"] });
    expect(snapshot.routes.match("x", "GET", "/b").kind).toBe("not_found");
  });
});

describe("listeners and upstreams", () => {
  test("what the policy leaves out has the product's defaults", async () => {
    const snapshot = await snapshotOf(policyWith(PUBLIC_ROUTE));
    expect(snapshot.listeners).toMatchObject([
      {
        name: "inbound",
        address: { type: "tcp", host: "127.0.0.1", port: 8080 },
        tls: null,
        trustedProxies: null,
        upstream: "app",
        headBytesMax: DEFAULTS.headBytesMax,
        headTimeoutMs: DEFAULTS.headTimeoutMs,
      },
    ]);
    expect(snapshot.upstreams.get("app")).toMatchObject({ connectTimeoutMs: 1000, responseTimeoutMs: 30_000 });
    expect(snapshot.admin).toMatchObject({ address: null, probes: null });
    expect(snapshot.log).toEqual({ access: "all" });
    expect(Object.isFrozen(snapshot)).toBe(true);
  });

  test("trusted proxies may be trusted to name the host", async () => {
    const listener = "{ name: a, address: 127.0.0.1:1, trustedProxies: [10.0.0.0/8], forwardedHost: trusted }";
    expect((await snapshotOf(policyWith(PUBLIC_ROUTE, { listener }))).listeners[0]?.trustsForwardedHost).toBe(true);
    expect((await snapshotOf(policyWith(PUBLIC_ROUTE))).listeners[0]?.trustsForwardedHost).toBe(false);
  });

  test("an upstream without port is port 80, and names become lower case", async () => {
    const snapshot = await snapshotOf(policyWith(PUBLIC_ROUTE, { upstream: "http://App.local" }));
    expect(snapshot.upstreams.get("app")?.address).toEqual({ type: "tcp", host: "app.local", port: 80 });
    expect(snapshot.warnings.map(({ text }) => text)).toEqual([
      expect.stringContaining("plain HTTP to another machine"),
    ]);
  });
});

describe("the hash", () => {
  const text = policyWith(`defaults: { address: { denyFile: bad.txt } }\n${PUBLIC_ROUTE}`);

  test("changes with the policy and with every file that it names, and with nothing else", async () => {
    const one = await snapshotOf(text, { "bad.txt": "192.0.2.1\n", "unnamed.txt": "x" });
    const same = await snapshotOf(text, { "bad.txt": "192.0.2.1\n" });
    const otherFile = await snapshotOf(text, { "bad.txt": "192.0.2.2\n" });
    const otherText = await snapshotOf(`${text}\n# comment`, { "bad.txt": "192.0.2.1\n" });
    expect(one.hash).toMatch(/^[0-9a-f]{16}$/);
    expect(same.hash).toBe(one.hash);
    expect(new Set([one.hash, otherFile.hash, otherText.hash]).size).toBe(3);
    expect(one.files).toEqual(["/srv/conf/policy.yaml", "/srv/conf/bad.txt"]);
  });

  test("a file that is missing is among those to watch", async () => {
    const { snapshot, files } = await examine(text);
    expect(snapshot).toBeNull();
    expect(files).toContain("/srv/conf/bad.txt");
  });
});

test("a snapshot does not keep the parsed policy alive: late questions for places are refused, not answered", async () => {
  let late: (() => unknown) | null = null;
  const nosy = {
    ...addressFilter,
    compile: (settings: unknown, context: RouteContext) => {
      late = () => context.place();
      addressFilter.compile(settings as AddressSettings, context);
    },
  };
  const registry = { ...REGISTRY, filters: [nosy] };
  await examine(policyWith(`defaults: { address: { deny: [192.0.2.1] } }\n${PUBLIC_ROUTE}`), {}, fixedClock, registry);
  expect(late).toThrow("only while the policy compiles");
});

test("a stage that fails is a problem, not an end of the process, and quotes nothing", async () => {
  const broken = {
    ...addressFilter,
    compile: () => {
      throw new Error("root:secret");
    },
  };
  const registry = { ...REGISTRY, filters: [broken] };
  const text = policyWith(`defaults: { address: { deny: [192.0.2.1] } }\n${PUBLIC_ROUTE}`);
  const { snapshot, problems } = await examine(text, {}, fixedClock, registry);
  expect(snapshot).toBeNull();
  expect(problems.map((problem) => problem.text)).toEqual(["stage 'compileDefaults' failed: Error"]);
});
