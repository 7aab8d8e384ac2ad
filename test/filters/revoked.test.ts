import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { authenticateFilter } from "../../src/filters/authenticate/compile.ts";
import { OneKnower, type Refusals } from "../../src/filters/authenticate/knowers.ts";
import { clientCertificateKind } from "../../src/filters/client-certificate/compile.ts";
import type { Authenticator } from "../../src/filters/filter.ts";
import { Revocations } from "../../src/filters/revoked/evaluate.ts";
import { readRevokedFile } from "../../src/filters/revoked/revoked-file.ts";
import { canonicalSerial, certificateSerial } from "../../src/filters/revoked/serial.ts";
import type { ClientCertificate } from "../../src/message/connection.ts";
import type { Principal } from "../../src/message/principal.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { certificateOf } from "../fixtures/certificate.ts";
import { FakeClock, NOW_MS, request, testContext, testRoute } from "./identity-context.ts";
import { compileJwt, ISSUER, NOW_S, token } from "./jwt-kit.ts";

const clock = new FakeClock();

function read(text: string) {
  const { table, problems } = atOnce(readRevokedFile(text, NOW_MS));
  return {
    revocations: new Revocations(table, "revoked.yaml", clock),
    problems: problems.map(({ line, column, path, text: fault }) => `${line}:${column} ${path}: ${fault}`),
    uses: table.uses,
  };
}

function sound(text: string): Revocations {
  const { revocations, problems } = read(text);
  expect(problems).toEqual([]);
  return revocations;
}

function principalOf(claims: Record<string, unknown>, parts: Partial<Principal> = {}): Principal {
  return {
    authenticator: "okta",
    type: "jwt",
    id: "alice",
    key: "okta/alice",
    scopes: new Set(),
    claims,
    expiresAtMs: Infinity,
    ...parts,
  };
}

/** What is met, `kind[number]`; null for a caller that is let in. */
const met = (revocations: Revocations, claims: Record<string, unknown>, parts: Partial<Principal> = {}) =>
  revocations.ofPrincipal(principalOf(claims, parts))?.place?.path ?? null;

describe("what is met", () => {
  test("a token by jti, sub or sid, and any caller by its name; others are not", () => {
    const file = sound("jti: [a, b]\nsub: [mallory]\nsid: ['7']\ncallers: [acme]\n");
    expect(met(file, { jti: "b" })).toBe("jti[1]");
    expect(met(file, { sub: "mallory", jti: "c" })).toBe("sub[0]");
    expect(met(file, { sid: "7" })).toBe("sid[0]");
    expect(met(file, { sid: 7 })).toBe("sid[0]");
    expect(met(file, {}, { id: "acme", type: "api-key" })).toBe("callers[0]");
    expect(met(file, { jti: "c", sub: "alice", sid: "8" })).toBeNull();
    expect(met(file, { jti: ["a"], sub: null })).toBeNull();
    // What a keys file says of its caller are no claims of a token.
    expect(met(file, { sub: "mallory" }, { id: "umbrella", type: "api-key" })).toBeNull();
  });

  test("an entry of an issuer or authenticator is about nobody else's, and a token that hides its issuer gets by none", () => {
    const file = sound("sub: [{ sub: m, issuer: 'https://a' }]\njti: [{ jti: x, authenticator: okta }]\n");
    expect(met(file, { sub: "m", iss: "https://a" })).toBe("sub[0]");
    expect(met(file, { sub: "m", iss: "https://b" })).toBeNull();
    expect(met(file, { sub: "m" })).toBe("sub[0]");
    expect(met(file, { jti: "x" })).toBe("jti[0]");
    expect(met(file, { jti: "x" }, { authenticator: "entra" })).toBeNull();
  });

  test("logout everywhere: what was issued before is refused, a new login passes", () => {
    const file = sound("sub: [{ sub: m, issuedBefore: 2026-11-21T12:00:00Z }]\n");
    expect(met(file, { sub: "m", iat: NOW_S - 1 })).toBe("sub[0]");
    expect(met(file, { sub: "m", iat: NOW_S })).toBeNull();
    for (const iat of [undefined, "9999999999", Number.NaN]) expect(met(file, { sub: "m", iat })).toBe("sub[0]");
  });

  test("an entry is over with the day that it names", () => {
    const file = sound("jti: [{ jti: x, until: 2026-11-21 }]\n");
    const before = clock.nowMs;
    expect(met(file, { jti: "x" })).toBe("jti[0]");
    clock.nowMs = Date.parse("2026-11-21T23:59:59.999Z");
    expect(met(file, { jti: "x" })).toBe("jti[0]");
    clock.nowMs += 1;
    expect(met(file, { jti: "x" })).toBeNull();
    clock.nowMs = before;
    expect(met(sound("jti: [{ jti: x, until: 2026-11-20 }]\n"), { jti: "x" })).toBeNull();
  });

  test("a certificate by its serial number, and another authority's of the same number is not", () => {
    const file = sound("serials: ['00:0A:1B', { serial: '0x2', issuer: 'O=example, CN=ca' }]\n");
    const of = (parts: Partial<ClientCertificate>) => file.ofCertificate(certificateOf(parts))?.place?.path ?? null;
    expect(of({ serialNumber: "0A1B", issuer: "CN=any" })).toBe("serials[0]");
    expect(of({ serialNumber: "02", issuer: "CN=ca,O=example" })).toBe("serials[1]");
    expect(of({ serialNumber: "02", issuer: "CN=ca,O=other" })).toBeNull();
    // An issuer without a name that can be read could be the one.
    expect(of({ serialNumber: "02", issuer: "" })).toBe("serials[1]");
    expect(of({ serialNumber: "03" })).toBeNull();
    expect(file.ofCertificate(null)).toBeNull();
  });

  test("the denial names the line and the kind, and nothing of the token", () => {
    const file = sound("# stolen laptop\nsub:\n  - alice\n  - { sub: mallory, issuedBefore: 2026-11-21 }\n");
    const denial = file.ofPrincipal(principalOf({ sub: "mallory" }));
    expect(denial).toMatchObject({
      reason: "credential_revoked",
      place: { file: "revoked.yaml", line: 4, column: 5, path: "sub[1]" },
      seen: "sub is revoked where issued before 2026-11-21T00:00:00.000Z",
    });
  });
});

describe("serial numbers", () => {
  test.each([
    ["serial=0A1B2C", "A1B2C"],
    ["Serial Number: 4096 (0x1000)", "1000"],
    ["            0a:1b:2c", "A1B2C"],
    ["00 0A 1B", "A1B"],
    ["0x0a", "A"],
    ["1000", "1000"],
    ["0", "0"],
    ["-02", "-2"],
    ["(Negative)0a:1b", "-A1B"],
  ])("%s", (text, serial) => expect(canonicalSerial(text)).toBe(serial));

  test.each(["", "xyz", "0x", "4096 (0x2000)", "0A:1", "0A::1B", "a".repeat(2000)])("none: %s", (text) =>
    expect(canonicalSerial(text)).toBeNull(),
  );

  test("every spelling of a number is the certificate's", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 159n }), fc.nat(3), (value, zeros) => {
        const hex = value.toString(16);
        const even = hex.length % 2 === 0 ? hex : `0${hex}`;
        const own = certificateSerial(even.toUpperCase());
        const bytes = ("00".repeat(zeros) + even).match(/../g) ?? [];
        for (const text of [`serial=${even}`, `0x${hex}`, bytes.join(":"), bytes.join(" "), even.toUpperCase()]) {
          expect(canonicalSerial(text)).toBe(own);
        }
      }),
    );
  });
});

describe("a file that is not sound", () => {
  test.each([
    ["", "1:1 : expected a mapping with any of jti, sub, sid, serials, callers"],
    ["jti: a\n", "1:6 jti: expected a list"],
    ["jit: [a]\n", "1:1 : unknown key; did you mean 'jti'?"],
    [
      "jti: [a, 12]\n",
      "1:10 jti[1]: expected a token's jti of 1 to 1024 characters, in quotes where it looks like a number",
    ],
    [
      "sub:\n  - alice\n  -\n",
      "3:4 sub[1]: expected a sub of 1 to 1024 characters, in quotes where it looks like a number",
    ],
    [
      "serials: [1000]\n",
      "1:11 serials[0]: expected a serial number in quotes, in hexadecimal as OpenSSL prints it: '0A:1B' or '0A1B'",
    ],
    [
      "serials: [{ serial: '1', issuer: ca }]\n",
      "1:34 serials[0].issuer: expected the name of an authority, as in 'CN=ca,O=example'",
    ],
    [
      "jti: [{ jti: a, issuedBefore: 2026-01-01 }]\n",
      "1:17 jti[0]: unknown key; expected one of: jti, issuer, authenticator, until",
    ],
    [
      "sub: [{ issuer: a }]\n",
      "1:7 sub[0]: 'sub' is missing; expected a sub of 1 to 1024 characters, in quotes where it looks like a number",
    ],
    [
      "sub: [{ sub: a, until: soon }]\n",
      "1:24 sub[0].until: expected a date or a time with its zone, as in 2027-01-01 or 2027-01-01T12:00:00Z",
    ],
    ["jti: [a, b\n", /^\d+:\d+ : not valid YAML/],
    ["jti: [a]\njti: [b]\n", "2:1 : a key stands here a second time; expected it once"],
  ])("%j has a problem with its place", (text, problem) => {
    const { problems } = read(text);
    expect(problems).toHaveLength(1);
    if (typeof problem === "string") expect(problems[0]).toBe(problem);
    else expect(problems[0]).toMatch(problem);
  });

  test("no value stands in a problem", () => {
    const { problems } = read("jti: [{ jti: hunter2, hunter3: 1 }, [hunter4]]\nsecret-hunter: hunter5\n");
    expect(problems.length).toBeGreaterThanOrEqual(3);
    expect(problems.join("\n")).not.toContain("hunter");
  });

  test("entries have a limit, and those of one value a smaller one", () => {
    const list = (count: number) => `jti:\n${"  - a\n".repeat(count)}`;
    expect(read(`${list(DEFAULTS.revokedEntriesMax)}sub: [a]\n`).problems).toEqual([
      `${DEFAULTS.revokedEntriesMax + 2}:6 sub: up to here more than ${DEFAULTS.revokedEntriesMax} entries`,
    ]);
    const alike = Array.from({ length: DEFAULTS.revokedAlikeMax + 1 }, (_, at) => `  - { sub: a, issuer: i${at} }\n`);
    expect(read(`sub:\n${alike.join("")}`).problems).toEqual([
      `${DEFAULTS.revokedAlikeMax + 2}:5 sub[${DEFAULTS.revokedAlikeMax}]: more than ${DEFAULTS.revokedAlikeMax} entries of this value`,
    ]);
  }, 60_000);
});

test("100,000 entries are read in steps and each is found", () => {
  const lines = Array.from({ length: DEFAULTS.revokedEntriesMax }, (_, at) => `  - id-${at}\n`);
  let steps = 0;
  const reading = readRevokedFile(`jti:\n${lines.join("")}`, NOW_MS);
  for (let step = reading.next(); ; step = reading.next()) {
    if (step.done !== true) {
      steps++;
      continue;
    }
    const revocations = new Revocations(step.value.table, "revoked.yaml", clock);
    expect(step.value.problems).toEqual([]);
    for (const at of [0, 50_000, 99_999]) expect(met(revocations, { jti: `id-${at}` })).toBe(`jti[${at}]`);
    expect(met(revocations, { jti: "id-100000" })).toBeNull();
    break;
  }
  expect(steps).toBeGreaterThan(DEFAULTS.revokedEntriesMax);
}, 60_000);

test("the table agrees with looking through all entries one by one", () => {
  const value = fc.constantFrom("a", "b", "c");
  const limits = {
    issuer: fc.option(fc.constantFrom("i", "j"), { nil: undefined }),
    authenticator: fc.option(fc.constantFrom("okta", "entra"), { nil: undefined }),
    until: fc.option(fc.constantFrom(NOW_MS - 1, NOW_MS, NOW_MS + 1), { nil: undefined }),
    issuedBefore: fc.option(fc.constantFrom(NOW_MS - 1000, NOW_MS), { nil: undefined }),
  };
  const entries = fc.array(fc.record({ kind: fc.constantFrom("sub", "sid"), value, ...limits }), { maxLength: 12 });
  const caller = fc.record({
    sub: fc.option(value, { nil: undefined }),
    sid: fc.option(value, { nil: undefined }),
    iss: fc.option(fc.constantFrom("i", "j"), { nil: undefined }),
    iat: fc.option(fc.constantFrom(NOW_S - 2, NOW_S - 1, NOW_S), { nil: undefined }),
    authenticator: fc.constantFrom("okta", "entra"),
  });
  const time = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
  fc.assert(
    fc.property(entries, caller, (all, { authenticator, ...claims }) => {
      const file = (kind: string) =>
        all
          .filter((one) => one.kind === kind)
          .map(({ kind: key, value: text, until, issuedBefore, ...rest }) => ({
            [key]: text,
            ...rest,
            until: time(until),
            issuedBefore: time(issuedBefore),
          }));
      const revocations = sound(JSON.stringify({ sub: file("sub"), sid: file("sid") }));
      const expected = all.some(
        (one) =>
          claims[one.kind as "sub" | "sid"] === one.value &&
          (one.until === undefined || one.until >= NOW_MS) &&
          (one.authenticator === undefined || one.authenticator === authenticator) &&
          (one.issuer === undefined || claims.iss === undefined || claims.iss === one.issuer) &&
          (one.issuedBefore === undefined || claims.iat === undefined || claims.iat * 1000 < one.issuedBefore),
      );
      expect(met(revocations, claims, { authenticator }) !== null).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

describe("on a route", () => {
  const mesh = atOnce(stepsOf(clientCertificateKind.compile("mesh", { type: "client-certificate" }, testContext())));
  const okta = compileJwt().authenticator;
  const again = compileJwt().authenticator;
  if (mesh === null || okta === null || again === null) throw new Error("did not compile");
  // As an introspection of the same token that tells nothing of its jti.
  const other: Authenticator = {
    name: "other",
    type: "introspection",
    place: again.place,
    challenge: again.challenge,
    credentialHeaders: [],
    assume: () => null,
    authenticate: () => principalOf({}, { authenticator: "other", type: "introspection" }),
  };
  const ask = async (settings: unknown, text: string, bearer: string | null, certificate?: ClientCertificate) => {
    const route = testRoute([mesh, okta, other]);
    const context = { ...route.context, revocations: sound(text) };
    authenticateFilter.compile(authenticateFilter.schema.parse(settings), context);
    const exchange = request(bearer === null ? [] : [["authorization", `Bearer ${bearer}`]], certificate);
    const verdict = await route.checks[0]?.evaluate(exchange);
    return verdict instanceof Denial ? verdict : (exchange.principal?.authenticator ?? null);
  };
  const certificate = certificateOf({ serialNumber: "0A" });
  const refused = { reason: "credential_revoked", terminal: false };

  test("another authenticator that knows less of the same token does not let it in", async () => {
    const stolen = token({ jti: "stolen" });
    const denial = await ask(["okta", "other"], "jti: [stolen]\n", stolen);
    expect(denial).toMatchObject(refused);
    expect((denial as Denial).headers).toContainEqual(["www-authenticate", expect.stringContaining("invalid_token")]);
    expect(await ask(["okta", "other"], "jti: [stolen]\n", token({ jti: "mine" }))).toBe("okta");
    expect(await ask({ all: ["mesh", "okta"] }, "jti: [stolen]\n", stolen, certificate)).toMatchObject(refused);
    expect(
      await ask({ any: [{ all: ["mesh", "okta"] }, "other"] }, "jti: [stolen]\n", stolen, certificate),
    ).toMatchObject(refused);
  });

  test("a revoked certificate is refused beside a good token, as a token may be bound to it", async () => {
    expect(await ask(["okta"], "serials: ['A']\n", token(), certificate)).toMatchObject(refused);
    expect(await ask(["mesh"], "serials: ['A']\n", null, certificate)).toMatchObject({
      ...refused,
      seen: 'serial A of "CN=ca" is revoked',
    });
    expect(await ask(["mesh"], "serials: ['B']\n", null, certificate)).toBe("mesh");
    expect(await ask(["okta"], "serials: ['A']\n", token())).toBe("okta");
  });

  test("a revoked token for another audience is told as revoked, so that nobody else is asked about it", async () => {
    const rule = { names: ["billing"], place: okta.place };
    const knower = (text: string) => new OneKnower(okta, sound(text), rule);
    const refusals = (): Refusals => ({ told: null, token: false, revoked: false, ban: null, tried: null, parts: [] });
    const [revoked, foreign] = [refusals(), refusals()];
    const exchange = request([["authorization", `Bearer ${token({ jti: "stolen" })}`]]);
    expect(await knower("jti: [stolen]\n").ask(exchange, revoked)).toBeNull();
    expect(revoked).toMatchObject({ told: refused, revoked: true, token: true });
    expect(await knower("jti: [other]\n").ask(exchange, foreign)).toBeNull();
    expect(foreign).toMatchObject({ told: { reason: "token_audience_mismatch" }, revoked: false });
  });

  test("an entry of the token's issuer meets it", async () => {
    expect(await ask(["okta"], `sub: [{ sub: alice, issuer: '${ISSUER}' }]\n`, token())).toMatchObject(refused);
    expect(await ask(["okta"], "sub: [{ sub: alice, issuer: 'https://other' }]\n", token())).toBe("okta");
  });
});
