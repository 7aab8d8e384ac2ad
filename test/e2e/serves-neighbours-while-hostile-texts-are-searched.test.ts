// Goal: who sends texts that are costly to search holds up nobody else: what others send meanwhile is served first, also where it has
// much to search. Method: a real process with the rules as Debian ships them; all requests are complete in the same moment, and the
// service says in which order they reach it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOSTILE_TEXTS } from "../detection/hostile-texts.ts";
import { eventually } from "../fixtures/eventually.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

const policy = ({ port, admin, app }: PolicyPorts): string => `
version: 1
service: shop
listeners: [{ name: inbound, address: '127.0.0.1:${port}' }]
upstreams: { app: { address: 'http://127.0.0.1:${app}' } }
admin: { address: '127.0.0.1:${admin}' }
detectors: { crs: { rules: [/usr/share/modsecurity-crs/rules], searchBytesMax: 4MiB, variables: { allowed_methods: GET POST } } }
defaults: { detect: { by: [crs], mode: audit } }
routes:
  - { path: '/**', methods: [GET, POST], public: true }
`;

const ATTACKER = "127.0.0.1";
const HOSTILE = 8;

let service: Service;
let postern: Postern;
beforeAll(async () => {
  service = await startService();
  postern = await startPostern(service.port, policy);
});
afterAll(closeAll);

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: shop\r\nUser-Agent: some\r\nAccept: */*\r\n\r\n`;

function post(path: string, text: string): string {
  const body = JSON.stringify({ text });
  const head = `POST ${path} HTTP/1.1\r\nHost: shop\r\nUser-Agent: some\r\nAccept: */*\r\nContent-Type: application/json\r\n`;
  return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Sends all but the last byte of each request on a connection of its own; gives what sends the last ones. */
async function almost(requests: readonly (readonly [address: string, request: string])[]): Promise<() => void> {
  const clients = await Promise.all(
    requests.map(async ([localAddress, request]) => {
      const client = await RawClient.connect({ host: "127.0.0.1", port: postern.port, localAddress });
      client.write(request.slice(0, -1));
      await eventually(() => client.writableBytes === 0);
      return { client, last: request.slice(-1) };
    }),
  );
  return () => {
    for (const { client, last } of clients) client.write(last);
  };
}

test("a neighbour is served before any of eight hostile texts was searched, also where its own has much to search", async () => {
  const hostile = (at: number): [string, string] => [ATTACKER, post(`/hostile/${at}`, HOSTILE_TEXTS["php"] ?? "")];
  const neighbours: [string, string][] = [
    ["127.0.0.2", get("/page")],
    ["127.0.0.3", post("/long", HOSTILE_TEXTS["quotes"] ?? "")],
  ];
  // Once each alone: patterns are made when a text first needs them.
  for (const request of [hostile(0), ...neighbours]) {
    const before = service.arrived.length;
    (await almost([request]))();
    await eventually(() => service.arrived.length > before);
  }
  service.arrived.length = 0;
  const attacks = Array.from({ length: HOSTILE }, (_, at) => hostile(at));
  const send = await almost([...attacks, ...neighbours]);
  send();
  await eventually(() => service.arrived.length === HOSTILE + neighbours.length);
  const order = service.arrived.map(({ url }) => url.replace(/\d/, ""));
  expect(order).toEqual(["/page", "/long", ...Array<string>(HOSTILE).fill("/hostile/")]);
});
