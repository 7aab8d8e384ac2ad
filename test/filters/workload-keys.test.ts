// Goal: JWT-SVIDs are good by the keys that an agent has for their own trust domain, as long as it has them.
// Method: a real gRPC server as the agent; a registry whose time is moved by hand for what lasts long.
import { afterEach, expect, test, vi } from "vitest";
import type { Authenticator } from "../../src/filters/filter.ts";
import { jwtKind } from "../../src/filters/jwt/compile.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { systemTimers } from "../../src/support/timers.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { closeAll, onClose } from "../fixtures/closing.ts";
import { outsideContext, testResources } from "../fixtures/outside.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { encodeJwtBundles, type SpiffeAgent, startSpiffeAgent } from "../fixtures/spiffe-agent.ts";
import { FakeClock, request, testContext } from "./identity-context.ts";
import { makeToken, NOW_S, rs256 } from "./jwt-kit.ts";
import { type Signer, signer } from "./key-set-kit.ts";

afterEach(closeAll);

const [own, ownNext, partner] = [signer("own"), signer("own-next"), signer("partner")];
const SUBJECTS = ["spiffe://partner.net/ns/*/sa/billing"];
const jwks = (...signers: readonly Signer[]) =>
  JSON.stringify({ keys: signers.map((one) => ({ ...one.jwk, use: "jwt-svid" })) });
const svid = (by: Signer, sub: string, more: object = {}) =>
  makeToken(
    { alg: "RS256", kid: by.kid, typ: "JWT" },
    { sub, aud: ["orders"], exp: NOW_S + 300, ...more },
    rs256(by.key),
  );
const BILLING = "spiffe://partner.net/ns/shop/sa/billing";

async function rig(settings: Record<string, unknown> = {}) {
  const agent = await startSpiffeAgent();
  const later: (() => void)[] = [];
  const timers = {
    after: (ms: number, run: () => void) => {
      if (ms < DEFAULTS.keySetStaleMsMax) return systemTimers.after(ms > 5_000 ? ms : ms / 20, run);
      later.push(run);
      return () => void later.splice(later.indexOf(run), 1);
    },
  };
  const registry = testResources({ timers });
  onClose(() => registry.close());
  const acquisition = registry.begin(null);
  const context = {
    ...testContext({}, new FakeClock()),
    ...outsideContext({}, registry),
    resource: acquisition.acquire.bind(acquisition),
  };
  const base = { type: "jwt", provider: "spiffe", audience: "orders", subjects: SUBJECTS };
  const parsed = jwtKind.schema.parse({ ...base, jwks: { socket: `unix:${agent.socketPath}` }, ...settings });
  const authenticator = atOnce(stepsOf(jwtKind.compile("svids", parsed, context)));
  registry.follow(acquisition);
  const ask = (token: string) =>
    (authenticator as Authenticator).authenticate(request([["authorization", `Bearer ${token}`]]));
  const status = () => registry.statuses()[0];
  return { agent, ask, status, context, authenticator, later };
}

const give = (agent: SpiffeAgent, bundles: Record<string, string>) =>
  agent.give(encodeJwtBundles(bundles), "FetchJWTBundles");
const until = (condition: () => unknown): Promise<unknown> => vi.waitFor(condition, { timeout: PATIENCE_MS });

test("a workload of the partner comes in by the partner's key, and waits for the agent's first answer", async () => {
  const { agent, ask, status } = await rig();
  const waiting = ask(svid(partner, BILLING));
  give(agent, { "example.org": jwks(own), "partner.net": jwks(partner) });
  expect(await waiting).toMatchObject({ id: BILLING, type: "jwt" });
  expect(status()).toMatchObject({ kind: "SPIFFE JWT bundle", name: "partner.net", state: "ready", detail: "1 key" });
});

test.each<[string, string, string]>([
  ["signed by our own domain in the partner's name", svid(own, BILLING), "token_key_unknown"],
  ["of our own domain", svid(own, "spiffe://example.org/ns/shop/sa/billing"), "token_issuer_mismatch"],
  [
    "signed by our own domain under the partner's kid",
    svid({ ...own, kid: "partner" }, BILLING),
    "token_signature_invalid",
  ],
  ["of somebody else at the partner", svid(partner, "spiffe://partner.net/ns/shop/sa/other"), "token_issuer_mismatch"],
  ["for another service", svid(partner, BILLING, { aud: ["payments"] }), "token_audience_mismatch"],
  ["that has ended", svid(partner, BILLING, { exp: NOW_S - 300 }), "token_expired"],
])("a token %s is refused", async (_, token, reason) => {
  const { agent, ask, status } = await rig();
  give(agent, { "example.org": jwks(own), "partner.net": jwks(partner) });
  await until(() => expect(status()?.state).toBe("ready"));
  expect(await ask(token)).toMatchObject({ reason });
});

test("keys rotate with each message; keys that are taken back are refused, those that were let in too", async () => {
  const { agent, ask, status } = await rig();
  give(agent, { "partner.net": jwks(partner) });
  const old = svid(partner, BILLING);
  expect(await ask(old)).toMatchObject({ id: BILLING });
  give(agent, { "partner.net": jwks(partner, ownNext) });
  await until(() => expect(status()?.detail).toBe("2 keys"));
  expect(await ask(svid(ownNext, BILLING))).toMatchObject({ id: BILLING });
  give(agent, { "partner.net": jwks(ownNext) });
  await until(async () => expect(await ask(old)).toMatchObject({ reason: "token_key_unknown" }));
});

test("a domain that is federated no more is nobody's, and a bundle that cannot be used changes nothing", async () => {
  const { agent, ask, status } = await rig();
  give(agent, { "partner.net": jwks(partner) });
  expect(await ask(svid(partner, BILLING))).toMatchObject({ id: BILLING });
  for (const bad of ["{", '{"keys":[]}', '{"keys":[{"kty":"oct","k":"AAAA","kid":"partner"}]}', "<p>"]) {
    const { unusable = 0 } = status()?.tries ?? {};
    give(agent, { "partner.net": bad });
    await until(() => expect(status()?.tries.unusable).toBe(unusable + 1));
    expect(await ask(svid(partner, BILLING))).toMatchObject({ id: BILLING });
  }
  give(agent, { "example.org": jwks(own) });
  await until(async () => expect(await ask(svid(partner, BILLING))).toMatchObject({ reason: "token_key_unknown" }));
  expect(status()).toMatchObject({ state: "failing", leftOut: ["the agent has no JWT bundle of partner.net"] });
});

test("while the agent is away its last keys serve for a bounded time, and unknown keys are 503", async () => {
  const { agent, ask, status, later } = await rig();
  give(agent, { "partner.net": jwks(partner) });
  await until(() => expect(status()?.state).toBe("ready"));
  agent.stop();
  await until(() => expect(status()?.state).toBe("stale"));
  expect(await ask(svid(partner, BILLING))).toMatchObject({ id: BILLING });
  expect(await ask(svid(ownNext, BILLING))).toMatchObject({ reason: "keys_unavailable" });
  expect(later).toHaveLength(1);
  later[0]?.();
  expect(await ask(svid(partner, BILLING))).toMatchObject({ reason: "keys_unavailable" });
});

test("no agent at the start is 503 with its reason, and never 401", async () => {
  const { agent, ask, status } = await rig();
  agent.stop();
  await until(() => expect(status()?.fault).not.toBeNull());
  expect(await ask(svid(partner, BILLING))).toMatchObject({
    reason: "keys_unavailable",
    seen: expect.stringMatching(/^no keys: no agent listens/) as string,
  });
});

test.each<[string, Record<string, unknown>, RegExp]>([
  [
    "subjects of two domains",
    { subjects: [...SUBJECTS, "spiffe://example.org/**"] },
    /jwks: 'subjects' of 2 trust domains/,
  ],
  [
    "another provider",
    { provider: undefined, issuer: "x", algorithms: ["RS256"] },
    /jwks: .*expected 'provider: spiffe'/,
  ],
  ["an issuer", { issuer: "https://partner.net" }, /jwks: .*without 'issuer'/],
  [
    "a URL beside it",
    { jwks: { socket: "unix:/a", url: "https://partner.net/keys" } },
    /jwks: 'socket' and another key/,
  ],
])("%s is a problem", async (_, settings, text) => {
  const { context, authenticator } = await rig(settings);
  expect(authenticator).toBe(null);
  expect(context.problems.join("\n")).toMatch(text);
});
