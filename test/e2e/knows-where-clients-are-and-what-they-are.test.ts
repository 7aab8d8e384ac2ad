// Goal: countries, crawlers and JA4 are judged as the policy says, over real sockets, while their files change under the process.
// Method: a process behind a trusted proxy with databases of a test's own; hellos of Node and of openssl, also behind a PROXY header.
import { spawn } from "node:child_process";
import { createServer, connect as netConnect } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { ja4Of } from "../../src/daemon/ja4.ts";
import { mmdb } from "../fixtures/mmdb.ts";
import { eventually, type PolicyPorts, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";

afterEach(closeAll);

const policy =
  (listener: string, rest: string) =>
  ({ port, admin, app }: PolicyPorts): string =>
    `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key, ja4: true }
${listener}
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
identity: { headers: { X-Country: client.country, X-Ja4: client.ja4 } }
${rest}
routes:
  - path: /**
    public: true
`;

const of = (code: string) => mmdb({ "198.51.100.0/24": { country: { iso_code: code } } });

test("a country that is not allowed and a false crawler are refused, a new database counts, a damaged one does not", async () => {
  const service = await startService();
  const rest = `geo: { countries: countries.mmdb }
defaults:
  address: { countries: { allow: [DE, unknown] } }
  bots: { deny: [scanners], crawlers: { googlebot: { userAgents: [Googlebot], rangesFile: googlebot.json } } }`;
  const postern = await startPostern(service.port, policy("    trustedProxies: [127.0.0.1]", rest), {
    "countries.mmdb": of("DE"),
    "googlebot.json": '{"prefixes":[{"ipv4Prefix":"192.0.2.0/27"}]}',
  });
  const ask = async (address: string, userAgent = "orders-app/1") => {
    const headers = { "X-Forwarded-For": address, "User-Agent": userAgent };
    const { status, reason } = await postern.call({ path: "/", headers });
    return `${status} ${reason ?? ""}`.trim();
  };
  expect(await ask("198.51.100.7")).toBe("200");
  expect(service.arrived.at(-1)?.headers["x-country"]).toBe("DE");
  expect(await ask("10.0.0.1"), "a private address is in no country").toBe("200");
  expect(await ask("10.0.0.1", "sqlmap/1.8")).toBe("403 user_agent_denied");
  expect(await ask("10.0.0.1", "Googlebot/2.1")).toBe("403 crawler_unverified");
  expect(await ask("192.0.2.9, 10.0.0.1", "Googlebot/2.1"), "by an address of its own making").toBe(
    "403 crawler_unverified",
  );
  expect(await ask("192.0.2.9", "Googlebot/2.1"), "the crawler itself").toBe("200");

  postern.write("countries.mmdb", of("KP"));
  await eventually(
    () => ask("198.51.100.7"),
    (seen) => seen === "403 country_denied",
  );
  expect(await postern.logged(({ reason }) => reason === "country_denied")).toMatchObject({
    seen: "198.51.100.7, KP",
    list: "countries.allow",
    country: "KP",
  });
  postern.write("countries.mmdb", of("DE").subarray(0, 60));
  const refused = await postern.logged(({ event, result }) => event === "reload" && result === "refused");
  expect(JSON.stringify(refused)).toContain("'countries.mmdb' is no MaxMind database, or is cut off");
  expect(await ask("198.51.100.7")).toBe("403 country_denied");
});

/** The first record that a client sends to whoever listens. */
async function helloOf(dial: (port: number) => void): Promise<Buffer> {
  const hello = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => {
    let seen: Buffer = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      if (ja4Of(seen) === null) return;
      hello.resolve(seen);
      socket.destroy();
    });
  });
  const port = await listen(server);
  dial(port);
  return hello.promise;
}

function openssl(port: number, more: readonly string[] = []): void {
  const client = spawn("openssl", [
    "s_client",
    "-quiet",
    "-connect",
    `127.0.0.1:${port}`,
    "-alpn",
    "http/1.1",
    ...more,
  ]);
  onClose(() => client.kill());
  client.stdin.on("error", () => {});
  client.stdin.write("GET /openssl HTTP/1.1\r\nHost: orders.example.org\r\nConnection: close\r\n\r\n");
}

test("the service is told the JA4 of the hello that came, of Node and of openssl, behind a PROXY header as well", async () => {
  const service = await startService();
  const postern = await startPostern(service.port, policy("", ""));
  const toldOf = (path: string): Promise<unknown> =>
    eventually(
      async () => service.arrived.find(({ url }) => url === path)?.headers["x-ja4"],
      (ja4) => ja4 !== undefined,
    );
  const options = { ALPNProtocols: ["http/1.1"], rejectUnauthorized: false };
  const ofNode = ja4Of(await helloOf((port) => void tlsConnect({ port, ...options }).on("error", () => {})));
  const ofOpenssl = ja4Of(await helloOf((port) => openssl(port)));
  expect([ofNode, ofOpenssl].map(String)).toEqual([expect.stringMatching(/^t13i/), expect.stringMatching(/^t13i/)]);
  expect(ofNode).not.toBe(ofOpenssl);

  const ask = (path: string, socket: NodeJS.WritableStream) =>
    socket.write(`GET ${path} HTTP/1.1\r\nHost: orders.example.org\r\nConnection: close\r\nX-Ja4: forged\r\n\r\n`);
  ask("/node", tlsConnect({ port: postern.port, ...options }));
  openssl(postern.port);
  expect([await toldOf("/node"), await toldOf("/openssl")]).toEqual([ofNode, ofOpenssl]);

  postern.write("policy.yaml", policy("    proxyProtocol: { from: [127.0.0.1] }", "")(postern));
  await postern.logged(({ event, result }) => event === "reload" && result === "ok");
  const below = netConnect(postern.port, "127.0.0.1");
  below.write("PROXY TCP4 198.51.100.7 192.0.2.1 56324 443\r\n");
  ask("/proxied", tlsConnect({ socket: below, ...options }));
  expect(await toldOf("/proxied")).toBe(ofNode);
});
