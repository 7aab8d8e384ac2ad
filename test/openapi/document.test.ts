import { describe, expect, test } from "vitest";
import { described, document, read, shown } from "./kit.ts";

function problems(text: string): readonly string[] {
  return read({ "api/orders.yaml": text }).findings.problems.map(shown);
}

function warnings(text: string): readonly string[] {
  return read({ "api/orders.yaml": text }).findings.warnings.map(shown);
}

describe("what is no OpenAPI 3 document is told with its line", () => {
  test.each([
    ["swagger: '2.0'\n", "api/orders.yaml:1:1 this is Swagger 2.0; expected OpenAPI 3, to which many tools convert"],
    ["openapi: 4.0.0\n", "api/orders.yaml:1:1 expected a version of OpenAPI: 3.0, 3.1 or 3.2, as in openapi: 3.1.0"],
    [
      "info: {}\n",
      "api/orders.yaml:1:1 'openapi' is missing; expected an OpenAPI document, as it begins: openapi: 3.1.0",
    ],
    ["", "api/orders.yaml:1:1 the file is empty"],
    [
      "openapi: 3.1.0\npaths: {}\npaths: {}\n",
      "api/orders.yaml:3:1 the key 'paths' stands here a second time; expected it once",
    ],
  ])("%j", (text, problem) => {
    expect(problems(text)).toEqual([problem]);
  });

  test("JSON with a name twice has two readings", () => {
    const { findings } = read({ "a.json": '{"openapi": "3.1.0",\n "paths": {}, "paths": {}}' }, { file: "a.json" });
    expect(findings.problems).toHaveLength(1);
    expect(findings.problems[0]?.place).toMatchObject({ file: "a.json", line: 2 });
  });
});

test("every version has its operations, each at its own line", () => {
  const text = document(
    `
paths:
  /orders:
    get: { operationId: list }
    query: { operationId: search }
    additionalOperations:
      PURGE: { operationId: purge }
`,
    "3.2.0",
  );
  const lines = described(text).operations.map(({ id, method, place }) => `${method} ${id} ${place.line}`);
  expect(lines).toEqual(["GET list 4", "QUERY search 5", "PURGE purge 7"]);
  const older = described(text.replace("3.2.0", "3.1.0")).operations.map(({ method }) => method);
  expect(older).toEqual(["GET"]);
});

test("a word that OpenAPI does not have is told, for nobody would see that it enforces nothing", () => {
  const text = document(`
paths:
  /a:
    x-own: {}
    post:
      summry: of an operation
      requestBody: { require: true, content: { application/json: { schma: {} } } }
      parameters: [{ name: a, in: query, requierd: true }]
    puut: {}
`);
  expect(warnings(text)).toEqual([
    "api/orders.yaml:9:5 'puut' means nothing in a path of OpenAPI and is not enforced; did you mean 'put'?",
    "api/orders.yaml:6:7 'summry' means nothing in an operation of OpenAPI and is not enforced; did you mean 'summary'?",
    "api/orders.yaml:8:42 'requierd' means nothing in a parameter of OpenAPI and is not enforced; did you mean 'required'?",
    "api/orders.yaml:7:22 'require' means nothing in a body of OpenAPI and is not enforced; did you mean 'required'?",
    "api/orders.yaml:7:68 'schma' means nothing in a media type of OpenAPI and is not enforced; did you mean 'schema'?",
  ]);
});

test("what seems to be security and is none is a problem: the operation would be open where nobody else asks", () => {
  const text = document("paths:\n  /a: { get: { securty: [{ key: [] }] } }\nSecurity: [{ key: [] }]\n");
  expect(problems(text)).toEqual([
    "api/orders.yaml:4:1 'Security' means nothing in the document of OpenAPI and is not enforced; did you mean 'security'?",
    "api/orders.yaml:3:16 'securty' means nothing in an operation of OpenAPI and is not enforced; did you mean 'security'?",
  ]);
});

test("each release of the specification has a dialect of its own, and all are known", () => {
  const dialect = (uri: string): readonly string[] => warnings(document(`jsonSchemaDialect: ${uri}\npaths: {}\n`));
  expect(dialect("https://spec.openapis.org/oas/3.1/dialect/base")).toEqual([]);
  expect(dialect("https://spec.openapis.org/oas/3.2/dialect/2025-09-17")).toEqual([]);
  expect(dialect("https://example.org/dialect")).toEqual([expect.stringContaining("is not known; read as 2020-12")]);
});

test("a version that YAML reads as a number is one", () => {
  expect(described("openapi: 3.0\npaths: { /a: { get: {} } }").version).toBe("3.0");
});

test("webhooks, callbacks and methods that are never forwarded are no operations", () => {
  const text = document(`
webhooks: { sent: { post: {} } }
paths:
  /orders:
    post: { callbacks: { done: { '{$request.body#/url}': { post: {} } } } }
    trace: {}
`);
  expect(described(text).operations.map(({ method }) => method)).toEqual(["POST"]);
  expect(warnings(text)).toEqual(["api/orders.yaml:6:5 TRACE is never forwarded; the operation is left out"]);
});

test("parameters of a path hold for its operations, which may write them anew", () => {
  const [operation] = described(
    document(`
paths:
  /orders/{id}:
    parameters:
      - { name: id, in: path, schema: { type: string } }
      - { name: page, in: query, schema: { type: string } }
    get:
      parameters: [{ name: page, in: query, schema: { type: integer }, style: pipeDelimited }]
`),
  ).operations;
  expect(
    operation?.parameters.map(({ name, style, required, schema }) => [name, style, required, schema?.value]),
  ).toEqual([
    ["id", "simple", true, { type: "string" }],
    ["page", "pipeDelimited", false, { type: "integer" }],
  ]);
});

test("headers that other parts of a description say are no parameters", () => {
  const [operation] = described(
    document(
      "paths: { /a: { get: { parameters: [{ name: Authorization, in: header }, { name: Accept, in: header }] } } }",
    ),
  ).operations;
  expect(operation?.parameters).toEqual([]);
});

describe("base paths", () => {
  const basesIn = (servers: string): readonly string[] =>
    described(document(`servers: ${servers}\npaths: { /a: { get: {} } }`)).operations[0]?.bases ?? [];

  test.each([
    ["[]", [""]],
    ["[{ url: / }]", [""]],
    ["[{ url: 'https://api.example.org/v1/' }]", ["/v1"]],
    ["[{ url: 'https://{region}.example.org:{port}/v1', variables: { region: { default: eu } } }]", [""]],
    ["[{ url: 'https://{region}.example.org/v1', variables: { region: { default: eu, enum: [eu, us] } } }]", ["/v1"]],
    ["[{ url: '/{base}', variables: { base: { default: v2, enum: [v1, v2] } } }]", ["/v2", "/v1"]],
    ["[{ url: 'https://a.example.org/v1' }, { url: 'https://b.example.org/v1' }]", ["/v1"]],
    ["[{ url: v3 }]", ["/v3"]],
  ])("%s", (servers, bases) => {
    expect(basesIn(servers)).toEqual(bases);
  });

  test("the nearest servers count: of an operation, of its path, of the document", () => {
    const { operations } = described(
      document(`
servers: [{ url: /document }]
paths:
  /a:
    servers: [{ url: /path }]
    get: { servers: [{ url: /operation }] }
    post: {}
  /b: { get: {} }
`),
    );
    expect(operations.map(({ bases }) => bases[0])).toEqual(["/operation", "/path", "/document"]);
  });
});

describe("references", () => {
  const main = document(`
paths:
  /orders: { $ref: 'paths.yaml#/orders' }
  /items: { $ref: '#/components/pathItems/items' }
components:
  pathItems:
    items: { get: { operationId: items } }
`);
  const paths = "orders:\n  post:\n    operationId: create\n    requestBody: { $ref: ../shared/bodies.yaml#/Order }\n";

  test("lead from file to file, and each part knows its own", () => {
    const bodies =
      "Order:\n  content:\n    application/json: { schema: { $ref: '#/Schema' } }\nSchema: { type: object }\n";
    const { description, findings } = read(
      { "api/v1/orders.yaml": main, "api/v1/paths.yaml": paths, "api/shared/bodies.yaml": bodies },
      { file: "api/v1/orders.yaml", root: "api" },
    );
    expect(findings.problems).toEqual([]);
    expect(findings.warnings).toEqual([]);
    const [create, items] = description?.operations ?? [];
    expect(create?.place).toEqual({ file: "api/v1/paths.yaml", line: 2, column: 3 });
    expect(create?.body?.media[0]?.schema).toMatchObject({ pointer: "/Schema", value: { type: "object" } });
    expect(create?.body?.media[0]?.schema?.place.file).toBe("api/shared/bodies.yaml");
    expect(items?.id).toBe("items");
  });

  test("never lead out of the root, and nothing is asked for there", () => {
    const { findings, asked } = read({
      "api/orders.yaml": main,
      "api/paths.yaml": paths,
      "shared/bodies.yaml": "Order: {}",
    });
    expect(asked).toEqual(["api/orders.yaml", "api/paths.yaml"]);
    expect(findings.warnings.map(shown)).toEqual([
      "api/paths.yaml:4:20 cannot follow '../shared/bodies.yaml#/Order': it leads out of the folder; expected a file below it, or 'root' further up; its body is not enforced",
    ]);
  });

  test.each(["../../../../../../etc/passwd", "..%2f..%2fetc/passwd", "/etc/passwd", "file:///etc/passwd"])(
    "%s is not read",
    (name) => {
      const { asked } = read({ "api/orders.yaml": document(`paths: { /a: { $ref: '${name}' } }`) });
      expect(asked).toEqual(["api/orders.yaml"]);
    },
  );

  test("are never fetched", () => {
    const text = document("paths: { /a: { $ref: 'https://example.org/a.yaml' } }");
    expect(warnings(text)).toEqual([
      "api/orders.yaml:2:16 cannot follow 'https://example.org/a.yaml': it is on the network, and nothing is fetched; expected a file beside this one; its operations are left out",
    ]);
  });

  test("that go round in a circle end", () => {
    const text = document(`
paths: { /a: { get: { parameters: [{ $ref: '#/components/parameters/A' }] } } }
components: { parameters: { A: { $ref: '#/components/parameters/B' }, B: { $ref: '#/components/parameters/A' } } }
`);
    expect(warnings(text)).toEqual([
      expect.stringContaining("its references go round in a circle, or beyond 32; the parameter is not enforced"),
    ]);
  });
});

test("a schema judges with all that it refers to, in the dialect of its version", () => {
  const text = (version: string): string =>
    document(
      `
paths: { /a: { post: { requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } } } } }
components: { schemas: { A: { type: object, properties: { next: { $ref: '#/components/schemas/A' }, n: { type: integer, nullable: true } } } } }
`,
      version,
    );
  const judged = (version: string, value: unknown): unknown => {
    const { operations, library } = described(text(version));
    const schema = operations[0]?.body?.media[0]?.schema;
    const compiled = schema ? library.compile(schema, true) : null;
    if (compiled === null || !compiled.ok) throw new Error("no schema");
    return compiled.value.validator.judge(value)?.map(({ pointer, keyword }) => `${pointer} ${keyword}`) ?? null;
  };
  expect(judged("3.0.3", { next: { n: null } })).toBeNull();
  expect(judged("3.1.0", { next: { n: null } })).toEqual(["/next/n type"]);
  expect(judged("3.0.3", { next: { next: { n: "x" } } })).toEqual(["/next/next/n type"]);
});

test("more operations than are allowed are a problem, and so is a file that is too large", () => {
  const paths = Array.from({ length: 10_001 }, (_, at) => `"/p${at}": { "get": {} }`).join(",");
  const { findings } = read({ "a.json": `{"openapi":"3.1.0","paths":{${paths}}}` }, { file: "a.json" });
  expect(findings.problems.map(({ text }) => text)).toEqual(["more than 10000 operations"]);
  const large = read({ "a.json": `{"openapi":"3.1.0","x":"${"x".repeat(17 * 1024 * 1024)}"}` }, { file: "a.json" });
  expect(large.findings.problems.map(({ text }) => text)).toEqual(["has more than 16777216 bytes"]);
});

test("an alias bomb ends as a problem", () => {
  const bomb = ["a: &a0 [x, x, x, x, x, x, x, x]"];
  for (let at = 1; at < 12; at++)
    bomb.push(
      `a${at}: &a${at} [${Array(8)
        .fill(`*a${at - 1}`)
        .join(", ")}]`,
    );
  expect(problems(`openapi: 3.1.0\n${bomb.join("\n")}\n`)[0]).toContain("values with its aliases written out");
});

describe("merge keys", () => {
  const merging = document(`
x-common: &common
  parameters: [{ name: tenant, in: query, required: true, schema: { type: string } }]
  responses: { '200': { description: fine } }
x-list: &list
  <<: *common
  operationId: shared
paths:
  /orders:
    get:
      <<: *list
      operationId: list
  /items:
    get: { <<: [*list], tags: [a] }
`);

  test("put what they name into operations, and what stands there itself counts", () => {
    const { operations } = described(merging);
    expect(operations.map(({ id, parameters }) => [id, parameters.map(({ name }) => name)])).toEqual([
      ["list", ["tenant"]],
      ["shared", ["tenant"]],
    ]);
  });

  test.each([
    ["a second one", "  <<: *a\n  <<: *a\n", "a second merge key (<<) stands here; expected one, with a list"],
    ["what is no mapping", "  <<: *b\n", "expected a mapping to merge, or a list of mappings, as in <<: [*a, *b]"],
  ])("of %s are told", (_, merge, problem) => {
    const text = `openapi: 3.1.0\nx-a: &a { c: 1 }\nx-b: &b text\nx-d:\n${merge}paths: {}\n`;
    expect(problems(text)).toEqual([expect.stringContaining(problem)]);
  });

  test("that grow without end are refused before they do", () => {
    const names = Array.from({ length: 40 }, (_, at) => `x-${at}`);
    const keys = Array.from({ length: 2_000 }, (_, at) => `k${at}: 1`).join(", ");
    const lines = names.map((name, at) => {
      const all = names.slice(0, at).map((one) => `*${one}`);
      return at === 0 ? `${name}: &${name} { ${keys} }` : `${name}: &${name} { <<: [${[...all, ...all].join(", ")}] }`;
    });
    expect(problems(`openapi: 3.1.0\n${lines.join("\n")}\npaths: {}\n`)).toEqual([
      expect.stringMatching(/more than \d+ (?:values|keys)/),
    ]);
  });
});

test("a reference by the URI that a file gives itself leads to that file, and nothing is fetched", () => {
  const self = "https://api.example/orders.yaml";
  const common = "https://api.example/common.yaml";
  const text = document(
    `
$self: ${self}
paths:
  /orders/{id}:
    parameters: [{ $ref: '${self}#/components/parameters/Id' }, { $ref: '${common}#/Page' }, { $ref: common.yaml#/Page }]
    post: { requestBody: { content: { application/json: { schema: { items: { $ref: '${self}#/components/schemas/A' } } } } } }
components:
  parameters: { Id: { name: id, in: path, required: true, schema: { type: integer } } }
  schemas: { A: { type: integer, not: { $ref: '#/components/schemas/B' } }, B: { const: 1 } }
`,
    "3.2.0",
  );
  const files = {
    "api/orders.yaml": text,
    "api/common.yaml": `$self: ${common}\nPage: { name: page, in: query, schema: { type: integer } }\n`,
  };
  const { description, findings, asked } = read(files);
  expect(asked).toEqual(["api/orders.yaml", "api/common.yaml"]);
  expect(findings.warnings.map(({ text: told }) => told)).toEqual([expect.stringContaining("stands twice")]);
  const [operation] = description?.operations ?? [];
  expect(operation?.parameters.map(({ name }) => name)).toEqual(["id", "page"]);
  const schema = operation?.body?.media[0]?.schema;
  const compiled = schema === undefined || schema === null ? null : description?.library.compile(schema, true);
  if (compiled?.ok !== true) throw new Error("the schema has no faults");
  expect([[2], [1], ["x"]].map((value) => compiled.value.validator.judge(value) === null)).toEqual([
    true,
    false,
    false,
  ]);
});
