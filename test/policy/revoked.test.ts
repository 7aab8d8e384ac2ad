import { expect, test } from "vitest";
import { policyWith, problemsOf, snapshotOf, warningsOf } from "./policy-kit.ts";

const policy = policyWith(`
authenticators:
  partners: { type: api-key, header: X-Key, keys: keys.yaml }
routes: [{ path: /, authenticate: [partners] }]
revoked: revoked.yaml
`);
const keys = { "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]` };

test("a file that is missing, empty or has one bad line costs the policy, with the place", async () => {
  expect(await problemsOf(policy, keys)).toEqual([
    "9:10 'revoked.yaml' does not exist; expected a file, relative to the policy",
  ]);
  expect(await problemsOf(policy, { ...keys, "revoked.yaml": "" })).toEqual([
    "conf/revoked.yaml:1:1 expected a mapping with any of jti, sub, sid, serials, callers",
  ]);
  expect(await problemsOf(policy, { ...keys, "revoked.yaml": "callers:\n  - acme\n  - 7\n" })).toEqual([
    "conf/revoked.yaml:3:5 expected a name of 1 to 128 visible ASCII characters",
  ]);
  expect(await problemsOf(policy, { ...keys, "revoked.yaml": Buffer.from([0xff, 0xfe, 0x41]) })).toHaveLength(1);
  expect(await problemsOf(policy.replace("revoked.yaml", "[a]"), keys)).toHaveLength(1);
});

test("the file is watched and counts for the policy's hash", async () => {
  const one = await snapshotOf(policy, { ...keys, "revoked.yaml": "callers: [umbrella]\n" });
  const two = await snapshotOf(policy, { ...keys, "revoked.yaml": "callers: [acme]\n" });
  expect(one.files.some((name) => name.endsWith("/revoked.yaml"))).toBe(true);
  expect(one.hash).not.toBe(two.hash);
});

test("entries that nobody can meet are warned of, those that are over or good are not", async () => {
  const text = `callers: [acme, { caller: umbrella, until: 2020-01-01 }]
jti: [a, { jti: b, authenticator: partners }, { jti: c, authenticator: okta }]
serials: ['1']
`;
  expect(await warningsOf(policy, { ...keys, "revoked.yaml": text })).toEqual([
    "conf/revoked.yaml:2:7 the policy has no authenticator of tokens, so this can never be met",
    "conf/revoked.yaml:2:10 this entry's authenticator takes no tokens, so this can never be met",
    "conf/revoked.yaml:2:47 the policy has no authenticator of this entry's name, so this can never be met",
    "conf/revoked.yaml:3:11 no listener asks for client certificates, so this can never be met",
  ]);
  expect(await warningsOf(policy, { ...keys, "revoked.yaml": "callers: [acme]\n" })).toEqual([]);
});
