import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { folderWith } from "../rehearsal/kit.ts";

const POLICY = `version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:8080, upstream: app }]
upstreams: { app: { address: http://127.0.0.1:3000 } }
routes:
  # postern: allow body_unchecked because it is an upload
  - { path: /a, methods: [POST], public: true }
  - { path: "/b/{id}", methods: [GET], public: true }
`;

const text = {
  type: "object",
  required: ["text"],
  properties: { text: { type: "string", minLength: 1 }, markdown: { type: "string" } },
  additionalProperties: false,
};
const level = { enum: ["none", "note", "warning", "error"] };

/** Of SARIF 2.1.0 (OASIS, sarif-schema-2.1.0.json) what this command uses: there, too, other keys are errors. */
const SARIF = {
  type: "object",
  required: ["version", "runs"],
  additionalProperties: false,
  properties: {
    $schema: { type: "string", pattern: "^https://" },
    version: { const: "2.1.0" },
    runs: { type: "array", items: { $ref: "#/$defs/run" } },
  },
  $defs: {
    run: {
      type: "object",
      required: ["tool"],
      additionalProperties: false,
      properties: {
        tool: {
          type: "object",
          required: ["driver"],
          additionalProperties: false,
          properties: {
            driver: {
              type: "object",
              required: ["name"],
              additionalProperties: false,
              properties: {
                name: { type: "string" },
                rules: { type: "array", uniqueItems: true, items: { $ref: "#/$defs/rule" } },
              },
            },
          },
        },
        columnKind: { enum: ["utf16CodeUnits", "unicodeCodePoints"] },
        results: { type: "array", items: { $ref: "#/$defs/result" } },
      },
    },
    rule: {
      type: "object",
      required: ["id"],
      additionalProperties: false,
      properties: {
        id: { type: "string" },
        shortDescription: text,
        help: text,
        helpUri: { type: "string", pattern: "^https://[^ ]+$" },
        defaultConfiguration: { type: "object", properties: { level }, additionalProperties: false },
        properties: {
          type: "object",
          properties: { tags: { type: "array", uniqueItems: true, items: { type: "string" } } },
        },
      },
    },
    result: {
      type: "object",
      required: ["message"],
      additionalProperties: false,
      properties: {
        ruleId: { type: "string" },
        ruleIndex: { type: "integer", minimum: 0 },
        level,
        message: text,
        locations: { type: "array", minItems: 1, items: { $ref: "#/$defs/location" } },
        partialFingerprints: { type: "object", additionalProperties: { type: "string" } },
        suppressions: {
          type: "array",
          uniqueItems: true,
          items: {
            type: "object",
            required: ["kind"],
            additionalProperties: false,
            properties: { kind: { enum: ["inSource", "external"] }, justification: { type: "string" } },
          },
        },
      },
    },
    location: {
      type: "object",
      additionalProperties: false,
      properties: {
        physicalLocation: {
          type: "object",
          required: ["artifactLocation"],
          additionalProperties: false,
          properties: {
            artifactLocation: {
              type: "object",
              properties: { uri: { type: "string", pattern: "^[^ |{}]+$" } },
              additionalProperties: false,
            },
            region: {
              type: "object",
              properties: { startLine: { type: "integer", minimum: 1 }, startColumn: { type: "integer", minimum: 1 } },
              additionalProperties: false,
            },
          },
        },
      },
    },
  },
};

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly suppressions?: readonly { readonly justification: string }[];
}

async function sarifOf(policy: string) {
  const { postern } = folderWith({ "my policy.yaml": policy });
  const { out } = await postern("audit", "--sarif", "my policy.yaml");
  return { log: JSON.parse(out), postern };
}

function resultsOf(log: { runs: { results: Result[] }[] }): readonly Result[] {
  return log.runs.flatMap(({ results }) => results);
}

describe("audit --sarif", () => {
  test("has the form of SARIF 2.1.0, and its indexes lead to its rules", async () => {
    const { log } = await sarifOf(POLICY);
    const ajv = new Ajv({ strict: false });
    expect([ajv.validate(SARIF, log), ajv.errors]).toEqual([true, null]);
    const { rules } = log.runs[0].tool.driver;
    expect(resultsOf(log).length).toBeGreaterThan(5);
    for (const { ruleId, ruleIndex } of resultsOf(log)) expect(rules[ruleIndex].id).toBe(ruleId);
  });

  test("has fingerprints that tell points apart and stay the same where lines move", async () => {
    const prints = ({ log }: Awaited<ReturnType<typeof sarifOf>>) =>
      resultsOf(log)
        .map(({ partialFingerprints }) => Object.values(partialFingerprints).join())
        .sort();
    const before = prints(await sarifOf(POLICY));
    expect(new Set(before).size).toBe(before.length);
    const moved = POLICY.replace(
      "routes:\n",
      "\n# later\nroutes:\n  - { path: /z, methods: [GET], public: true, respond: { json: {} } }\n",
    );
    expect(prints(await sarifOf(moved))).toEqual(before);
  });

  test("shows what was accepted as suppressed, with its reason", async () => {
    const { log } = await sarifOf(POLICY);
    const suppressed = resultsOf(log).filter(({ suppressions }) => suppressions !== undefined);
    expect(suppressed.map(({ ruleId, suppressions }) => [ruleId, suppressions?.[0]?.justification])).toEqual([
      ["body_unchecked", "it is an upload"],
    ]);
  });
});

describe("audit", () => {
  const { postern } = folderWith({ "a.yaml": POLICY, "bad.yaml": "version: 1\n" });

  test("ends by the severity that is asked", async () => {
    expect((await postern("audit", "a.yaml")).code).toBe(0);
    expect((await postern("audit", "--fail-on", "warning", "a.yaml")).code).toBe(1);
    expect((await postern("audit", "--fail-on", "all", "a.yaml")).code).toBe(2);
    expect((await postern("audit", "--json", "--sarif", "a.yaml")).code).toBe(2);
    expect((await postern("audit")).code).toBe(2);
  });

  test("of a policy with problems tells those", async () => {
    const { code, out, err } = await postern("audit", "bad.yaml");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^bad\.yaml:1:1: /);
  });

  test("says the same in each form, each time", async () => {
    const { out } = await postern("audit", "--json", "a.yaml");
    expect((await postern("audit", "--json", "a.yaml")).out).toBe(out);
    const { items } = JSON.parse(out);
    const markdown = (await postern("audit", "--markdown", "a.yaml")).out;
    const shown = (await postern("audit", "a.yaml")).out;
    for (const { id, title, open } of items) {
      expect(markdown).toContain(`## ${id} ${title}\n`);
      const section = shown.split(`\n${id} `)[1]?.split("\n\n")[0] ?? "";
      expect(section.split("\n").filter((line) => line.startsWith("  open: "))).toHaveLength(open.length);
    }
    expect(markdown).toContain("/b/\\{id\\}");
  });
});

describe("audit --offline", () => {
  const policy = `version: 1
service: orders
listeners:
  - { name: inbound, address: "0.0.0.0:8443", upstream: app, tls: { certificate: tls.crt, key: tls.key } }
upstreams: { app: { address: http://127.0.0.1:3000 } }
authenticators:
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
  hooks: { type: signature, scheme: github, secret: { env: POSTERN_TEST_HOOK } }
stores: { shared: { type: redis, url: "rediss://limits.example.org:6379", password: { file: secrets/redis } } }
decisionServices:
  pdp: { type: authzen, url: https://pdp.example.org/access/v1/evaluation, token: { env: POSTERN_TEST_PDP } }
limits: { perCaller: { rate: 5/second, key: principal, store: shared } }
routes:
  - path: /orders/{id}
    methods: [GET]
    authenticate: [partners, hooks]
    decide: [pdp]
    limit: [perCaller]
    request: { setHeaders: { X-Key: "\${file:secrets/legacy}" } }
`;

  test("asks the same where secrets, keys and certificates are not there, and lists them", async () => {
    const { postern } = folderWith({ "policy.yaml": policy });
    const { code, out, err } = await postern("audit", "--offline", "--json", "policy.yaml");
    expect(err.match(/not looked at: .*/g)).toEqual([
      "not looked at: 'tls.crt' does not exist",
      "not looked at: 'tls.key' does not exist",
      "not looked at: 'keys.yaml' does not exist",
      "not looked at: variable POSTERN_TEST_HOOK is not set",
      "not looked at: 'secrets/redis' does not exist",
      "not looked at: variable POSTERN_TEST_PDP is not set",
      "not looked at: 'secrets/legacy' does not exist",
    ]);
    expect(code).toBe(0);
    const { items } = JSON.parse(out) as { items: { open: { rule: string }[] }[] };
    expect(items.flatMap(({ open }) => open.map(({ rule }) => rule))).toEqual([
      "guessing_unbounded",
      "answer_unchecked",
      "answer_unjudged",
    ]);
    expect((await postern("audit", "policy.yaml")).code).toBe(1);
  });

  test.each([
    ["a schema", "    limit:", "    validate: { body: { schema: order.json } }\n    limit:"],
    ["the address of a decision service", "https://pdp.example.org/access/v1/evaluation", `"\${env:POSTERN_TEST_PDP}"`],
    ["a description", "routes:", "openapi: [{ file: openapi.yaml }]\nroutes:"],
  ])("says nothing of routes that %s is missing of", async (_, from, to) => {
    const { postern } = folderWith({ "policy.yaml": policy.replace(from, to) });
    const { code, out, err } = await postern("audit", "--offline", "policy.yaml");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("cannot be audited without it: ");
  });
});
