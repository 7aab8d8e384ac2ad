import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { apiKeyKind } from "../../src/filters/api-key/compile.ts";
import type { Authentication } from "../../src/filters/filter.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { denialOf, principalOf, request, testContext } from "./identity-context.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const KEY = "pk_live_0123456789abcdefghijklmnopqrstuvwxyz";
const OLD_KEY = "pk_live_old_0123456789abcdefghijklmnopqrst";
const KEYS = `callers:
  - name: acme
    scopes: [orders:read, orders:write]
    claims: { tier: gold }
    keys:
      - { sha256: "${sha256(KEY)}" }
      - { sha256: "${sha256(OLD_KEY)}", notAfter: 2026-11-21 }
  - name: umbrella
    keys:
      - { sha256: "${sha256("umbrella-key")}", notAfter: 2026-11-21T11:59:59Z }
`;

function compile(keys: string) {
  const context = testContext({ "keys.yaml": keys });
  const settings = apiKeyKind.schema.parse({ type: "api-key", header: "X-Api-Key", keys: "keys.yaml" });
  return { context, authenticator: atOnce(stepsOf(apiKeyKind.compile("partners", settings, context))) };
}

function setUp(keys = KEYS) {
  const { context, authenticator } = compile(keys);
  if (authenticator === null) throw new Error(context.problems.join("\n"));
  const present = (...values: string[]) =>
    authenticator.authenticate(request(values.map((value) => ["x-api-key", value] as const))) as Authentication;
  return { context, authenticator, present };
}

test("A known key is its caller, with scopes and claims", () => {
  const principal = principalOf(setUp().present(KEY));
  expect(principal).toMatchObject({ type: "api-key", id: "acme", key: "partners/acme", claims: { tier: "gold" } });
  expect([...principal.scopes]).toEqual(["orders:read", "orders:write"]);
});

test("A request without the header has no credentials of this kind", () => {
  expect(setUp().present()).toBeNull();
});

test("Several keys of a caller live side by side until one ends, at the end of its day", () => {
  const { present, context } = setUp();
  expect(principalOf(present(OLD_KEY)).id).toBe("acme");
  context.clock.nowMs = Date.parse("2026-11-21T23:59:59.999Z");
  expect(principalOf(present(OLD_KEY)).id).toBe("acme");
  context.clock.nowMs += 1;
  const denial = denialOf(present(OLD_KEY));
  expect(denial.reason).toBe("api_key_expired");
  expect(denial.seen).toContain("acme");
  expect(principalOf(present(KEY)).id).toBe("acme");
});

test("A key that ended at an instant is denied as expired", () => {
  expect(denialOf(setUp().present("umbrella-key")).reason).toBe("api_key_expired");
});

test.each([
  ["empty", ""],
  ["another", "pk_live_unknown"],
  ["the hash itself", sha256(KEY)],
  ["a prefix", KEY.slice(0, -1)],
  ["a longer one", `${KEY}x`],
  ["another case", KEY.toUpperCase()],
  ["two joined as one list value", `${KEY}, ${KEY}`],
])("A key that is %s is unknown, and does not appear in the denial", (_, key) => {
  const denial = denialOf(setUp().present(key));
  expect(denial.reason).toBe("api_key_unknown");
  if (key !== "") expect(denial.seen + denial.wanted).not.toContain(key);
});

test("Two headers with a key are refused, even with the same good key", () => {
  expect(denialOf(setUp().present(KEY, KEY)).reason).toBe("api_key_unknown");
  expect(denialOf(setUp().present("bad", KEY)).reason).toBe("api_key_unknown");
});

test("A key beyond the size limit is refused unread, even where its hash is known", () => {
  const long = "k".repeat(513);
  const { present } = setUp(`callers: [{ name: a, keys: [{ sha256: "${sha256(long)}" }] }]`);
  const denial = denialOf(present(long));
  expect(denial).toMatchObject({ reason: "api_key_unknown", seen: "a key of 513 bytes" });
});

test("Keys whose hashes begin alike are told apart", () => {
  const digest = sha256(KEY);
  const twin = `${digest.slice(0, 8)}${"0".repeat(56)}`;
  const { present } = setUp(
    `callers: [{ name: twin, keys: [{ sha256: "${twin}" }] }, { name: acme, keys: [{ sha256: "${digest}" }] }]`,
  );
  expect(principalOf(present(KEY)).id).toBe("acme");
  const alone = setUp(`callers: [{ name: twin, keys: [{ sha256: "${twin}" }] }]`);
  expect(denialOf(alone.present(KEY)).reason).toBe("api_key_unknown");
});

test("Hashes in upper case are the same hashes", () => {
  const { present } = setUp(`callers: [{ name: a, keys: [{ sha256: "${sha256(KEY).toUpperCase()}" }] }]`);
  expect(principalOf(present(KEY)).id).toBe("a");
});

test("A claim cannot reach the prototype of anything", () => {
  const { context } = compile(
    `callers: [{ name: a, claims: { "__proto__": { admin: true } }, keys: [{ sha256: "${sha256(KEY)}" }] }]`,
  );
  expect(context.problems).toEqual(["/etc/postern/keys.yaml:1:32 : the key '__proto__' is not allowed"]);
  const { claims } = principalOf(setUp().present(KEY));
  expect("constructor" in claims).toBe(false);
  expect(Object.getPrototypeOf({}).admin).toBeUndefined();
});

test("A supposed caller is judged like a real one", () => {
  const { authenticator, context } = setUp();
  const suppose = (caller: string) => authenticator.assume({ type: "api-key", caller });
  expect(principalOf(suppose("acme")).id).toBe("acme");
  expect(denialOf(suppose("umbrella")).reason).toBe("api_key_expired");
  expect(denialOf(suppose("nobody")).reason).toBe("api_key_unknown");
  expect(authenticator.assume({ type: "jwt", claims: {} })).toBeNull();
  context.clock.nowMs = Date.parse("2030-01-01T00:00:00Z");
  expect(principalOf(suppose("acme")).id).toBe("acme");
});

const DIGEST = sha256(KEY);
test.each([
  [
    "a key in clear",
    `callers:\n  - name: acme\n    keys:\n      - { sha256: ${KEY} }\n`,
    "4:19 callers[0].keys[0].sha256",
  ],
  ["a key in clear as a list entry", `callers:\n  - name: acme\n    keys:\n      - ${KEY}\n`, "4:9 callers[0].keys[0]"],
  [
    "a key in clear as a member",
    `callers:\n  - name: acme\n    keys:\n      - { ${KEY}: x }\n`,
    "4:11 callers[0].keys[0]",
  ],
  ["a key in clear as an alias", `callers:\n  - *${KEY}\n`, "2:5 "],
  ["a key in clear in broken YAML", `callers:\n  - "${KEY}\n`, "3:1 "],
  [
    "a hash without quotes that reads as a number",
    `callers: [{ name: a, keys: [{ sha256: ${"1".repeat(64)} }] }]`,
    "1:39 ",
  ],
  ["the hash of an empty key", `callers: [{ name: a, keys: [{ sha256: "${sha256("")}" }] }]`, "1:39 "],
  [
    "a date that does not exist",
    `callers: [{ name: a, keys: [{ sha256: "${DIGEST}", notAfter: 2026-02-30 }] }]`,
    "1:117 ",
  ],
  [
    "a time without a zone",
    `callers: [{ name: a, keys: [{ sha256: "${DIGEST}", notAfter: "2026-02-03T00:00:00" }] }]`,
    "1:117 ",
  ],
  ["no keys", "callers: [{ name: a, keys: [] }]", "1:28 "],
  ["a name with a line break", `callers: [{ name: "a\\nb", keys: [{ sha256: "${DIGEST}" }] }]`, "1:19 "],
  ["a scope of two words", `callers: [{ name: a, scopes: ["a b"], keys: [{ sha256: "${DIGEST}" }] }]`, "1:31 "],
  ["an unknown member", `callers: [{ name: a, scope: x, keys: [{ sha256: "${DIGEST}" }] }]`, "1:22 "],
  [
    "one name twice",
    `callers:\n  - { name: a, keys: [{ sha256: "${DIGEST}" }] }\n  - { name: a, keys: [{ sha256: "${"0".repeat(64)}" }] }\n`,
    "3:13 ",
  ],
  [
    "one key for two callers",
    `callers:\n  - { name: a, keys: [{ sha256: "${DIGEST}" }] }\n  - { name: b, keys: [{ sha256: "${DIGEST}" }] }\n`,
    "3:33 ",
  ],
  ["nothing at all", "", "1:1 "],
])("A keys file with %s is a problem at its own line, and shows no key", (_, keys, where) => {
  const { context, authenticator } = compile(keys);
  expect(authenticator).toBeNull();
  expect(context.problems.length).toBeGreaterThan(0);
  expect(context.problems[0]).toContain(`/etc/postern/keys.yaml:${where}`);
  expect(context.problems.join("\n")).not.toContain(KEY);
});

test("Every problem of a keys file is reported in one pass", () => {
  const { context } = compile(`callers:\n  - name: ""\n    keys:\n      - { sha256: x }\n      - { sha256: y }\n`);
  expect(context.problems).toHaveLength(3);
});

test("An unknown key stands at its own place with the known one it is like, and is not quoted", () => {
  const { context } = compile(
    `callers:\n  - name: acme\n    kees:\n      - { sha256: "${DIGEST}" }\n  - name: b\n    scope: [a]\n    hunter2: 1\n    keys: [{ sha265: "${DIGEST}" }]\n`,
  );
  expect(context.problems.toSorted()).toEqual([
    "/etc/postern/keys.yaml:3:5 callers[0]: unknown key; did you mean 'keys'?",
    "/etc/postern/keys.yaml:6:5 callers[1]: unknown key; did you mean 'scopes'?",
    "/etc/postern/keys.yaml:7:5 callers[1]: unknown key; expected one of: name, scopes, roles, claims, limit, plan, keys",
    "/etc/postern/keys.yaml:8:14 callers[1].keys[0]: unknown key; did you mean 'sha256'?",
  ]);
});

test("Another file with a great many keys is told of some of them", () => {
  const keys = Array.from({ length: 2_000 }, (_, at) => `hunter${at}: 1\n`).join("");
  const { problems } = compile(keys).context;
  expect(problems.length).toBeLessThanOrEqual(DEFAULTS.fileProblemsMax + 1);
  expect(problems.join("\n")).not.toContain("hunter");
});

test.each([
  ["", "1:1 : expected a mapping with 'callers'"],
  ["- a", "1:1 : expected a mapping with 'callers'"],
  ["{}", "1:1 : 'callers' is missing; expected a list of callers, each with name and keys"],
  ["callers:\n", "1:9 callers: expected a list of callers, each with name and keys"],
  ["callers: [a]", "1:11 callers[0]: expected a mapping with the name and keys of a caller"],
  ["callers: [{ name: 5, keys: a }]", "1:19 callers[0].name: expected a name of 1 to 128 visible ASCII characters"],
  ["callers: [{ name: a, keys: a }]", "1:28 callers[0].keys: expected a list of keys, each with its sha256"],
  ["callers: [{ name: a }]", "1:11 callers[0]: 'keys' is missing; expected a list of keys, each with its sha256"],
  ["callers: [{ name: a, keys: [{}] }]", "1:29 callers[0].keys[0]: 'sha256' is missing; expected the key's SHA-256 in"],
  [
    `callers: [{ name: a, keys: [{ sha256: "${DIGEST}", notAfter: 5 }] }]`,
    "1:117 callers[0].keys[0].notAfter: expected a date or a time with its zone",
  ],
  [
    `callers: [{ name: a, scopes: b, keys: [{ sha256: "${DIGEST}" }] }]`,
    "1:30 callers[0].scopes: expected a list of scopes",
  ],
  [
    `callers: [{ name: a, scopes: [5], keys: [{ sha256: "${DIGEST}" }] }]`,
    "1:31 callers[0].scopes[0]: expected a scope, without blanks or quotes",
  ],
  [
    `callers: [{ name: a, claims: { hunter2: .inf }, keys: [{ sha256: "${DIGEST}" }] }]`,
    "1:41 : expected a finite number",
  ],
])("What is wrong in %j is said in the language of the keys file", (keys, expected) => {
  const { problems } = compile(keys).context;
  expect(problems[0]).toContain(`/etc/postern/keys.yaml:${expected}`);
  expect(problems.join("\n")).not.toMatch(/Invalid|hunter2|undefined/);
});

test("A fault in one caller does not hide that another has its name or its key", () => {
  const { problems } = compile(
    `callers:\n  - { name: a, kees: 1, keys: [{ sha256: "${DIGEST}" }] }\n  - { name: a, keys: [{ sha256: "${DIGEST}" }] }\n`,
  ).context;
  expect(problems.map((line) => line.split(" ")[0])).toEqual([
    "/etc/postern/keys.yaml:2:16",
    "/etc/postern/keys.yaml:3:13",
    "/etc/postern/keys.yaml:3:33",
  ]);
});

test("A keys file that cannot be read is a problem of the policy", () => {
  const context = testContext({});
  const settings = apiKeyKind.schema.parse({ type: "api-key", header: "X-Api-Key", keys: "keys.yaml" });
  expect(atOnce(stepsOf(apiKeyKind.compile("partners", settings, context)))).toBeNull();
  expect(context.problems).toEqual(["/etc/postern/policy.yaml:1:1 keys: cannot read 'keys.yaml'"]);
});

test("A header with another meaning cannot carry keys", () => {
  for (const header of ["Authorization", "cookie", "Host", "a b", ""]) {
    expect(apiKeyKind.schema.safeParse({ type: "api-key", header, keys: "k" }).success, header).toBe(false);
  }
});
