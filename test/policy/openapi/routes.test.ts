import { beforeAll, describe, expect, test } from "vitest";
import { CONTINUE, Denial } from "../../../src/decision/verdict.ts";
import type { Route, Snapshot } from "../../../src/policy/snapshot.ts";
import { createExchange } from "../../fixtures/route-context.ts";
import { createTokenMint } from "../../fixtures/tokens.ts";
import { examine, type Files, problemsOf, snapshotOf, warningsOf } from "../policy-kit.ts";
import { api, filesWith, policyOf } from "./kit.ts";

let jwks: string;
beforeAll(async () => {
  ({ jwks } = await createTokenMint());
});

const SECURED = "security: [{ oauth: [read] }]";

async function snapshot(document: string, settings = "", rest = "", others: Files = {}): Promise<Snapshot> {
  return await snapshotOf(policyOf(settings, rest), filesWith(jwks, document, others));
}

function match(snapshot: Snapshot, method: string, path: string): string | Route {
  const found = snapshot.routes.match("any", method, path);
  return found.kind === "found" ? found.route : found.kind;
}

function placesOf(route: string | Route): Record<string, string> {
  if (typeof route === "string") throw new Error(route);
  return Object.fromEntries(route.checks.map(({ name, place: { file, line } }) => [name, `${file}:${line}`]));
}

describe("an operation is a route", () => {
  const document = api(
    `
/orders/{id}:
  get: { ${SECURED}, parameters: [{ name: id, in: path, schema: { type: string, format: uuid } }] }
/orders:
  post:
    ${SECURED}
    requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
`,
    "servers: [{ url: https://api.example.org/v1 }]",
  );

  test("below the base path of its servers, with its places in the document", async () => {
    const all = await snapshot(document);
    const route = match(all, "GET", "/v1/orders/7");
    expect(route).toMatchObject({ template: "/v1/orders/{id}", place: { file: "api/orders.yaml", line: 5 } });
    expect(placesOf(route)).toEqual({
      authenticate: "api/orders.yaml:5",
      authorize: "api/orders.yaml:5",
      validate: "api/orders.yaml:5",
    });
    expect(match(all, "DELETE", "/v1/orders/7")).toBe("method_not_allowed");
    expect(match(all, "GET", "/orders/7")).toBe("not_found");
    expect(all.routesPlace).toMatchObject({ file: "conf/policy.yaml", line: 11 });
  });

  test("or where 'basePath' says", async () => {
    const all = await snapshot(document, "basePath: [/a/, /]");
    expect(match(all, "GET", "/a/orders/7")).toHaveProperty("template", "/a/orders/{id}");
    expect(match(all, "GET", "/orders/7")).toHaveProperty("template", "/orders/{id}");
    expect(match(all, "GET", "/v1/orders/7")).toBe("not_found");
  });

  test("a variable that begins with a slash, as AWS exports it, is a part of the path and no host", async () => {
    const variable = "variables: { basePath: { default: /prod } }";
    const exported = document.replace(
      "https://api.example.org/v1",
      `'https://abc.example.org/{basePath}', ${variable}`,
    );
    const all = await snapshot(exported);
    expect(match(all, "GET", "/prod/orders/7")).toHaveProperty("template", "/prod/orders/{id}");
    expect(match(all, "GET", "/orders/7")).toBe("not_found");
  });

  test("AWS: an operation of any method takes those that the path has no other for, at all paths below", async () => {
    const any = `x-amazon-apigateway-any-method: { operationId: any, ${SECURED} }`;
    const all = await snapshot(api(`/files/{proxy+}:\n  get: { operationId: read, ${SECURED} }\n  ${any}`));
    const lines = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map((method) => {
      const route = match(all, method, "/files/a/b");
      return typeof route === "string" ? route : `${route.template} ${route.place.line}`;
    });
    expect(lines).toEqual(["/files/** 5", ...Array(6).fill("/files/** 6")]);
    expect(match(all, "TRACE", "/files/a")).toBe("method_not_allowed");
    expect(match(all, "GET", "/other")).toBe("not_found");
    expect(Object.keys(placesOf(match(all, "POST", "/files/a")))).toContain("authenticate");
    expect(all.warnings.map(({ text }) => text).join()).not.toContain("is called 'any'");
  });

  test.each([
    ["/files/*", "/files/a/b", ""],
    ["/files/{*path}", "/files/a/b", "'*path'"],
    ["/files/{**path}", "/files/a/b", "path"],
    ["/files/{path+}", "/files/a/b", "path"],
    ["/$default", "/other/place", ""],
  ])("%s stands for all paths below, as other gateways mean it", async (path, asked, name) => {
    const parameters = name === "" ? "" : `, parameters: [{ name: ${name}, in: path, required: true, schema: {} }]`;
    const any = `x-amazon-apigateway-any-method: { isDefaultRoute: true, ${SECURED}${parameters} }`;
    const all = await snapshot(api(`'${path}': { ${any} }`));
    expect(match(all, "GET", asked)).toHaveProperty("template", path.startsWith("/files") ? "/files/**" : "/**");
    const told = all.warnings.map(({ text }) => text).join();
    expect(told).not.toMatch(/left out|isDefaultRoute|nothing parts/);
    expect(told.includes("parameters of several segments")).toBe(name !== "");
  });

  test("what is not enforced is told with how often it stands in the document, not at how many paths it is", async () => {
    const parameter = "{ name: proxy, in: path, required: true, schema: { type: string } }";
    const any = `x-amazon-apigateway-any-method: { ${SECURED}, parameters: [${parameter}] }`;
    const servers = "servers: [{ url: /v1 }, { url: /v2 }]";
    const told = await warningsOf(policyOf(), filesWith(jwks, api(`/files/{proxy+}: { ${any} }`, servers)));
    expect(told.join()).toContain("not enforced: parameters of several segments (api/orders.yaml:");
  });

  test("files of the document are watched, and count for the hash", async () => {
    const external = document.replace("#/components/schemas/Order", "order.yaml");
    const one = await snapshot(external, "", "", { "api/order.yaml": "type: object\n" });
    const other = await snapshot(external, "", "", { "api/order.yaml": "type: array\n" });
    expect(one.files).toContain("/srv/conf/api/order.yaml");
    expect(one.hash).not.toBe(other.hash);
  });
});

describe("a policy adds or stands in place", () => {
  const document = api(`
/orders:
  post:
    operationId: create
    ${SECURED}
    requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
  get: { operationId: list, ${SECURED} }
`);

  test("a smaller body keeps its schema", async () => {
    const all = await snapshot(document, "operations: { create: { validate: { body: { maxBytes: 1KiB } } } }");
    const route = match(all, "POST", "/orders");
    expect(route).toHaveProperty("bodyBytesMax", 1024);
    expect(placesOf(route)["validate"]).toBe("api/orders.yaml:5");
  });

  test("who may use it is one thing, and scopes stay where only callers change", async () => {
    const open = match(await snapshot(document, "operations: { list: { public: true } }"), "GET", "/orders");
    expect(Object.keys(placesOf(open))).toEqual([]);
    const other = match(await snapshot(document, "operations: { list: { authenticate: [keys] } }"), "GET", "/orders");
    expect(placesOf(other)).toEqual({ authenticate: "conf/policy.yaml:13", authorize: "api/orders.yaml:9" });
    const more = match(
      await snapshot(document, "operations: { list: { authenticate: { maxAge: 5m } } }"),
      "GET",
      "/orders",
    );
    expect(placesOf(more)["authorize"]).toBe("api/orders.yaml:9");
  });

  test("a route with its path and method is laid over it, and is its own for other methods", async () => {
    const routes = "routes: [{ path: '/orders', methods: [GET, DELETE], authenticate: [keys] }]";
    const all = await snapshot(document, "", routes);
    expect(placesOf(match(all, "GET", "/orders"))).toEqual({
      authenticate: "conf/policy.yaml:13",
      authorize: "api/orders.yaml:9",
    });
    expect(placesOf(match(all, "DELETE", "/orders"))).toEqual({ authenticate: "conf/policy.yaml:13" });
    expect(placesOf(match(all, "POST", "/orders"))["authenticate"]).toBe("api/orders.yaml:7");
  });

  test("HEAD is asked for what GET is", async () => {
    const all = await snapshot(document, "", "routes: [{ path: /orders, authenticate: [keys] }]");
    expect(match(all, "HEAD", "/orders")).toBe(match(all, "GET", "/orders"));
    expect(Object.keys(placesOf(match(all, "HEAD", "/orders")))).toContain("authorize");
  });

  test("parameters may be called otherwise", async () => {
    const named = api(
      `/o/{id}:\n  get: { ${SECURED}, parameters: [{ name: id, in: path, schema: { type: integer } }] }`,
    );
    const all = await snapshot(named, "", "routes: [{ path: '/o/{order}', methods: [GET], priority: low }]");
    const route = match(all, "GET", "/o/7");
    expect(route).toHaveProperty("template", "/o/{order}");
    expect(Object.keys(placesOf(route))).toContain("validate");
  });

  test("where requests write the name, as style matrix does, it is the document's", async () => {
    const parameter = "{ name: id, in: path, required: true, style: matrix, schema: { type: integer } }";
    const odd = parameter.replace("name: id", "name: 'the id'");
    const named = api(
      `/o/{id}:\n  get: { ${SECURED}, parameters: [${parameter}] }\n'/p/{the id}':\n  get: { ${SECURED}, parameters: [${odd}] }`,
    );
    const all = await snapshot(named, "", "routes: [{ path: '/o/{order}', methods: [GET], priority: low }]");
    const judged = async (path: string, text: string): Promise<string | null> => {
      const route = match(all, "GET", path);
      if (typeof route === "string") throw new Error(route);
      const check = route.checks.find(({ name }) => name === "validate");
      const verdict = await check?.evaluate(createExchange({ params: [text] }));
      return verdict === undefined ? "no check" : (verdict?.reason ?? null);
    };
    expect(await judged("/o/x", ";id=7")).toBeNull();
    expect(await judged("/o/x", ";order=7")).toBe("parameter_invalid");
    expect(await judged("/o/x", ";id=seven")).toBe("parameter_invalid");
    expect(await judged("/p/x", ";the%20id=7")).toBeNull();
    expect(await judged("/p/x", ";_the_id=7")).toBe("parameter_invalid");
  });

  test("slips are told", async () => {
    const settings = "operations:\n  creat: {}\n  list: { path: /x, limit: [none], nonsense: 1 }";
    expect(await problemsOf(policyOf(settings), filesWith(jwks, document))).toEqual([
      "14:7 the document has no operation 'creat'; did you mean 'create'?",
      "15:15 'path' is what the document says",
      expect.stringMatching(/^15:33 no limit 'none' is defined/),
      expect.stringMatching(/^15:50 unknown key 'nonsense'/),
    ]);
  });
});

describe("what no operation takes", () => {
  const document = api(`/orders:\n  get: { ${SECURED} }`, "servers: [{ url: /v1 }]");
  const broad = "routes: [{ path: /**, public: true }]";

  test("is refused, also where a broader route would take it", async () => {
    expect(match(await snapshot(document), "GET", "/v1/other")).toBe("not_found");
    const all = await snapshot(document, "", broad);
    const route = match(all, "GET", "/v1/other");
    expect(placesOf(route)).toEqual({ undeclared: "api/orders.yaml:3" });
    expect(match(all, "POST", "/v1/orders")).toBe("method_not_allowed");
    expect(match(all, "GET", "/else")).toHaveProperty("template", "/**");
  });

  test("may be somebody else's business", async () => {
    const all = await snapshot(document, "undeclared: ignore", broad);
    expect(match(all, "GET", "/v1/other")).toHaveProperty("template", "/**");
  });

  test("passes while it is only audited, other methods too, for callers that are known", async () => {
    const all = await snapshot(document, "undeclared: audit");
    for (const [method, path] of [
      ["GET", "/v1/other/more"],
      ["POST", "/v1/orders"],
    ] as const) {
      const route = match(all, method, path) as Route;
      expect(Object.keys(placesOf(route))).toEqual(["undeclared", "authenticate"]);
      expect(route.checks[0]?.enforcePercent).toBe(0);
    }
    expect(Object.keys(placesOf(match(all, "GET", "/v1/orders")))).not.toContain("undeclared");
  });
});

describe("paths that routes cannot have", () => {
  const twins = (a: string, b: string): string =>
    api(
      `'/files/{id}.json':\n  get: { security: [{ oauth: [${a}] }] }\n'/files/{id}':\n  get: { security: [{ oauth: [${b}] }] }`,
    );

  test("two that are one for routes are one rule, where it is the same", async () => {
    const all = await snapshot(twins("read", "read"));
    expect(all.routeList).toHaveLength(1);
    expect(all.warnings.map(({ text }) => text)).toContainEqual(
      expect.stringContaining("routes do not tell '/files/{id}' from"),
    );
  });

  test("and a problem where the one would let the other's requests in", async () => {
    expect(await problemsOf(policyOf(), filesWith(jwks, twins("read", "admin")))).toEqual([
      expect.stringMatching(/^api\/orders\.yaml:7:5 routes do not tell .* who may use them differs/),
    ]);
  });

  async function judged(all: Snapshot, path: string, text: string): Promise<string | null> {
    const route = match(all, "GET", path);
    if (typeof route === "string") return route;
    const check = route.checks.find(({ name }) => name === "validate");
    const verdict = await check?.evaluate(createExchange({ params: [text] }));
    return verdict === undefined ? "no check" : (verdict?.reason ?? null);
  }

  test("a parameter that is a part of a segment leaves what stands beside it", async () => {
    const paths = ["/v1.0/{a}.json", "/files/photo-{a}(x)", "/range/{a}-{b}"];
    const all = await snapshot(api(paths.map((path) => `'${path}':\n  get: { ${SECURED} }`).join("\n")));
    expect(await judged(all, "/v1.0/x", "orders.json")).toBeNull();
    expect(await judged(all, "/v1.0/x", "admin")).toBe("parameter_invalid");
    expect(await judged(all, "/v1.0/x", "adminxjson")).toBe("parameter_invalid");
    expect(await judged(all, "/v1.0/x", ".json")).toBe("parameter_invalid");
    expect(await judged(all, "/files/x", "photo-7(x)")).toBeNull();
    expect(await judged(all, "/files/x", "photo-7x")).toBe("parameter_invalid");
    expect(await judged(all, "/files/x", "my-photo-7(x)")).toBe("parameter_invalid");
    expect(await judged(all, "/range/x", "1-2")).toBeNull();
    expect(await judged(all, "/range/x", "1-")).toBe("parameter_invalid");
  });

  test("parameters that are parts of a segment are judged, in every reading that it has", async () => {
    const of = (name: string, schema: string): string =>
      `{ name: ${name}, in: path, required: true, schema: ${schema} }`;
    const path = (text: string, ...parameters: string[]): string =>
      `'${text}':\n  get: { ${SECURED}, parameters: [${parameters.join(", ")}] }\n`;
    const all = await snapshot(
      api(
        path("/files/{name}.{ext}", of("name", "{ type: string, maxLength: 5 }"), of("ext", "{ enum: [png, gz] }")) +
          path("/range/{a}-{b}", of("a", "{ type: integer }"), of("b", "{ type: integer, maximum: 9 }")) +
          path("/tasks/{id}:cancel", of("id", "{ type: string, pattern: '^[a-z]+$' }")) +
          path("/list/x{ids}", of("ids", "{ type: array, maxItems: 2, items: { type: integer } }")),
      ),
    );
    for (const [route, good, bad] of [
      ["/files/x", ["a.png", "%C3%A9.gz", "a%25.png"], ["a.txt", "abcdef.png", "a.tar.gz", ".png", "a.", "apng"]],
      ["/range/x", ["1-2", "10-9"], ["1-10", "a-2", "1", "-1-2-3", "1-2-"]],
      ["/tasks/x", ["a:cancel", "a%3Acancel"], ["7:cancel", "a:cancelled", "a", ":cancel", "a:cancel:cancel"]],
      ["/list/x", ["x1", "x1,2"], ["x1,2,3", "xa", "1", "x1%2C2%2C3"]],
    ] as const) {
      for (const text of good) expect(await judged(all, route, text), text).toBeNull();
      for (const text of bad) expect(await judged(all, route, text), text).toBe("parameter_invalid");
    }
    expect(await judged(all, "/files/x", `${"a.".repeat(20)}png`)).toBe("parameter_invalid");
    expect(all.warnings.map(({ text }) => text).join()).not.toContain("not enforced");
  });

  test("parameters with nothing between them are told", async () => {
    const of = (name: string): string => `{ name: ${name}, in: path, required: true, schema: { type: integer } }`;
    const all = await snapshot(api(`'/x/{a}{b}':\n  get: { ${SECURED}, parameters: [${of("a")}, ${of("b")}] }`));
    expect(all.warnings.map(({ text }) => text).join()).toContain("parameters of a segment that nothing parts");
  });

  test("two such that routes do not tell apart are taken, and nothing else", async () => {
    const path = (text: string): string => `'/files/${text}':\n  get: { ${SECURED} }\n`;
    const all = await snapshot(api(path("{a}.json") + path("{a}.xml") + path("cover-{a}")));
    expect(all.routeList).toHaveLength(1);
    for (const text of ["a.json", "a.xml", "cover-a"]) expect(await judged(all, "/files/x", text)).toBeNull();
    for (const text of ["a.txt", "a", "a.jsonx"]) expect(await judged(all, "/files/x", text)).toBe("parameter_invalid");
  });

  test("what style matrix writes into a part of a segment stays there", async () => {
    const parameter = "{ name: ids, in: path, required: true, style: matrix, schema: { type: string } }";
    const all = await snapshot(api(`'/list{ids}':\n  get: { ${SECURED}, parameters: [${parameter}] }`));
    expect(await judged(all, "/x", "list;ids=1")).toBeNull();
    expect(await judged(all, "/x", "list")).toBe("parameter_invalid");
    expect(all.routeList[0]).toMatchObject({ template: "/{segment1}" });
  });

  test.each(["/search?q={q}", "/#action", "/a//b", "/a/*/b"])("%s is left out, and so refused", async (path) => {
    const document = api(`'${path}':\n  get: { ${SECURED} }\n/ok:\n  get: { ${SECURED} }`);
    const all = await snapshot(document);
    expect(all.routeList.map(({ template }) => template)).toEqual(["/ok"]);
    expect(all.warnings.map(({ place, text }) => `${place.line} ${text}`)).toContainEqual(
      expect.stringContaining("is left out, and so refused"),
    );
  });
});

describe("what is not enforced", () => {
  const document = api(`
/orders:
  get:
    ${SECURED}
    parameters:
      - { name: a, in: query, style: deepObject, schema: { type: string } }
      - { name: b, in: query, style: deepObject, schema: { type: string } }
      - { name: c, in: query, schema: { type: object, properties: { x: { type: object } } } }
      - { name: d, in: query, schema: { type: string, pattern: '(?<=a)b' } }
      - { name: e, in: query, schema: { type: string, format: iban } }
      - { name: f, in: query, schema: { oneOf: [{ type: string }, { type: integer }] } }
`);

  test("is told once, with how often and where first", async () => {
    const told = (await warningsOf(policyOf(), filesWith(jwks, document))).filter((text) =>
      text.includes("not enforced"),
    );
    expect(told).toEqual([
      "12:11 'api/orders.yaml': not enforced: style deepObject of what is no object (2 times, first api/orders.yaml:8:11), " +
        "parameters that are objects with objects in them (api/orders.yaml:10:11), format 'iban' of parameters (api/orders.yaml:12:11)",
    ]);
  });

  test("a parameter that nobody reads is not taken for one that nobody declares", async () => {
    const rules = "undeclaredParameters: refuse";
    const seen = async (text: string, query: string): Promise<string | null> => {
      const route = match(await snapshot(text, rules), "GET", "/orders");
      const check = typeof route === "string" ? undefined : route.checks.find(({ name }) => name === "validate");
      const verdict = await check?.evaluate(createExchange({ query }));
      return verdict instanceof Denial ? verdict.seen : null;
    };
    expect(await seen(document, "?x=1&b=2")).toBeNull();
    expect(await seen(document, "?e=1&d=ab")).toBeNull();
    expect((await warningsOf(policyOf(rules), filesWith(jwks, document))).join()).toContain(
      "undeclared parameters beside one that is not enforced (api/orders.yaml:8:11)",
    );
    const read = document.replace(/ *- \{ name: [abc],.*\n/g, "");
    expect(await seen(read, "?e=1&x=1")).toBe("query x: unknown");
  });

  test("extensions are named once, strict or not", async () => {
    const extended = `${document}x-wso2-auth: {}\n`.replace(
      "    get:\n",
      "    get:\n      x-kong-name: gold\n      x-observed: {}\n",
    );
    const { warnings } = await examine(policyOf(), filesWith(jwks, extended));
    expect(warnings.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(
        /^'api\/orders\.yaml': extensions that mean nothing here: x-wso2-auth \(api\/orders\.yaml:\d+:1\), x-kong-name \(api\/orders\.yaml:6:7\)$/,
      ),
    );
  });

  test("is a problem where the section is strict", async () => {
    const problems = await problemsOf(policyOf("strict: true"), filesWith(jwks, document));
    expect(problems).toEqual([expect.stringMatching(/^12:11 'api\/orders\.yaml': not enforced: /)]);
  });

  test("a schema with a fault is told at its line, and the document loads", async () => {
    const faulty = api(`
/orders:
  post:
    ${SECURED}
    requestBody: { content: { application/json: { schema: { type: object, properties: { a: { $ref: '#/nowhere' } } } } } }
`);
    const { snapshot: made, warnings } = await examine(policyOf(), filesWith(jwks, faulty));
    expect(made).not.toBeNull();
    expect(warnings.map(({ place, text }) => `${place.file}:${place.line} ${text}`)).toContainEqual(
      expect.stringMatching(
        /^api\/orders\.yaml:7 cannot follow the reference '#\/nowhere'.*the schema is not enforced/,
      ),
    );
  });
});

test("a document that is not there is a problem of the policy, and no more", async () => {
  expect(await problemsOf(policyOf(), { "jwks.json": jwks, "keys.yaml": "callers: []\n" })).toEqual([
    "12:11 'api/orders.yaml' does not exist; expected a file, relative to the policy",
  ]);
});

test("two documents stand beside each other, and claim no path twice", async () => {
  const first = api(`/a:\n  get: { ${SECURED} }`);
  const rest = "  - file: api/other.yaml";
  const all = await snapshot(first, "", rest, { "api/other.yaml": first.replace("/a:", "/b:") });
  expect(all.routeList.map(({ template }) => template)).toEqual(["/a", "/b"]);
  expect(await problemsOf(policyOf("", rest), filesWith(jwks, first, { "api/other.yaml": first }))).toEqual([
    expect.stringMatching(/^api\/other\.yaml:5:5 no request reaches this/),
  ]);
});

test("a parameter that stands twice in a path is judged in both places", async () => {
  const text = api(`
/orders/{id}/like/{id}:
  get: { ${SECURED}, parameters: [{ name: id, in: path, required: true, schema: { type: integer } }] }
`);
  const route = match(await snapshot(text), "GET", "/orders/1/like/2");
  const check = typeof route === "string" ? undefined : route.checks.find(({ name }) => name === "validate");
  const seen = async (...params: string[]): Promise<unknown> => await check?.evaluate(createExchange({ params }));
  expect(await seen("1", "2")).toBe(CONTINUE);
  expect(await seen("x", "2")).toMatchObject({ reason: "parameter_invalid" });
  expect(await seen("1", "x")).toMatchObject({ reason: "parameter_invalid" });
});

test("letters and blanks of a path are what requests write for them", async () => {
  const all = await snapshot(api(`\n'/über uns/{id}':\n  get: { ${SECURED} }\n`));
  expect(all.routeList.map(({ template }) => template)).toContain("/%C3%BCber%20uns/{id}");
  expect(match(all, "GET", "/%C3%BCber%20uns/1")).toMatchObject({ template: "/%C3%BCber%20uns/{id}" });
});
