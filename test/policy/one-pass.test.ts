import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { examine, type Files, NOW_MS, PUBLIC_ROUTE, policyWith, problemsOf } from "./policy-kit.ts";

const PEM = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" });
const MISSING = "does not exist; expected a file, relative to the policy";

/** Problems of the policy as the word that each points at, then its text. */
async function pointed(policy: string, files: Files = {}): Promise<readonly string[]> {
  const lines = policy.split("\n");
  const { problems } = await examine(policy, files);
  return problems.map(({ place, text }) => {
    const rest = lines[place.line - 1]?.slice(place.column - 1) ?? "";
    return `${/^[\w.]+|^\S?/.exec(rest)?.[0]}: ${text}`;
  });
}

describe("a fault in one key of an authenticator hides nothing of the others", () => {
  const jwt = (settings: string, files = {}) =>
    pointed(
      policyWith(`authenticators:\n  okta: { type: jwt, ${settings} }\nroutes: [{ path: /, authenticate: [okta] }]`),
      { "k.pem": String(PEM), ...files },
    );
  const audience = "expected the audience that tokens for this service have, or a list of them";

  test("a missing keys file", async () => {
    expect(await jwt("issuer: i, audience: [], algorithms: [ES256], keys: [no.pem]")).toEqual([
      `[: ${audience}`,
      `[: 'no.pem' ${MISSING}`,
    ]);
    expect(await jwt("algorithms: [ES256], keys: no.pem")).toEqual([
      "{: 'audience' is missing; expected the audience that tokens for this service have, or a list of them",
      `no.pem: 'no.pem' ${MISSING}`,
    ]);
    expect(await jwt("issuer: i, audience: a, algorithms: none, keys: no.pem, skw: 1s")).toEqual([
      "none: expected a list, not text",
      `no.pem: 'no.pem' ${MISSING}`,
      "skw: unknown key 'skw'; did you mean 'skew'?",
    ]);
  });

  test("a keys file that holds no key", async () => {
    expect(await jwt("issuer: i, audience: [], algorithms: [ES256], keys: k.pem", { "k.pem": "x" })).toEqual([
      `[: ${audience}`,
      "k.pem: 'k.pem': neither PEM nor JSON; expected public keys in PEM, a JWK or a JWKS",
    ]);
  });

  test("but whether the keys fit algorithms that could not be read, nobody can say", async () => {
    for (const algorithms of ["[RS256, ES265]", "[]", "ES256", "[ES265]"]) {
      const problems = await jwt(`issuer: i, audience: a, algorithms: ${algorithms}, keys: k.pem`);
      expect(problems, algorithms).toHaveLength(1);
    }
  });

  test("of a list of files, those that can be read are looked at, and nothing is read that nobody named", async () => {
    const text = policyWith(
      "authenticators:\n  okta: { type: jwt, issuer: https://i.example, audience: a, algorithms: [ES256], keys: [5, no.pem] }\nroutes: [{ path: /, authenticate: [okta] }]",
    );
    const { problems, files } = await examine(text);
    expect(problems.map(({ text: said }) => said)).toEqual([`'no.pem' ${MISSING}`, "expected text, not a number"]);
    expect(files).toEqual(["/srv/conf/policy.yaml", "/srv/conf/no.pem"]);
    const without = await examine(text.replace("[5, no.pem]", "5"));
    expect(without.problems).toHaveLength(1);
    expect(without.files).toEqual(["/srv/conf/policy.yaml"]);
  });

  test("what a keys file of API keys has at its own lines", async () => {
    const text = policyWith(
      "authenticators: { a: { type: api-key, header: Cookie, keys: k.yaml } }\nroutes: [{ path: /, authenticate: [a] }]",
    );
    expect(await problemsOf(text, { "k.yaml": "callers: 5\n" })).toEqual([
      "6:47 expected a header of its own for the key, as in X-Api-Key",
      "conf/k.yaml:1:10 expected a list of callers, each with name and keys",
    ]);
  });
});

test("a limit that does not say what it counts by still has too long a burst", async () => {
  const text = policyWith(
    `limits:\n  a: { rate: 1/day, burst: 1000, key: princpal }\nroutes: [{ path: /, public: true, limit: [a] }]`,
  );
  expect(await problemsOf(text)).toEqual([
    expect.stringMatching(/^7:28 a burst of 1000 takes 86400000 s to come back/),
    "7:39 there is no attribute 'princpal'; did you mean 'principal'?",
  ]);
  expect(await problemsOf(text.replace("1/day", "fast").replace("princpal", "principal"))).toHaveLength(1);
});

describe("a fault in one key of a filter hides nothing of the others", () => {
  const route = (keys: string) => pointed(policyWith(`routes:\n  - { path: '/a/{id}', public: true, ${keys} }`));

  test("a missing schema file and an unknown parameter beside a bad size", async () => {
    expect(
      await route("validate: { body: { maxBytes: big, schema: no.json }, path: { idd: { type: string } } }"),
    ).toEqual([
      "big: expected a size: a number and one of B, KB, MB, GB, KiB, MiB, GiB, as in 256KiB",
      `no.json: 'no.json' ${MISSING}`,
      "{: the route's path has no parameter 'idd'; did you mean 'id'?",
    ]);
  });

  test("a file beside a list that is empty, and names after an entry that is none", async () => {
    expect(await route("address: { allow: [], denyFile: no.txt }")).toEqual([
      "[: expected at least one address or prefix",
      `no.txt: 'no.txt' ${MISSING}`,
    ]);
    expect(await route("limit: [5, a, { b: c }, d]")).toEqual([
      "5: expected a name of 'limits', or { plan: { from: jwt.plan, default: free } }",
      "a: no limit 'a' is defined; there is none yet",
      "{: 'plan' is missing; expected a mapping",
      "b: unknown key 'b'; expected one of: plan",
      "d: no limit 'd' is defined; there is none yet",
    ]);
  });

  test("names of authenticators beside a key that does not exist", async () => {
    const text = "routes:\n  - { path: /a, authenticate: { any: [x], mod: audit } }";
    expect(await problemsOf(policyWith(text))).toEqual([
      "7:39 authenticator 'x' is not defined; there is none yet",
      "7:43 unknown key 'mod'; did you mean 'mode'?",
    ]);
  });

  test("settings that lost all they said are not also told that they say nothing", async () => {
    for (const keys of [
      "validate: { body: { maxBytes: big } }",
      "validate: { contentType: [5] }",
      "address: { allow: 5 }",
      "validate: { path: { id: { type: text, minimum: 1 } } }",
      "limit: [5]",
      "limit: a",
    ]) {
      expect(await route(keys), keys).toHaveLength(1);
    }
    const rule = "authenticate: [a], authorize: { any: [{ scopes: [] }, { roles: { claim: 'a..b', has: [] } }] }";
    const text = policyWith(`authenticators: { a: { type: client-certificate } }\nroutes:\n  - { path: /a, ${rule} }`);
    expect(await pointed(text)).toHaveLength(3);
  });

  test("the same in the defaults, told once, and in a route that changes a part of them", async () => {
    const text = policyWith(`
defaults:
  limit: [5, x]
  validate: { body: { maxBytes: big, schema: no.json } }
routes:
  - { path: /a, public: true }
  - { path: /b, public: true, validate: { query: 5 } }`);
    expect(await problemsOf(text)).toEqual([
      "7:11 expected a name of 'limits', or { plan: { from: jwt.plan, default: free } }",
      "7:14 no limit 'x' is defined; there is none yet",
      "8:33 expected a size: a number and one of B, KB, MB, GB, KiB, MiB, GiB, as in 256KiB",
      `8:46 'no.json' ${MISSING}`,
      "11:50 expected a mapping, not a number",
    ]);
  });

  test("without a sound path nobody can say which parameters it has", async () => {
    const validate = "validate: { path: { id: { type: string } } }";
    for (const key of ["path: 5", "path: a", "pth: '/{id}'", "path: '/{id'"]) {
      const problems = await problemsOf(policyWith(`routes:\n  - { ${key}, public: true, ${validate} }`));
      expect(problems.join("\n"), key).not.toContain("has no parameter");
    }
  });
});

describe("a fault in one key of a listener hides nothing of the others", () => {
  let pki: TestPki;
  beforeAll(async () => {
    pki = await createTestPki(NOW_MS);
  });
  const listener = (keys: string) =>
    pointed(policyWith(PUBLIC_ROUTE, { listener: `{ name: inbound, address: 127.0.0.1:8443, ${keys} }` }), {
      "s.pem": pki.server.certificate,
      "other.key": pki.client.key,
    });

  test("its certificate, key and clients' authorities", async () => {
    expect(
      await listener(
        "tls: { certificate: no.pem, key: no.key, minVersion: TLSv1.1, clientCertificate: { mode: maybe, ca: no.ca, clr: x } }",
      ),
    ).toEqual([
      `no.pem: 'no.pem' ${MISSING}`,
      `no.key: 'no.key' ${MISSING}`,
      expect.stringMatching(/^TLSv1\.1: expected one of: TLSv1\.2, TLSv1\.3/),
      "maybe: expected one of: off, optional, required",
      `no.ca: 'no.ca' ${MISSING}`,
      "clr: unknown key 'clr'; did you mean 'crl'?",
    ]);
    expect(await listener("tls: { certificate: s.pem, key: other.key, minversion: TLSv1.3 }")).toEqual([
      "other.key: the key does not fit the first certificate of 's.pem'",
      "minversion: unknown key 'minversion'; did you mean 'minVersion'?",
    ]);
  });

  test("a name that is no text is not also called missing", async () => {
    expect(
      await listener("tls: { certificate: 5, key: no.key, clientCertificate: { mode: required, ca: 5 } }"),
    ).toEqual(["5: expected text, not a number", `no.key: 'no.key' ${MISSING}`, "5: expected text, not a number"]);
    expect(await listener("tls: 5")).toEqual(["5: expected a mapping"]);
  });

  test("its address, which others must not take", async () => {
    const problems = await problemsOf(
      policyWith(`admin: { address: 127.0.0.1:8080 }\n${PUBLIC_ROUTE}`, {
        listener: "{ name: 5, address: 127.0.0.1:8080, upstream: ap }",
        upstream: "http://127.0.0.1:8080",
      }),
    );
    expect(problems.map((line) => line.split(" ")[0])).toEqual(["3:21", "3:59", "4:30", "4:30", "6:8"]);
  });
});
