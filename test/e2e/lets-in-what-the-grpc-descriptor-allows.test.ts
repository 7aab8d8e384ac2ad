/**
 * Goal: of the methods of a descriptor only what it allows reaches the service, whole calls and streams alike, and a refusal
 * says what is wrong. Method: @grpc/grpc-js on both ends, `postern run` between them with a section `grpc`.
 */
import {
  type Client,
  compressionAlgorithms,
  Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import {
  callUnary,
  createGrpcClient,
  openBidi,
  openClientStream,
  openServerStream,
  startGrpcServer,
} from "../fixtures/grpc.ts";
import { binary, GOOD_ORDER, ORDERS_SET } from "../fixtures/orders-api.ts";
import { type PolicyPorts, startPostern, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

function policy(section: string) {
  return ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    protocols: [h2, http/1.1]
    tls: { certificate: server.pem, key: server.key }
upstreams:
  app: { address: "h2c://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
grpc:
  - file: orders.binpb
    public: true
${section}
routes:
  - { path: /**, methods: [GET, POST], public: true }
`;
}

/** Messages as the service got them. */
let got: Buffer[] = [];

const methods = {
  create: ["/orders.v1.Orders/Create", false, false],
  get: ["/orders.v1.Orders/Get", false, false],
  watch: ["/orders.v1.Orders/Watch", false, true],
  import: ["/orders.v1.Orders/Import", true, false],
  chat: ["/orders.v1.Orders/Chat", true, true],
  secret: ["/orders.v1.Orders/Secret", false, false],
} as const;

const reply = Buffer.from("\n\x02ok", "latin1");
const unary = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void => {
  got.push(call.request);
  answer(null, reply);
};

const implementation = {
  create: unary,
  get: unary,
  secret: unary,
  watch: (call: { request: Buffer; write(value: Buffer): void; end(): void }) => {
    got.push(call.request);
    for (let at = 0; at < 3; at++) call.write(reply);
    call.end();
  },
  import: (call: AsyncIterable<Buffer>, answer: sendUnaryData<Buffer>) => {
    void (async () => {
      try {
        for await (const message of call) got.push(message);
        answer(null, reply);
      } catch {
        // The stream was cut.
      }
    })();
  },
  chat: (call: ServerDuplexStream<Buffer, Buffer>) => {
    call.on("data", (message: Buffer) => {
      got.push(message);
      call.write(reply);
    });
    call.on("error", () => {});
    call.on("end", () => call.end());
  },
};

async function start(section = ""): Promise<{ client: Client; postern: Awaited<ReturnType<typeof startPostern>> }> {
  got = [];
  const { pki } = await theWorld();
  const app = await startGrpcServer(methods, implementation);
  const postern = await startPostern(app, policy(section), { "orders.binpb": ORDERS_SET });
  return { postern, client: createGrpcClient(postern.port, pki.ca.certificate) };
}

const create = (client: Client, message: Buffer, metadata = new Metadata()) =>
  callUnary(client, message, metadata, "/orders.v1.Orders/Create");
const reasonOf = ({ trailers }: { trailers: Metadata }) => trailers.get("x-postern-reason")[0];

describe("a call of one message", () => {
  test("passes byte by byte as it came where the descriptor allows it", async () => {
    const { client } = await start();
    const message = binary("Order", GOOD_ORDER);
    expect((await create(client, message)).code).toBe(status.OK);
    expect(got).toEqual([message]);
  });

  test("is refused with what is wrong, each fault at its field, and nothing reaches the service", async () => {
    const { client, postern } = await start();
    const items = [{ sku: "abc", quantity: 0 }];
    const result = await create(client, binary("Order", { ...GOOD_ORDER, id: "hunter2", items }));
    expect([result.code, reasonOf(result)]).toEqual([status.INVALID_ARGUMENT, "body_schema_mismatch"]);
    const details = Buffer.from(result.trailers.get("grpc-status-details-bin")[0] ?? "").toString("latin1");
    expect(details).toContain("google.rpc.BadRequest");
    for (const path of ["id", "items[0].sku", "items[0].quantity"]) expect(details).toContain(path);
    expect(details).not.toContain("hunter2");
    expect(got).toEqual([]);
    const line = await postern.logged(({ reason }) => reason === "body_schema_mismatch");
    expect(JSON.stringify(line)).toContain("/items/0/sku string.pattern");
    expect(postern.output()).not.toContain("hunter2");
  });

  test("with a field that nobody declared is refused, stripped of it, or passes, as the policy says", async () => {
    const order = binary("Order", GOOD_ORDER);
    // Field 99 of the order, and field 7 of one more item.
    const item = Buffer.concat([binary("Item", { sku: "ABC-2", quantity: 1 }), Buffer.from([0x38, 1])]);
    const inner = Buffer.concat([Buffer.from([0x12, item.length]), item]);
    const message = Buffer.concat([order, Buffer.from([0x98, 0x06, 0x05]), inner]);
    const refusing = await start();
    const refused = await create(refusing.client, message);
    expect([refused.code, reasonOf(refused)]).toEqual([status.INVALID_ARGUMENT, "body_schema_mismatch"]);
    await closeAll();
    const stripping = await start("    unknownFields: strip");
    expect((await create(stripping.client, message)).code).toBe(status.OK);
    expect(got).toEqual([Buffer.concat([order, Buffer.from([0x12, item.length - 2]), item.subarray(0, -2)])]);
    await closeAll();
    const passing = await start("    unknownFields: pass");
    expect((await create(passing.client, message)).code).toBe(status.OK);
    expect(got).toEqual([message]);
  });

  test("that is too large is refused by its prefix", async () => {
    const { client } = await start("    maxMessageBytes: 100B");
    const result = await create(client, binary("Order", { ...GOOD_ORDER, labels: { a: "x".repeat(200) } }));
    expect([result.code, reasonOf(result)]).toEqual([status.RESOURCE_EXHAUSTED, "body_too_large"]);
    expect(got).toEqual([]);
  });

  test("that is compressed is judged and goes on as what it holds", async () => {
    const { pki } = await theWorld();
    const { postern } = await start();
    const client = createGrpcClient(postern.port, pki.ca.certificate, {
      "grpc.default_compression_algorithm": compressionAlgorithms.gzip,
    });
    const message = binary("Order", { ...GOOD_ORDER, labels: { a: "x".repeat(2_000) } });
    expect((await create(client, message)).code).toBe(status.OK);
    expect(got).toEqual([message]);
    const wrong = await create(client, binary("Order", { ...GOOD_ORDER, items: [], labels: { a: "x".repeat(2_000) } }));
    expect(wrong.code).toBe(status.INVALID_ARGUMENT);
    expect(got).toHaveLength(1);
  });

  test("of a method that the service does not have reaches no broader route", async () => {
    const { client } = await start();
    const result = await callUnary(client, Buffer.alloc(0), new Metadata(), "/orders.v1.Orders/Secret");
    expect([result.code, reasonOf(result)]).toEqual([status.UNIMPLEMENTED, "operation_undeclared"]);
    expect(got).toEqual([]);
  });
});

test("a method has what the policy adds to it, and the others have not", async () => {
  const { client } = await start("    methods: { orders.v1.Orders/Create: { authenticate: [okta] } }");
  const result = await create(client, binary("Order", GOOD_ORDER));
  expect([result.code, reasonOf(result)]).toEqual([status.UNAUTHENTICATED, "credentials_missing"]);
  const other = await callUnary(client, binary("Query", { id: "abc" }), new Metadata(), "/orders.v1.Orders/Get");
  expect(other.code).toBe(status.OK);
});

describe("a stream", () => {
  test("of answers begins with one message, which is judged", async () => {
    const { client } = await start();
    const path = "/orders.v1.Orders/Watch";
    const answers: unknown[] = [];
    for await (const one of openServerStream(client, binary("Query", { id: "abc" }), new Metadata(), path))
      answers.push(one);
    expect(answers).toHaveLength(3);
    const refused = openServerStream(client, binary("Query", { id: "a" }), new Metadata(), path);
    const ended = new Promise<number>((resolve) =>
      refused.once("error", (error: Error & { code?: number }) => resolve(error.code ?? -1)),
    );
    refused.resume();
    expect(await ended).toBe(status.INVALID_ARGUMENT);
  });

  test("of messages passes one by one, and ends at the first that is wrong, which the service does not get", async () => {
    const { client } = await start();
    const items = Array.from({ length: 500 }, (_, at) => binary("Item", { sku: `ABC-${at}`, quantity: 1 }));
    const send = (messages: readonly Buffer[]) =>
      new Promise<{ code: number; trailers: Metadata }>((resolve) => {
        const call = openClientStream(client, new Metadata(), () => {}, "/orders.v1.Orders/Import");
        call.on("status", ({ code, metadata: trailers }) => resolve({ code, trailers }));
        for (const message of messages) call.write(message);
        call.end();
      });
    expect((await send(items)).code).toBe(status.OK);
    expect(got).toEqual(items);
    got = [];
    const wrong = binary("Item", { sku: "secret", quantity: 1 });
    const refused = await send([...items.slice(0, 10), wrong, ...items.slice(10)]);
    expect([refused.code, reasonOf(refused)]).toEqual([status.INVALID_ARGUMENT, "body_schema_mismatch"]);
    expect(got.length).toBeLessThanOrEqual(10);
    expect(got).toEqual(items.slice(0, got.length));
  });

  test("both ways goes on while each message is judged as it comes", async () => {
    const { client } = await start("    unknownFields: strip");
    const call = openBidi(client, new Metadata(), "/orders.v1.Orders/Chat");
    const item = binary("Item", { sku: "ABC-1", quantity: 1 });
    for (let at = 0; at < 5; at++) {
      const answer = new Promise((resolve) => call.once("data", resolve));
      call.write(Buffer.concat([item, Buffer.from([0x38, at])]));
      await answer;
      expect(got.at(-1)).toEqual(item);
    }
    const ended = new Promise<{ code: number }>((resolve) => call.once("status", resolve));
    call.on("error", () => {});
    call.write(binary("Item", { sku: "ABC-1", quantity: 101 }));
    expect((await ended).code).toBe(status.INVALID_ARGUMENT);
    expect(got).toHaveLength(5);
  });
});
