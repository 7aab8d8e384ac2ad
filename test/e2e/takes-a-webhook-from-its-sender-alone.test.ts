// Goal: what a sender of webhooks signed reaches the service byte by byte, and nothing else does in its name.
// Method: a real process over TLS; deliveries as GitHub, Stripe and Slack sign them, and what somebody makes of them on the way.
import { createHmac, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askH2 } from "../fixtures/h2-client.ts";
import { policyHead } from "../fixtures/policy-head.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

const SECRET = "a secret of at least sixteen bytes";

const policy = (ports: PolicyPorts) => `${policyHead(ports, { service: "hooks" })}
authenticators:
  github: { type: signature, scheme: github, secret: { file: secret } }
  stripe: { type: signature, scheme: stripe, secret: { file: secret }, scopes: [hooks] }
routes:
  - { path: /github, methods: [POST], authenticate: [github], validate: { body: { maxBytes: 64KiB } } }
  - { path: /stripe, methods: [POST], authenticate: [stripe], authorize: { scopes: [hooks] } }
  - { path: /other, methods: [POST], authenticate: [stripe] }
`;

let service: Service;
let postern: Postern;
beforeAll(async () => {
  service = await startService();
  postern = await startPostern(service.port, policy, { secret: `${SECRET}\n` });
});
afterAll(closeAll);

const hmac = (text: string | Buffer) => createHmac("sha256", SECRET).update(text).digest("hex");
const github = (body: string | Buffer) => ({ "x-hub-signature-256": `sha256=${hmac(body)}` });
const stripe = (body: string, at = Math.floor(Date.now() / 1000)) => ({
  "stripe-signature": `t=${at},v1=${hmac(`${at}.${body}`)}`,
});
const post = (path: string, headers: Record<string, string>, body: string) =>
  postern.call({ method: "POST", path, headers, body });

test("a delivery reaches the service as it was signed, its signature with it", async () => {
  const body = '{"action": "opened",  "n": 1e3}';
  expect(await post("/github", github(body), body)).toMatchObject({ status: 200 });
  const arrived = service.arrived.at(-1);
  expect(arrived?.body).toBe(body);
  expect(arrived?.headers["x-hub-signature-256"]).toBe(github(body)["x-hub-signature-256"]);
  expect(arrived?.headers["x-postern-principal"]).toBe("github");
});

test("a proxy on the way may write the header's name in other letters, and its hex", async () => {
  const line = { "X-HUB-SIGNATURE-256": `sha256=${hmac("a").toUpperCase()}` };
  expect(await post("/github", line, "a")).toMatchObject({ status: 200 });
});

test("chunks and compression change nothing: it is the bytes that are signed", async () => {
  const body = gzipSync(randomBytes(20_000));
  const client = await postern.raw();
  const head = `POST /github HTTP/1.1\r\nHost: localhost\r\nX-Hub-Signature-256: sha256=${hmac(body)}\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
  client.write(head);
  for (let at = 0; at < body.length; at += 4_096) {
    const chunk = body.subarray(at, at + 4_096);
    client.write(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]));
  }
  client.write("0\r\n\r\n");
  expect(await client.untilClosed()).toContain("HTTP/1.1 200");
  expect(Buffer.from(service.arrived.at(-1)?.body ?? "", "latin1")).toEqual(body);
});

test("the same over HTTP/2", async () => {
  const session = postern.h2();
  const ask = (body: string, signed: string) =>
    askH2(session, { ":method": "POST", ":path": "/github", ...github(signed) }, body);
  expect(await ask("over h2", "over h2")).toMatchObject({ status: 200 });
  expect(await ask("over h3", "over h2")).toMatchObject({ status: 401 });
});

test("another body, no signature and somebody else's secret get nothing", async () => {
  const before = service.arrived.length;
  expect(await post("/github", github("a"), "b")).toMatchObject({ status: 401, reason: "proof_signature_invalid" });
  expect(await post("/github", {}, "a")).toMatchObject({ status: 401, reason: "credentials_missing" });
  const forged = { "x-hub-signature-256": `sha256=${createHmac("sha256", "guess").update("a").digest("hex")}` };
  const answer = await post("/github", forged, "a");
  expect(answer).toMatchObject({ status: 401, reason: "proof_signature_invalid" });
  const line = await postern.logged((entry) => entry["id"] === answer.id);
  expect(JSON.stringify(line)).not.toContain(SECRET);
  expect(service.arrived.length).toBe(before);
});

test("a delivery is taken once: not again, not elsewhere, not after a reload, not when it is old", async () => {
  const now = Math.floor(Date.now() / 1000);
  const heard = stripe("paid");
  expect(await post("/stripe", heard, "paid")).toMatchObject({ status: 200 });
  expect(await post("/stripe", heard, "paid")).toMatchObject({ status: 401, reason: "proof_replayed" });
  expect(await post("/other", heard, "paid")).toMatchObject({ status: 401, reason: "proof_replayed" });
  const hash = (await postern.admins("/policy")).body;
  postern.write("policy.yaml", `${policy(postern)}# changed\n`);
  await expect.poll(async () => (await postern.admins("/policy")).body, { timeout: 30_000 }).not.toBe(hash);
  expect(await post("/stripe", heard, "paid")).toMatchObject({ status: 401, reason: "proof_replayed" });
  expect(await post("/stripe", stripe("paid", now - 600), "paid")).toMatchObject({
    status: 401,
    reason: "proof_expired",
  });
});

test("a body that the route does not take is refused before it is read, whole or in chunks", async () => {
  const body = "x".repeat(65 * 1024);
  expect(await post("/github", github(body), body)).toMatchObject({ status: 413, reason: "body_too_large" });
});

test("another spelling of the header reaches nobody", async () => {
  const lines = { ...github("a"), X_Hub_Signature_256: "sha256=00" };
  expect(await post("/github", lines, "a")).toMatchObject({ status: 200 });
  expect(service.arrived.at(-1)?.headers).not.toHaveProperty("x_hub_signature_256");
});
