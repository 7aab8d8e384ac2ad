// Goal: an outage of the identity provider does not end with a restart of postern. Method: the process is killed, not asked,
// and another one is started on the same state folder while nobody answers at the provider's address.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { policyHead } from "../fixtures/policy-head.ts";
import { type Postern, type Service, startPostern, startService, theWorld, type World } from "../fixtures/postern.ts";
import { startProvider, type TestProvider } from "../fixtures/provider.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { createTokenMint } from "../fixtures/tokens.ts";

let world: World;
let service: Service;
let provider: TestProvider;
let state: string;
beforeAll(async () => {
  world = await theWorld();
  service = await startService();
  provider = await startProvider(world.pki);
  provider.answers.set("/keys", world.mint.jwks);
  state = mkdtempSync(join(tmpdir(), "postern-state-"));
});
afterAll(async () => {
  await closeAll();
  rmSync(state, { recursive: true, force: true });
});

const start = (directory: string | null): Promise<Postern> =>
  startPostern(
    service.port,
    (ports) => `${policyHead(ports)}
${directory === null ? "" : `state: { directory: "${directory}" }`}
authenticators:
  okta:
    type: jwt
    issuer: https://idp.example.org/
    audience: orders
    algorithms: [RS256]
    jwks: { url: "${provider.origin}/keys", ca: ca.pem }
routes:
  - { path: /orders, authenticate: [okta] }
  - { path: /health, public: true }
`,
  );

async function ask(postern: Postern, token?: string) {
  const headers = { Authorization: `Bearer ${token ?? (await world.mint.token())}` };
  return postern.call({ path: "/orders", headers });
}

async function kill({ process, exited }: Postern): Promise<void> {
  process.kill("SIGKILL");
  await exited;
}

test("with the keys of before in its state folder, good tokens are good and bad ones bad at once", async () => {
  const before = await start(state);
  expect((await ask(before)).status).toBe(200);
  await eventually(() => readdirSync(state).some((name) => name.endsWith(".state")));
  await kill(before);
  for (const name of readdirSync(state)) expect(statSync(join(state, name)).mode & 0o077).toBe(0);

  provider.goDown();
  const asked = provider.asked.length;
  const after = await start(state);
  expect((await ask(after)).status).toBe(200);
  expect((await ask(after, await world.mint.token({ exp: 1_000 }))).reason).toBe("token_expired");
  const forged = `${(await world.mint.token()).slice(0, -8)}AAAAAAAA`;
  expect((await ask(after, forged)).reason).toBe("token_signature_invalid");
  // The provider may have made this one's key meanwhile: nobody knows.
  const unknown = await ask(after, await (await createTokenMint("key-2")).token());
  expect([unknown.status, unknown.reason]).toEqual([503, "keys_unavailable"]);
  expect(provider.asked.length).toBe(asked);
  const line = await after.logged(
    ({ event, kind, state }) => event === "resource" && kind === "key set" && state === "stale",
  );
  expect(line["detail"]).toContain("1 key");
  await kill(after);
});

test("without one, its tokens are 503 and never 401, other routes serve, and it mends by itself", async () => {
  provider.goDown();
  const postern = await start(null);
  const answer = await ask(postern);
  expect([answer.status, answer.reason]).toEqual([503, "keys_unavailable"]);
  expect(answer.headers["retry-after"]).toBeDefined();
  expect(answer.headers["www-authenticate"]).toBeUndefined();
  expect((await postern.call({ path: "/health" })).status).toBe(200);
  provider.comeUp();
  await postern.logged(({ event, kind, state }) => event === "resource" && kind === "key set" && state === "ready");
  expect((await ask(postern)).status).toBe(200);
  await kill(postern);
});
