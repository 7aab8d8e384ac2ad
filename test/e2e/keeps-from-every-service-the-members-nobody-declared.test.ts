// Goal: where a policy strips bodies, no framework finds a member that no schema declares, however it is written, and a body
// in which nothing comes off arrives with its very bytes. Method: real frameworks behind postern, each attack on the bare
// service first; a service that notes its bytes, over HTTP/1.1, HTTP/2, with Expect, and asked again after it hung up.
import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";
import { hasRealService, type RealServiceKind, startRealService, type Understood } from "../fixtures/real-service.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: users
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', protocols: [h2c, http/1.1], upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
log: { access: all }
routes:
  - path: /users
    methods: [POST, PUT]
    public: true
    validate: { body: { schema: user.json, stripUnknown: true, readOnly: strip } }
  - path: /whole
    methods: [POST]
    public: true
    validate: { body: { schema: user.json, readOnly: strip, defaults: fill, trim: true, normalize: nfc, rewrite: true } }
  - path: /search
    methods: [GET]
    public: true
    validate:
      query: { limit: { type: integer, maximum: 100, default: 20 }, tag: { type: array, items: {}, default: [a, b] } }
      unknownQuery: strip
      queryDefaults: fill
`;
const user = JSON.stringify({
  type: "object",
  properties: {
    name: { type: "string" },
    id: { type: "integer" },
    role: { type: "string", readOnly: true },
    page: { type: "integer", default: 1 },
    friends: { type: "array", items: { $ref: "#" } },
  },
});

const ATTACKS = [
  '{"name":"a","role":"admin"}',
  '{"role":"admin","name":"a"}',
  ' { "name" : "a" ,\n\t"role" : "admin" } ',
  '{"name":"a","r\\u006fle":"admin"}',
  '{"name":"a","Role":"admin"}',
  '{"name":"a","ROLE":"admin","role":"admin"}',
  '{"name":"a","__proto__":{"role":"admin"}}',
  '{"__proto__":{"role":"admin"},"constructor":{"prototype":{"role":"admin"}}}',
  '{"friends":[{"role":"admin"}],"x":{"role":"admin"},"role":"admin"}',
  '{"id":90071992547409931,"x":"\\"role\\":\\"admin\\"","role":"admin"}',
] as const;

interface Told extends Partial<Understood> {
  readonly status: number;
  readonly reason?: string;
}

async function post(port: number, path: string, body: string): Promise<Told> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers, body });
  return { status: response.status, ...((await response.json()) as Partial<Understood>) };
}

afterAll(closeAll);

describe.for([
  "express",
  "gunicorn+flask",
  "gunicorn+django",
  "php",
  "go",
] as const satisfies readonly RealServiceKind[])("%s", (kind) => {
  let service = 0;
  let postern: Postern;
  beforeAll(async () => {
    if (!hasRealService(kind)) return;
    service = (await startRealService(kind)).port;
    postern = await startPostern(service, policy, { "user.json": user });
  });
  beforeEach(({ skip }) => skip(!hasRealService(kind), `${kind} is not installed`));

  test("is told of nobody's role", async () => {
    expect(await post(service, "/users", ATTACKS[0])).toMatchObject({ handler: "user as admin" });
    for (const body of ATTACKS) {
      expect({ body, ...(await post(postern.port, "/users", body)) }).toMatchObject({
        status: 200,
        handler: "user as nobody",
      });
    }
  });

  test("never sees a body that it could read in another way", async () => {
    for (const body of ['{"name":"a","role":1,"role":"admin"}', '{"x":1,"x":{"role":"admin"}}', '{"x":"\\ud800"}'])
      expect({ body, ...(await post(postern.port, "/users", body)) }).toMatchObject({ status: 400 });
  });
});

describe("a service that notes its bytes", () => {
  let service: Service;
  let postern: Postern;
  beforeAll(async () => {
    service = await startService();
    postern = await startPostern(service.port, policy, { "user.json": user });
  });

  const last = () => service.arrived.at(-1);

  test("gets those of a client of whose body nothing comes off", async () => {
    const body = ' {"name":"\\u0061b" ,"id":1.50e1,"friends":[ {} ]}\r\n';
    expect((await post(postern.port, "/users", body)).status).toBe(200);
    expect(last()?.body).toBe(body);
    expect(last()?.headers["content-length"]).toBe(String(body.length));
  });

  test("gets what is left with its length, and no digest of what was sent", async () => {
    const headers = { "content-type": "application/json", "content-digest": "sha-256=:eA==:", "content-md5": "eA==" };
    const body = '{"name":"a","role":"admin","id":90071992547409931}';
    const answer = await fetch(`http://127.0.0.1:${postern.port}/users`, { method: "POST", headers, body });
    expect(answer.status).toBe(200);
    expect(last()?.body).toBe('{"name":"a","id":90071992547409931}');
    expect(last()?.headers).toMatchObject({ "content-length": "35" });
    expect(last()?.headers).not.toHaveProperty("content-digest");
    expect(last()?.headers).not.toHaveProperty("content-md5");
    const { bodyEdits } = await postern.logged((line) => line["bodyEdits"] !== undefined);
    expect(bodyEdits).toEqual({ readOnly: 1 });
  });

  test("gets a chunked body that is changed as one of known length", async () => {
    const client = await RawClient.connect({ port: postern.port, host: "127.0.0.1" });
    client.write(
      "POST /users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    client.write('b\r\n{"name":"a"\r\n');
    client.write('8\r\n,"x":1}\n\r\n0\r\n\r\n');
    await client.until(({ received }) => received.includes("\r\n\r\n"));
    expect(client.received).toContain("200");
    expect(last()).toMatchObject({ body: '{"name":"a"}\n', headers: { "content-length": "13" } });
    expect(last()?.headers).not.toHaveProperty("transfer-encoding");
    client.destroy();
  });

  test("gets it from a client that waits for leave to send it, too", async () => {
    const body = '{"name":"a","x":1}';
    const client = await RawClient.connect({ port: postern.port, host: "127.0.0.1" });
    const head = `POST /users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    client.write(`${head}\r\nExpect: 100-continue\r\n\r\n`);
    await client.until(({ received }) => received.includes("100 Continue"));
    client.write(body);
    await client.until(({ received }) => received.includes("200 OK"));
    expect(last()?.body).toBe('{"name":"a"}');
    client.destroy();
  });

  test("gets it over HTTP/2, too", async () => {
    const head = { ":path": "/users", ":method": "POST", "content-type": "application/json" };
    const answer = await askH2(openH2(postern.port), { ...head, "content-length": 18 }, '{"name":"a","x":1}');
    expect(answer.status).toBe(200);
    expect(last()).toMatchObject({ body: '{"name":"a"}', headers: { "content-length": "12" } });
  });

  test("gets it trimmed, composed, filled in and in one spelling where the policy says so", async () => {
    expect((await post(postern.port, "/whole", '{ "name": " e\\u0301 ", "role":"admin" }')).status).toBe(200);
    expect(Buffer.from(last()?.body ?? "", "latin1").toString()).toBe('{"name":"é","page":1}');
  });
});

test("a query reaches its service without what nobody declared, and with defaults for what nobody sent", async () => {
  const service = await startService();
  const postern = await startPostern(service.port, policy, { "user.json": user });
  for (const query of ["", "?admin=1", "?limit=5&tag=c", "?li%6Dit=5"])
    expect((await fetch(`http://127.0.0.1:${postern.port}/search${query}`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${postern.port}/search?limit=500`)).status).toBe(422);
  expect(service.arrived.map(({ url }) => url)).toEqual([
    "/search?limit=20&tag=a&tag=b",
    "/search?limit=20&tag=a&tag=b",
    "/search?limit=5&tag=c",
    "/search?li%6Dit=5&tag=a&tag=b",
  ]);
});

test("a service that hung up is sent what is left once more, not what came", async () => {
  const bodies: string[] = [];
  let requests = 0;
  const answer = (socket: Socket): void => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      bodies.push(text.slice(end + 4));
      text = "";
      // The second request comes on the connection of the first, and is lost with it.
      if (++requests === 2) socket.destroy();
      else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    });
    socket.on("error", () => {});
    onClose(() => socket.destroy());
  };
  const app = await listen(createServer(answer));
  const postern = await startPostern(app, policy, { "user.json": user });
  const headers = { "content-type": "application/json" };
  for (const at of [1, 2]) {
    const body = `{"name":"a","x":${at},"id":${at}}`;
    const response = await fetch(`http://127.0.0.1:${postern.port}/users`, { method: "PUT", headers, body });
    expect(response.status).toBe(200);
    await response.text();
  }
  expect(bodies).toEqual(['{"name":"a","id":1}', '{"name":"a","id":2}', '{"name":"a","id":2}']);
});
