// Goal: a secret is found in lines of heads, logs and YAML as in JSON; and what only speaks of one, as a message of a form does, is none.
import { describe, expect, test } from "vitest";
import { LEAK_KINDS } from "../../src/leaks/catalogue.ts";
import { type LeakFormat, LeakStream } from "../../src/leaks/leak-stream.ts";
import { Scanner } from "../../src/leaks/scanner.ts";

const scanner = new Scanner(new Set(LEAK_KINDS));

function kindsIn(text: string, format: LeakFormat): readonly string[] {
  const kinds: string[] = [];
  new LeakStream(scanner, format, ({ kind }) => {
    kinds.push(kind.name);
    return "pass";
  }).takeAll(Buffer.from(text));
  return kinds;
}

const RANDOM = "3f9a8b7c6d5e4f3a2b1c0d9e";
const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("a secret", () => {
  test.each([
    ["password-field", "password: hunter2xyz"],
    ["password-field", "    db_password: hunter2xyz\n    pool: 5"],
    ["password-field", "spring.datasource.password = hunter2xyz"],
    ["password-field", "Your temporary password: Xy7kq9aa."],
    ["secret-by-name", `X-Api-Key: ${RANDOM}`],
    ["secret-by-name", `client_secret: ${RANDOM}\n`],
    ["bearer-token", `> Authorization: Bearer ${RANDOM}`],
    ["bearer-token", "authorization: bearer 550e8400-e29b-41d4-a716-446655440000"],
    ["bearer-token", `Authorization: Bearer ${RANDOM.repeat(40)}`],
    ["jwt", `Authorization: Bearer ${Buffer.from('{"alg":"none"}').toString("base64url")}.e30abcdefghij.x`],
    ["basic-credentials", `Authorization: Basic ${base64("jane:pass word")}`],
    ["basic-credentials", `curl -H "Authorization: Basic ${base64("sk_key_1234:")}" https://api.example.org`],
    ["basic-credentials", `proxy-authorization: Basic ${base64("jané:großes")}`],
    ["mysql-dsn", "connect app:p@ss#w0rd!@tcp(db.internal:3306)/orders?parseTime=true"],
    ["mysql-dsn", "root:hunter22@unix(/var/run/mysqld.sock)/orders"],
    ["card-track", "swiped %B4111111111111111^DOE/JANE^25121010000?"],
    ["card-visa", "card 4111.1111.1111.1111"],
  ])("of kind %s: %s", (kind, text) => {
    expect(kindsIn(text, "text")).toContain(kind);
    expect(kindsIn(JSON.stringify({ log: text }), "json")).toContain(kind);
    if (kind !== "card-visa") expect(kindsIn(text, "text")).toEqual([kind]);
  });

  test.each([
    { password: "hunter2xyz" },
    { password: "corr3ct horse battery" },
    { password: "two w@rds" },
    { password: "letters" },
    { passphrase: "correct horse battery staple" },
  ])("in a field: %j", (field) => {
    expect(kindsIn(JSON.stringify(field), "json")).toEqual(["password-field"]);
  });
});

describe("no secret", () => {
  test.each([
    { errors: { password: "is too short (minimum is 8 characters)" } },
    { errors: { password: "The password field is required." } },
    { errors: { password: "can't be blank" } },
    { errors: { "user.password": "must contain one of !@#$%" } },
    { labels: { password: "Mot de passe", passwordConfirmation: "Passwort wiederholen:" } },
    { labels: { password: "Пароль" } },
    { labels: { password: "Contraseña", pwd: "Lösenord" }, errors: { password: "invalid" } },
    { labels: { password: "パスワード" } },
    { password: "••••••••" },
    { hint: "password: must have 8 characters", more: "Forgot password: https://example.org/reset/2" },
    { hint: "Change your password: /account/security2", docs: "token: see chapter 2" },
    { auth: "Bearer authentication-is-required-here", more: "Basic authentication, Basic YourName" },
    { challenge: 'Bearer realm="example", error="invalid_token"' },
    { at: "alice@tcp(10.0.0.1)", dial: "dial:error@tcp", placeholder: "user:password@tcp(localhost)/db" },
    { version: "4111.1111.1111.1111", track: "%B4111111111111112^DOE/JANE^2512101" },
  ])("%j", (body) => {
    expect(kindsIn(JSON.stringify(body), "json")).toEqual([]);
    expect(kindsIn(JSON.stringify(body, null, 2), "text")).toEqual([]);
  });
});

/** As PHP writes JSON, and whoever escapes what has a meaning in HTML; `also`: and this. */
const written = (value: unknown, also = ""): string =>
  JSON.stringify(value)
    .replace(/\//g, "\\/")
    .replace(new RegExp(`[&<>${also}]`, "g"), (char) => `\\u00${char.charCodeAt(0).toString(16)}`);

test("escapes of JSON within strings of JSON hide nothing, wherever a text is cut", () => {
  const texts: readonly (readonly [string, string])[] = [
    ["mysql://app:hunter22@db/x", '["mysql://[database-url]@db/x"]'],
    ["4111111111111111", '["[card-visa]"]'],
    ["C:\\users\\udead <1>", '["C:\\\\users\\\\udead <1>"]'],
  ];
  for (const [text, left] of texts) {
    let body = written([text], "1");
    for (let level = 1; level <= 4; level++) {
      for (let cut = 0; cut <= body.length; cut++) {
        const stream = new LeakStream(scanner, "json", () => "mask");
        const pieces = [stream.take(Buffer.from(body.slice(0, cut))), stream.take(Buffer.from(body.slice(cut)))];
        let out = [...pieces, stream.end()].join("");
        for (let up = 1; up < level; up++) out = JSON.parse(out)[0];
        expect(JSON.stringify(JSON.parse(out)), `${level}, ${cut}`).toBe(left);
      }
      body = written([body]);
    }
  }
});
