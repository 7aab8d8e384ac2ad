import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { OPENING_EXTENSIONS } from "../../../src/openapi/extensions.ts";
import { type AmountFindings, amountOf } from "../../../src/policy/openapi/amounts.ts";
import { accessOf } from "../../../src/policy/openapi/security.ts";
import { atOnce } from "../../../src/support/turns.ts";
import { createTokenMint } from "../../fixtures/tokens.ts";
import { described } from "../../openapi/kit.ts";
import { examine, type Files, problemsOf, warningsOf } from "../policy-kit.ts";
import { api, filesWith, policyOf } from "./kit.ts";

let jwks: string;
beforeAll(async () => {
  ({ jwks } = await createTokenMint());
});

const SECURED = "security: [{ oauth: [read] }]";

/** Of the one operation `GET /a`: what its route asks for, and what is told. */
async function look(operation: string, settings = "", top = "", others: Files = {}) {
  const files = filesWith(jwks, api(`/a:\n  get: { ${operation} }`, top), others);
  const { problems, warnings, snapshot } = await examine(policyOf(settings), files);
  const [route] = snapshot?.routeList ?? [];
  return {
    problems: problems.map(({ text, place: { file, line } }) => `${file}:${line} ${text}`),
    warnings: warnings.map(({ text }) => text).filter((text) => text.includes("x-")),
    checks: route?.checks.map(({ name }) => name),
  };
}

describe("what opens an operation elsewhere", () => {
  test.each(OPENING_EXTENSIONS)("%s opens nothing by itself, and is told", async (name) => {
    const value = name === "x-auth-type" ? "None" : "true";
    const { checks, warnings, problems } = await look(`${SECURED}, ${name}: ${value}`, "public: true");
    expect(problems).toEqual([]);
    expect(checks).toContain("authenticate");
    expect(warnings).toEqual([`'${name}' opens nothing here (api/orders.yaml:5:43); 'extensions: [${name}]' lets it`]);
  });

  test.each(OPENING_EXTENSIONS)("%s opens where the policy names it and has public: true", async (name) => {
    const value = name === "x-auth-type" ? "None" : "true";
    const settings = `extensions: [${name}]`;
    const { checks, warnings } = await look(`${SECURED}, ${name}: ${value}`, `public: true\n${settings}`);
    expect(checks).not.toContain("authenticate");
    expect(warnings).toEqual([]);
    const { problems } = await look(`${SECURED}, ${name}: ${value}`, settings);
    expect(problems).toEqual([expect.stringContaining("api/orders.yaml:5 nothing says who may use GET /a")]);
  });

  test("the nearest counts: an operation that is closed stays closed", async () => {
    const top = "x-wso2-disable-security: true";
    const settings = "public: true\nextensions: [x-wso2-disable-security]";
    expect((await look(SECURED, settings, top)).checks).not.toContain("authenticate");
    const closed = await look(`${SECURED}, x-wso2-disable-security: false`, settings, top);
    expect(closed.checks).toContain("authenticate");
  });

  test("a name that opens nothing has no place there", async () => {
    const { problems } = await look(SECURED, "extensions: [x-kong-name]");
    expect(problems).toEqual([expect.stringContaining("x-auth-type")]);
  });
});

describe("what asks for callers elsewhere and 'security' does not", () => {
  test.each([
    "x-kong-plugin-key-auth: { config: { key_names: [apikey] } }",
    "x-kong-plugin-openid-connect: {}",
    "x-amazon-apigateway-auth: { type: AWS_IAM }",
    "x-auth-type: Application & Application User",
    "x-wso2-application-security: { security-types: [api_key], optional: false }",
    "x-tyk-api-gateway: { server: { authentication: { enabled: true } } }",
  ])("is a problem where it would be open: %s", async (extension) => {
    const [name] = extension.split(":");
    const text = `'${name}' asks for callers of GET /a and 'security' for none, so that it would be open; expected 'security' in the document, or 'authenticate' or 'public: true' for it in 'operations' of the policy`;
    expect((await look(extension, "public: true")).problems).toEqual([`api/orders.yaml:5 ${text}`]);
    expect((await look("", "public: true", extension)).problems).toEqual([`api/orders.yaml:2 ${text}`]);
    const said = await look(extension, "public: true\noperations: { GET /a: { public: true } }");
    expect(said.problems).toEqual([]);
    const closed = await look(`${SECURED}, ${extension}`);
    expect(closed.problems).toEqual([]);
    expect(closed.warnings).toEqual([]);
  });

  test.each([
    "x-kong-plugin-key-auth: { enabled: false }",
    "x-amazon-apigateway-auth: { type: NONE }",
    "x-wso2-application-security: { optional: true }",
    "x-tyk-api-gateway: { server: { authentication: { enabled: false } } }",
  ])("is none where it is switched off: %s", async (extension) => {
    expect((await look(extension, "public: true")).problems).toEqual([]);
  });
});

describe("x-wso2-mutual-ssl: mandatory asks for a certificate", () => {
  const top = "x-wso2-mutual-ssl: mandatory";
  const callers = (operation: string, extensions: readonly string[] = []): unknown => {
    const { operations, schemes } = described(api(`/a:\n  get: { ${operation} }`, top));
    const authenticators = new Map([
      ["okta", "jwt"],
      ["mesh", "client-certificate"],
      ["guest", "anonymous"],
    ]);
    const mapping = { written: {}, authenticators };
    const [first] = operations;
    return first && accessOf(first, { schemes, mapping, isPublic: true, hasDefault: false, extensions });
  };

  test.each([
    [SECURED, { authenticate: { all: ["mesh", "okta"] }, authorize: { scopes: ["read"] } }],
    ["", { authenticate: ["mesh"], authorize: undefined }],
    ["security: []", { authenticate: ["mesh"], authorize: undefined }],
    ["security: [{}]", { authenticate: ["mesh"], authorize: undefined }],
  ])("of whoever 'security' lets in, and of everybody else: %s", (operation, access) => {
    expect(callers(operation)).toEqual(access);
  });

  test("also where an extension takes the rest away", () => {
    const opened = callers(`${SECURED}, x-wso2-disable-security: true`, ["x-wso2-disable-security"]);
    expect(opened).toEqual({ authenticate: ["mesh"], authorize: undefined });
  });

  test("where the policy knows no certificates, it is a problem", async () => {
    const policy = policyOf().replace("mesh: { type: client-certificate, trustDomain: example.org }", "");
    const problems = await problemsOf(policy, filesWith(jwks, api(`/a:\n  get: { ${SECURED} }`, top)));
    expect(problems).toEqual([expect.stringContaining("callers of 'x-wso2-mutual-ssl' (mutualTLS)")]);
  });
});

test("what a policy says in words of its own is not enforced, and told with its figures", async () => {
  const { warnings } = await look(
    `${SECURED}, x-kong-plugin-rate-limiting: { config: { second: 5, hour: 100 } }, x-wso2-throttling-tier: 10KPerMin, x-throttling-tier: Unlimited, x-kong-plugin-ip-restriction: {}`,
    "",
    "x-kong-plugin-acl: { enabled: false }",
  );
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(
    /not enforced: the rate of x-kong-plugin-rate-limiting \(5 a second, 100 a hour\) \(.*:5:\d+\), the rate of x-wso2-throttling-tier \(10KPerMin\) .*, x-kong-plugin-ip-restriction \(/,
  );
  const strict = await problemsOf(
    policyOf("strict: true"),
    filesWith(jwks, api(`/a:\n  get: { ${SECURED}, x-kong-plugin-ip-restriction: {} }`)),
  );
  expect(strict).toEqual([expect.stringContaining("x-kong-plugin-ip-restriction")]);
});

test("what another gateway answers by itself is told, for the service would get it here", async () => {
  const tyk =
    "x-tyk-api-gateway: { middleware: { operations: { a: { block: { enabled: true } }, b: { block: { enabled: false } } } } }";
  const { warnings } = await look(
    `${SECURED}, x-kong-plugin-request-termination: { config: { status_code: 403 } }`,
    "",
    tyk,
  );
  expect(warnings).toEqual([
    expect.stringMatching(
      /not enforced: x-kong-plugin-request-termination \(.*\), operations that x-tyk-api-gateway blocks \(a\) \(/,
    ),
  ]);
});

test.each([
  ["{ allowed_payload_size: 2, size_unit: kilobytes }", "2000B"],
  ["{ allowed_payload_size: 900, size_unit: bytes }", "900B"],
  ["{ allowed_payload_size: 128 }", undefined],
  ["{ allowed_payload_size: -1, size_unit: bytes }", undefined],
])("a body is no larger than x-kong-plugin-request-size-limiting: %s", async (config, most) => {
  const body = `requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }`;
  const operation = `/a:\n  post: { ${SECURED}, x-kong-plugin-request-size-limiting: { config: ${config} }, ${body} }`;
  const { amount } = amountFor(api(operation));
  expect(amount?.entries[0]?.entry.value["validate"]).toMatchObject({
    body: most === undefined ? {} : { maxBytes: most },
  });
  expect(await problemsOf(policyOf(), filesWith(jwks, api(operation)))).toEqual([]);
});

describe("pages of other origins", () => {
  const corsOf = (extension: string, top = "", method = "get"): unknown =>
    amountFor(api(`/a:\n  ${method}: { ${SECURED}, ${extension} }`, top)).amount?.entries[0]?.entry.value["cors"];
  const kong = (config: string): string => `x-kong-plugin-cors: { config: ${config} }`;

  test.each([
    [
      kong(
        "{ origins: ['https://app.example.org'], headers: [X-Total], exposed_headers: [ETag], credentials: true, max_age: 60 }",
      ),
      {
        origins: ["https://app.example.org"],
        headers: ["X-Total"],
        exposeHeaders: ["ETag"],
        credentials: true,
        maxAge: "60s",
      },
    ],
    [kong("{}"), { origins: ["*"] }],
    [
      kong("{ origins: ['https://a.example'], methods: [GET, PUT], headers: ['*'] }"),
      { origins: ["https://a.example"] },
    ],
    [kong("{ origins: ['https://a.example'], methods: [PUT] }"), undefined],
    ["x-kong-plugin-cors: { enabled: false, config: {} }", undefined],
    [
      "x-wso2-cors: { corsConfigurationEnabled: true, accessControlAllowOrigins: ['https://a.example'], accessControlAllowHeaders: [X-A], accessControlAllowMethods: [GET] }",
      { origins: ["https://a.example"], headers: ["X-A"] },
    ],
    [
      "x-wso2-cors: { access-control-allow-origins: ['https://a.example'], access-control-allow-credentials: true }",
      { origins: ["https://a.example"], credentials: true },
    ],
    [
      "x-amazon-apigateway-cors: { allowOrigins: ['https://a.example'], allowMethods: [GET, OPTIONS], allowHeaders: [X-A], allowCredentials: true, maxAge: 0 }",
      { origins: ["https://a.example"], headers: ["X-A"], credentials: true, maxAge: "0s" },
    ],
    [
      "x-amazon-apigateway-cors: { allowOrigins: ['*'], allowMethods: ['*'], exposeHeaders: [ETag] }",
      { origins: ["*"], exposeHeaders: ["ETag"] },
    ],
    ["x-wso2-cors: { corsConfigurationEnabled: false, accessControlAllowOrigins: ['https://a.example'] }", undefined],
  ])("%s", async (extension, expected) => {
    expect(corsOf(extension)).toEqual(expected);
    const { problems, warnings } = await look(`${SECURED}, ${extension}`);
    expect([problems, warnings]).toEqual([[], []]);
  });

  test.each([
    [kong("{ credentials: true }"), "x-kong-plugin-cors (any page could act as the user who looks at it)"],
    [kong("{ origins: ['https://*.example.org'] }"), "x-kong-plugin-cors (origins by pattern)"],
    [
      kong("{ origins: ['https://.+[.]example[.]org$'] }"),
      "x-kong-plugin-cors (origins that are no list of origins as browsers send them)",
    ],
    [kong("{ origins: ['null'] }"), "x-kong-plugin-cors (origins that are no list"],
    [kong("{ preflight_continue: true }"), "x-kong-plugin-cors (the service answers preflights)"],
    [kong("{ headers: ['a b'] }"), "x-kong-plugin-cors (what 'cors' does not have)"],
    ["x-wso2-cors: { accessControlAllowOrigins: ['*'], accessControlAllowCredentials: true }", "x-wso2-cors (any page"],
    ["x-amazon-apigateway-cors: { allowOrigins: ['https://*'] }", "x-amazon-apigateway-cors (origins by pattern)"],
    ["x-wso2-cors: {}", "x-wso2-cors (origins that are no list"],
  ])("%s opens nothing, and is told", async (extension, told) => {
    expect(corsOf(extension)).toBeUndefined();
    const { problems, warnings } = await look(`${SECURED}, ${extension}`);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining(`not enforced: ${told}`)]);
  });

  test("the nearest counts, and the policy's own word before any document's", async () => {
    const top = kong("{ origins: ['https://top.example'] }");
    expect(corsOf("summary: x", top)).toEqual({ origins: ["https://top.example"] });
    expect(corsOf("x-kong-plugin-cors: { enabled: false }", top)).toBeUndefined();
    const files = filesWith(jwks, api(`/a:\n  get: { ${SECURED} }`, top));
    const originsOf = async (defaults: string): Promise<unknown> => {
      const { snapshot, problems } = await examine(policyOf() + defaults, files);
      expect(problems).toEqual([]);
      const [route] = snapshot?.routeList ?? [];
      return route?.checks.find(({ name }) => name === "cors")?.place.file;
    };
    expect(await originsOf("")).toBe("api/orders.yaml");
    expect(await originsOf("\ndefaults: { cors: { origins: ['https://own.example'] } }\n")).toBe("conf/policy.yaml");
  });
});

test("issuer and audience of tokens are what extensions of the security scheme say", () => {
  const schemes = (extension: string): string =>
    `openapi: 3.0.3\npaths: { /a: { get: { security: [{ o: [] }] } } }\ncomponents: { securitySchemes: { o: { type: oauth2, ${extension} } } }\n`;
  const aws = schemes(
    "x-amazon-apigateway-authorizer: { type: jwt, jwtConfiguration: { issuer: 'https://id.example', audience: [a, b] } }",
  );
  const google = schemes("x-google-issuer: 'https://id.example', x-google-audiences: 'a, b'");
  const pool = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Ab1";
  const cognito = schemes(`x-amazon-apigateway-authorizer: { type: cognito_user_pools, providerARNs: ['${pool}'] }`);
  expect(amountFor(cognito).amount?.authenticators["o"]).toMatchObject({
    issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab1",
  });
  for (const text of [aws, google])
    expect(amountFor(text).amount?.authenticators["o"]).toMatchObject({
      issuer: "https://id.example",
      audience: ["a", "b"],
    });
});

test("a pool of Cognito, which AWS exports as a key, is asked for tokens and their scopes", () => {
  const cognito = "{ type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: cognito_user_pools }";
  const document = `openapi: 3.0.1
info: { title: t, version: '1' }
paths: { /a: { get: { security: [{ pool: [pets/read] }], responses: { 200: { description: d } } } } }
components: { securitySchemes: { pool: ${cognito} } }
`;
  const { amount } = amountFor(document);
  expect(amount?.authenticators["pool"]).toMatchObject({ type: "jwt" });
  expect(amount?.entries[0]?.entry.value["authorize"]).toEqual({ scopes: ["pets/read"] });
});

function amountFor(text: string): AmountFindings {
  return atOnce(amountOf({ file: "api.yaml", root: null, overlays: [] }, null, null, () => Buffer.from(text)));
}

test("paths that Azure tells apart by their query are told to be left out", async () => {
  const document = api(`/a:\n  get: { ${SECURED} }`, "x-ms-paths: { '/a?b=c': { get: {} } }");
  expect(await warningsOf(policyOf(), filesWith(jwks, document))).toContainEqual(
    expect.stringContaining("the operations of 'x-ms-paths' are left out"),
  );
});

test("the page lists what is read", () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../../docs/openapi.md"), "utf8");
  for (const name of [
    ...OPENING_EXTENSIONS,
    "x-wso2-mutual-ssl",
    "x-kong-plugin-request-size-limiting",
    "x-ms-paths",
  ]) {
    expect(page).toContain(`\`${name}`);
  }
});
