import { describe, expect, test } from "vitest";
import { PUBLIC_ROUTE, policyWith, problemsOf, warningsOf } from "./policy-kit.ts";

describe("keys and values", () => {
  test("an unknown key is named at its own place with the nearest that exists", async () => {
    expect(await problemsOf(policyWith("routes:\n  - { path: /a, pubic: true, public: true }"))).toEqual([
      "7:17 unknown key 'pubic'; did you mean 'public'?",
    ]);
  });

  test("a missing key is named at its parent", async () => {
    expect(await problemsOf(policyWith("routes:\n  - { public: true }"))).toEqual([
      expect.stringMatching(/^7:5 'path' is missing; expected: Path template/),
    ]);
  });

  test("all problems come in one pass, in the order of their lines", async () => {
    const problems = await problemsOf(
      policyWith(
        "limits:\n  a: { rate: 5, key: principal }\nroutes:\n  - { path: a, public: true }\n  - { path: /b }\n  - 5",
      ),
    );
    expect(problems).toEqual([
      "7:14 expected a rate: COUNT/second, /minute, /hour or /day, as in 50/second",
      "9:13 'a' is not a path; expected it to start with /, as in /v1/orders",
      "10:5 the route does not say who may use it; expected 'authenticate' or 'public: true'",
      "11:5 expected a mapping",
      "11:5 the route does not say who may use it; expected 'authenticate' or 'public: true'",
    ]);
  });

  test("one bad key of a listener does not hide another", async () => {
    const listener = "{ name: inbound, address: '0.0.0.0:80', headTimeout: 10, idleTimeout: 30d, maxHeadBytes: 1KB }";
    expect(await problemsOf(policyWith(PUBLIC_ROUTE, { listener }))).toEqual([
      expect.stringContaining("plain HTTP on an address that other machines reach"),
      "3:66 expected a duration: a number and one of ms, s, m, h, d, as in 30s",
      "3:83 expected a time of more than 0 and at most 24h",
      "3:102 expected 1KiB to 1MiB",
    ]);
  });

  test("numbers are no names", async () => {
    expect(await problemsOf(policyWith(`limits:\n  1: { rate: 5/second, key: principal }\n${PUBLIC_ROUTE}`))).toEqual([
      expect.stringMatching(/^7:3 '1' is not a name; expected a name: a letter/),
    ]);
  });

  test("problems say what kind of value stands there, never the value", async () => {
    const text = policyWith(
      `authenticators:\n  a: { type: hunter2 }\nlog: hunter2\nadmin: { address: hunter2 }\n${PUBLIC_ROUTE}`,
    );
    const problems = await problemsOf(text);
    expect(problems.length).toBeGreaterThan(2);
    expect(problems.join("\n")).not.toContain("hunter2");
  });

  test("another version of the language is refused", async () => {
    const text = policyWith(PUBLIC_ROUTE).replace("version: 1", "version: 2");
    expect(await problemsOf(text)).toEqual(["1:10 expected 1, the version of the policy language"]);
  });
});

describe("who may use a route", () => {
  const idp = "authenticators: { keys: { type: api-key, header: X-Key, keys: k.yaml } }\n";
  const files = { "k.yaml": "callers: []\n" };

  test("public as text is not public", async () => {
    expect(await problemsOf(policyWith('routes:\n  - { path: /a, public: "true" }'))).toEqual([
      "7:25 expected true, without quotes",
    ]);
    expect(await problemsOf(policyWith("routes:\n  - { path: /a, public: yes }"))).toEqual(["7:25 expected true"]);
    expect(await problemsOf(policyWith("routes:\n  - { path: /a, public: false }"))).toEqual([
      "7:25 expected true, not false",
    ]);
  });

  test("an empty list of authenticators is neither authentication nor leave to go without", async () => {
    const problems = await problemsOf(policyWith("routes:\n  - { path: /a, authenticate: [] }"));
    expect(problems).toEqual(["7:31 expected at least one authenticator"]);
    expect(await problemsOf(policyWith("routes:\n  - path: /a\n    authenticate:\n"))).not.toEqual([]);
  });

  test("a route cannot be public and authenticate", async () => {
    const text = policyWith(`${idp}routes:\n  - { path: /a, public: true, authenticate: [keys] }`);
    expect(await problemsOf(text, files)).toEqual(["8:17 both 'authenticate' and 'public'; expected one of them"]);
  });

  test("authorize on a public route is a problem, for it can never be met", async () => {
    const text = policyWith("routes:\n  - { path: /a, public: true, authorize: { scopes: [a] } }");
    expect(await problemsOf(text)).toEqual([expect.stringMatching(/^7:31 nobody authenticates on a public route/)]);
  });

  test("authorize alone does not say who may use a route", async () => {
    const text = policyWith("routes:\n  - { path: /a, authorize: { scopes: [a] } }");
    expect(await problemsOf(text)).toEqual([expect.stringMatching(/^7:5 the route does not say who may use it/)]);
  });

  test("an undefined authenticator is named with the nearest that exists", async () => {
    const text = policyWith(
      `${idp}routes:\n  - { path: /a, authenticate: [kesy] }\n  - { path: /b, authenticate: [keys] }`,
    );
    const [problem] = await problemsOf(text, files);
    expect(problem).toMatch(/^8:32 .*'kesy' is not defined/);
  });

  test("an authenticator that did not compile is not also reported where it is named", async () => {
    const text = policyWith(`${idp}routes:\n  - { path: /a, authenticate: [keys] }`);
    expect(await problemsOf(text)).toEqual(["6:63 'k.yaml' does not exist; expected a file, relative to the policy"]);
  });
});

describe("routes", () => {
  test("a route that an earlier one shadows is found, whatever its parameter is called", async () => {
    const text = policyWith(`
routes:
  - { path: '/a/{x}', methods: [GET, PUT], public: true }
  - { path: '/a/{y}', methods: [POST, PUT], public: true }`);
    expect(await problemsOf(text)).toEqual([
      "8:5 no request reaches this: the route '/a/{x}' at line 7 takes PUT of this path already",
    ]);
  });

  test("a WebSocket before a service that speaks h2, or on a route without GET, is refused where it stands", async () => {
    const route = (rest: string) => `
routes:
  - { path: /a, ${rest}, public: true, websocket: true }`;
    const h2 = policyWith(route("methods: [GET]")).replace("http://", "h2c://");
    expect(await problemsOf(h2)).toEqual([
      expect.stringMatching(/^7:\d+ a WebSocket goes on over HTTP\/1\.1, and upstream '\w+' speaks h2$/),
    ]);
    expect(await problemsOf(policyWith(route("methods: [POST]")))).toEqual([
      expect.stringContaining("a WebSocket begins with GET; expected GET in 'methods'"),
    ]);
    expect(await problemsOf(policyWith(route("methods: [GET]")))).toEqual([]);
  });

  test("the same path for other methods or hosts is no shadow", async () => {
    const text = policyWith(`
routes:
  - { path: /a, methods: [GET], public: true }
  - { path: /a, methods: [POST], public: true }
  - { path: /a, methods: [GET], hosts: [x.example.org], public: true }`);
    expect(await problemsOf(text)).toEqual([]);
  });

  test.each(["/a/../b", "/a//b", "/a%2fb", "/a/{x}y", "/**/a", "a", "/a?b", "/a;b\\c", "/a/{x}/{x}", ""])(
    "the template %j is refused",
    async (template) => {
      const problems = await problemsOf(policyWith(`routes:\n  - { path: '${template}', public: true }`));
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(/^7:13 /);
    },
  );

  test("methods in lower case, TRACE and CONNECT are refused; a likely slip is a warning", async () => {
    const text = policyWith("routes:\n  - { path: /a, public: true, methods: [get, TRACE, GTE] }");
    expect(await problemsOf(text)).toEqual([
      "7:41 expected a method in upper case, as in GET",
      "7:46 TRACE and CONNECT are never forwarded",
    ]);
    expect(await warningsOf(policyWith("routes:\n  - { path: /a, public: true, methods: [GTE] }"))).toEqual([
      "7:41 unusual method 'GTE'; did you mean 'GET'?",
    ]);
  });

  test("a limit in the defaults and in a route would count twice", async () => {
    const text = policyWith(`
limits: { perAddress: { rate: 5/second, key: client.address } }
defaults: { limit: [perAddress] }
routes:
  - { path: /a, public: true, limit: [perAddress] }`);
    expect(await problemsOf(text)).toEqual(["9:39 'perAddress' applies from 'defaults' already and would count twice"]);
  });

  test("a problem of the defaults is told once, not once a route", async () => {
    const text = policyWith(`
defaults: { response: { securityHeader: api } }
routes: [{ path: /a, public: true }, { path: /b, public: true }]`);
    expect(await problemsOf(text)).toEqual(["6:25 unknown key 'securityHeader'; did you mean 'securityHeaders'?"]);
  });
});

describe("names that nothing defines or uses", () => {
  test("upstreams of listeners and routes", async () => {
    const listener = "{ name: inbound, address: 127.0.0.1:8080, upstream: ap }";
    const text = policyWith("routes:\n  - { path: /a, public: true, upstream: other }", { listener });
    expect(await problemsOf(text)).toEqual([
      "3:65 no upstream 'ap' is defined; did you mean 'app'?",
      "7:41 no upstream 'other' is defined; expected one of: app",
    ]);
  });

  test("what is defined and never used is a warning", async () => {
    const text = policyWith(`limits:\n  spare: { rate: 5/second, key: principal }\n${PUBLIC_ROUTE}`);
    expect(await warningsOf(text)).toEqual(["7:3 'spare' is defined but nothing uses it"]);
  });
});

describe("scopes that a caller can never have", () => {
  const warnings = (rest: string) =>
    warningsOf(
      policyWith(`
authenticators:
  mesh: { type: client-certificate, trustDomain: example.org }
  keys: { type: api-key, header: X-Key, keys: k.yaml }
${rest}`),
      { "k.yaml": "callers: []\n" },
    ).then((all) => all.filter((text) => !/no listener asks|nothing uses it|only audits/.test(text)));
  const said = "a caller known by 'mesh' has no scopes, so this can never be met by it";

  test("are a warning at their place, for certificates say nothing of scopes", async () => {
    for (const authenticate of ["[mesh, keys]", "{ any: [keys, mesh], mode: audit }"]) {
      const route = `path: /a, authorize: { scopes: [read] }, authenticate: ${authenticate}`;
      expect(await warnings(`routes:\n  - { ${route} }`)).toEqual([`10:38 ${said}`]);
    }
  });

  test("also where all rules of a list have to be met, and where the defaults ask for them, once", async () => {
    const route = "authorize: { all: [{ roles: [a] }, { scopes: [read] }] }, authenticate: [mesh]";
    expect(await warnings(`routes:\n  - { path: /a, ${route} }`)).toEqual([`10:62 ${said}`]);
    const defaults = "defaults: { authorize: { scopes: [read] }, authenticate: [mesh] }";
    const routes = "routes: [{ path: /a }, { path: /b }, { path: /c, authenticate: [keys] }]";
    expect(await warnings(`${defaults}\n${routes}`)).toEqual([`9:34 ${said}`]);
  });

  test("are none where another rule may be met instead, nobody comes by certificate, or the route is public", async () => {
    const scopes = "authorize: { any: [{ scopes: [read] }, { spiffeId: 'spiffe://example.org/a' }] }";
    expect(await warnings(`routes: [{ path: /a, authenticate: [mesh], ${scopes} }]`)).toEqual([]);
    const only = "authorize: { scopes: [read] }";
    expect(await warnings(`routes: [{ path: /a, authenticate: [keys], ${only} }]`)).toEqual([]);
    expect(await warnings(`defaults: { authenticate: [mesh], ${only} }\n${PUBLIC_ROUTE}`)).toEqual([]);
    const own = "routes: [{ path: /a, authenticate: [keys] }]";
    expect(await warnings(`defaults: { authenticate: [mesh], ${only} }\n${own}`)).toEqual([]);
  });
});

describe("what a policy with problems is told besides", () => {
  const authenticators = "authenticators: { mesh: { type: client-certificate, trustDomain: NO } }\n";
  const limits = "limits: { perCaller: { rate: fast, key: principal } }\n";

  test("a misspelt name is compared with all that are defined, also with those that did not compile", async () => {
    const text = policyWith(
      `${authenticators}${limits}routes:\n  - { path: /a, authenticate: [mesj], limit: [perCaler] }\n  - { path: /b, authenticate: [x], limit: [y] }`,
    );
    expect((await problemsOf(text)).slice(2)).toEqual([
      "9:32 authenticator 'mesj' is not defined; did you mean 'mesh'?",
      "9:47 no limit 'perCaler' is defined; did you mean 'perCaller'?",
      "10:32 authenticator 'x' is not defined; expected one of: mesh",
      "10:44 no limit 'y' is defined; expected one of: perCaller",
    ]);
  });

  test("where none is defined, a name has nothing to be compared with", async () => {
    const text = policyWith("routes:\n  - { path: /a, authenticate: [x], limit: [y] }");
    expect(await problemsOf(text)).toEqual([
      "7:32 authenticator 'x' is not defined; there is none yet",
      "7:44 no limit 'y' is defined; there is none yet",
    ]);
  });

  const mesh = "authenticators: { mesh: { type: client-certificate }, spare: { type: client-certificate } }\n";
  test.each([
    ["a misspelt use", "routes: [{ path: /a, authenticate: [mesj] }]"],
    ["a route that is public too", "routes: [{ path: /a, public: true, authenticate: [mesh] }]"],
    ["a route with a bad path", "routes: [{ path: a, authenticate: [mesh] }]"],
    ["a misspelt key", "routes: [{ path: /a, authenticat: [mesh] }]"],
    ["a misspelt key of the top", "rutes: [{ path: /a, authenticate: [mesh] }]"],
    ["routes that are no list", "routes: { path: /a, authenticate: { any: [mesh] } }"],
  ])("%s is a use, and only what nothing mentions is called unused", async (_, routes) => {
    const text = policyWith(`${mesh}${routes}`);
    expect((await problemsOf(text)).length).toBeGreaterThan(0);
    expect(await warningsOf(text)).toEqual(["6:55 'spare' is defined but nothing uses it"]);
  });

  test("the only upstream is used by a listener that is not there yet", async () => {
    const text = policyWith(PUBLIC_ROUTE).replace(/^listeners.*$/m, "");
    expect(await problemsOf(text)).toEqual(["1:1 'listeners' is missing; expected at least one"]);
    expect(await warningsOf(text)).toEqual([]);
  });

  test.each([
    ["path: /a, host: [x.example.org]", "8:17 unknown key 'host'; did you mean 'hosts'?"],
    ["path: /a, hosts: x.example.org", "8:24 expected a list, not text"],
    ["path: /a, methods: [put]", "8:27 expected a method in upper case, as in GET"],
  ])("a route whose own keys have a problem, { %s }, shadows nothing and is not shadowed", async (keys, problem) => {
    const routes = `  - { public: true, path: /a }\n  - { ${keys}, public: true }\n  - { public: true, path: /b }`;
    expect(await problemsOf(policyWith(`routes:\n${routes}`))).toEqual([problem]);
  });

  test("a route whose filters have a problem is still found in the way of another", async () => {
    const text = policyWith(
      "routes:\n  - { path: /a, public: true, limit: [x] }\n  - { path: /a, public: true, limit: [x] }",
    );
    expect((await problemsOf(text)).map((line) => line.split(" ")[0])).toEqual(["7:39", "8:5", "8:39"]);
  });
});

describe("addresses that must not meet", () => {
  test("two listeners on one address, also where one of them takes all", async () => {
    const pairs = [
      ["127.0.0.1:8080", "127.0.0.1:8080"],
      ["127.0.0.1:8080", "'[::]:8080'"],
      ["127.0.0.1:8080", "'[::ffff:127.0.0.1]:8080'"],
      ["localhost:8080", "127.0.0.1:8080"],
      ["unix:/run/a.sock", "unix:/run/a.sock"],
    ];
    for (const [a, b] of pairs) {
      const listener = `{ name: a, address: ${a} }, { name: b, address: ${b}, plaintext: allowed }`;
      const problems = await problemsOf(policyWith(PUBLIC_ROUTE, { listener }));
      expect(problems, `${a} ${b}`).toEqual([expect.stringContaining("the listener at line 3 takes this address")]);
    }
  });

  test("port 0 twice is two ports", async () => {
    const listener = "{ name: a, address: 127.0.0.1:0 }, { name: b, address: 127.0.0.1:0 }";
    expect(await problemsOf(policyWith(PUBLIC_ROUTE, { listener }))).toEqual([]);
  });

  test("plain HTTP beyond loopback needs a word", async () => {
    for (const address of ["0.0.0.0:80", "'[::]:80'", "10.0.0.1:80"]) {
      const plain = `{ name: a, address: ${address} }`;
      expect(await problemsOf(policyWith(PUBLIC_ROUTE, { listener: plain })), address).toHaveLength(1);
      const allowed = `{ name: a, address: ${address}, plaintext: allowed }`;
      expect(await problemsOf(policyWith(PUBLIC_ROUTE, { listener: allowed })), address).toEqual([]);
    }
    for (const address of ["127.3.2.1:80", "'[::1]:80'", "localhost:80", "unix:/run/a.sock"]) {
      expect(await problemsOf(policyWith(PUBLIC_ROUTE, { listener: `{ name: a, address: ${address} }` }))).toEqual([]);
    }
  });

  test("the admin port leaves loopback only by the word that shows the danger", async () => {
    const admin = (text: string) => problemsOf(policyWith(`admin: { ${text} }\n${PUBLIC_ROUTE}`));
    expect(await admin("address: 0.0.0.0:9901")).toEqual([expect.stringMatching(/^6:19 other machines would reach/)]);
    expect(await admin("unsafeAddress: 0.0.0.0:9901")).toEqual([]);
    expect(await admin("address: 127.0.0.1:9901")).toEqual([]);
    expect(await admin("address: 127.0.0.1:9901, unsafeAddress: 0.0.0.0:9901")).toHaveLength(1);
    expect(await admin("")).toHaveLength(1);
    expect(await admin("probes: 0.0.0.0:9902")).toEqual([]);
    expect(await admin("address: 127.0.0.1:9901, probes: 0.0.0.0:9902")).toEqual([]);
    expect(await admin("address: 127.0.0.1:9901, probes: 0.0.0.0:9901")).toEqual([
      "6:43 the admin port takes this address already; expected another port",
    ]);
    expect(await admin("probes: 0.0.0.0:8080")).toEqual([expect.stringContaining("the listener at line 3 takes this")]);
    expect(await admin("address: 127.0.0.1:8080")).toEqual([expect.stringContaining("the address of the admin port")]);
  });

  test("so does the port for metrics, which is no other port either", async () => {
    const metrics = (text: string, more = "") => problemsOf(policyWith(`${more}metrics: { ${text} }\n${PUBLIC_ROUTE}`));
    expect(await metrics("address: 0.0.0.0:9903")).toEqual([expect.stringMatching(/^6:21 other machines would reach/)]);
    expect(await metrics("unsafeAddress: 0.0.0.0:9903, hosts: [metrics.orders.svc]")).toEqual([]);
    expect(await metrics("address: 127.0.0.1:9903, unsafeAddress: 0.0.0.0:9903")).toHaveLength(1);
    expect(await metrics("")).toEqual([expect.stringContaining("'address' is missing")]);
    expect(await metrics("address: 127.0.0.1:9901", "admin: { address: 127.0.0.1:9901 }\n")).toEqual([
      expect.stringContaining("takes this address already"),
    ]);
    expect(await metrics("unsafeAddress: 0.0.0.0:9902", "admin: { probes: 0.0.0.0:9902 }\n")).toHaveLength(1);
    expect(await metrics("unsafeAddress: 0.0.0.0:8080")).toEqual([expect.stringContaining("at line 3 takes this")]);
  });

  test("an admin token stands elsewhere, and is none that one could guess", async () => {
    const policy = policyWith(`admin: { address: 127.0.0.1:9901, token: { file: token } }\n${PUBLIC_ROUTE}`);
    expect(await problemsOf(policy, { token: "0123456789abcdef\n" })).toEqual([]);
    for (const token of ["hunter2\n", "0123456789 abcdef0123", "0123456789abcdeé"]) {
      const [problem = "", ...more] = await problemsOf(policy, { token });
      expect(more).toEqual([]);
      expect(problem).toMatch(
        /^6:\d+ the admin token is to be guessed or cannot stand in a header; expected at least 16/,
      );
      expect(problem).not.toContain(token.trim());
    }
    expect(await problemsOf(policy)).toEqual([expect.stringContaining("'token' does not exist")]);
    const inside = policyWith(`admin: { address: 127.0.0.1:9901, token: hunter2hunter2hu }\n${PUBLIC_ROUTE}`);
    expect(await problemsOf(inside)).toEqual([expect.stringContaining("a secret never stands in the policy itself")]);
  });

  test("an upstream that is a listener or the admin port of the same policy is a problem", async () => {
    expect(await problemsOf(policyWith(PUBLIC_ROUTE, { upstream: "http://localhost:8080" }))).toEqual([
      expect.stringContaining("requests would go round for ever"),
    ]);
    const text = policyWith(`admin: { address: 127.0.0.1:3000 }\n${PUBLIC_ROUTE}`);
    expect(await problemsOf(text)).toEqual([expect.stringContaining("routes would lay it open")]);
  });

  test("what is not built yet is refused in clear words", async () => {
    expect(await problemsOf(policyWith(PUBLIC_ROUTE, { listener: "{ name: a, address: 'fd:http' }" }))).toEqual([
      expect.stringContaining("socket activation (fd:) is not supported yet"),
    ]);
  });

  test("HTTP/2 has one name with TLS and another without, and h3 none", async () => {
    const protocols = (list: string) =>
      policyWith(PUBLIC_ROUTE, { listener: `{ name: a, address: 127.0.0.1:1, protocols: ${list} }` });
    expect(await problemsOf(protocols("[h2]"))).toEqual(["3:58 h2 is HTTP/2 with TLS; expected h2c"]);
    expect(await problemsOf(protocols("[h3]"))).toEqual([
      expect.stringContaining("expected one of: h2, http/1.1, h2c"),
    ]);
    expect(await problemsOf(protocols("[]"))).toHaveLength(1);
    expect(await problemsOf(protocols("[http/1.1, h2c]"))).toEqual([]);
  });

  test.each(["http://0x7f.1:80", "http://127.1:80", "http://a@b:80", "http://a/b", "http://:80", "unix:run/a", "a:80"])(
    "the upstream %j is refused",
    async (upstream) => {
      expect(await problemsOf(policyWith(PUBLIC_ROUTE, { upstream }))).toHaveLength(1);
    },
  );

  test("trusting everybody's X-Forwarded-For is a problem", async () => {
    const listener = "{ name: a, address: 127.0.0.1:1, trustedProxies: [0.0.0.0/0] }";
    expect(await problemsOf(policyWith(PUBLIC_ROUTE, { listener }))).toEqual([
      expect.stringContaining("would believe anyone's X-Forwarded-For"),
    ]);
  });

  test("trusting nobody to name the host is a problem", async () => {
    const listener = "{ name: a, address: 127.0.0.1:1, forwardedHost: trusted }";
    expect(await problemsOf(policyWith(PUBLIC_ROUTE, { listener }))).toEqual([
      expect.stringContaining("nobody is trusted to name it; expected 'trustedProxies' beside it"),
    ]);
  });
});
