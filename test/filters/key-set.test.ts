// Goal: a good token is let in on the provider's bad days, and a flood of bad ones costs the provider nothing.
import { sign } from "node:crypto";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { closeAll } from "../fixtures/closing.ts";
import { MemoryFiles } from "../fixtures/outside.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { denialOf, principalOf } from "./identity-context.ts";
import { CLAIMS, hs256, makeToken } from "./jwt-kit.ts";
import { keySetRig, signer } from "./key-set-kit.ts";

let pki: TestPki;
const first = signer("1");
const second = signer("2");
beforeAll(async () => {
  pki = await createTestPki();
});
afterEach(closeAll);

const HOUR_MS = 3_600_000;

describe("keys by discovery", () => {
  test("are asked for with the first policy in force, and requests wait for them", async () => {
    const rig = await keySetRig(pki);
    rig.publish(first);
    const okta = rig.open();
    expect(rig.state()).toBe("starting: never fetched");
    expect(principalOf(await rig.ask(okta, rig.token(first))).id).toBe("alice");
    expect(rig.provider.asked).toEqual(["/.well-known/openid-configuration", "/keys"]);
    expect(rig.state()).toBe("ready: fresh, 1 key");
    expect(principalOf(rig.ask(okta, rig.token(first)) as never).id).toBe("alice");
  });

  test("are found behind a path, and by RFC 8414 where there is no OpenID document", async () => {
    const rig = await keySetRig(pki);
    const issuer = `${rig.issuer}/tenant/a`;
    rig.publish(first);
    rig.provider.answers.set("/.well-known/oauth-authorization-server/tenant/a", {
      issuer,
      jwks_uri: `${rig.issuer}/keys`,
    });
    const okta = rig.open({ issuer });
    expect(principalOf(await rig.ask(okta, rig.token(first, { iss: issuer }))).id).toBe("alice");
    expect(rig.provider.asked.slice(0, 2)).toEqual([
      "/tenant/a/.well-known/openid-configuration",
      "/.well-known/oauth-authorization-server/tenant/a",
    ]);
  });

  test("an issuer with a slash at its end keeps it, and the document has to have it too", async () => {
    const rig = await keySetRig(pki);
    const issuer = `${rig.issuer}/`;
    rig.publish(first);
    const okta = rig.open({ issuer });
    const refused = denialOf(await rig.ask(okta, rig.token(first, { iss: issuer })));
    expect(refused.reason).toBe("keys_unavailable");
    expect(refused.seen).toContain("a slash at the end counts");
    rig.provider.answers.set("/.well-known/openid-configuration", { issuer, jwks_uri: `${rig.issuer}/keys` });
    rig.time.pass(DEFAULTS.keySetRetryMsMax);
    await rig.settled("ready: fresh, 1 key");
    expect(principalOf(await rig.ask(okta, rig.token(first, { iss: issuer }))).id).toBe("alice");
  });

  test.each([
    ["another issuer's document", { issuer: "https://evil.example" }, "issuer"],
    ["no place of keys", { jwks_uri: undefined }, "no 'jwks_uri'"],
    ["a place in the clear", { jwks_uri: "http://keys.example.org/" }, "in the clear"],
    ["a metadata address", { jwks_uri: "https://169.254.169.254/keys" }, "link-local"],
    ["a file", { jwks_uri: "file:///etc/passwd" }, "expected an https: URL"],
  ])("%s gives no keys", async (_, change, told) => {
    const rig = await keySetRig(pki);
    const document = { issuer: rig.issuer, jwks_uri: `${rig.issuer}/keys`, ...change };
    rig.provider.answers.set("/.well-known/openid-configuration", document);
    rig.publish(first);
    const denial = denialOf(await rig.ask(rig.open(), rig.token(first)));
    expect(denial.reason).toBe("keys_unavailable");
    expect(denial.seen).toContain(told);
  });

  test("a URL in the policy wins over discovery, and its own token goes along", async () => {
    const rig = await keySetRig(pki);
    rig.publish(first);
    const okta = rig.open({ issuer: "kubernetes/serviceaccount", jwks: { url: `${rig.issuer}/keys`, ca: "ca.pem" } });
    const claims = { iss: "kubernetes/serviceaccount" };
    expect(principalOf(await rig.ask(okta, rig.token(first, claims))).id).toBe("alice");
    expect(rig.provider.asked).toEqual(["/keys"]);
    expect(rig.provider.authorizations).toEqual([undefined]);
  });
});

describe("a provider that is down", () => {
  test("costs no good token while its keys are known, and a new one is 503 and not 401", async () => {
    const rig = await keySetRig(pki);
    rig.publish(first);
    const okta = rig.open();
    await rig.ask(okta, rig.token(first));
    rig.provider.goDown();
    for (let at = 0; at < 46; at++) {
      rig.time.pass(HOUR_MS / 2);
      const claims = { sub: `user-${at}`, exp: rig.time.wallMs() / 1000 + 60 };
      expect(principalOf(await rig.ask(okta, rig.token(first, claims))).id).toBe(`user-${at}`);
    }
    await rig.settled("stale: refresh failed, 1 key retained");
    const inDate = { exp: rig.time.wallMs() / 1000 + 7_200 };
    expect(denialOf(await rig.ask(okta, rig.token(second, inDate)))).toMatchObject({ reason: "keys_unavailable" });
    // After a day without an answer nobody knows which keys were taken back.
    const cached = rig.token(first, inDate);
    expect(principalOf(await rig.ask(okta, cached)).id).toBe("alice");
    rig.time.pass(HOUR_MS);
    expect(rig.state()).toBe("failing: too old");
    expect(denialOf(await rig.ask(okta, cached))).toMatchObject({ reason: "keys_unavailable" });
    rig.provider.comeUp();
    rig.time.pass(DEFAULTS.keySetRetryMsMax);
    await rig.settled("ready: fresh, 1 key");
    expect(principalOf(await rig.ask(okta, cached)).id).toBe("alice");
  });

  test("at start is 503 with its own reason, until it answers", async () => {
    const rig = await keySetRig(pki);
    rig.publish(first);
    rig.provider.goDown();
    const okta = rig.open();
    const denial = denialOf(await rig.ask(okta, rig.token(first)));
    expect(denial).toMatchObject({ reason: "keys_unavailable", headers: [["retry-after", "5"]] });
    expect(rig.state()).toBe("failing: never fetched");
    // A token that no key could make good is refused as before.
    expect(denialOf(await rig.ask(okta, rig.token(first, { iss: "https://other.example" }))).reason).toBe(
      "token_issuer_mismatch",
    );
    rig.provider.comeUp();
    rig.time.pass(DEFAULTS.keySetRetryMsMax);
    expect(principalOf(await rig.ask(okta, rig.token(first))).id).toBe("alice");
    expect(rig.notes).toEqual(["starting → failing (never fetched)", "failing → ready (fresh, 1 key)"]);
  });

  test("at start costs nothing where the state folder has its keys", async () => {
    const files = new MemoryFiles();
    const before = await keySetRig(pki, { stateDirectory: "/state", files });
    before.publish(first);
    expect(principalOf(await before.ask(before.open(), before.token(first))).id).toBe("alice");
    before.registry.close();
    before.provider.goDown();
    const after = await keySetRig(pki, { stateDirectory: "/state", files, provider: before.provider });
    expect(principalOf(await after.ask(after.open(), after.token(first))).id).toBe("alice");
    await after.settled("stale: refresh failed, 1 key retained");
    // Kept keys are no older than they were, so that they end with the same day.
    expect(after.registry.statuses()[0]?.staleUntilMs).toBe(before.time.wallMs() + DEFAULTS.keySetStaleMsMax);
  });

  test("a damaged state file is a fresh beginning", async () => {
    const files = new MemoryFiles();
    const before = await keySetRig(pki, { stateDirectory: "/state", files });
    before.publish(first);
    await before.ask(before.open(), before.token(first));
    before.registry.close();
    for (const [name, content] of files.contents) files.contents.set(name, content.fill(0x20, content.length - 4));
    const after = await keySetRig(pki, { stateDirectory: "/state", files, provider: before.provider });
    expect(principalOf(await after.ask(after.open(), after.token(first))).id).toBe("alice");
    expect(after.notes.join()).toContain("damaged");
  });
});

describe("keys that change", () => {
  test("are renewed before they are old, without a request", async () => {
    const rig = await keySetRig(pki);
    rig.provider.headers.set("Cache-Control", "public, max-age=1200");
    rig.publish(first);
    rig.open();
    await rig.settled("ready: fresh, 1 key");
    rig.publish(first, second);
    rig.time.pass(0.74 * 1_200_000);
    expect(rig.fetches()).toBe(1);
    rig.time.pass(0.16 * 1_200_000);
    await rig.settled("ready: fresh, 2 keys");
    expect(rig.fetches()).toBe(2);
  });

  test("a token with a new kid is let in at once, and one with the old kid too while it is published", async () => {
    const rig = await keySetRig(pki);
    rig.publish(first);
    const okta = rig.open();
    await rig.ask(okta, rig.token(first));
    rig.publish(first, second);
    const burst = Array.from({ length: 50 }, () => rig.ask(okta, rig.token(second)));
    for (const answer of await Promise.all(burst)) expect(principalOf(answer).id).toBe("alice");
    expect(principalOf(await rig.ask(okta, rig.token(first))).id).toBe("alice");
    expect(rig.fetches()).toBe(2);
  });

  test("another key under the same kid is let in at once, and the one before no more, remembered or not", async () => {
    const rig = await keySetRig(pki);
    const reused = { ...signer("1") };
    rig.publish(first);
    const okta = rig.open();
    const old = rig.token(first);
    await rig.ask(okta, old);
    expect(principalOf(rig.ask(okta, old) as never).id).toBe("alice");
    rig.publish(reused);
    expect(principalOf(await rig.ask(okta, rig.token(reused))).id).toBe("alice");
    expect(denialOf(await rig.ask(okta, old)).reason).toBe("token_signature_invalid");
    expect(rig.fetches()).toBe(2);
  });

  test("a key that is taken back ends what it had let in", async () => {
    const rig = await keySetRig(pki);
    rig.publish(first, second);
    const okta = rig.open();
    const good = rig.token(first);
    const kept = rig.token(second);
    await rig.ask(okta, good);
    await rig.ask(okta, kept);
    rig.publish(second);
    rig.time.pass(0.9 * DEFAULTS.keySetFreshMs);
    await rig.settled("ready: fresh, 1 key");
    expect(denialOf(await rig.ask(okta, good)).reason).toBe("token_key_unknown");
    // What the other key had let in is still known: there is no new check of its signature.
    expect(rig.ask(okta, kept)).not.toBeInstanceOf(Promise);
  });

  test("a token that has expired costs neither a fetch nor the look at a signature", async () => {
    const rig = await keySetRig(pki);
    rig.publish(first);
    const okta = rig.open();
    await rig.ask(okta, rig.token(first));
    for (const signedBy of [first, second]) {
      const late = rig.ask(okta, rig.token(signedBy, { exp: rig.now() - 60 }));
      expect(late).not.toBeInstanceOf(Promise);
      expect(denialOf(late as never).reason).toBe("token_expired");
    }
    expect(rig.fetches()).toBe(1);
  });

  test("random kids and forged signatures cost one fetch in 30 seconds, whatever their number", async () => {
    const rig = await keySetRig(pki);
    rig.publish(first);
    const okta = rig.open();
    await rig.ask(okta, rig.token(first));
    for (let second = 0; second < 120; second += 5) {
      for (let at = 0; at < 20; at++) {
        const forged = [
          rig.token(first, {}, { kid: `${second}-${at}` }),
          `${rig.token(first).slice(0, -10)}AAAAAAAAAA`,
        ];
        for (const token of forged)
          expect(denialOf(await rig.ask(okta, token)).reason).toMatch(/^(?:token_|keys_outdated$)/);
      }
      rig.time.pass(5_000);
    }
    expect(rig.fetches()).toBe(1 + 4);
    expect(rig.registry.statuses()[0]?.unknownKids).toBeGreaterThanOrEqual(480);
    expect(principalOf(await rig.ask(okta, rig.token(first))).id).toBe("alice");
  });
});

describe("an issuer that may not be asked, because somebody else has had it asked a moment ago", () => {
  /** Keys were fetched 40 s ago; since then a stranger's token has had them fetched again. */
  async function floodedRig() {
    const rig = await keySetRig(pki);
    rig.publish(first);
    const okta = rig.open();
    await rig.ask(okta, rig.token(first));
    rig.time.pass(40_000);
    const flood = async () => rig.ask(okta, rig.token(first, { iat: rig.now() }, { kid: `invented-${Math.random()}` }));
    expect(denialOf(await flood()).reason).toBe("token_key_unknown");
    expect(rig.fetches()).toBe(2);
    return { ...rig, okta, flood };
  }

  test("a good token of a newer key is 503 with its own reason, and good as soon as it may be asked", async () => {
    const rig = await floodedRig();
    rig.publish(first, second);
    rig.time.pass(9_500);
    const token = rig.token(second, { iat: rig.now() });
    const denial = denialOf(await rig.ask(rig.okta, token));
    expect(denial).toMatchObject({ reason: "keys_outdated", headers: [["retry-after", "21"]] });
    expect(denial.seen).toBe(
      'alg RS256, kid "2", newer than the keys of 10 s ago; the issuer may be asked again in 21 s',
    );
    const undated = rig.token(second, { iat: undefined });
    expect(denialOf(await rig.ask(rig.okta, undated)).reason).toBe("keys_outdated");
    rig.time.pass(20_500);
    expect(principalOf(await rig.ask(rig.okta, token)).id).toBe("alice");
    expect(principalOf(await rig.ask(rig.okta, undated)).id).toBe("alice");
    expect(rig.fetches()).toBe(3);
  });

  test("invented keys turn nobody else's answer", async () => {
    const rig = await floodedRig();
    const retired = signer("retired");
    for (let at = 0; at < 50; at++) {
      expect(denialOf(await rig.flood()).reason).toBe("keys_outdated");
      // Made before the keys were fetched, which do not have its key any more: no fetch would help it.
      expect(denialOf(await rig.ask(rig.okta, rig.token(retired, { jti: at }))).reason).toBe("token_key_unknown");
      expect(principalOf(await rig.ask(rig.okta, rig.token(first, { jti: at }))).id).toBe("alice");
    }
    // What no key could make good is refused as ever.
    for (const [reason, claims] of [
      ["token_expired", { exp: rig.now() - 60 }],
      ["token_key_unknown", { aud: "others" }],
      ["token_key_unknown", { sub: null }],
    ] as const) {
      const token = rig.token(second, { iat: rig.now(), ...claims });
      expect(denialOf(await rig.ask(rig.okta, token)).reason).toBe(reason);
    }
    // A key that is here and has not made the signature: who guesses gets no other answer, and no end of a ban.
    const forged = `${rig.token(first, { iat: rig.now() }).slice(0, -10)}AAAAAAAAAA`;
    expect(denialOf(await rig.ask(rig.okta, forged)).reason).toBe("token_signature_invalid");
    expect(rig.fetches()).toBe(2);
  });
});

describe("an answer that cannot be used", () => {
  const bad: readonly [string, unknown][] = [
    ["an empty set", { keys: [] }],
    ["a set without a usable key", { keys: [{ kty: "RSA", kid: "1", n: "AQAB", e: "AQAB" }] }],
    ["keys for encryption only", { keys: [{ ...first.jwk, use: "enc" }] }],
    ["a published HMAC secret", { keys: [first.jwk, { kty: "oct", kid: "h", k: "A".repeat(64) }] }],
    ["private keys", { keys: [{ ...first.key.export({ format: "jwk" }), kid: "1" }] }],
    ["HTML", "<!doctype html><title>Sign in</title>"],
    ["nothing", ""],
    ["no object", "[1,2,3]"],
    ["a list that is none", { keys: "AQAB" }],
    ["a member twice", `{"keys":[],"keys":[${JSON.stringify(first.jwk)}]}`],
    ["deep JSON", `{"keys":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
    ["a million keys", `{"keys":[${"{},".repeat(80_000)}{}]}`],
    ["too many keys", { keys: Array.from({ length: 300 }, (_, at) => ({ ...first.jwk, kid: `${at}` })) }],
    ["10 MB", (response: import("node:http").ServerResponse) => response.end(Buffer.alloc(10_000_000, 0x20))],
    [
      "a redirect to itself",
      (response: import("node:http").ServerResponse) => response.writeHead(302, { location: "/keys" }).end(),
    ],
    ["500", (response: import("node:http").ServerResponse) => response.writeHead(500).end("{}")],
    [
      "a cut answer",
      (response: import("node:http").ServerResponse) => {
        response.writeHead(200, { "content-length": 1000 });
        response.write("{");
        response.socket?.destroy();
      },
    ],
  ];
  test.each(bad)("%s changes nothing of what was there", async (_, answer) => {
    const rig = await keySetRig(pki);
    rig.publish(first);
    const okta = rig.open();
    await rig.ask(okta, rig.token(first));
    rig.provider.answers.set("/keys", answer as never);
    rig.time.pass(0.9 * DEFAULTS.keySetFreshMs);
    await rig.settled(rig.state()).then(() => undefined);
    await expect.poll(rig.state, { timeout: 20_000 }).toMatch(/^ready: (?:unusable|refresh failed), 1 key retained$/);
    expect(principalOf(await rig.ask(okta, rig.token(first, { sub: "bob" }))).id).toBe("bob");
    expect(rig.registry.statuses()[0]?.fault?.text).not.toBe("");
  });

  test("keys that nobody can use are left out, told once, and spoil nothing", async () => {
    const rig = await keySetRig(pki);
    const weak = { kty: "RSA", kid: "weak", n: "AQAB", e: "Aw" };
    rig.provider.answers.set("/keys", { keys: [weak, { kty: "new", kid: "x" }, first.jwk, { kid: "?" }] });
    const okta = rig.open();
    expect(principalOf(await rig.ask(okta, rig.token(first))).id).toBe("alice");
    rig.time.pass(0.9 * DEFAULTS.keySetFreshMs);
    await expect.poll(() => rig.registry.statuses()[0]?.tries.unchanged, { timeout: 20_000 }).toBe(1);
    expect(rig.registry.statuses()[0]?.leftOut).toHaveLength(2);
    expect(rig.notes.filter((note) => note.includes("'weak'"))).toHaveLength(1);
  });
});

describe("several policies", () => {
  test("with the same words share a set, and a change of the audience fetches nothing", async () => {
    const rig = await keySetRig(pki);
    rig.publish(first);
    await rig.ask(rig.open(), rig.token(first));
    const next = rig.open({ audience: "others" });
    expect(principalOf(await rig.ask(next, rig.token(first, { aud: "others" }))).id).toBe("alice");
    expect(rig.fetches()).toBe(1);
    expect(rig.registry.statuses().filter(({ kind }) => kind === "key set")).toHaveLength(1);
  });
});

describe("endpoints that ask for something", () => {
  test("get the token of a file as it is at each call", async () => {
    const rig = await keySetRig(pki);
    rig.publish(first);
    rig.secrets["token"] = "old\n";
    const okta = rig.open({ jwks: { url: `${rig.issuer}/keys`, ca: "ca.pem", token: { file: "token" } } });
    expect(principalOf(await rig.ask(okta, rig.token(first))).id).toBe("alice");
    rig.secrets["token"] = "new";
    rig.time.pass(0.9 * DEFAULTS.keySetFreshMs);
    await expect.poll(rig.fetches, { timeout: 20_000 }).toBe(2);
    expect(rig.provider.authorizations).toEqual(["Bearer old", "Bearer new"]);
  });

  test("certificates by key id are keys too", async () => {
    const rig = await keySetRig(pki);
    rig.provider.answers.set("/keys", { "1": pki.server.certificate, "2": pki.client.certificate });
    const firebase = rig.open({ algorithms: ["ES256"] });
    const es256 = (input: Buffer) => sign("sha256", input, { key: pki.client.key, dsaEncoding: "ieee-p1363" });
    const token = makeToken({ alg: "ES256", kid: "2" }, { ...CLAIMS, iss: rig.issuer }, es256);
    expect(principalOf(await rig.ask(firebase, token)).id).toBe("alice");
    const other = makeToken({ alg: "ES256", kid: "1" }, { ...CLAIMS, iss: rig.issuer }, es256);
    expect(denialOf(await rig.ask(firebase, other)).reason).toBe("token_signature_invalid");
  });

  test.each([
    [{ issuer: "accounts.google.com", jwks: undefined }, "issuer: an issuer that is no place to ask for keys"],
    [{ issuer: "http://idp.example.org", jwks: undefined }, "in the clear"],
    [{ algorithms: ["RS256", "HS256"] }, "algorithms: HS256 with keys that are published"],
    [{ keys: "ca.pem" }, "'keys' and 'jwks' at once"],
    [{ jwks: undefined, secret: { file: "token" }, algorithms: ["HS256"] }, "secret: HS256 with a secret of 3 bytes"],
    [{ jwks: { ca: "none.pem" } }, "cannot read 'none.pem'"],
  ])("%j is a problem", async (settings, told) => {
    const rig = await keySetRig(pki);
    rig.secrets["token"] = "old\n";
    expect(() => rig.open(settings)).toThrow(told);
  });

  test("a secret makes HMAC tokens good, and nothing else does", async () => {
    const rig = await keySetRig(pki);
    rig.secrets["hmac"] = "0123456789abcdef0123456789abcdef\n";
    const legacy = rig.open({ jwks: undefined, secret: { file: "hmac" }, algorithms: ["HS256"] });
    const token = (secret: string) => makeToken({ alg: "HS256" }, { ...CLAIMS, iss: rig.issuer }, hs256(secret));
    expect(principalOf(await rig.ask(legacy, token("0123456789abcdef0123456789abcdef"))).id).toBe("alice");
    expect(denialOf(await rig.ask(legacy, token(""))).reason).toBe("token_signature_invalid");
    expect(rig.provider.asked).toEqual([]);
  });
});
