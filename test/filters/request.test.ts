import { describe, expect, test } from "vitest";
import { METHOD_PARAMETERS } from "../../src/bodies/method-parameters.ts";
import type { RequestRules } from "../../src/filters/filter.ts";
import { requestFilter } from "../../src/filters/request/compile.ts";
import { buildRequestRewrite, buildRequestTrailerRewrite } from "../../src/filters/request/evaluate.ts";
import { Passage } from "../../src/filters/request/passage.ts";
import { parseAddress, UNIX_PEER } from "../../src/message/address.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { TRUSTED_HEADERS } from "../../src/message/trusted-headers.ts";
import { NO_REQUEST_RULES } from "../../src/policy/no-rules.ts";
import {
  compileFilter,
  createExchange,
  createHeaders,
  createPrincipal,
  type RequestOptions,
} from "../fixtures/route-context.ts";

const RULES = NO_REQUEST_RULES;

function rewrite(exchange: Exchange, rules: Partial<RequestRules> = {}, credentials: readonly string[] = []): string[] {
  const whole = { ...RULES, ...rules };
  const text = buildRequestRewrite(whole, new Passage(whole, credentials))(exchange.headers, exchange);
  expect(text.endsWith("\r\n")).toBe(true);
  return text.split("\r\n").slice(0, -1);
}

/** Every name of the table, and of a family one of its members. */
const TRUSTED_NAMES = [
  ...new Set(TRUSTED_HEADERS.flatMap(({ names }) => names.map((name) => name.toLowerCase().replace(/\*$/, "-x")))),
];

/** A name, and what else CGI-like servers take for it. */
function spellingsOf(name: string): string[] {
  const dashed = name.replace(/[^a-z0-9]/g, "-");
  return [
    ...new Set([name, dashed, dashed.replaceAll("-", "_"), dashed.replaceAll("-", "."), dashed.replace("-", "_")]),
  ];
}

const HONEST = `accept accept-charset accept-encoding accept-language accept-datetime cache-control pragma content-type
content-encoding content-language content-location content-disposition content-range content-digest content-md5 date dnt
origin referer user-agent range if-match if-none-match if-modified-since if-unmodified-since if-range prefer priority
early-data save-data sec-fetch-site sec-fetch-mode sec-ch-ua sec-gpc sec-websocket-protocol upgrade-insecure-requests via
from cookie traceparent tracestate baggage b3 x-b3-traceid x-b3-spanid x-b3-sampled x-request-id x-correlation-id
x-amzn-trace-id x-cloud-trace-context x-datadog-trace-id x-ot-span-context uber-trace-id sentry-trace idempotency-key
x-idempotency-key x-api-version api-version x-api-key x-auth-token x-access-token x-csrf-token x-xsrf-token x-requested-with
x-client-version x-app-version x-device-id x-session-id x-tenant x-tenant-id x-user-id x-organization-id x-locale x-timezone
x-total-count x-upload-content-type x-file-name x-filename x-hub-signature-256 x-gitlab-token x-github-event stripe-signature
webhook-id webhook-signature x-amz-date x-amz-content-sha256 x-amz-security-token x-amz-meta-a x-ms-date x-ms-version
x-ms-client-request-id x-goog-api-client x-goog-user-project grpc-timeout grpc-encoding grpc-accept-encoding grpc-trace-bin
connect-protocol-version connect-timeout-ms x-grpc-web x-user-agent apollographql-client-name x-apollo-operation-name
x-hasura-role soapaction odata-version last-event-id depth overwrite lock-token timeout slug link signature signature-input
dpop authentication x-vault-token x-consul-token x-wp-nonce x-inertia hx-request turbo-frame next-action rsc
x-nextjs-data x-middleware-prefetch tus-resumable upload-length upload-offset x-real-estate remote x-host-id`.split(
  /\s+/,
);

/** What arrives of the client's own lines, without those that postern adds. */
function arrives(headers: RequestOptions["headers"], rules?: Partial<RequestRules>, credentials?: string[]): string[] {
  return rewrite(createExchange({ headers: headers ?? [] }), rules, credentials).filter(
    (line) => !/^(x-forwarded-|forwarded:)/.test(line),
  );
}

describe("what comes off", () => {
  test("ordinary headers arrive in their order, repeated ones too", () => {
    const headers = [
      ["accept", "*/*"],
      ["cookie", "a=1"],
      ["x-tenant", "acme"],
      ["cookie", "b=2"],
    ] as const;
    expect(arrives(headers)).toEqual(["accept: */*", "cookie: a=1", "x-tenant: acme", "cookie: b=2"]);
  });

  test.each([
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "content-length",
    "upgrade",
    "proxy-authorization",
    "host",
    "expect",
    "proxy",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-client-cert",
    "x-forwarded-user",
    "x-postern-principal",
    "x-postern-anything",
    "x-real-ip",
    "x-client-cert",
    "ssl-client-verify",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method-override",
    "client-cert",
  ])("'%s' of a client does not arrive, nor any spelling of it with underscores", (name) => {
    const variants = [name, name.replaceAll("-", "_"), name.replace("-", "_")];
    for (const variant of variants) {
      for (const line of rewrite(createExchange({ headers: [[variant, "spoofed"]] }))) {
        expect(line, variant).not.toContain("spoofed");
      }
    }
  });

  test("a name that only looks alike arrives", () => {
    expect(arrives([["x-posternal", "1"]])).toEqual(["x-posternal: 1"]);
    expect(arrives([["if-matched", "1"]])).toEqual(["if-matched: 1"]);
    expect(arrives([["destinations", "1"]])).toEqual(["destinations: 1"]);
  });

  test.each(["x_tenant", "x.tenant", "x-tenant!", "script_name", "x'tenant", "$wsru"])(
    "'%s', which is more than letters, digits and dashes, comes off unless the policy names it",
    (name) => {
      expect(arrives([[name, "1"]])).toEqual([]);
      expect(arrives([[name, "1"]], { keepHeaders: [name] })).toEqual([`${name}: 1`]);
      expect(arrives([[name, "1"]], { declaredHeaders: [name] })).toEqual([`${name}: 1`]);
      expect(arrives([[name, "1"]], { forward: [name] })).toEqual([`${name}: 1`]);
    },
  );

  test("headers that Connection names go, in any case and from any line", () => {
    const headers = [
      ["connection", "X-Hop, close"],
      ["connection", "x-other"],
      ["x-hop", "1"],
      ["x-other", "2"],
      ["x-kept", "3"],
    ] as const;
    expect(arrives(headers)).toEqual(["x-kept: 3"]);
  });

  test("Connection cannot name away what postern adds, nor what is meant for the whole way", () => {
    const exchange = createExchange({
      headers: [
        ["connection", "x-postern-principal, x-forwarded-for, x-env, authorization, cookie, content-type, host"],
        ["authorization", "Bearer x"],
        ["cookie", "a=1"],
        ["content-type", "application/json"],
      ],
      principal: createPrincipal({ id: "alice" }),
    });
    const lines = rewrite(exchange, { keepCredentials: true, setHeaders: [["x-env", "prod"]] });
    expect(lines).toEqual(
      expect.arrayContaining([
        "authorization: Bearer x",
        "cookie: a=1",
        "content-type: application/json",
        "x-forwarded-for: 192.0.2.7",
        "x-postern-principal: alice",
        "x-env: prod",
      ]),
    );
  });

  test("credentials go unless the policy keeps them, in every spelling", () => {
    const headers = [
      ["authorization", "Bearer secret"],
      ["x-api-key", "secret"],
      ["x_api_key", "secret"],
      ["x.api.key", "secret"],
    ] as const;
    expect(arrives(headers, {}, ["authorization", "x-api-key"])).toEqual([]);
    expect(arrives(headers, { keepCredentials: true }, ["authorization", "x-api-key"])).toEqual([
      "authorization: Bearer secret",
      "x-api-key: secret",
    ]);
  });

  test("a credential that is kept, and a header that is read, pass in the one spelling that was judged", () => {
    const spellings = ["x-api-key", "x_api_key", "x.api.key", "x_api-key"].map((name) => [name, name] as const);
    const kept = { keepCredentials: true, keepHeaders: ["x_api-key"], forward: null };
    expect(arrives(spellings, kept, ["x-api-key"])).toEqual(["x-api-key: x-api-key"]);
    expect(arrives(spellings, kept, ["x_api_key"])).toEqual(["x_api_key: x_api_key"]);
    expect(arrives(spellings, { declaredHeaders: ["x_api_key"] })).toEqual(["x_api_key: x_api_key"]);
    expect(arrives(spellings, { declaredHeaders: ["x_api_key"], forward: ["x-api-key"] })).toEqual([
      "x_api_key: x_api_key",
    ]);
  });

  test.each(TRUSTED_NAMES)("'%s', which somebody trusts, comes off in every spelling, of trailers too", (name) => {
    const spellings = spellingsOf(name);
    expect(arrives(spellings.map((spelling) => [spelling, "spoofed"] as const))).toEqual([]);
    const rewriteTrailers = buildRequestTrailerRewrite(new Passage(RULES, []));
    expect(rewriteTrailers(createHeaders(spellings.map((spelling) => [spelling, "spoofed"] as const)))).toBe("");
  });

  test.each(["destination", "x-real-ip", "if", "remote-user", "sm_user"])(
    "'%s' passes where the policy names it",
    (name) => {
      const line = [`${name}: 1`];
      expect(arrives([[name, "1"]], { keepHeaders: [name] })).toEqual(line);
      expect(arrives([[name, "1"]], { forward: [name] })).toEqual(line);
      expect(arrives([[name, "1"]], { declaredHeaders: [name] })).toEqual(line);
    },
  );

  test.each(["x-forwarded-for", "x-postern-principal", "host", "content-length", "te", "proxy", "proxy-client-ip"])(
    "'%s' does not pass, whatever names it",
    (name) => {
      const rules = { keepHeaders: [name], forward: [name], declaredHeaders: [name] };
      expect(rewrite(createExchange({ headers: [[name, "spoofed"]] }), rules).join()).not.toContain("spoofed");
    },
  );

  test("what honest clients send passes", () => {
    const lines = HONEST.map((name) => [name, "1"] as const);
    expect(arrives(lines)).toEqual(HONEST.map((name) => `${name}: 1`));
  });

  test("a closed list lets nothing else pass but what says how the message is to be read", () => {
    const headers = [
      ["accept", "*/*"],
      ["content-type", "text/plain"],
      ["content-encoding", "gzip"],
      ["if-match", "*"],
      ["x-tenant", "acme"],
      ["x-other", "1"],
      ["cookie", "a=1"],
    ] as const;
    const always = ["content-type: text/plain", "content-encoding: gzip", "if-match: *"];
    expect(arrives(headers, { forward: [] })).toEqual(always);
    expect(arrives(headers, { forward: ["x-tenant"], keepHeaders: ["cookie"] })).toEqual([
      ...always,
      "x-tenant: acme",
      "cookie: a=1",
    ]);
    expect(arrives(headers, { forward: ["x-tenant"], removeHeaders: ["content-type", "x-tenant"] })).toEqual(
      always.slice(1),
    );
  });

  test("what its sender may miss is noted with the request, and nothing that always comes off", () => {
    const noted = (names: string[], rules: Partial<RequestRules> = {}) => {
      const exchange = createExchange({ headers: names.map((name) => [name, "1"] as const) });
      rewrite(exchange, rules, ["authorization"]);
      return exchange.withheld;
    };
    const usual = ["host", "accept", "authorization", "x-forwarded-for", "connection"];
    expect(noted(usual)).toBeNull();
    expect(noted([...usual, "x_tenant", "destination"])).toEqual(["x_tenant", "destination"]);
    expect(noted(["x_tenant", "destination"], { keepHeaders: ["x_tenant", "destination"] })).toBeNull();
    expect(noted(["x-drop"], { removeHeaders: ["x-drop"] })).toBeNull();
    expect(noted(usual, { forward: [] })).toEqual(["accept"]);
  });

  test("why a header does not pass is told", () => {
    const rules = { ...RULES, removeHeaders: ["x-drop"] };
    const names = ["accept", "host", "x-drop", "x_drop", "script_name", "destination", "x_tenant", "x-hop"];
    const headers = createHeaders([...names.map((name) => [name, "1"] as const), ["connection", "x-hop"]]);
    expect(new Passage(rules, []).withheld(headers).map(({ name, why }) => `${name}: ${why}`)).toEqual([
      "host: postern writes or answers it itself",
      "x-drop: the policy takes it off: a credential, removeHeaders, setHeaders or identity",
      "x_drop: the policy takes it off: a credential, removeHeaders, setHeaders or identity",
      expect.stringMatching(/^script_name: gunicorn: the path .*; not in 'keepHeaders'$/),
      expect.stringMatching(/^destination: WebDAV.*: a second target, which no rule has judged \(RFC 4918/),
      "x_tenant: not only letters, digits and dashes; not in 'keepHeaders'",
      "x-hop: named by Connection",
      "connection: postern writes or answers it itself",
    ]);
    expect(new Passage({ ...RULES, forward: [] }, []).withheld(createHeaders([["accept", "1"]]))).toEqual([
      { name: "accept", why: "not in 'forward'" },
    ]);
  });

  test("a flood of ever new names changes no judgement", () => {
    for (let at = 0; at < 2000; at++) arrives([[`x-flood-${at}`, "1"]]);
    expect(
      arrives([
        ["x-postern-principal", "spoofed"],
        ["x-real_ip", "spoofed"],
        ["accept", "*/*"],
      ]),
    ).toEqual(["accept: */*"]);
    const long = `x-${"a".repeat(500)}`;
    expect(arrives([[long, "1"]])).toEqual([`${long}: 1`]);
    expect(arrives([[`x-postern-${"a".repeat(500)}`, "1"]])).toEqual([]);
  });
});

describe("what is put on", () => {
  test("set headers replace what the client sent, whatever its spelling", () => {
    const headers = [
      ["x-env", "dev"],
      ["x_env", "dev"],
      ["x.env", "dev"],
      ["x-drop", "1"],
      ["x!drop", "1"],
    ] as const;
    expect(arrives(headers, { setHeaders: [["x-env", "prod"]], removeHeaders: ["x-drop"] })).toEqual(["x-env: prod"]);
  });

  test("a client that connects itself is named by its address alone", () => {
    const spoofing = createExchange({
      headers: [["x-forwarded-for", "127.0.0.1"]],
      authority: "orders.example.org:8443",
    });
    expect(rewrite(spoofing)).toEqual([
      "x-forwarded-for: 192.0.2.7",
      "x-forwarded-proto: https",
      "x-forwarded-host: orders.example.org:8443",
      'forwarded: for=192.0.2.7;proto=https;host="orders.example.org:8443"',
    ]);
  });

  test("IPv6 stands in brackets and quotes in Forwarded", () => {
    const lines = rewrite(createExchange({ peer: "2001:db8::1", secure: false, authority: "[2001:db8::2]:80" }));
    expect(lines).toContain("x-forwarded-for: 2001:db8::1");
    expect(lines).toContain('forwarded: for="[2001:db8::1]";proto=http;host="[2001:db8::2]:80"');
  });

  test("a client of a Unix socket has no address to tell", () => {
    const exchange = createExchange();
    const local = { ...exchange.connection, peer: UNIX_PEER };
    const other = Object.assign(Object.create(Object.getPrototypeOf(exchange)), exchange, {
      connection: local,
      clientAddress: UNIX_PEER,
    }) as Exchange;
    expect(rewrite(other)).toEqual([
      "x-forwarded-proto: https",
      "x-forwarded-host: orders.example.org",
      'forwarded: for=unknown;proto=https;host="orders.example.org"',
    ]);
  });

  test("behind a trusted proxy the chain begins at the client, and what the client forged before it is cut off", () => {
    const exchange = createExchange({
      peer: "10.0.0.2",
      secure: false,
      headers: [
        ["x-forwarded-for", "6.6.6.6, 198.51.100.4"],
        ["x-forwarded-for", "10.0.0.1"],
        ["x-forwarded-proto", "https"],
      ],
    });
    exchange.clientAddress = parseAddress("198.51.100.4") ?? UNIX_PEER;
    exchange.forwarding = { hops: 2, trustsHost: false };
    expect(rewrite(exchange).slice(0, 2)).toEqual([
      "x-forwarded-for: 198.51.100.4, 10.0.0.1, 10.0.0.2",
      "x-forwarded-proto: https",
    ]);
    expect(rewrite(exchange).at(-1)).toContain("for=198.51.100.4;");
  });

  test("the scheme is the word of the trusted proxy that the client came to, and one that is none leaves a trace", () => {
    let withheld: readonly string[] | null = null;
    const proto = (hops: number, ...values: string[]): string | undefined => {
      const exchange = createExchange({
        peer: "10.0.0.2",
        secure: false,
        headers: values.map((value) => ["x-forwarded-proto", value] as const),
      });
      exchange.clientAddress = parseAddress("198.51.100.4") ?? UNIX_PEER;
      exchange.forwarding = { hops, trustsHost: false };
      const line = rewrite(exchange).find((one) => one.startsWith("x-forwarded-proto"));
      withheld = exchange.withheld;
      return line?.slice("x-forwarded-proto: ".length);
    };
    for (const word of ["https", "HTTPS", "wss", "Wss"]) expect(proto(1, word)).toBe("https");
    for (const word of ["http", "ws", "HTTP"]) expect(proto(1, word)).toBe("http");
    expect(proto(2, "https,http")).toBe("https");
    expect(proto(2, "https", "http")).toBe("https");
    expect(proto(1, "https,http")).toBe("http");
    expect(proto(2, "https, http, http")).toBe("http");
    expect(proto(1)).toBe("http");
    expect(withheld).toBeNull();
    for (const word of ["", "ftp", "https;", "on"]) {
      expect(proto(1, word)).toBe("http");
      expect(withheld).toEqual(["x-forwarded-proto"]);
    }
  });

  test("a trusted proxy without X-Forwarded-For is heard, too, and is the client itself", () => {
    const exchange = createExchange({ peer: "10.0.0.2", secure: false, headers: [["x-forwarded-proto", "https"]] });
    exchange.forwarding = { hops: 1, trustsHost: false };
    expect(rewrite(exchange).slice(0, 2)).toEqual(["x-forwarded-for: 10.0.0.2", "x-forwarded-proto: https"]);
  });

  test("host and port are a trusted proxy's word where the listener says so, and Host otherwise", () => {
    const told = (trustsHost: boolean, host: string, port: string) => {
      const headers = [
        ["x-forwarded-host", host],
        ["x-forwarded-port", port],
      ] as const;
      const exchange = createExchange({ peer: "10.0.0.2", authority: "app.internal", headers });
      exchange.forwarding = { hops: 1, trustsHost };
      const lines = rewrite(exchange).filter((line) => /^x-forwarded-(?:host|port)|^forwarded/.test(line));
      return [...lines, ...(exchange.withheld ?? [])];
    };
    expect(told(true, "shop.example", "443")).toEqual([
      "x-forwarded-host: shop.example",
      'forwarded: for=10.0.0.2;proto=https;host="shop.example"',
      "x-forwarded-port: 443",
    ]);
    const own = ["x-forwarded-host: app.internal", 'forwarded: for=10.0.0.2;proto=https;host="app.internal"'];
    expect(told(false, "shop.example", "443")).toEqual(own);
    for (const [host, port] of [
      ["a/b", "0"],
      ["a b", "65536"],
      ["", "x"],
      ['a"', "1,"],
    ] as const) {
      const names = port === "1," ? ["x-forwarded-host"] : ["x-forwarded-host", "x-forwarded-port"];
      const [hostLine, forwarded, ...rest] = told(true, host, port);
      expect([hostLine, forwarded]).toEqual(own);
      expect(rest.filter((line) => !line.includes(":"))).toEqual(names);
    }
  });

  test("another authority on the same connection is not answered from memory", () => {
    const first = createExchange({ authority: "a.example.org" });
    const second = createExchange({ authority: "b.example.org" });
    const shared = Object.assign(Object.create(Object.getPrototypeOf(second)), second, {
      connection: first.connection,
      clientAddress: first.clientAddress,
    }) as Exchange;
    expect(rewrite(first)).toContain("x-forwarded-host: a.example.org");
    expect(rewrite(shared)).toContain("x-forwarded-host: b.example.org");
  });

  test("the caller, its authenticator and its scopes are told", () => {
    const principal = createPrincipal({ id: "alice", scopes: new Set(["orders:read", "orders:write"]) });
    expect(rewrite(createExchange({ principal })).slice(-3)).toEqual([
      "x-postern-principal: alice",
      "x-postern-authenticator: okta",
      "x-postern-scopes: orders:read orders:write",
    ]);
  });

  test("a subject can neither inject a line nor be mistaken for another", () => {
    const line = (id: string): string =>
      rewrite(createExchange({ principal: createPrincipal({ id }) })).find((one) =>
        one.startsWith("x-postern-principal: "),
      ) ?? "";
    expect(line("a\r\nx-admin: 1")).toBe("x-postern-principal: a%0D%0Ax-admin:%201");
    expect(line("jürgen")).toBe("x-postern-principal: j%C3%BCrgen");
    expect(line("a%0D")).toBe("x-postern-principal: a%250D");
    expect(line("a\u0000b\u007f")).toBe("x-postern-principal: a%00b%7F");
    const long = "x".repeat(600);
    expect(line(long)).toMatch(/^x-postern-principal: sha256:[0-9a-f]{64}$/);
    expect(line(long)).not.toBe(line(`${long}y`));
    expect(line("a\ud800")).not.toBe(line("a\ufffd"));
  });

  test("too many scopes are cut between two of them, and one scope cannot become two", () => {
    const scopes = new Set(Array.from({ length: 500 }, (_, at) => `scope:${at}`));
    const value = rewrite(createExchange({ principal: createPrincipal({ scopes }) })).at(-1) ?? "";
    expect(value.length).toBeLessThan(2100);
    for (const scope of value.replace("x-postern-scopes: ", "").split(" ")) expect(scopes.has(scope)).toBe(true);
    const tricky = createPrincipal({ scopes: new Set(["a admin"]) });
    expect(rewrite(createExchange({ principal: tricky })).at(-1)).toBe("x-postern-scopes: a%20admin");
  });
});

describe("the policy", () => {
  test("without settings credentials go and nothing else is asked for", () => {
    expect(compileFilter(requestFilter, undefined).requestRules).toEqual({
      ...RULES,
      methodParameters: METHOD_PARAMETERS,
    });
  });

  test("names become lower case", () => {
    const settings = {
      keepCredentials: true,
      removeHeaders: ["X-Drop"],
      setHeaders: { "X-Env": "prod" },
      methodParameters: ["verb"],
    };
    expect(compileFilter(requestFilter, settings).requestRules).toEqual({
      ...RULES,
      keepCredentials: true,
      removeHeaders: ["x-drop"],
      setHeaders: [["x-env", "prod"]],
      methodParameters: ["verb"],
    });
  });

  test.each([
    { setHeaders: { "X-Env": "a\r\nX-Admin: 1" } },
    { setHeaders: { "X-Env": " a" } },
    { setHeaders: { "X Env": "a" } },
    { setHeaders: { "Content-Length": "0" } },
    { setHeaders: { Host: "x" } },
    { setHeaders: { X_Postern_Principal: "root" } },
    { setHeaders: { "X-Forwarded-For": "1.2.3.4" } },
    { setHeaders: { "X-Env": "a", "x-env": "b" } },
    { removeHeaders: ["X Y"] },
    { removeHeader: ["X"] },
    { methodParameters: ["a b"] },
    { methodParameters: ["__"] },
    { keepHeaders: ["X-Forwarded-For"] },
    { keepHeaders: ["x_postern_principal"] },
    { keepHeaders: ["Host"] },
    { keepHeaders: ["X Y"] },
    { keepHeaders: ["X_Drop"], removeHeaders: ["X-Drop"] },
    { forward: ["Content-Length"] },
    { forward: ["X-Env"], setHeaders: { X_Env: "prod" } },
  ])("%j is a problem", (settings) => {
    expect(compileFilter(requestFilter, settings).problems).not.toHaveLength(0);
  });
});

describe("trailers of a request", () => {
  const pass = (trailers: readonly (readonly [string, string])[], rules: Partial<RequestRules> = {}) =>
    buildRequestTrailerRewrite(new Passage({ ...RULES, ...rules }, ["x-api-key"]))(createHeaders(trailers));

  test("that only inform pass", () => {
    expect(pass([["x-checksum", "abc"]])).toBe("x-checksum: abc\r\n");
  });

  test.each([
    "x-postern-principal",
    "x_postern_principal",
    "x-forwarded-for",
    "x_forwarded_for",
    "forwarded",
    "authorization",
    "x-api-key",
    "x_api_key",
    "cookie",
    "host",
    "content-length",
    "content_length",
    "content.length",
    "content-type",
    "transfer-encoding",
    "transfer_encoding",
    "te",
    "trailer",
    "connection",
    "expect",
    "if-match",
    "x-http-method-override",
    "client-cert",
    "x-env",
    "x_debug",
    "x.debug",
  ])("'%s' does not", (name) => {
    expect(pass([[name, "spoofed"]], { removeHeaders: ["x-debug"], setHeaders: [["x-env", "prod"]] })).toBe("");
  });
});
