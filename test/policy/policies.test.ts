import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { REGISTRY } from "../../src/filters/index.ts";
import { policyJsonSchema, policyJsonSchemaText } from "../../src/policy/json-schema.ts";
import { referenceText, requestHeadersText } from "../../src/policy/reference.ts";
import { readTestFile } from "../../src/policy/tests/read.ts";
import { generateTests } from "../../src/rehearsal/generated/generate.ts";
import { operationsOf } from "../../src/rehearsal/generated/operations.ts";
import { principalsOf } from "../../src/rehearsal/generated/principals.ts";
import { failureText, runTests } from "../../src/rehearsal/run-tests.ts";
import { openTestWorld } from "../../src/rehearsal/test-world.ts";
import { ok } from "../../src/support/result.ts";
import { systemTimers } from "../../src/support/timers.ts";
import { atOnce } from "../../src/support/turns.ts";
import { logReferenceText } from "../../src/telemetry/log-reference.ts";
import { mmdb } from "../fixtures/mmdb.ts";
import { createTestPki } from "../fixtures/pki.ts";
import { createTokenMint } from "../fixtures/tokens.ts";
import { examine, type Files, fixedClock, NOW_MS, readerOf } from "./policy-kit.ts";

const FOLDER = resolve(import.meta.dirname, "../../policies");
const POLICIES = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"));
const read = (name: string): string => readFileSync(resolve(FOLDER, name), "utf8");

let files: Files;
beforeAll(async () => {
  const pki = await createTestPki(NOW_MS);
  const { jwks } = await createTokenMint();
  const issuer = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const issuerKey = Buffer.from(await crypto.subtle.exportKey("spki", issuer.publicKey)).toString("base64");
  files = {
    "order.schema.json": read("order.schema.json"),
    "routes/reports.yaml": read("routes/reports.yaml"),
    "openapi/reviews.yaml": read("openapi/reviews.yaml"),
    "grpc/stock.binpb": readFileSync(resolve(FOLDER, "grpc/stock.binpb")),
    "tls/server.pem": pki.server.certificate,
    "tls/server.key": pki.server.key,
    "tls/clients-ca.pem": pki.ca.certificate,
    "tls/internal-ca.pem": pki.ca.certificate,
    "tls/orders.pem": pki.client.certificate,
    "tls/orders.key": pki.client.key,
    "tls/revoked.pem": await pki.ca.revoke([], NOW_MS),
    "keys/legacy.jwks.json": jwks,
    "keys/partners.yaml": "callers: []\n",
    "keys/staff.yaml": "users: []\n",
    "secrets/admin": "a token that only tests know".replaceAll(" ", "-"),
    "secrets/idp": "a secret that only tests know\n",
    "secrets/ladder": "a fourth secret of tests\n",
    "secrets/store": "a third secret of tests\n",
    "secrets/webhook": "another secret of tests\n",
    "revoked.yaml": "jti: []\n",
    "geo/countries.mmdb": mmdb({ "192.0.2.0/24": { country: { iso_code: "DE" } } }),
    "crs/crs-setup.conf": "",
    "crs/rules/own.conf": 'SecRule ARGS "@rx jndi:" "id:1,phase:2,deny,t:none"\n',
    "blocklists/bad.txt": "192.0.2.0/24\n",
    ".postern/server.pem": pki.server.certificate,
    ".postern/server.key": pki.server.key,
    ".postern/ca.pem": pki.ca.certificate,
    ".postern/issuer.pem": `-----BEGIN PUBLIC KEY-----\n${issuerKey}\n-----END PUBLIC KEY-----\n`,
  };
});

describe("every policy in policies/", async () => {
  test.each(POLICIES)("%s compiles without a problem or a warning", async (name) => {
    const { problems, warnings, snapshot } = await examine(read(name), files);
    expect([...problems, ...warnings].map(({ place, text }) => `${place.line}:${place.column} ${text}`)).toEqual([]);
    expect(snapshot?.routeList.length).toBeGreaterThan(0);
  });

  test.each(POLICIES)("the tests of %s hold", async (name) => {
    const readFile = readerOf(read(name), files);
    const world = await openTestWorld("conf/policy.yaml", { cwd: "/srv", readFile, clock: fixedClock, env: {} });
    if (!world.ok) throw new Error(world.error.map(({ text }) => text).join("\n"));
    const { tests } = world.value;
    const report = await runTests(world.value, tests, { clock: fixedClock, timers: systemTimers, readFile });
    world.value.close();
    expect(report.results.map(({ failure }) => failure && failureText(failure))).toEqual(tests.map(() => null));
  });

  test.each(POLICIES)("what 'postern test --generate' writes for %s holds at once", async (name) => {
    const readFile = readerOf(read(name), files);
    const inputs = { cwd: "/srv", readFile, clock: fixedClock, env: {}, describes: true };
    const world = await openTestWorld("conf/policy.yaml", inputs);
    if (!world.ok || world.value.described === null) throw new Error(`${name} does not load`);
    const { described } = world.value;
    const deps = { clock: fixedClock, timers: systemTimers, readFile: (file: string) => readFile(`/srv/conf/${file}`) };
    const principals = principalsOf(described, deps.readFile);
    const operations = operationsOf(described.routes);
    const text = await generateTests(world.value, { command: "test", principals, operations }, deps);
    if (!text.ok) throw new Error(text.error);
    const { tests, problems } = atOnce(
      readTestFile("policy.test.yaml", ok(Buffer.from(text.value)), { read: deps.readFile, env: {} }),
    );
    const report = await runTests(world.value, tests, deps);
    world.value.close();
    expect(problems).toEqual([]);
    expect(report.results.map(({ failure }) => failure && failureText(failure))).toEqual(tests.map(() => null));
    const { all, tried } = report.coverage.routes;
    expect(tried / all).toBeGreaterThan(0.9);
    expect(tests.filter(({ name: test }) => / may /.test(test)).length).toBeGreaterThan(0);
  });

  test.each(POLICIES)("%s tells editors where its schema is", (name) => {
    expect(read(name)).toContain("# yaml-language-server: $schema=policy.schema.json\n");
  });

  test.each(POLICIES)("%s fits the JSON Schema", async (name) => {
    const validate = new Ajv2020({ strict: false }).compile(await policyJsonSchema());
    expect(validate(parse(read(name))), JSON.stringify(validate.errors)).toBe(true);
  });
});

test("example.yaml has every section of the language and every kind of authenticator", async () => {
  const { properties } = (await policyJsonSchema()) as { properties: Record<string, object> };
  const example = parse(read("example.yaml")) as { authenticators: Record<string, { type: string }> };
  expect(Object.keys(example).sort()).toEqual(Object.keys(properties).sort());
  const kinds = REGISTRY.authenticators.map(({ type }) => type).sort();
  expect([...new Set(Object.values(example.authenticators).map(({ type }) => type))].sort()).toEqual(kinds);
});

describe("the JSON Schema", () => {
  test("in the repository is what the definitions give (npm run generate)", async () => {
    expect(read("policy.schema.json")).toBe(await policyJsonSchemaText());
  });

  test("finds what an author gets wrong", async () => {
    const validate = new Ajv2020({ strict: false }).compile(await policyJsonSchema());
    const example = read("example.yaml");
    for (const [from, to] of [
      ["public: true", "public: 'true'"],
      ["version: 1", "version: 2"],
      ["connectTimeout: 1s", "connectTimeout: 1"],
      ["minVersion: TLSv1.3", "minVersion: TLSv1.1"],
      ["authenticate: [mesh, okta", "authentikate: [mesh, okta"],
      ["rate: 50/second", "rate: 50"],
    ] as const) {
      expect(example).toContain(from);
      expect(validate(parse(example.replace(from, to))), to).toBe(false);
    }
  });

  test("says of every key, however deep, what it is for", async () => {
    const schema = await policyJsonSchema();
    const definitions = objectOf(schema["$defs"]);
    const keys = [...keysOf(schema, "")];
    expect(keys.length).toBeGreaterThan(150);
    const isTold = ({ value }: Key): boolean => {
      const definition = String(value["$ref"] ?? "").replace("#/$defs/", "");
      return "description" in value || "description" in objectOf(definitions[definition]);
    };
    expect(keys.filter((key) => !isTold(key)).map(({ path }) => path)).toEqual([]);
  });
});

test("the reference is what the code says", () => {
  expect(read("REFERENCE.md")).toBe(referenceText());
  expect(read("../docs/request-headers.md")).toBe(requestHeadersText());
  expect(read("../docs/log-fields.md")).toBe(logReferenceText());
});

interface Key {
  readonly path: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Everything that stands below `properties`, anywhere in a schema. */
function* keysOf(schema: Readonly<Record<string, unknown>>, path: string): Generator<Key> {
  for (const [word, inner] of Object.entries(schema)) {
    const isNamed = word === "properties" || word === "$defs";
    // Names below `properties` are the policy's, also where one of them is a word of JSON Schema.
    for (const [name, value] of isNamed ? Object.entries(objectOf(inner)) : []) {
      if (word === "properties") yield { path: `${path}.${name}`, value: objectOf(value) };
      yield* keysOf(objectOf(value), `${path}.${name}`);
    }
    if (!isNamed) for (const one of Array.isArray(inner) ? inner : [inner]) yield* keysOf(objectOf(one), path);
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
