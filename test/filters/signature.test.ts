import { createHmac, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { signatureKind } from "../../src/filters/signature/compile.ts";
import { CHUNKED, EMPTY_BODY, type RequestBody } from "../../src/message/body.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { canonicalTarget } from "../../src/message/target.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { outsideContext } from "../fixtures/outside.ts";
import { denialOf, NOW_MS, principalOf, request, testContext } from "./identity-context.ts";

const SECRET = "It's a Secret to Everybody";
const NOW_S = NOW_MS / 1000;
const hmac = (text: string | Buffer, secret = SECRET) => createHmac("sha256", secret).update(text).digest("hex");

type Lines = readonly (readonly [string, string])[];

function setUp(settings: Record<string, unknown>, secrets: Record<string, string> = { one: SECRET }) {
  const context = { ...testContext(), ...outsideContext(secrets) };
  const parsed = signatureKind.schema.parse({ type: "signature", secret: { file: "one" }, ...settings });
  const authenticator = atOnce(stepsOf(signatureKind.compile("hooks", parsed, context)));
  return {
    context,
    authenticator,
    ask: async (headers: Lines, body: string | Buffer = "", asked: Asked = {}) =>
      (await authenticator?.authenticate(posted(headers, body, asked))) ?? null,
  };
}

interface Asked {
  readonly target?: string;
  readonly chunked?: boolean;
  readonly bodyBytesMax?: number;
}

/** A body that is there once it is asked for, in pieces. */
function bodyOf(bytes: Buffer, chunked: boolean): RequestBody {
  if (bytes.length === 0 && !chunked) return EMPTY_BODY;
  return {
    ...EMPTY_BODY,
    announcedBytes: chunked ? CHUNKED : bytes.length,
    start: (sink, bytesMax) => {
      if (bytes.length > bytesMax) return sink.onBodyFailure("body_too_large");
      for (let at = 0; at < bytes.length; at += 1000) sink.onBody(Buffer.from(bytes.subarray(at, at + 1000)));
      sink.onBodyEnd(null);
    },
  };
}

function posted(
  headers: Lines,
  body: string | Buffer,
  { target = "/hooks", chunked = false, ...asked }: Asked,
): Exchange {
  const { connection, host } = request();
  const canonical = canonicalTarget(target);
  if (!canonical.ok) throw new Error(canonical.error.seen);
  const block = new HeaderBlock(
    headers.map(([name]) => name),
    headers.map(([, value]) => value),
  );
  const exchange = new Exchange(
    connection,
    "POST",
    canonical.value,
    host,
    host,
    block,
    bodyOf(Buffer.from(body), chunked),
  );
  exchange.receivedTarget = target;
  exchange.bodyBytesMax = asked.bodyBytesMax ?? Number.POSITIVE_INFINITY;
  return exchange;
}

const github = (body: string, secret = SECRET): Lines => [["x-hub-signature-256", `sha256=${hmac(body, secret)}`]];
const stripe = (body: string, at = NOW_S, secret = SECRET): Lines => [
  ["stripe-signature", `t=${at},v1=${hmac(`${at}.${body}`, secret)},v0=${"0".repeat(64)}`],
];
const slack = (body: string, at = NOW_S): Lines => [
  ["x-slack-request-timestamp", String(at)],
  ["x-slack-signature", `v0=${hmac(`v0:${at}:${body}`)}`],
];

test("GitHub's own example is taken: its secret, its body, its signature", async () => {
  const { ask } = setUp({ scheme: "github" });
  const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  const principal = principalOf(await ask([["x-hub-signature-256", signature]], "Hello, World!"));
  expect(principal).toMatchObject({ type: "signature", id: "hooks", key: "hooks/hooks" });
});

test("Slack's own example is taken: its secret, its time, its form, its signature", async () => {
  const { ask, context } = setUp({ scheme: "slack" }, { one: "8f742231b10e8888abcd99yyyzzz85a5" });
  context.clock.nowMs = 1_531_420_618_000;
  const body =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
    "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com" +
    "%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
  const signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
  const lines: Lines = [
    ["x-slack-request-timestamp", "1531420618"],
    ["x-slack-signature", signature],
  ];
  expect(principalOf(await ask(lines, body)).type).toBe("signature");
  expect(denialOf(await ask(lines, `${body}&x=1`))).toMatchObject({ reason: "proof_signature_invalid" });
});

test.each<[string, Record<string, unknown>, (body: string) => Lines]>([
  ["github", { scheme: "github" }, github],
  ["stripe", { scheme: "stripe" }, stripe],
  ["slack", { scheme: "slack" }, slack],
  [
    "a described one with the target and a header in it",
    {
      scheme: "hmac",
      hmac: {
        header: "X-Sig",
        encoding: "base64",
        algorithm: "sha512",
        signs: "{method} {target} {host}\n{header:X-Id}\n{body}",
      },
    },
    (body) => [
      ["x-id", "7"],
      ["x-sig", createHmac("sha512", SECRET).update(`POST /hooks orders.example.org\n7\n${body}`).digest("base64")],
    ],
  ],
])("%s: the body that was signed passes whole and chunked, and no other", async (_, settings, sign) => {
  for (const body of ["", "{}", '{"text":"grüße"}', "x".repeat(600_000)]) {
    for (const chunked of [false, true]) {
      expect(principalOf(await setUp(settings).ask(sign(body), body, { chunked })).type).toBe("signature");
      expect(denialOf(await setUp(settings).ask(sign(body), `${body} `, { chunked })).reason).toBe(
        "proof_signature_invalid",
      );
    }
  }
});

test("what was checked is what is forwarded: the bytes as they came", async () => {
  const gzip = randomBytes(3000);
  const { authenticator } = setUp({ scheme: "github" });
  const exchange = posted(
    [
      ["x-hub-signature-256", `sha256=${hmac(gzip)}`],
      ["content-encoding", "gzip"],
    ],
    gzip,
    {},
  );
  expect(principalOf((await authenticator?.authenticate(exchange)) ?? null).type).toBe("signature");
  expect(exchange.collectedBody).toEqual(gzip);
});

test("the answer comes at once where there is no body to wait for", () => {
  const { authenticator } = setUp({ scheme: "stripe" });
  expect(authenticator?.authenticate(posted(stripe(""), "", {}))).not.toBeInstanceOf(Promise);
});

test("two secrets hold while one is being changed, and a third does not", async () => {
  const { ask } = setUp(
    { scheme: "stripe", secret: [{ file: "one" }, { file: "two" }] },
    { one: SECRET, two: "another secret" },
  );
  expect(principalOf(await ask(stripe("a"), "a")).id).toBe("hooks");
  expect(principalOf(await ask(stripe("b", NOW_S, "another secret"), "b")).id).toBe("hooks");
  expect(denialOf(await ask(stripe("c", NOW_S, "a third secret"), "c")).reason).toBe("proof_signature_invalid");
  // As Stripe signs while a secret is rolled: with both.
  const both = `t=${NOW_S},v1=${hmac(`${NOW_S}.d`, "an old secret")}, v1=${hmac(`${NOW_S}.d`)}`;
  expect(principalOf(await ask([["stripe-signature", both]], "d")).id).toBe("hooks");
});

test.each<[string, Lines, string]>([
  ["no MAC", [["x-hub-signature-256", "sha256=00"]], "proof_malformed"],
  ["an empty MAC", [["x-hub-signature-256", "sha256="]], "proof_malformed"],
  ["the prefix of another hash", [["x-hub-signature-256", `sha1=${hmac("a")}`]], "proof_malformed"],
  ["blanks in it", [["x-hub-signature-256", `sha256= ${hmac("a")}`]], "proof_malformed"],
  ["a sign that is no hex", [["x-hub-signature-256", `sha256=${hmac("a").slice(0, 63)}g`]], "proof_malformed"],
  ["two headers", [...github("a"), ...github("a")], "proof_malformed"],
  ["Connection naming it", [...github("a"), ["connection", "close, X-Hub-Signature-256"]], "proof_malformed"],
  ["zeros", [["x-hub-signature-256", `sha256=${"0".repeat(64)}`]], "proof_signature_invalid"],
  ["an empty secret", github("a", ""), "proof_signature_invalid"],
])("a signature with %s is refused", async (_, lines, reason) => {
  expect(denialOf(await setUp({ scheme: "github" }).ask(lines, "a"))).toMatchObject({ reason });
});

test("hex in upper case is the same signature", async () => {
  const lines: Lines = [["x-hub-signature-256", `sha256=${hmac("a").toUpperCase()}`]];
  expect(principalOf(await setUp({ scheme: "github" }).ask(lines, "a")).id).toBe("hooks");
});

test("a request without the header is somebody else's to know", async () => {
  expect(await setUp({ scheme: "github" }).ask([], "a")).toBeNull();
});

test.each([stripe, slack])("a signature has its time, and is not shown twice within it", async (sign) => {
  const { ask, context } = setUp({ scheme: sign === stripe ? "stripe" : "slack" });
  expect(denialOf(await ask(sign("a", NOW_S - 300), "a"))).toMatchObject({ reason: "proof_expired" });
  expect(denialOf(await ask(sign("a", NOW_S + 31), "a"))).toMatchObject({ reason: "proof_expired" });
  expect(principalOf(await ask(sign("a", NOW_S + 30), "a")).id).toBe("hooks");
  expect(principalOf(await ask(sign("a", NOW_S - 299), "a")).id).toBe("hooks");
  expect(principalOf(await ask(sign("a"), "a")).id).toBe("hooks");
  context.clock.nowMs += 299_000;
  expect(denialOf(await ask(sign("a"), "a"))).toMatchObject({ reason: "proof_replayed" });
  // Hex in another case is not another signature.
  const shouted = sign("a").map(
    ([name, value]) => [name, value.replace(/[a-f0-9]{64}/, (hex) => hex.toUpperCase())] as const,
  );
  expect(denialOf(await ask(shouted, "a"))).toMatchObject({ reason: "proof_replayed" });
  context.clock.nowMs += 1_000;
  expect(denialOf(await ask(sign("a"), "a"))).toMatchObject({ reason: "proof_expired" });
});

test("a signature that was good once may come again where the policy says so, or has no time", async () => {
  const allowed = setUp({ scheme: "stripe", replay: "allow" });
  for (let at = 0; at < 2; at++) expect(principalOf(await allowed.ask(stripe("a"), "a")).id).toBe("hooks");
  const { ask } = setUp({ scheme: "github" });
  for (let at = 0; at < 2; at++) expect(principalOf(await ask(github("a"), "a")).id).toBe("hooks");
});

test("a time that is sent but not signed for is no other time", async () => {
  const { ask } = setUp({ scheme: "slack" });
  const [, signature] = slack("a", NOW_S - 600);
  const lines: Lines = [["x-slack-request-timestamp", String(NOW_S)], signature ?? ["", ""]];
  expect(denialOf(await ask(lines, "a"))).toMatchObject({ reason: "proof_signature_invalid" });
  const twice: Lines = [["stripe-signature", `t=${NOW_S},${stripe("a", NOW_S - 600)[0]?.[1]}`]];
  expect(denialOf(await setUp({ scheme: "stripe" }).ask(twice, "a"))).toMatchObject({ reason: "proof_malformed" });
});

test("a body beyond the bound is not asked for, one that lies about its length is not held, and what is left cannot pass", async () => {
  const { ask } = setUp({ scheme: "github", maxBody: "1KiB" });
  const long = "x".repeat(2000);
  expect(denialOf(await ask(github(long), long))).toMatchObject({ reason: "body_too_large", terminal: false });
  expect(denialOf(await ask(github(long), long, { chunked: true }))).toMatchObject({
    reason: "body_too_large",
    terminal: true,
  });
  const route = { bodyBytesMax: 100 };
  expect(denialOf(await ask(github("x".repeat(200)), "x".repeat(200), route))).toMatchObject({
    reason: "body_too_large",
  });
});

test("there is nothing to ask a body for where the head shows that it is in vain", async () => {
  const { authenticator } = setUp({ scheme: "stripe" });
  const exchange = posted(stripe("a", NOW_S - 3600), "a", {});
  expect(denialOf((await authenticator?.authenticate(exchange)) ?? null).reason).toBe("proof_expired");
  expect(exchange.collectedBody).toBeNull();
});

test("the path is signed as the client sent it", async () => {
  const { ask } = setUp({ scheme: "hmac", hmac: { header: "X-Sig", signs: "{target}\n{body}" } });
  const sign = (target: string): Lines => [["x-sig", hmac(`${target}\na`)]];
  expect(principalOf(await ask(sign("/ho%6Fks?x=%7e"), "a", { target: "/ho%6Fks?x=%7e" })).id).toBe("hooks");
  expect(denialOf(await ask(sign("/hooks"), "a", { target: "/other" })).reason).toBe("proof_signature_invalid");
});

test("the caller has a name, scopes and roles", async () => {
  const { ask } = setUp({ scheme: "github", caller: "octocat", scopes: ["hooks:write"], roles: ["ci"] });
  const principal = principalOf(await ask(github("a"), "a"));
  expect(principal).toMatchObject({ id: "octocat", key: "hooks/octocat", claims: { roles: ["ci"] } });
  expect([...principal.scopes]).toEqual(["hooks:write"]);
});

test.each<[Record<string, unknown>, string]>([
  [{ scheme: "hmac" }, "'hmac' is missing"],
  [{ scheme: "github", hmac: { header: "X", signs: "{body}" } }, "expected 'scheme: hmac'"],
  [{ scheme: "hmac", hmac: { header: "X", signs: "{header:X-Id}" } }, "the body is not signed"],
  [{ scheme: "hmac", hmac: { header: "X", signs: "{body}", timestamp: { header: "T" } } }, "the time is not signed"],
  [{ scheme: "hmac", hmac: { header: "X", signs: "{timestamp}{body}" } }, "{timestamp} stands nowhere"],
  [{ scheme: "hmac", hmac: { header: "X", signs: "{body}{bdy}" } }, "a placeholder that does not exist"],
  [
    { scheme: "hmac", hmac: { header: "X", signs: "{timestamp}{body}", timestamp: { element: "t" } } },
    "wants one of the signature",
  ],
])("what cannot hold is a problem: %j", (settings, text) => {
  expect(setUp(settings).context.problems.join("\n")).toContain(text);
});

test("a secret that can be guessed is a warning", () => {
  expect(setUp({ scheme: "github" }, { one: "short" }).context.warnings.join()).toContain("found by trying");
});
