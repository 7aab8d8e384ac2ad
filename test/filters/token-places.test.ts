import { describe, expect, test } from "vitest";
import type { Authentication, Authenticator } from "../../src/filters/filter.ts";
import { introspectionKind } from "../../src/filters/introspection/compile.ts";
import { jwtKind } from "../../src/filters/jwt/compile.ts";
import { buildRequestRewrite } from "../../src/filters/request/evaluate.ts";
import { Passage } from "../../src/filters/request/passage.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { NO_REQUEST_RULES } from "../../src/policy/no-rules.ts";
import { outsideContext } from "../fixtures/outside.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { denialOf, principalOf, testContext } from "./identity-context.ts";
import { compileJwt, token } from "./jwt-kit.ts";

type Lines = readonly (readonly [string, string])[];
const TOKEN = token();
const OTHER = token({ sub: "bob" });
const ENCODED = `base64url.bearer.authorization.k8s.io.${Buffer.from(TOKEN).toString("base64url")}`;

interface Asked {
  readonly method?: string;
  readonly query?: string;
  readonly webSocket?: boolean;
}

function asked(headers: Lines, { method = "GET", query = "", webSocket = false }: Asked = {}): Exchange {
  const exchange = createExchange({ headers, query, method, authority: "api.example.org" });
  if (webSocket) exchange.upgrade = "upgrade";
  return exchange;
}

function setUp(places: Record<string, unknown>) {
  const { context, authenticator } = compileJwt(places);
  if (authenticator === null) throw new Error(context.problems.join("\n"));
  const ask = async (headers: Lines, how: Asked = {}): Promise<Authentication> =>
    authenticator.authenticate(asked(headers, how));
  const who = async (headers: Lines, how: Asked = {}): Promise<string> => principalOf(await ask(headers, how)).id;
  const seen = async (headers: Lines, how: Asked = {}): Promise<string> => {
    const { reason, seen: text } = denialOf(await ask(headers, how));
    expect(text).not.toContain("eyJ");
    return `${reason}: ${text}`;
  };
  const misplaced = (headers: Lines, how: Asked = {}) => authenticator.misplaced?.(asked(headers, how)) ?? [];
  return { context, authenticator, ask, who, seen, misplaced };
}

describe("a token in a cookie", () => {
  const { authenticator, ask, who, seen } = setUp({ cookie: "__Host-session" });

  test("is read there, in quotes too, and nowhere else", async () => {
    expect(await who([["cookie", `theme=dark; __Host-session=${TOKEN}; a=b`]])).toBe("alice");
    expect(await who([["cookie", `__Host-session="${TOKEN}"`]])).toBe("alice");
    expect(authenticator.credentialCookies).toEqual(["__Host-session"]);
    expect(authenticator.credentialHeaders).toEqual(["dpop"]);
    expect(await ask([["authorization", `Bearer ${TOKEN}`]])).toBeNull();
    expect(await ask([["cookie", `session=${TOKEN}; __Secure-session=${TOKEN}`]])).toBeNull();
  });

  test.each<[string, Lines]>([
    ["more than one cookie __Host-session", [["cookie", `__Host-session=${TOKEN}; __Host-session=${OTHER}`]]],
    [
      "more than one cookie __Host-session",
      [
        ["cookie", `__Host-session=${TOKEN}`],
        ["cookie", `__Host-session=${TOKEN}`],
      ],
    ],
    ["more than one cookie __Host-session", [["cookie", `__Host-session=${TOKEN}; \u00a0__Host-session=${OTHER}`]]],
    // What a sub-domain's page may set, because it is no __Host- to the browser.
    ["another spelling of the cookie __Host-session", [["cookie", `\u00a0__Host-session=${OTHER}`]]],
  ])("is refused where it could be another: %s", async (text, lines) => {
    expect(await seen(lines)).toBe(`token_malformed: ${text}`);
  });

  test.each([`__Host-session="${TOKEN}`, "__Host-session=", `__Host-session=%22${TOKEN}%22`])(
    "is refused where it is none: %s",
    async (cookie) => {
      expect(await seen([["cookie", cookie]])).toMatch(/^token_malformed: /);
    },
  );
});

describe("a cookie's token on what changes something", () => {
  const { who, seen } = setUp({ cookie: "session" });
  const cookie = ["cookie", `session=${TOKEN}`] as const;

  test.each<[string, Lines]>([
    ["a page of the service", [["sec-fetch-site", "same-origin"]]],
    ["the user alone", [["sec-fetch-site", "none"]]],
    ["a browser without Fetch Metadata", [["origin", "https://api.example.org"]]],
    ["the usual port in words", [["origin", "https://API.example.org:443"]]],
  ])("passes from %s", async (_, lines) => {
    expect(await who([cookie, ...lines], { method: "POST" })).toBe("alice");
  });

  test.each<[string, Lines]>([
    ["Sec-Fetch-Site cross-site", [["sec-fetch-site", "cross-site"]]],
    ["Sec-Fetch-Site same-site", [["sec-fetch-site", "same-site"]]],
    ["Sec-Fetch-Site Same-Origin", [["sec-fetch-site", "Same-Origin"]]],
    ["Sec-Fetch-Site same-origin, none", [["sec-fetch-site", "same-origin, none"]]],
    [
      "more than one Sec-Fetch-Site",
      [
        ["sec-fetch-site", "same-origin"],
        ["sec-fetch-site", "cross-site"],
      ],
    ],
    [
      "Sec-Fetch-Site cross-site",
      [
        ["sec-fetch-site", "cross-site"],
        ["origin", "https://api.example.org"],
      ],
    ],
    ["Origin null", [["origin", "null"]]],
    ["Origin https://evil.example", [["origin", "https://evil.example"]]],
    ["Origin https://api.example.org.evil.example", [["origin", "https://api.example.org.evil.example"]]],
    ["Origin https://api.example.org:8443", [["origin", "https://api.example.org:8443"]]],
    [
      "more than one Origin",
      [
        ["origin", "https://api.example.org"],
        ["origin", "https://evil.example"],
      ],
    ],
    ["a cookie, and neither Sec-Fetch-Site nor Origin", []],
  ])("is refused with %s", async (text, lines) => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
      expect(await seen([cookie, ...lines], { method })).toBe(`origin_denied: ${text}`);
    }
  });

  test("a link from anywhere may lead to what changes nothing, unless the query names another method", async () => {
    const link = [cookie, ["sec-fetch-site", "cross-site"]] as Lines;
    for (const method of ["GET", "HEAD", "OPTIONS"]) expect(await who(link, { method })).toBe("alice");
    expect(await who(link, { query: "?page=2" })).toBe("alice");
    for (const query of ["?_method=DELETE", "?a=1&_METHOD=PUT", "?%5Fmethod=x"]) {
      expect(await seen(link, { query }), query).toBe("origin_denied: Sec-Fetch-Site cross-site");
    }
    expect(await who([cookie, ["sec-fetch-site", "same-origin"]], { query: "?_method=DELETE" })).toBe("alice");
  });

  test("a WebSocket is opened by the service's own pages, whatever a browser makes of wss:", async () => {
    const open = { webSocket: true };
    expect(await who([cookie, ["origin", "https://api.example.org"]], open)).toBe("alice");
    const odd: Lines = [cookie, ["origin", "https://api.example.org"], ["sec-fetch-site", "cross-site"]];
    expect(await who(odd, open)).toBe("alice");
    expect(await seen([cookie, ["origin", "https://evil.example"], ["sec-fetch-site", "same-origin"]], open)).toBe(
      "origin_denied: Origin https://evil.example",
    );
    expect(await seen([cookie], open)).toBe("origin_denied: a cookie, and neither Sec-Fetch-Site nor Origin");
  });

  test("pages of the listed origins may use it, and no others of their site", async () => {
    const listed = setUp({ cookie: "session", origins: ["https://app.example.org"] });
    const from = (origin: string, site: string): Lines => [cookie, ["origin", origin], ["sec-fetch-site", site]];
    expect(await listed.who(from("https://app.example.org", "same-site"), { method: "POST" })).toBe("alice");
    expect(await listed.who(from("https://app.example.org:443", "same-site"), { webSocket: true })).toBe("alice");
    expect(await listed.who(from("https://api.example.org", "same-origin"), { method: "POST" })).toBe("alice");
    expect(await listed.seen(from("https://blog.example.org", "same-site"), { method: "POST" })).toBe(
      "origin_denied: Sec-Fetch-Site same-site",
    );
    expect(await listed.seen([cookie, ["sec-fetch-site", "same-site"]], { method: "POST" })).toMatch(/^origin_denied/);
  });

  test("who shows no cookie is asked nothing of its pages", async () => {
    const both = setUp({ cookie: "session", header: "Authorization" });
    const lines: Lines = [
      ["authorization", `Bearer ${TOKEN}`],
      ["sec-fetch-site", "cross-site"],
    ];
    expect(await both.who(lines, { method: "POST" })).toBe("alice");
  });
});

describe("a token in the query", () => {
  const { authenticator, context, ask, who, seen } = setUp({ query: "access_token" });

  test("is read there once, however its name is encoded, with a warning", async () => {
    expect(context.warnings.join()).toContain("query: tokens in the query stay in the logs of proxies");
    expect(await who([], { query: `?a=1&access_token=${TOKEN}` })).toBe("alice");
    expect(await who([], { query: `?%61ccess%5Ftoken=${TOKEN}` })).toBe("alice");
    expect(authenticator.credentialParameters).toEqual(["access_token"]);
    expect(await ask([], { query: `?Access_Token=${TOKEN}` })).toBeNull();
  });

  test.each([
    [`?access_token=${TOKEN}&access_token=${OTHER}`, "more than one query parameter access_token"],
    [`?access_token=${TOKEN}&%61ccess_token=${OTHER}`, "more than one query parameter access_token"],
    [`?access_token=${TOKEN}&ACCESS_TOKEN=${OTHER}`, "more than one spelling of the query parameter access_token"],
    [`?access_token=${TOKEN}&access_token[]=${OTHER}`, "more than one spelling of the query parameter access_token"],
    [`?access.token=${OTHER}&access_token=${TOKEN}`, "more than one spelling of the query parameter access_token"],
    [`?a=1;access_token=${OTHER}&access_token=${TOKEN}`, "more than one spelling of the query parameter access_token"],
    ["?access_token", "an opaque token (1 part), as providers give where the client names no audience"],
  ])("is refused where a service might read another: %s", async (query, text) => {
    expect(await seen([], { query })).toBe(`token_malformed: ${text}`);
  });
});

describe("a token among a WebSocket's sub-protocols", () => {
  const { who, ask, seen, authenticator } = setUp({ websocketProtocol: true });
  const offers = (...values: string[]): Lines => values.map((value) => ["sec-websocket-protocol", value]);
  const open = { webSocket: true };

  test.each<[string, Lines]>([
    ["alone", offers(`bearer, ${TOKEN}`)],
    ["before others", offers(`bearer,${TOKEN},chat`)],
    ["behind others, in lines of their own", offers("chat", "Bearer", TOKEN)],
    ["as Kubernetes has it", offers(`v4.channel.k8s.io, ${ENCODED}`)],
  ])("%s", async (_, lines) => {
    expect(await who(lines, open)).toBe("alice");
    expect(await ask(lines)).toBeNull();
  });

  test.each<[string, Lines]>([
    ["more than one token in Sec-WebSocket-Protocol", offers(`bearer, ${TOKEN}, bearer, ${OTHER}`)],
    ["more than one token in Sec-WebSocket-Protocol", offers(`bearer, ${TOKEN}, ${ENCODED}`)],
    ["the sub-protocol 'bearer' without a token behind it", offers("chat, bearer")],
    ["a sub-protocol with a token that is not base64url", offers(`chat, ${ENCODED}=`)],
    ["a token as the only sub-protocol; expected another one beside it to choose", offers(ENCODED)],
    ["an opaque token (1 part), as providers give where the client names no audience", offers("bearer, chat")],
  ])("is refused: %s", async (text, lines) => {
    expect(await seen(lines, open)).toBe(`token_malformed: ${text}`);
  });

  test("stands beside Authorization, which other requests go on to use", async () => {
    expect(authenticator).toMatchObject({ websocketProtocol: true, credentialHeaders: ["authorization", "dpop"] });
    expect(await who([["authorization", `Bearer ${TOKEN}`]])).toBe("alice");
    expect(await ask([["authorization", "Basic YTpi"], ...offers("chat")], open)).toBeNull();
    expect(await ask(offers("chat"), open)).toBeNull();
  });
});

test("Tokens in two places of one authenticator are refused, also where both are the same", async () => {
  const { seen, who } = setUp({
    header: "Authorization",
    cookie: "session",
    query: "access_token",
    websocketProtocol: true,
  });
  const bearer = ["authorization", `Bearer ${TOKEN}`] as const;
  const cookie = ["cookie", `session=${TOKEN}`] as const;
  expect(await who([cookie])).toBe("alice");
  expect(await who([["authorization", "Basic YTpi"], cookie])).toBe("alice");
  expect(await seen([bearer, cookie])).toBe(
    "token_malformed: a token in Authorization: Bearer and one in cookie session",
  );
  expect(await seen([cookie], { query: `?access_token=${TOKEN}` })).toBe(
    "token_malformed: a token in cookie session and one in query parameter access_token",
  );
  expect(await seen([bearer, ["sec-websocket-protocol", `bearer, ${TOKEN}`]], { webSocket: true })).toBe(
    "token_malformed: a token in Authorization: Bearer and one in Sec-WebSocket-Protocol",
  );
});

test("What a cookie has brought in does not open Authorization without its scheme", async () => {
  const { who, ask } = setUp({ header: "Authorization", cookie: "session" });
  expect(await who([["cookie", `session=${TOKEN}`]])).toBe("alice");
  expect(await ask([["authorization", TOKEN]])).toBeNull();
});

test("A token in a place that is not read is named as that, without its value", () => {
  const header = setUp({});
  const cookie = setUp({ cookie: "session" });
  for (const [told, text] of [
    [
      header.misplaced([], { query: `?access_token=${TOKEN}` }),
      "a token in the query parameter 'access_token', expected Authorization: Bearer",
    ],
    [
      header.misplaced([["cookie", `access_token=${TOKEN}`]]),
      "a token in the cookie 'access_token', expected Authorization: Bearer",
    ],
    [
      header.misplaced([
        ["x-access-token", TOKEN],
        ["access-token", TOKEN],
      ]),
      "a token in the header 'access-token'",
    ],
    [
      header.misplaced([["sec-websocket-protocol", `bearer, ${TOKEN}`]], { webSocket: true }),
      "a token in Sec-WebSocket-Protocol",
    ],
    [cookie.misplaced([["authorization", `Bearer ${TOKEN}`]]), "a token in Authorization, expected cookie session"],
    [cookie.misplaced([["cookie", `Session=${TOKEN}`]]), "a token in the cookie 'Session', expected cookie session"],
  ] as const) {
    expect(told.join("; ")).toContain(text);
    expect(told.join("; ")).not.toContain(TOKEN);
  }
  expect(
    header.misplaced(
      [
        ["authorization", "Basic YTpi"],
        ["cookie", "theme=dark"],
      ],
      { query: "?q=token" },
    ),
  ).toEqual([]);
});

test("Places that are none, or that lack what they are about, are problems", () => {
  for (const [places, text] of [
    [{ header: "Cookie" }, "a cookie is no header of a token; expected 'cookie: NAME'"],
    [{ header: "Sec-WebSocket-Protocol" }, "expected 'websocketProtocol: true'"],
    [{ origins: ["https://app.example.org"] }, "whose pages may use a cookie, and there is none"],
  ] as const) {
    expect(() => setUp(places)).toThrow(text);
  }
  const settings = { type: "jwt", issuer: "https://a.example", audience: "a", algorithms: ["RS256"], keys: "k" };
  expect(jwtKind.schema.safeParse(settings).success).toBe(true);
  for (const places of [
    { cookie: "a b" },
    { query: "a&b" },
    { cookie: "a", origins: ["*"] },
    { cookie: "a", origins: [] },
  ]) {
    expect(jwtKind.schema.safeParse({ ...settings, ...places }).success, JSON.stringify(places)).toBe(false);
  }
});

test("Tokens that the provider is asked about stand in the same places", async () => {
  const files = { secret: "s3cret\n" };
  const context = { ...testContext(files), ...outsideContext(files) };
  const settings = introspectionKind.schema.parse({
    type: "introspection",
    endpoint: "https://idp.example.org/introspect",
    clientId: "orders",
    clientSecret: { file: "secret" },
    audience: "orders",
    cookie: "session",
    query: "access_token",
    websocketProtocol: true,
  });
  const authenticator = introspectionKind.compile("opaque", settings, context) as Authenticator;
  const seen = (headers: Lines, how: Asked) =>
    denialOf(authenticator.authenticate(asked(headers, how)) as Authentication);
  expect(authenticator).toMatchObject({
    credentialHeaders: ["dpop"],
    credentialCookies: ["session"],
    credentialParameters: ["access_token"],
    websocketProtocol: true,
  });
  expect(seen([["cookie", "session=t"]], { method: "POST" }).reason).toBe("origin_denied");
  expect(seen([["cookie", "session=t"]], { query: "?access_token=t" }).seen).toBe(
    "a token in cookie session and one in query parameter access_token",
  );
  expect(seen([["cookie", "session=not a token"]], {}).seen).toBe("characters that no token has");
  expect(authenticator.misplaced?.(asked([["authorization", "Bearer t"]]))).toEqual([
    "a token in Authorization, expected cookie session or query parameter access_token or Sec-WebSocket-Protocol",
  ]);
});

test("Of the sub-protocols the service is offered what is no token, unless the policy keeps it", () => {
  const lines = (headers: Lines, keepCredentials: boolean, protocols: boolean): string[] => {
    const rules = { ...NO_REQUEST_RULES, keepCredentials };
    const exchange = asked(headers, { webSocket: true });
    const text = buildRequestRewrite(rules, new Passage(rules, [], [], protocols))(exchange.headers, exchange);
    return text.split("\r\n").filter((line) => line.startsWith("sec-websocket-protocol"));
  };
  const apart: Lines = [
    ["sec-websocket-protocol", "chat, bearer"],
    ["x-other", "1"],
    ["sec-websocket-protocol", `${TOKEN}, v2.chat`],
  ];
  expect(lines(apart, false, true)).toEqual(["sec-websocket-protocol: chat, v2.chat"]);
  expect(lines([["sec-websocket-protocol", `bearer, ${TOKEN}`]], false, true)).toEqual([]);
  expect(lines([["sec-websocket-protocol", `bearer, ${TOKEN}, bearer, ${OTHER}`]], false, true)).toEqual([]);
  expect(lines([["sec-websocket-protocol", "chat,  v2.chat"]], false, true)).toEqual([
    "sec-websocket-protocol: chat,  v2.chat",
  ]);
  for (const [keep, protocols] of [
    [true, true],
    [false, false],
  ] as const) {
    expect(lines(apart, keep, protocols)).toEqual([
      "sec-websocket-protocol: chat, bearer",
      `sec-websocket-protocol: ${TOKEN}, v2.chat`,
    ]);
  }
});
