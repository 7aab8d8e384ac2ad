// Goal: a request with a value that the service must not see does not reach it whole, wherever the value stands and however it is
// cut. Method: a real process before a service that notes all that arrives.
import { request as httpRequest } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: tickets
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
routes:
  - path: /tickets
    methods: [GET, POST]
    public: true
    validate: { contentEncoding: inflate, leaks: { cards: block, emails: observe, allow: [$.payment.card] } }
  - { path: /audited, methods: [POST], public: true, validate: { leaks: { cards: block, mode: audit } } }
`;

const CARD = "4111111111111111";
let service: Service;
let postern: Postern;
beforeAll(async () => {
  service = await startService();
  postern = await startPostern(service.port, policy);
});
afterAll(closeAll);
beforeEach(() => {
  service.arrived.length = 0;
});

interface Told {
  readonly status: number;
  readonly reason?: string;
}

/** Sends the pieces as chunks, one behind the other. */
function post(path: string, pieces: readonly (string | Buffer)[], headers: Record<string, string> = {}): Promise<Told> {
  return new Promise((resolve, reject) => {
    const options = {
      port: postern.port,
      path,
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
    };
    const request = httpRequest(options, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => {
        const { reason } = JSON.parse(text) as { reason?: string };
        resolve({ status: response.statusCode ?? 0, ...(reason === undefined ? {} : { reason }) });
      });
    });
    // The answer may come before all of the body has gone.
    request.on("error", reject);
    const send = (at: number): void => {
      if (at === pieces.length) request.end();
      else request.write(pieces[at], () => setImmediate(() => send(at + 1)));
    };
    send(0);
  });
}

const REFUSED = { status: 422, reason: "request_leak" };

test("a body that comes byte by byte, and one that is compressed", async () => {
  const body = `{"text":"my card is 4111 1111 1111 1111"}`;
  expect(await post("/tickets", [...body])).toEqual(REFUSED);
  expect(await post("/tickets", [gzipSync(body)], { "content-encoding": "gzip" })).toEqual(REFUSED);
  expect(JSON.stringify(service.arrived)).not.toContain("4111");
});

test("the query and a header", async () => {
  const asked = await fetch(`http://127.0.0.1:${postern.port}/tickets?q=${CARD}`);
  expect([asked.status, ((await asked.json()) as Told).reason]).toEqual([422, "request_leak"]);
  expect(await post("/tickets", ["{}"], { "x-note": CARD })).toEqual(REFUSED);
  expect(service.arrived).toEqual([]);
});

test("an honest ticket passes as it came, and so does the field that is for a card", async () => {
  const body = `{"text":"order 12345678, call me","mail":"jane@example.org","payment":{"card":"${CARD}"}}`;
  expect(await post("/tickets", [...body])).toEqual({ status: 200 });
  expect(service.arrived[0]?.body).toBe(body);
  const line = await postern.logged((one) => one["status"] === 200 && one["leaks"] !== undefined);
  expect(line["leaks"]).toEqual([{ in: "request", kind: "email", action: "observe", field: "/mail" }]);
  expect(postern.output()).not.toContain("jane@example.org");
});

test("where it is audited the request passes and is noted", async () => {
  expect(await post("/audited", [`{"a":"${CARD}"}`])).toEqual({ status: 200 });
  expect(service.arrived[0]?.body).toBe(`{"a":"${CARD}"}`);
  const line = await postern.logged((one) => one["path"] === "/audited");
  expect(line["audited"]).toMatchObject([{ reason: "request_leak", seen: "card-visa in /a" }]);
});
