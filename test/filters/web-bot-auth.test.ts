// Goal: an agent of Web Bot Auth is known by the keys of its own directory, whoever it says that it is, and no request makes
// postern ask anybody else.
// Method: directories over TLS on loopback; signatures made here.
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { signatureKind } from "../../src/filters/signature/compile.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { thumbprint } from "../../src/proof/thumbprint.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { closeAll, onClose } from "../fixtures/closing.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { outsideContext, testResources } from "../fixtures/outside.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { startProvider, type TestProvider } from "../fixtures/provider.ts";
import { denialOf, NOW_MS, principalOf, request, testContext } from "./identity-context.ts";

const PATH = "/.well-known/http-message-signatures-directory";
const NOW_S = NOW_MS / 1000;

interface Bot {
  readonly key: KeyObject;
  readonly jwk: Record<string, unknown>;
  readonly keyid: string;
}

function bot(): Bot {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "whatever", use: "sig" };
  return { key: privateKey, jwk, keyid: thumbprint(jwk) ?? "" };
}

const [crawler, next, stranger] = [bot(), bot(), bot()];

let pki: TestPki;
let good: TestProvider;
let evil: TestProvider;
beforeAll(async () => {
  pki = await createTestPki();
});
beforeEach(async () => {
  good = await startProvider(pki);
  evil = await startProvider(pki);
  good.answers.set(PATH, { keys: [crawler.jwk] });
  evil.answers.set(PATH, { keys: [stranger.jwk] });
});
afterAll(closeAll);

interface Wishes {
  readonly by?: Bot;
  readonly keyid?: string;
  /** The field as it stands in the request; null for none. */
  readonly agent?: string | null;
  /** What is signed of it, as a component; null for nothing. */
  readonly covered?: string | null;
  /** What is signed as its value, where that is not the field. */
  readonly value?: string;
  readonly created?: number;
}

function asking({
  by = crawler,
  keyid = by.keyid,
  agent = `"${good.origin}"`,
  covered,
  value,
  created = NOW_S,
}: Wishes) {
  const component = covered === undefined ? '"signature-agent"' : covered;
  const names = ['"@authority"', ...(component === null || agent === null ? [] : [component])];
  const input = `(${names.join(" ")});created=${created};expires=${created + 60};keyid="${keyid}";tag="web-bot-auth"`;
  const lines = [
    '"@authority": example.com',
    ...(component === null || agent === null ? [] : [`${component}: ${value ?? agent}`]),
    `"@signature-params": ${input}`,
  ];
  const signature = sign(null, Buffer.from(lines.join("\n")), by.key).toString("base64");
  const headers: [string, string][] = [
    ...(agent === null ? [] : [["signature-agent", agent] as [string, string]]),
    ["signature-input", `sig1=${input}`],
    ["signature", `sig1=:${signature}:`],
  ];
  const block = new HeaderBlock(
    headers.map(([name]) => name),
    headers.map(([, text]) => text),
  );
  return new Exchange(
    request().connection,
    "GET",
    { path: "/", query: "" },
    "example.com",
    "example.com",
    block,
    EMPTY_BODY,
  );
}

function rig(settings: Record<string, unknown> = {}) {
  const time = new ManualTime(NOW_MS);
  const registry = testResources({ clock: time, timers: time });
  onClose(() => registry.close());
  const acquisition = registry.begin(null);
  const context = {
    ...testContext({ "ca.pem": pki.ca.certificate, "own.jwk": JSON.stringify(next.jwk) }),
    ...outsideContext({}, registry),
    resource: acquisition.acquire.bind(acquisition),
  };
  const agents = [{ url: good.origin, ca: "ca.pem", caller: "crawler", scopes: ["pages:read"] }];
  const parsed = signatureKind.schema.safeParse({
    type: "signature",
    scheme: "webBotAuth",
    replay: "allow",
    agents,
    ...settings,
  });
  if (!parsed.success)
    return {
      problems: parsed.error.issues.map(({ message }) => message),
      registry,
      time,
      ask: null,
      authenticator: null,
    };
  const authenticator = atOnce(stepsOf(signatureKind.compile("bots", parsed.data, context)));
  registry.follow(acquisition);
  const ask = async (wishes: Wishes = {}) => (await authenticator?.authenticate(asking(wishes))) ?? null;
  return { problems: context.problems, registry, time, authenticator, ask: authenticator === null ? null : ask };
}

function opened(settings: Record<string, unknown> = {}) {
  const { ask, ...rest } = rig(settings);
  if (ask === null) throw new Error(rest.problems.join("\n"));
  return { ...rest, ask };
}

const until = (condition: () => unknown): Promise<unknown> => vi.waitFor(condition, { timeout: PATIENCE_MS });

test("an agent is who its directory's keys say, and the first request waits for them", async () => {
  const { ask } = opened();
  const principal = principalOf(await ask());
  expect(principal).toMatchObject({ id: "crawler", key: "bots/crawler", type: "signature" });
  expect([...principal.scopes]).toEqual(["pages:read"]);
  expect(principalOf(await ask()).id).toBe("crawler");
  expect(good.asked).toEqual([PATH]);
});

test("an agent can be supposed by its name, without its directory", () => {
  const { authenticator } = opened();
  const suppose = (caller: string) => authenticator?.assume({ type: "signature", caller }) ?? null;
  expect(principalOf(suppose("crawler") as never).id).toBe("crawler");
  expect(denialOf(suppose("nobody") as never).reason).toBe("proof_key_unknown");
  expect(good.asked).toEqual([]);
});

test("the field may name it in each way that agents write", async () => {
  const { ask } = opened();
  const { origin } = good;
  for (const agent of [
    `"${origin}"`,
    `"${origin}/"`,
    `"${origin}${PATH}"`,
    `sig1="${origin}"`,
    `other="https://x.example", sig1="${origin}"`,
  ]) {
    expect(await ask({ agent }), agent).toMatchObject({ id: "crawler" });
  }
  const member = {
    agent: `other="https://x.example", sig1="${origin}"`,
    covered: '"signature-agent";key="sig1"',
    value: `"${origin}"`,
  };
  expect(await ask(member)).toMatchObject({ id: "crawler" });
});

describe("nobody comes in as somebody else", () => {
  test.each<[string, () => Wishes, string]>([
    ["another's key in its name", () => ({ by: stranger }), "proof_key_unknown"],
    ["another's key under its key's name", () => ({ by: stranger, keyid: crawler.keyid }), "proof_signature_invalid"],
    [
      "an agent that the policy does not name",
      () => ({ by: stranger, agent: `"${evil.origin}"` }),
      "proof_key_unknown",
    ],
    ["a field that is not signed", () => ({ covered: null }), "proof_incomplete"],
    [
      "another member that is signed",
      () => ({ agent: `other="x", sig1="${good.origin}"`, covered: '"signature-agent";key="other"', value: '"x"' }),
      "proof_incomplete",
    ],
    ["a field that was changed on the way", () => ({ value: '"https://other.example"' }), "proof_signature_invalid"],
    ["no field", () => ({ agent: null }), "proof_key_unknown"],
    ["a signature of long ago", () => ({ created: NOW_S - 3600 }), "proof_expired"],
    ["the directory's own name for the key", () => ({ keyid: "whatever" }), "proof_key_unknown"],
  ])("%s", async (_, wishes, reason) => {
    const { ask } = opened();
    await ask();
    expect(denialOf(await ask(wishes()))).toMatchObject({ reason });
    expect(evil.asked).toEqual([]);
  });

  test.each([
    "http://localhost",
    "https://localhost:1/other",
    "https://user@localhost",
    "data:application/json,{}",
    "https://169.254.169.254",
    "//localhost",
    "localhost",
  ])("%s is nobody, and nobody is asked", async (text) => {
    const { ask } = opened();
    await ask();
    expect(denialOf(await ask({ agent: `"${text}"` }))).toMatchObject({ reason: "proof_key_unknown" });
    const at = `"${good.origin}?a=1"`;
    expect(denialOf(await ask({ agent: at }))).toMatchObject({ reason: "proof_key_unknown" });
    expect(good.asked).toEqual([PATH]);
  });

  test.each(["https://x.example", '"a", "b"', ":AAAA:", 'sig1=("a")', 'sig1="a", sig1="b"'])(
    "%s is no field that names an agent",
    async (agent) => {
      const { ask } = opened();
      await ask();
      expect(denialOf(await ask({ agent }))).toMatchObject({ reason: "proof_key_unknown" });
    },
  );
});

test("a key that is new is fetched when it is used, and one that is taken back is refused with the next renewal", async () => {
  const { ask, time } = opened();
  await ask();
  good.answers.set(PATH, { keys: [next.jwk] });
  expect(await ask({ by: next })).toMatchObject({ id: "crawler" });
  expect(denialOf(await ask())).toMatchObject({ reason: "proof_key_unknown" });
  expect(good.asked).toHaveLength(2);
  time.pass(DEFAULTS.keySetRefetchMs);
});

test("invented keys cost one fetch in a while, and words that are no thumbprint none", async () => {
  const { ask } = opened();
  await ask();
  const before = good.asked.length;
  for (let at = 0; at < 20; at++) await ask({ by: bot() });
  expect(good.asked.length).toBe(before + 1);
  const fresh = opened();
  await fresh.ask();
  const asked = good.asked.length;
  for (const keyid of ["", "x", "../../etc/passwd", "a".repeat(200)]) await fresh.ask({ keyid });
  expect(good.asked.length).toBe(asked);
});

test.each<[string, (provider: TestProvider) => void]>([
  ["is down", (provider) => provider.goDown()],
  ["sends a page", (provider) => void provider.answers.set(PATH, "<html>")],
  ["has no key", (provider) => void provider.answers.set(PATH, { keys: [] })],
  [
    "leads elsewhere",
    (provider) => void provider.answers.set(PATH, (response) => response.writeHead(302, { Location: "/x" }).end()),
  ],
  ["sends too much", (provider) => void provider.answers.set(PATH, "x".repeat(300_000))],
  ["gives away a secret", (provider) => void provider.answers.set(PATH, { keys: [{ kty: "oct", k: "AAAA" }] })],
])("a directory that %s refuses nobody for good: 503, and what is known goes on", async (_, spoil) => {
  const known = opened();
  expect(await known.ask()).toMatchObject({ id: "crawler" });
  spoil(good);
  const fresh = opened();
  expect(denialOf(await fresh.ask())).toMatchObject({ reason: "keys_unavailable" });
  expect(denialOf(await known.ask({ by: next }))).toMatchObject({ reason: "keys_unavailable" });
  expect(await known.ask()).toMatchObject({ id: "crawler" });
  await until(() => expect(fresh.registry.statuses()[0]).toMatchObject({ kind: "key set", state: "failing" }));
});

test("keys of the policy stand beside agents, for requests that name none of them", async () => {
  const { ask } = opened({ keys: [{ file: "own.jwk", caller: "own" }] });
  expect(await ask({ by: next, agent: null })).toMatchObject({ id: "own" });
  expect(await ask({ by: next, agent: '"https://unknown.example"' })).toMatchObject({ id: "own" });
  expect(await ask()).toMatchObject({ id: "crawler" });
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ agents: [{ url: "https://bot.example/path" }] }, /agents\.0\.url: expected the agent's origin/],
  [{ agents: [{ url: "http://localhost:1" }] }, /agents\.0\.url: expected the agent's origin/],
  [{ agents: [{ url: "https://bot.example" }, { url: "https://bot.example/" }] }, /a second agent at/],
  [{ agents: [{ url: "https://bot.example", ca: "none.pem" }] }, /cannot read 'none.pem'/],
  [{ scheme: "http" }, /expected 'scheme: webBotAuth'/],
  [{ scheme: "github" }, /'agents' is of the schemes/],
  [{ agents: undefined }, /'keys' is missing; .*or 'agents'/],
  [{ agents: [] }, /./],
])("what cannot hold is a problem: %j", (settings, text) => {
  const { problems, ask } = rig(settings);
  expect(ask).toBe(null);
  expect(problems.join("\n")).toMatch(text);
});
