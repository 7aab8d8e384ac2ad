import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Denial, type Verdict } from "../../src/decision/verdict.ts";
import { apiKeyKind } from "../../src/filters/api-key/compile.ts";
import { AuthenticateCheck } from "../../src/filters/authenticate/evaluate.ts";
import { AnyKnower, OneKnower } from "../../src/filters/authenticate/knowers.ts";
import { banBook, compileBan } from "../../src/filters/bans/compile.ts";
import { Bans } from "../../src/filters/bans/evaluate.ts";
import { banSchema } from "../../src/filters/bans/schema.ts";
import { basicKind } from "../../src/filters/basic/compile.ts";
import { parsePasswordHash, tagOf } from "../../src/filters/basic/password-hash.ts";
import type { Authenticator } from "../../src/filters/filter.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { FakeClock, testContext } from "./identity-context.ts";
import { compileJwt, token } from "./jwt-kit.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const CHEAP = "$scrypt$ln=10,r=1,p=1$c2FsdHNhbHRzYWx0$";
async function hashOf(password: string): Promise<string> {
  const hash = parsePasswordHash(`${CHEAP}${"A".repeat(43)}`);
  if (hash === null) throw new Error("no hash");
  return `${CHEAP}${(await tagOf(hash, Buffer.from(password))).toString("base64").replace(/=+$/, "")}`;
}

const SETTINGS = { on: ["api_key_unknown", "password_wrong"], times: "5/minute", key: "client.address", for: "5m" };

async function setUp(settings: object = SETTINGS) {
  const files = {
    "k.yaml": `callers: [{ name: acme, keys: [{ sha256: "${sha256("acme-key")}" }] }, { name: umbrella, keys: [{ sha256: "${sha256("umbrella-key")}" }] }]`,
    "u.yaml": `users: [{ name: alice, passwordHash: "${await hashOf("alices")}" }, { name: bob, passwordHash: "${await hashOf("bobs")}" }]`,
  };
  const clock = new FakeClock();
  const context = testContext(files, clock);
  const keys = apiKeyKind.schema.parse({ type: "api-key", header: "x-key", keys: "k.yaml" });
  const users = basicKind.schema.parse({ type: "basic", users: "u.yaml" });
  const authenticators = [
    atOnce(stepsOf(apiKeyKind.compile("partners", keys, context))),
    atOnce(stepsOf(basicKind.compile("staff", users, context))),
    compileJwt().authenticator,
  ].filter((one): one is Authenticator => one !== null);
  const book = banBook(context);
  const facts = compileBan("guessing", banSchema.parse(settings), book, context);
  if (facts === null) throw new Error(context.problems.join());
  const bans = new Bans([facts], book);
  const check = new AuthenticateCheck({
    place: context.place(),
    enforcePercent: 100,
    knower: new AnyKnower(authenticators.map((one) => new OneKnower(one, null))),
    anonymous: null,
    stepUp: null,
    bans,
    revocations: null,
    authenticators,
    wantedScopes: new Set(),
  });
  let last = createExchange({});
  /** As the proxy does it: the reason of a denial, or the caller. */
  const ask = async (headers: readonly (readonly [string, string])[], peer = "192.0.2.7"): Promise<string> => {
    const exchange = createExchange({ headers, peer });
    last = exchange;
    const verdict: Verdict = await check.evaluate(exchange);
    if (!(verdict instanceof Denial)) return exchange.principal?.id ?? "nobody";
    bans.failed(verdict.reason, exchange, "/v1/orders", false);
    return verdict.reason;
  };
  const key = (text: string, peer?: string) => ask([["x-key", text]], peer);
  const login = (user: string, password: string, peer?: string) =>
    ask([["authorization", `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`]], peer);
  const guess = async (peer?: string, times = 7): Promise<string> => {
    let answer = "";
    for (let at = 0; at < times; at++) answer = await key(`guess-${at}`, peer);
    return answer;
  };
  const audited = () => (last.audited ?? []).map(({ reason }) => reason);
  return { clock, bans, ask, key, login, guess, audited };
}

describe("a ban for suspicion", () => {
  const SUSPICION = { suspicion: "20/hour", key: "client.address", for: "5m" };
  const suspect = async (settings: object = SUSPICION) => {
    const set = await setUp(settings);
    const found = (score: number, peer: string, isProxy = false) =>
      set.bans.suspected(score, createExchange({ peer }), "/v1/orders", isProxy).length;
    return { ...set, found };
  };

  test("adds up what was found in one caller's requests, also where each of them passed", async () => {
    const { found, bans, clock } = await suspect();
    expect([5, 5, 5, 5, 3].map((score) => found(score, "192.0.2.66"))).toEqual([0, 0, 0, 0, 1]);
    expect([...bans.book.list()]).toMatchObject([{ ban: "guessing", key: "192.0.2.66", count: 1 }]);
    const [check] = bans.admitChecks();
    const verdict = await check?.evaluate(createExchange({ peer: "192.0.2.66" }));
    expect(verdict).toMatchObject({ reason: "banned" });
    expect(await check?.evaluate(createExchange({ peer: "192.0.2.7" }))).toBeNull();
    clock.nowMs += 5 * 60_000;
    expect(await check?.evaluate(createExchange({ peer: "192.0.2.66" }))).toBeNull();
  });

  test("one request that finds more than all that is free is enough", async () => {
    const { found } = await suspect();
    expect(found(21, "192.0.2.66")).toBe(1);
  });

  test("whoever looks like an attack now and then, as O'Brien does, is never banned", async () => {
    const { found, clock } = await suspect();
    for (let day = 0; day < 50; day++) {
      expect(found(5, "192.0.2.7")).toBe(0);
      clock.nowMs += 20 * 60_000;
    }
  });

  test("nobody has the proxy banned through which all come", async () => {
    const { found } = await suspect();
    for (let at = 0; at < 20; at++) expect(found(20, "192.0.2.1", true)).toBe(0);
  });

  test("denials count nothing for it", async () => {
    const { guess, key } = await suspect();
    await guess(undefined, 40);
    expect(await key("acme-key")).toBe("acme");
  });
});

describe("a ban counts denials or suspicion", () => {
  const problemsOf = (settings: object): readonly string[] => {
    const context = testContext({}, new FakeClock());
    expect(compileBan("probing", banSchema.parse(settings), banBook(context), context)).toBeNull();
    return context.problems;
  };
  const rest = { key: "client.address", for: "5m" };

  test.each([
    [{}, "expected 'on' and 'times', or 'suspicion'"],
    [{ times: "5/minute" }, "'times' without 'on'; expected both"],
    [{ on: ["api_key_unknown"] }, "'on' without 'times'; expected both"],
    [{ on: ["api_key_unknown"], times: "5/minute", suspicion: "20/hour" }, "expected two bans"],
    [{ suspicion: "20/hour", key: "account" }, "expected 'principal' for what detectors find"],
  ])("%j is a problem", (settings, text) => {
    expect(problemsOf({ ...rest, ...settings }).join()).toContain(text);
  });
});

describe("a ban of an address", () => {
  test("begins after so many failures, and then even a right guess is none", async () => {
    const { key, guess, login, clock, bans } = await setUp();
    for (let at = 0; at < 5; at++) expect(await key("guess")).toBe("api_key_unknown");
    expect(bans.isAnyGuesserBanned).toBe(false);
    expect(await key("guess")).toBe("api_key_unknown");
    expect([...bans.book.list()]).toMatchObject([{ ban: "guessing", key: "192.0.2.7", count: 1 }]);
    expect(await key("guess")).toBe("banned");
    expect(await key("acme-key")).toBe("banned");
    expect(await login("alice", "alices")).toBe("banned");
    expect(await key("acme-key", "192.0.2.8")).toBe("acme");
    clock.nowMs += 5 * 60_000;
    expect(await key("acme-key")).toBe("acme");
    expect(await guess()).toBe("banned");
  });

  test("takes nothing from callers that were good there before, behind one address with those who guess", async () => {
    const { key, login, guess, ask } = await setUp();
    expect(await key("acme-key")).toBe("acme");
    expect(await login("alice", "alices")).toBe("alice");
    expect(await guess()).toBe("banned");
    expect(await key("acme-key")).toBe("acme");
    expect(await login("alice", "alices")).toBe("alice");
    // Whom it has not seen there it does not know.
    expect(await key("umbrella-key")).toBe("banned");
    expect(await login("bob", "bobs")).toBe("banned");
    // Nobody guesses a signature.
    expect(await ask([["authorization", `Bearer ${token()}`]])).toBe("alice");
    // And none of those who try nothing is told of it.
    expect(await ask([])).toBe("credentials_missing");
  });

  test("does not let alice's neighbour guess her password, whom she shares an address with", async () => {
    const { login, guess, clock } = await setUp();
    expect(await login("alice", "alices")).toBe("alice");
    await guess();
    clock.nowMs += DEFAULTS.passwordCachedMs - 1;
    for (const password of ["a", "b", "c"]) expect(await login("alice", password)).toBe("banned");
    expect(await login("alice", "alices")).toBe("alice");
  });

  test("meets a whole /64 of IPv6, and no other", async () => {
    const { key, guess } = await setUp();
    expect(await guess("2001:db8:0:1::1")).toBe("banned");
    expect(await key("acme-key", "2001:db8:0:1:ffff::2")).toBe("banned");
    expect(await key("acme-key", "2001:db8:0:2::1")).toBe("acme");
  });

  test("grows where the policy says so, and its memory ends with a day without one", async () => {
    const { guess, bans, clock } = await setUp({ ...SETTINGS, growing: true });
    const lengths: number[] = [];
    for (let at = 0; at < 12; at++) {
      await guess();
      const [ban] = bans.book.list();
      lengths.push(((ban?.untilMs ?? 0) - (ban?.sinceMs ?? 0)) / 60_000);
      clock.nowMs = ban?.untilMs ?? 0;
    }
    expect(lengths.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(lengths.at(-1)).toBe(24 * 60);
    clock.nowMs += DEFAULTS.banRememberedMs;
    await guess();
    expect([...bans.book.list()][0]?.count).toBe(1);
  });

  test("can be lifted", async () => {
    const { guess, key, bans } = await setUp();
    expect(await guess()).toBe("banned");
    const lift = () => bans.book.room.acts["lift"]?.({ ban: "guessing", key: "192.0.2.7" });
    expect(await lift()).toMatchObject({ ok: true, value: { lifted: 1 } });
    expect(await lift()).toMatchObject({ ok: false, error: { status: 404 } });
    expect(await key("acme-key")).toBe("acme");
  });
});

describe("a ban of an account", () => {
  const settings = { on: ["password_wrong"], times: "3/minute", key: "account", for: "5m" };

  test("stops guesses at it from everywhere, and its user goes on where they were", async () => {
    const { login, bans } = await setUp(settings);
    expect(await login("alice", "alices", "203.0.113.1")).toBe("alice");
    for (let at = 0; at < 5; at++) await login("alice", `guess${at}`, `198.51.100.${at}`);
    expect([...bans.book.list()]).toMatchObject([{ key: "staff/alice" }]);
    expect(await login("alice", "alices", "198.51.100.77")).toBe("banned");
    expect(await login("alice", "alices", "203.0.113.1")).toBe("alice");
    expect(await login("bob", "bobs", "198.51.100.77")).toBe("bob");
  });

  test("is of accounts that exist: what is typed for a name may be a password", async () => {
    const { login, bans } = await setUp(settings);
    for (let at = 0; at < 9; at++) await login("hunter2", "x");
    expect([...bans.book.list()]).toEqual([]);
  });
});

test("A ban of guesses that is only tried out notes whom it would meet, and meets nobody", async () => {
  const { key, guess, audited } = await setUp({ ...SETTINGS, mode: "audit" });
  expect(await guess()).toBe("api_key_unknown");
  expect(audited()).toEqual(["banned"]);
  expect(await key("umbrella-key")).toBe("umbrella");
  expect(audited()).toEqual(["banned"]);
  expect(await key("umbrella-key")).toBe("umbrella");
  expect(audited()).toEqual([]);
});

test.each([
  [{ ...SETTINGS, on: [] }],
  [{ ...SETTINGS, on: ["banned"] }],
  [{ ...SETTINGS, on: ["internal_error"] }],
  [{ ...SETTINGS, on: ["keys_unavailable"] }],
  [{ ...SETTINGS, times: "many" }],
  [{ ...SETTINGS, for: "0s" }],
  [{ ...SETTINGS, for: "25h" }],
  [{ ...SETTINGS, key: [] }],
])("%j is no setting", (settings) => {
  expect(banSchema.safeParse(settings).success).toBe(false);
});

test.each([
  ["two kinds of reasons in one", { on: ["api_key_unknown", "rate_limited"] }, "expected two bans"],
  ["callers that nobody knows yet", { key: "principal" }, "who fails to log in is nobody yet"],
  ["accounts of denials that tell of none", { on: ["rate_limited"], key: "account" }, "expected 'principal'"],
  ["a key that may be absent", { on: ["rate_limited"], key: 'request.headers["x-tenant"]' }, "expected 'absent'"],
  ["a key that there is not", { on: ["rate_limited"], key: "client.adress" }, "client.address"],
])("%s: a problem", (_, settings, text) => {
  const context = testContext();
  const parsed = banSchema.parse({ ...SETTINGS, ...settings });
  expect(compileBan("guessing", parsed, banBook(context), context)).toBeNull();
  expect(context.problems.join()).toContain(text);
});

test.each([
  ["token_signature_invalid", "account", "none of these reasons tells which account was tried"],
  ["route_not_found", "principal", "before the caller is known"],
  ["route_not_found", "route", "before the route is known"],
])("%s by %s is worth a warning", (reason, key, text) => {
  const context = testContext();
  const parsed = banSchema.parse({ ...SETTINGS, on: [reason], key });
  expect(compileBan("guessing", parsed, banBook(context), context)).not.toBeNull();
  expect(context.warnings.join()).toContain(text);
});
