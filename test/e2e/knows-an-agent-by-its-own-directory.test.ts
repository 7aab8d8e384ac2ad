// Goal: an agent of Web Bot Auth comes in by the directory that it publishes, and by nobody else's.
// Method: `postern run` as a process over TLS; the agent's directory over TLS on loopback, whose key changes meanwhile.
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { thumbprint } from "../../src/proof/thumbprint.ts";
import {
  type PolicyPorts,
  type Postern,
  type Service,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { startProvider, type TestProvider } from "../fixtures/provider.ts";
import { closeAll } from "../fixtures/proxy.ts";

const PATH = "/.well-known/http-message-signatures-directory";

afterAll(closeAll);

interface Bot {
  readonly key: KeyObject;
  readonly jwk: Record<string, unknown>;
}

function bot(): Bot {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return { key: privateKey, jwk: { ...publicKey.export({ format: "jwk" }), use: "sig" } };
}

const [crawler, next, stranger] = [bot(), bot(), bot()];
let directory: TestProvider;
let foreign: TestProvider;
let service: Service;
let postern: Postern;

const policy = ({ port, admin, app }: PolicyPorts) => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  bots:
    type: signature
    scheme: webBotAuth
    agents: [{ url: "${directory.origin}", ca: ca.pem, caller: crawler, scopes: ["pages:read"] }]
routes:
  - { path: "/pages/{id}", authenticate: [bots], authorize: { scopes: ["pages:read"] } }
`;

beforeAll(async () => {
  const { pki } = await theWorld();
  directory = await startProvider(pki);
  foreign = await startProvider(pki);
  directory.answers.set(PATH, { keys: [crawler.jwk] });
  foreign.answers.set(PATH, { keys: [stranger.jwk] });
  service = await startService();
  postern = await startPostern(service.port, policy);
});

function call({ key, jwk }: Bot, agent = directory.origin) {
  const created = Math.floor(Date.now() / 1000);
  const params = `created=${created};expires=${created + 60};keyid="${thumbprint(jwk)}";nonce="${randomUUID()}"`;
  const input = `("@authority" "signature-agent");${params};tag="web-bot-auth"`;
  const base = `"@authority": localhost\n"signature-agent": "${agent}"\n"@signature-params": ${input}`;
  const headers = {
    Host: "localhost",
    "Signature-Agent": `"${agent}"`,
    "Signature-Input": `sig=${input}`,
    Signature: `sig=:${sign(null, Buffer.from(base), key).toString("base64")}:`,
  };
  return postern.call({ path: "/pages/1", headers });
}

test("the agent comes in by its directory's key, and its next key as soon as it is used", async () => {
  expect((await call(crawler)).status).toBe(200);
  expect(service.arrived.at(-1)?.headers["x-postern-principal"]).toBe("crawler");
  directory.answers.set(PATH, { keys: [crawler.jwk, next.jwk] });
  expect((await call(next)).status).toBe(200);
  expect(directory.asked).toEqual([PATH, PATH]);
});

test("nobody comes in by another's directory, and it is not asked", async () => {
  expect(await call(stranger, foreign.origin)).toMatchObject({ status: 401, reason: "proof_key_unknown" });
  expect(await call(stranger)).toMatchObject({ reason: "proof_key_unknown" });
  expect(foreign.asked).toEqual([]);
});

test("what is known goes on while the directory is down", async () => {
  directory.goDown();
  expect((await call(crawler)).status).toBe(200);
  expect((await postern.admins("/readyz?verbose")).body).toMatch(/key set bots localhost:\d+: ready/);
});
