import { beforeAll, describe, expect, test, vi } from "vitest";
import { basicKind } from "../../src/filters/basic/compile.ts";
import { basicCredentials } from "../../src/filters/basic/credentials.ts";
import { parsePasswordHash, tagOf } from "../../src/filters/basic/password-hash.ts";
import { VerificationLine } from "../../src/filters/basic/verification-line.ts";
import type { Authentication, Authenticator } from "../../src/filters/filter.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { denialOf, FakeClock, NOW_MS, principalOf, testContext } from "./identity-context.ts";

/** As cheap as may be: what is tested is not the hash. */
const CHEAP = "$scrypt$ln=10,r=1,p=1$c2FsdHNhbHRzYWx0$";
async function hashOf(password: string): Promise<string> {
  const hash = parsePasswordHash(`${CHEAP}${"A".repeat(43)}`);
  if (hash === null) throw new Error("no hash");
  const tag = await tagOf(hash, Buffer.from(password.normalize("NFC")));
  return `${CHEAP}${tag.toString("base64").replace(/=+$/, "")}`;
}

let users = "";
beforeAll(async () => {
  users = `users:
  - { name: alice, passwordHash: "${await hashOf("open sesame: ünïcode")}", scopes: [a], roles: [clerk], limit: gold }
  - { name: bob, passwordHash: "${await hashOf("bobs password")}", notAfter: 2026-11-20 }
  - { name: carol, passwordHash: "${await hashOf("carols password")}", notBefore: 2026-11-22 }
`;
});

function compile(file: string, context = testContext({ "users.yaml": file })) {
  const settings = basicKind.schema.parse({ type: "basic", users: "users.yaml" });
  return { context, authenticator: atOnce(stepsOf(basicKind.compile("staff", settings, context))) };
}

function setUp(file = users) {
  const { context, authenticator } = compile(file);
  if (authenticator === null) throw new Error(context.problems.join("\n"));
  return { context, authenticator };
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
const ask = (authenticator: Authenticator, value: string, peer = "192.0.2.7") =>
  authenticator.authenticate(createExchange({ headers: [["authorization", value]], peer })) as
    | Authentication
    | Promise<Authentication>;

test("A user's name and password make its principal, verified off the stack and then remembered", async () => {
  const { authenticator, context } = setUp();
  const value = basic("alice", "open sesame: ünïcode");
  const first = ask(authenticator, value);
  expect(first).toBeInstanceOf(Promise);
  const principal = principalOf(await first);
  expect(principal).toMatchObject({ type: "basic", id: "alice", key: "staff/alice", limit: "gold" });
  expect(principal.claims).toEqual({ roles: ["clerk"] });
  expect(ask(authenticator, value)).toBe(principal);
  expect(ask(authenticator, value.replace("Basic", "bAsIc"))).toBe(principal);
  context.clock.nowMs += DEFAULTS.passwordCachedMs;
  expect(ask(authenticator, value)).toBeInstanceOf(Promise);
  expect(authenticator.challenge).toBe('Basic realm="orders", charset="UTF-8"');
});

test("The same letters typed in another Unicode form are the same password", async () => {
  const { authenticator } = setUp();
  expect(principalOf(await ask(authenticator, basic("alice", "open sesame: ünïcode".normalize("NFD")))).id).toBe(
    "alice",
  );
});

test("A wrong password and an unknown user are refused alike, and what was typed is not told", async () => {
  const { authenticator } = setUp();
  const wrong = denialOf(await ask(authenticator, basic("alice", "hunter2")));
  expect(wrong).toMatchObject({ reason: "password_wrong", seen: "a wrong password of alice" });
  const unknown = denialOf(await ask(authenticator, basic("hunter2", "x")));
  expect(unknown).toMatchObject({ reason: "password_wrong", seen: "a user that nobody knows" });
  for (const name of ["constructor", "__proto__", "", "ALICE"]) {
    expect(denialOf(await ask(authenticator, basic(name, "open sesame: ünïcode"))).reason).toBe("password_wrong");
  }
  expect(denialOf(await ask(authenticator, basic("alice", ""))).reason).toBe("password_wrong");
});

test("A right password out of its time says so, a wrong one does not", async () => {
  const { authenticator, context } = setUp();
  expect(denialOf(await ask(authenticator, basic("bob", "bobs password"))).reason).toBe("user_expired");
  expect(denialOf(await ask(authenticator, basic("bob", "guess"))).reason).toBe("password_wrong");
  expect(denialOf(await ask(authenticator, basic("carol", "carols password"))).reason).toBe("user_not_yet_valid");
  context.clock.nowMs = NOW_MS + 24 * 3_600_000;
  expect(principalOf(await ask(authenticator, basic("carol", "carols password"))).id).toBe("carol");
});

test.each([
  ["Basic", "not base64"],
  ["Basic ", "not base64"],
  ["Basic !!!", "not base64"],
  [`Basic ${Buffer.from("alice").toString("base64")}`, "without a colon"],
  [`Basic ${Buffer.from("alice:x").toString("base64").replace(/=+$/, "")}`, "not base64"],
  [`Basic  ${Buffer.from("alice:xyz").toString("base64")}`, "not base64"],
  [`Basic ${Buffer.from("alice:a\u0000b").toString("base64")}`, "control characters"],
  [`Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString("base64")}`, "not UTF-8"],
  [`Basic ${Buffer.alloc(900, "a:").toString("base64")}`, "too long"],
])("%s is malformed: %s", (value, text) => {
  const denial = denialOf(ask(setUp().authenticator, value) as Authentication);
  expect(denial.reason).toBe("basic_malformed");
  expect(denial.seen).toContain(text);
});

test("Another scheme has nothing to say here, and two headers are refused", () => {
  const { authenticator } = setUp();
  expect(ask(authenticator, "Bearer abc")).toBeNull();
  expect(ask(authenticator, "Basically x")).toBeNull();
  expect(authenticator.authenticate(createExchange())).toBeNull();
  const twice = createExchange({
    headers: [
      ["authorization", basic("alice", "open sesame: ünïcode")],
      ["authorization", "Basic eDp5"],
    ],
  });
  expect(denialOf(authenticator.authenticate(twice) as Authentication).seen).toBe("more than one authorization header");
});

test("The password may have colons, the name ends at the first", () => {
  const read = basicCredentials(basic("a", "b:c:d"));
  expect(read?.ok === true && [read.value.user, read.value.password.toString()]).toEqual(["a", "b:c:d"]);
});

describe("guessing", () => {
  test("costs nothing beyond a bound for an address and for a user, and a user who was in stays in", async () => {
    const { authenticator, context } = setUp();
    const good = basic("alice", "open sesame: ünïcode");
    principalOf(await ask(authenticator, good, "192.0.2.50"));
    const { burst } = DEFAULTS.passwordAddressFailures;
    for (let at = 0; at < burst; at++) {
      expect(denialOf(await ask(authenticator, basic(`nobody${at}`, "x"))).reason).toBe("password_wrong");
    }
    const refused = ask(authenticator, basic("nobody", "x"));
    // At once: nothing was verified.
    expect(denialOf(refused as Authentication)).toMatchObject({ reason: "attempts_exceeded" });
    expect(denialOf(refused as Authentication).headers[0]?.[0]).toBe("retry-after");
    // Even a right guess is none while the bound holds, but what was right before is.
    expect(denialOf(ask(authenticator, basic("bob", "bobs password")) as Authentication).reason).toBe(
      "attempts_exceeded",
    );
    expect(principalOf(ask(authenticator, good) as Authentication).id).toBe("alice");
    context.clock.nowMs += DEFAULTS.passwordCachedMs;
    for (let at = 0; at < burst; at++) await ask(authenticator, basic(`nobody${at}`, "x"));
    expect(principalOf(await ask(authenticator, good)).id).toBe("alice");
    context.clock.nowMs += 600_000;
    expect(denialOf(await ask(authenticator, basic("nobody", "x"))).reason).toBe("password_wrong");
  });

  test("one user from a thousand addresses is bounded by the user", async () => {
    const { authenticator } = setUp();
    const { burst } = DEFAULTS.passwordUserFailures;
    for (let at = 0; at < burst; at++) await ask(authenticator, basic("alice", `x${at}`), `198.51.100.${at}`);
    const next = ask(authenticator, basic("alice", "open sesame: ünïcode"), "203.0.113.9");
    expect(denialOf(next as Authentication).reason).toBe("attempts_exceeded");
  });

  test("a burst with one password verifies it once", async () => {
    const { authenticator } = setUp();
    const value = basic("alice", "open sesame: ünïcode");
    const answers = await Promise.all(Array.from({ length: 500 }, () => ask(authenticator, value)));
    expect(new Set(answers.map((answer) => principalOf(answer).id))).toEqual(new Set(["alice"]));
  });

  test("a flood of different ones waits in a bounded line, and the rest is told that nothing was found out", async () => {
    const { authenticator } = setUp();
    const flood = Array.from({ length: 200 }, (_, at) =>
      ask(authenticator, basic("alice", `x${at}`), `198.51.100.${at % 250}`),
    );
    const reasons = (await Promise.all(flood)).map((answer) => denialOf(answer).reason);
    expect(new Set(reasons)).toEqual(new Set(["password_wrong", "verification_overloaded"]));
    const verified = reasons.filter((reason) => reason === "password_wrong").length;
    expect(verified).toBe(DEFAULTS.passwordsWaitingMax + DEFAULTS.passwordsVerifiedMax);
  });
});

describe("the line", () => {
  const CLIENT = { key: 1, isMany: false };
  const limits = { runningMax: 1, waitingMax: 3, clientWaitingMax: 2, waitMsMax: 1000 };

  test("runs one after the other, gives each address its part, and forgets who left", async () => {
    const clock = new FakeClock();
    const line = new VerificationLine(limits, clock);
    const gates = Array.from({ length: 3 }, () => Promise.withResolvers<boolean>());
    const begun: number[] = [];
    const work = (at: number) => async () => {
      begun.push(at);
      return (await gates[at]?.promise) ?? false;
    };
    const first = line.join(CLIENT, work(0));
    const second = line.join(CLIENT, work(1));
    const third = line.join(CLIENT, work(2));
    expect(line.join(CLIENT, work(2))).toBeNull();
    expect(line.join({ key: 2, isMany: false }, work(2))).not.toBeNull();
    expect(line.join({ key: 3, isMany: false }, work(2))).toBeNull();
    second?.giveUp();
    gates[0]?.resolve(true);
    gates[2]?.resolve(false);
    expect(await first?.verification).toBe("right");
    expect(await second?.verification).toBe("overloaded");
    expect(await third?.verification).toBe("wrong");
    await vi.waitFor(() => expect(begun).toEqual([0, 2, 2]), { timeout: PATIENCE_MS });
  });

  test("who waited for too long is told so, and a fault of the system is no wrong password", async () => {
    const clock = new FakeClock();
    const line = new VerificationLine(limits, clock);
    const gate = Promise.withResolvers<boolean>();
    const first = line.join(CLIENT, () => gate.promise);
    const second = line.join(CLIENT, async () => true);
    clock.nowMs += 2000;
    gate.reject(new Error("out of memory"));
    expect(await first?.verification).toBe("overloaded");
    expect(await second?.verification).toBe("overloaded");
  });
});

test("Unknown users take their place in the line, so that they cost what known ones do", async () => {
  const { authenticator } = setUp();
  const flood = Array.from({ length: 100 }, (_, at) =>
    ask(authenticator, basic(`nobody${at}`, "x"), `198.51.100.${at}`),
  );
  const reasons = (await Promise.all(flood)).map((answer) => denialOf(answer).reason);
  const verified = reasons.filter((reason) => reason === "password_wrong").length;
  expect(verified).toBe(DEFAULTS.passwordsWaitingMax + DEFAULTS.passwordsVerifiedMax);
});

test("explain supposes users by their name", () => {
  const { authenticator } = setUp();
  expect(principalOf(authenticator.assume({ type: "basic", user: "alice" })).id).toBe("alice");
  expect(denialOf(authenticator.assume({ type: "basic", user: "bob" })).reason).toBe("user_expired");
  expect(denialOf(authenticator.assume({ type: "basic", user: "nobody" })).reason).toBe("password_wrong");
  expect(authenticator.assume({ type: "api-key", caller: "alice" })).toBeNull();
});

test("Hashes are those of RFC 7914", async () => {
  const tag =
    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887";
  const text = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");
  const hash = parsePasswordHash(
    `$scrypt$ln=14,r=8,p=1$${text(Buffer.from("SodiumChloride"))}$${text(Buffer.from(tag, "hex"))}`,
  );
  if (hash === null) throw new Error("no hash");
  expect((await tagOf(hash, Buffer.from("pleaseletmein"))).toString("hex")).toBe(tag);
});

test.each([
  ["a password in clear", `users:\n  - { name: alice, passwordHash: hunter2 }\n`, "2:34 users[0].passwordHash"],
  [
    "a hash that costs too much",
    `users: [{ name: a, passwordHash: "$argon2id$v=19$m=999999,t=2,p=1$${"A".repeat(22)}$${"A".repeat(43)}" }]`,
    "1:34 ",
  ],
  ["a hash of another kind", `users: [{ name: a, passwordHash: "$2y$10$abcdefghijklmnopqrstuv" }]`, "1:34 "],
  ["a name with a colon", `users: [{ name: "a:b", passwordHash: x }]`, "1:17 users[0].name"],
  ["an unknown key", `users: [{ name: a, password: hunter2 }]`, "1:20 users[0]"],
  ["one name twice", "", "users[1].name"],
])("A users file with %s is a problem at its place, and shows no password", async (_, file, where) => {
  const hash = await hashOf("x");
  const twice = `users: [{ name: a, passwordHash: "${hash}" }, { name: a, passwordHash: "${hash}" }]`;
  const { context, authenticator } = compile(file === "" ? twice : file);
  expect(authenticator).toBeNull();
  expect(context.problems.join("\n")).toContain(where);
  expect(context.problems.join("\n")).not.toContain("hunter2");
});
