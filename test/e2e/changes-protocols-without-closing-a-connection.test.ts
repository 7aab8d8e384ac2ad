// Goal: an edit of a listener's `protocols` decides what new connections speak, and leaves the open ones alone.
// Method: a real process; sessions of both protocols stay open over every edit, and new ones offer both.
import { type TLSSocket, connect as tlsConnect } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import { PREFACE } from "../fixtures/h2-frames.ts";
import { type PolicyPorts, type Postern, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

const TLS = "tls: { certificate: server.pem, key: server.key }, ";
const policy =
  (tls: string, protocols: string) =>
  ({ port, admin, app }: PolicyPorts): string =>
    `version: 1
service: orders
listeners:
  - { name: inbound, address: "127.0.0.1:${port}", ${tls}protocols: ${protocols} }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
routes:
  - { path: /**, public: true }
`;

/** Writes the policy with these protocols and waits until it is in force. */
async function edit(postern: Postern, text: string): Promise<void> {
  const before = postern.log.length;
  postern.write("policy.yaml", text);
  await postern.logged((line) => postern.log.indexOf(line) >= before && line["event"] === "reload");
  expect(postern.log.findLast((line) => line["event"] === "reload")).toMatchObject({ result: "ok" });
}

async function openTls({ port }: Postern, protocols: readonly string[]): Promise<TLSSocket> {
  const { pki } = await theWorld();
  return new Promise((resolve, reject) => {
    const options = { port, host: "127.0.0.1", servername: "localhost", ca: pki.ca.certificate };
    const socket = tlsConnect({ ...options, ALPNProtocols: [...protocols] });
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** What a new connection that offers both speaks; it asks once in it. */
async function spoken(postern: Postern): Promise<string> {
  const socket = await openTls(postern, ["h2", "http/1.1"]);
  const { alpnProtocol } = socket;
  if (alpnProtocol === "h2") {
    expect((await askH2(openH2(socket, "https"), { ":path": "/" })).status).toBe(200);
  } else {
    const client = new RawClient(socket);
    client.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 /);
  }
  return String(alpnProtocol);
}

test("over TLS: from HTTP/1.1 to both and back", async () => {
  const service = await startService();
  const postern = await startPostern(service.port, policy(TLS, "[http/1.1]"));
  const h1 = new RawClient(await openTls(postern, ["http/1.1"]));
  const asksOn = async (): Promise<void> => {
    h1.received = "";
    h1.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(await h1.untilReceived('{"ok":true}')).toMatch(/^HTTP\/1\.1 200 /);
    expect(h1.received).not.toContain("connection: close");
  };
  await asksOn();
  expect(await spoken(postern)).toBe("http/1.1");

  await edit(postern, policy(TLS, "[h2, http/1.1]")(postern));
  expect(await spoken(postern)).toBe("h2");
  await asksOn();
  const h2 = openH2(await openTls(postern, ["h2"]), "https");
  expect((await askH2(h2, { ":path": "/" })).status).toBe(200);

  await edit(postern, policy(TLS, "[http/1.1]")(postern));
  expect(await spoken(postern)).toBe("http/1.1");
  await expect(openTls(postern, ["h2"])).rejects.toThrow(/no.application.protocol|alert number 120/i);
  await asksOn();
  expect((await askH2(h2, { ":path": "/" })).status).toBe(200);
  expect([h2.closed, h2.destroyed]).toEqual([false, false]);
});

test("in the clear: from HTTP/1.1 to both and back", async () => {
  const service = await startService();
  const postern = await startPostern(service.port, policy("", "[http/1.1]"));
  /** The first bytes of what a client with prior knowledge gets: HTTP/2's SETTINGS, or HTTP/1.1's refusal. */
  const withPriorKnowledge = async (): Promise<string> => {
    const client = await RawClient.connect({ port: postern.port, host: "127.0.0.1" });
    client.write(PREFACE);
    await client.until(({ received }) => received.length >= 9);
    client.destroy();
    return client.received.startsWith("HTTP/1.1 ") ? "http/1.1" : "h2";
  };
  expect(await withPriorKnowledge()).toBe("http/1.1");

  await edit(postern, policy("", "[http/1.1, h2c]")(postern));
  expect(await withPriorKnowledge()).toBe("h2");
  const h2 = openH2(postern.port);
  expect((await askH2(h2, { ":path": "/" })).status).toBe(200);

  await edit(postern, policy("", "[http/1.1]")(postern));
  expect(await withPriorKnowledge()).toBe("http/1.1");
  expect((await askH2(h2, { ":path": "/" })).status).toBe(200);
  expect([h2.closed, h2.destroyed]).toEqual([false, false]);
});
