// Goal: whichever file a policy names, where it is not there the check says so at its line, and says nothing else that is not so.
import { beforeAll, describe, expect, test } from "vitest";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { examinePolicy } from "../../src/policy/compile.ts";
import { err, ok } from "../../src/support/result.ts";
import { createTestPki } from "../fixtures/pki.ts";
import { type Files, fixedClock, NOW_MS } from "./policy-kit.ts";

const TLS = "tls: { certificate: tls.crt, key: tls.key";
const LISTENER = "{ name: inbound, address: '127.0.0.1:8080' }";
const UPSTREAM = "{ address: 'http://127.0.0.1:3000' }";
const ROUTE = "{ path: /a, methods: [POST], public: true }";

interface Parts {
  readonly listener?: string;
  readonly upstream?: string;
  readonly more?: string;
  readonly route?: string;
}

function policyOf({ listener = LISTENER, upstream = UPSTREAM, more = "", route = ROUTE }: Parts): string {
  return `version: 1
service: orders
listeners: [${listener}]
upstreams: { app: ${upstream} }
${more}
routes: [${route}]
`;
}

const validated = (keys: string): Parts => ({
  route: `{ path: /a, methods: [POST], public: true, validate: { ${keys} } }`,
});
const known = (authenticator: string): Parts => ({
  more: `authenticators: { them: { ${authenticator} } }`,
  route: "{ path: /a, methods: [POST], authenticate: [them] }",
});

/** Kind → the file that is missing, and the policy that names it. */
const KINDS: Readonly<Record<string, readonly [file: string, parts: Parts]>> = {
  "a listener's certificate": ["tls.crt", { listener: LISTENER.replace(" }", `, ${TLS} } }`) }],
  "a listener's key": ["tls.key", { listener: LISTENER.replace(" }", `, ${TLS} } }`) }],
  "authorities of clients": [
    "ca.crt",
    { listener: LISTENER.replace(" }", `, ${TLS}, clientCertificate: { mode: required, ca: ca.crt } } }`) },
  ],
  "a revocation list": [
    "crl.pem",
    {
      listener: LISTENER.replace(
        " }",
        `, ${TLS}, clientCertificate: { mode: required, ca: ca.crt, crl: [crl.pem] } } }`,
      ),
    },
  ],
  "authorities of a trust domain": [
    "bundle.pem",
    {
      listener: LISTENER.replace(
        " }",
        `, ${TLS}, clientCertificate: { mode: required, trustBundles: { example.org: bundle.pem } } } }`,
      ),
    },
  ],
  "authorities of the service": ["ca.crt", { upstream: "{ address: 'https://127.0.0.1:3000', tls: { ca: ca.crt } }" }],
  "a certificate for the service": [
    "tls.crt",
    { upstream: "{ address: 'https://127.0.0.1:3000', tls: { certificate: tls.crt, key: tls.key } }" },
  ],
  "a file of keys": ["keys.yaml", known("type: api-key, header: X-Api-Key, keys: keys.yaml")],
  "a file of users": ["users.yaml", known("type: basic, users: users.yaml")],
  "an issuer's keys": [
    "jwks.json",
    known("type: jwt, issuer: 'https://idp.example.org/', audience: [a], algorithms: [RS256], keys: jwks.json"),
  ],
  "a client secret": [
    "secret.txt",
    known(
      "type: introspection, issuer: 'https://idp.example.org/', audience: [a], endpoint: 'https://idp.example.org/i', clientId: a, clientSecret: { file: secret.txt }",
    ),
  ],
  "what is revoked": [
    "revoked.yaml",
    {
      ...known("type: api-key, header: X-Api-Key, keys: keys.yaml"),
      more: "authenticators: { them: { type: api-key, header: X-Api-Key, keys: keys.yaml } }\nrevoked: revoked.yaml",
    },
  ],
  "a list of addresses": [
    "deny.txt",
    { route: "{ path: /a, methods: [POST], public: true, address: { denyFile: deny.txt } }" },
  ],
  "a database of countries": [
    "countries.mmdb",
    {
      ...known("type: api-key, header: X-Api-Key, keys: keys.yaml"),
      more: "authenticators: { them: { type: api-key, header: X-Api-Key, keys: keys.yaml } }\ngeo: { countries: countries.mmdb }",
    },
  ],
  "a description": ["api.yaml", { more: "openapi: [{ file: api.yaml }]" }],
  "an Overlay": ["over.yaml", { more: "openapi: [{ file: there.yaml, overlay: [over.yaml] }]" }],
  descriptors: ["orders.binpb", validated("grpc: { file: orders.binpb }")],
  "rules of a detector": [
    "crs.conf",
    {
      more: "detectors: { crs: { rules: [crs.conf] } }",
      route: "{ path: /a, methods: [POST], public: true, detect: [crs] }",
    },
  ],
  "the admin token": ["admin.token", { more: "admin: { address: '127.0.0.1:9901', token: { file: admin.token } }" }],
  "the audit log's key": ["audit.key", { more: "log: { audit: { file: /var/log/a.log, key: { file: audit.key } } }" }],
  "the debug header's key": ["debug.key", { more: "decisions: { debugHeader: { key: { file: debug.key } } }" }],
  "a sender's secret": ["hook.secret", known("type: signature, scheme: github, secret: { file: hook.secret }")],
  "the ladder's key": ["ladder.key", { more: "ladder: { key: { file: ladder.key } }" }],
  "a further file of the policy": ["more.yaml", { more: "include: [more.yaml]" }],
  "a body's schema": ["order.json", validated("body: { schema: order.json }")],
  "a form's schema": ["form.json", validated("form: { schema: form.json }")],
  "documents of GraphQL": ["operations.json", validated("graphql: { operations: operations.json }")],
  "params of JSON-RPC": ["params.json", validated("jsonrpc: { methods: [a], paramsSchema: { a: params.json } }")],
  "a value of XML": ["value.json", validated("xml: { schema: value.json }")],
};

let files: Files;

beforeAll(async () => {
  const pki = await createTestPki(NOW_MS);
  files = {
    "tls.crt": pki.server.certificate,
    "tls.key": pki.server.key,
    "ca.crt": pki.ca.certificate,
    "keys.yaml": "callers: []\n",
    "there.yaml":
      "openapi: 3.1.0\ninfo: { title: a, version: '1' }\npaths: { /b: { get: { responses: { '200': { description: fine } } } } }\n",
  };
});

function look(policy: string, missing: string, offline: boolean) {
  const { [missing]: _, ...present } = files;
  const contents = new Map(Object.entries({ ...present, "policy.yaml": policy }));
  return examinePolicy("policy.yaml", {
    cwd: "/srv",
    clock: fixedClock,
    env: {},
    offline,
    rateTables: new RateTables([1, 2], fixedClock, 64),
    readFile: (absolute) => {
      const content = contents.get(absolute.replace("/srv/", ""));
      return content === undefined ? err("does not exist") : ok(Buffer.from(content));
    },
  });
}

describe.each(Object.entries(KINDS))("%s", (_, [file, parts]) => {
  const policy = policyOf(parts);
  const line = policy.split("\n").findIndex((text) => text.includes(file)) + 1;

  test("is named as not looked at, at its line, and nothing else is said", async () => {
    const { problems, warnings, absent, snapshot } = await look(policy, file, true);
    expect([...problems, ...warnings].map(({ place, text }) => `${place.line} ${text}`)).toEqual([]);
    expect(absent.map(({ place, text }) => `${place.line} ${text}`)).toEqual([`${line} '${file}' does not exist`]);
    expect(snapshot).toBeNull();
  });

  test("is a problem otherwise, and a problem beside it is found all the same", async () => {
    const here = await look(policy, file, false);
    expect(
      here.problems.some(({ text }) => text.includes(file)),
      here.problems.map(({ text }) => text).join("\n"),
    ).toBe(true);
    const { problems } = await look(policy.replace("service: orders", "service: orders\nlimits: { a: 7 }"), file, true);
    expect(problems.map(({ place, text }) => `${place.line} ${text}`)).toEqual([expect.stringMatching(/^3 /)]);
  });
});

/** What the missing file would have used, or defined for others. */
const BESIDE: readonly (readonly [what: string, file: string, policy: string])[] = [
  [
    "a description that all routes would have come from",
    "api.yaml",
    `version: 1
service: orders
listeners: [${LISTENER}]
upstreams: { app: ${UPSTREAM} }
authenticators: { them: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
limits: { few: { rate: 1/second, key: principal } }
openapi: [{ file: api.yaml, authenticate: { key: them }, operations: { create: { limit: [few] } } }]
`,
  ],
  [
    "a further file that would have defined what routes name",
    "more.yaml",
    policyOf({
      more: "include: [more.yaml]",
      route: "{ path: /a, methods: [POST], authenticate: [them], limit: [few], upstream: other }",
    }),
  ],
  [
    "a further file that would have had the routes",
    "more.yaml",
    policyOf({
      more: "include: [more.yaml]\nauthenticators: { them: { type: api-key, header: X-Api-Key, keys: keys.yaml } }\nlimits: { few: { rate: 1/second, key: principal } }",
    }).replace(/routes:.*\n/, ""),
  ],
  [
    "descriptors that all routes would have come from",
    "orders.binpb",
    `version: 1
service: orders
listeners: [${LISTENER}]
upstreams: { app: ${UPSTREAM} }
authenticators: { them: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
grpc: [{ file: orders.binpb, services: [orders.v1.Orders], authenticate: [them] }]
`,
  ],
];

test.each(BESIDE)("%s takes nothing else along", async (_, file, policy) => {
  const { problems, warnings, absent } = await look(policy, file, true);
  expect([...problems, ...warnings].map(({ place, text }) => `${place.line} ${text}`)).toEqual([]);
  expect(absent.map(({ text }) => text)).toEqual([`'${file}' does not exist`]);
});
