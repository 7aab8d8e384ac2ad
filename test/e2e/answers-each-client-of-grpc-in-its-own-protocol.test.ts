/**
 * Goal: gRPC, gRPC-Web and Connect pass through postern as they are, each judged by the descriptor, and each client gets a
 * refusal as its protocol has it. Method: the clients and server of connect-node, over HTTP/1.1 and HTTP/2, with `postern run`
 * between them.
 */
import { createServer as createHttp2Server } from "node:http2";
import {
  type DescMethodBiDiStreaming,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromBinary,
  fromJson,
  type JsonObject,
  type Message,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterEach, describe, expect, test } from "vitest";
import { GOOD_ORDER, MESSAGE, ORDERS_FILES, ORDERS_SET } from "../fixtures/orders-api.ts";
import { type PolicyPorts, startPostern, theWorld } from "../fixtures/postern.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";

afterEach(closeAll);

function method(name: string) {
  const found = ORDERS_FILES.getService("orders.v1.Orders")?.methods.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no method ${name}`);
  return found;
}

let got: Message[] = [];

/** A server that speaks all three protocols, in the clear over HTTP/2. */
async function startServer(): Promise<number> {
  const reply = { text: "ok" };
  const adapter = connectNodeAdapter({
    routes: (router) => {
      const noted = (message: Message): string => {
        got.push(message);
        return (message as Message & { id?: string }).id ?? "";
      };
      const unary = (message: Message) => {
        if (noted(message) === "fail") throw new ConnectError("no such order", Code.NotFound);
        return reply;
      };
      router.rpc(method("Create") as DescMethodUnary, unary);
      router.rpc(method("Get") as DescMethodUnary, unary);
      router.rpc(method("Import") as DescMethodClientStreaming, async (messages) => {
        for await (const message of messages) noted(message);
        return reply;
      });
      router.rpc(method("Watch") as DescMethodServerStreaming, async function* (message) {
        const id = noted(message);
        yield reply;
        if (id === "fail") throw new ConnectError("no such order", Code.NotFound);
        yield reply;
      });
      router.rpc(method("Chat") as DescMethodBiDiStreaming, async function* (messages) {
        for await (const message of messages) {
          noted(message);
          yield reply;
        }
      });
    },
  });
  const server = createHttp2Server(adapter);
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  onClose(() => {
    for (const session of sessions) session.destroy();
  });
  return listen(server);
}

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    protocols: [h2, http/1.1]
    tls: { certificate: server.pem, key: server.key }
upstreams:
  app: { address: "h2c://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
limits:
  failing: { rate: 1/hour, burst: 1, key: client.address, count: failures }
grpc:
  - file: orders.binpb
    public: true
    protocols: [grpc, grpcWeb, connect]
    unknownFields: strip
    methods: { orders.v1.Orders/Watch: { limit: [failing] } }
`;

type Kind = "grpc" | "grpcWeb" | "grpcWeb over HTTP/1.1" | "connect" | "connect in JSON" | "connect over HTTP/1.1";

function transportOf(
  kind: Kind,
  baseUrl: string,
  ca: string,
  options: { useHttpGet?: boolean; gzip?: boolean },
): Transport {
  const compression = options.gzip ? { sendCompression: compressionGzip, compressMinBytes: 1 } : {};
  const usual = { baseUrl, nodeOptions: { ca }, useBinaryFormat: kind !== "connect in JSON", ...compression };
  if (kind === "grpc") return createGrpcTransport(usual);
  const httpVersion = kind.endsWith("1.1") ? ("1.1" as const) : ("2" as const);
  if (kind.startsWith("grpcWeb")) return createGrpcWebTransport({ ...usual, httpVersion });
  return createConnectTransport({ ...usual, httpVersion, useHttpGet: options.useHttpGet === true });
}

async function start() {
  got = [];
  const { pki } = await theWorld();
  const postern = await startPostern(await startServer(), policy, { "orders.binpb": ORDERS_SET });
  const transportAs = (kind: Kind, options: { useHttpGet?: boolean; gzip?: boolean } = {}) =>
    transportOf(kind, `https://localhost:${postern.port}`, pki.ca.certificate, options);
  const as = (kind: Kind, options: { useHttpGet?: boolean; gzip?: boolean } = {}) => {
    const transport = transportAs(kind, options);
    return async (name: string, ...messages: [keyof typeof MESSAGE, JsonObject][]): Promise<readonly Message[]> => {
      const own = method(name);
      const made = messages.map(([type, json]) => fromJson(MESSAGE[type], json));
      if (own.methodKind === "unary") {
        const unary = own as DescMethodUnary;
        const { message } = await transport.unary(unary, undefined, undefined, undefined, made[0] ?? {});
        return [message];
      }
      const input = (async function* () {
        yield* made;
      })();
      const { message } = await transport.stream(own as DescMethodStreaming, undefined, undefined, undefined, input);
      const answers: Message[] = [];
      for await (const one of message) answers.push(one);
      return answers;
    };
  };
  return { postern, as, transportAs };
}

const caught = async (call: Promise<unknown>): Promise<ConnectError> => {
  const error: unknown = await call.then(() => null).catch((reason: unknown) => reason);
  if (!(error instanceof ConnectError)) throw new Error(`no error of a call: ${String(error)}`);
  return error;
};

/** Fields that a google.rpc.BadRequest names. */
const violationsOf = ({ details }: ConnectError): readonly string[] =>
  details.flatMap((detail) => {
    if (!("type" in detail) || !(detail.value instanceof Uint8Array)) return [];
    const text = Buffer.from(detail.value).toString("latin1");
    return [detail.type, ...["id", "items[0].sku"].filter((path) => text.includes(path))];
  });

const KINDS: readonly Kind[] = [
  "grpc",
  "grpcWeb",
  "grpcWeb over HTTP/1.1",
  "connect",
  "connect in JSON",
  "connect over HTTP/1.1",
];

describe.each(KINDS)("%s", (kind) => {
  const wrong: JsonObject = { ...GOOD_ORDER, id: "hunter2", items: [{ sku: "x", quantity: 1 }] };

  test("messages pass or are refused, compressed too, and what the service refuses counts as a failure", async () => {
    const { postern, as } = await start();
    const call = as(kind);
    expect(await call("Create", ["Order", GOOD_ORDER])).toMatchObject([{ text: "ok" }]);
    expect(got).toEqual([fromJson(MESSAGE.Order, GOOD_ORDER)]);
    expect(await call("Watch", ["Query", { id: "abc" }])).toHaveLength(2);

    const error = await caught(call("Create", ["Order", wrong]));
    expect([error.code, error.rawMessage]).toEqual([
      Code.InvalidArgument,
      "The request body does not have the expected form.",
    ]);
    expect(violationsOf(error)).toEqual(["google.rpc.BadRequest", "id", "items[0].sku"]);
    expect(error.metadata.get("x-postern-reason")).toBe("body_schema_mismatch");
    expect(postern.output()).not.toContain("hunter2");

    const zipping = as(kind, { gzip: true });
    expect(await zipping("Create", ["Order", GOOD_ORDER])).toMatchObject([{ text: "ok" }]);
    expect((await caught(zipping("Create", ["Order", wrong]))).code).toBe(Code.InvalidArgument);
    expect(got).toHaveLength(3);

    // The status of the answer is 200 where the call was refused in the middle of a stream.
    expect((await caught(call("Watch", ["Query", { id: "fail" }]))).code).toBe(Code.NotFound);
    const limited = await caught(call("Watch", ["Query", { id: "abc" }]));
    expect([limited.code, limited.metadata.get("x-postern-reason")]).toEqual([Code.ResourceExhausted, "rate_limited"]);
  });

  if (kind.endsWith("1.1")) return;
  test("a stream of messages ends at the first that is wrong", async () => {
    const { as } = await start();
    const call = as(kind);
    const item = (at: number): [keyof typeof MESSAGE, JsonObject] => ["Item", { sku: `ABC-${at}`, quantity: 1 }];
    expect(await call("Import", item(1), item(2), item(3))).toMatchObject([{ text: "ok" }]);
    expect(got).toHaveLength(3);
    const error = await caught(call("Import", item(1), ["Item", { sku: "x", quantity: 1 }], item(3)));
    expect([error.code, error.metadata.get("x-postern-reason")]).toEqual([
      Code.InvalidArgument,
      "body_schema_mismatch",
    ]);
    expect(got.length).toBeLessThanOrEqual(4);
  });
});

test("an answer that has begun ends with the refusal of what came later", async () => {
  const { transportAs } = await start();
  for (const kind of ["grpc", "grpcWeb", "connect", "connect in JSON"] as const) {
    const answered = Promise.withResolvers<void>();
    const input = async function* () {
      yield fromJson(MESSAGE.Item, { sku: "ABC-1", quantity: 1 });
      await answered.promise;
      yield fromJson(MESSAGE.Item, { sku: "x", quantity: 1 });
    };
    const chat = method("Chat") as DescMethodStreaming;
    const { message } = await transportAs(kind).stream(chat, undefined, undefined, undefined, input());
    const answers: Message[] = [];
    const read = async (): Promise<void> => {
      for await (const one of message) {
        answers.push(one);
        answered.resolve();
      }
    };
    const error = await caught(read());
    expect([error.code, error.metadata.get("x-postern-reason")], kind).toEqual([
      Code.InvalidArgument,
      "body_schema_mismatch",
    ]);
    expect(answers).toMatchObject([{ text: "ok" }]);
  }
});

describe("Connect by GET", () => {
  test("is judged as any other call", async () => {
    const { as } = await start();
    for (const kind of ["connect", "connect in JSON", "connect over HTTP/1.1"] as const) {
      got = [];
      const call = as(kind, { useHttpGet: true });
      expect(await call("Get", ["Query", { id: "abc" }])).toMatchObject([{ text: "ok" }]);
      expect(got).toEqual([fromJson(MESSAGE.Query, { id: "abc" })]);
      const error = await caught(call("Get", ["Query", { id: "a" }]));
      const told = [error.code, error.metadata.get("x-postern-reason")];
      expect(told).toEqual([Code.InvalidArgument, "body_schema_mismatch"]);
      expect(got).toHaveLength(1);
      expect((await caught(call("Get", ["Query", { id: "fail" }]))).code).toBe(Code.NotFound);
    }
  });

  test("takes each of its parameters once, and no method that is not safe", async () => {
    const { postern } = await start();
    const get = async (query: string, name = "Get") => {
      const { status, body } = await postern.call({ path: `/orders.v1.Orders/${name}?${query}` });
      return [status, /"code":"(\w+)"/.exec(body)?.[1]];
    };
    const good = "connect=v1&encoding=json&message=%7B%22id%22%3A%22abc%22%7D";
    expect((await postern.call({ path: `/orders.v1.Orders/Get?${good}` })).status).toBe(200);
    for (const more of [
      "&message=%7B%22id%22%3A%22abcd%22%7D",
      "&encoding=proto",
      "&base64=1",
      "&base64=0",
      "&compression=gzip",
      "&Message=x",
      "&m%65ssage=x",
    ])
      expect(await get(good + more), more).toEqual([400, "invalid_argument"]);
    expect(await get(good, "Create")).toEqual([501, "unimplemented"]);
    expect(await get("connect=v1&encoding=proto&base64=1&message=CgNhYmM")).toEqual([200, undefined]);
    expect(await get("connect=v1&encoding=proto&base64=1&message=CgNhYmM*")).toEqual([400, "invalid_argument"]);
  });
});

test("a client of gRPC-Web in base64 gets its refusal in base64", async () => {
  const { postern } = await start();
  const answer = await postern.call({
    method: "POST",
    path: "/orders.v1.Orders/Get",
    headers: { "Content-Type": "application/grpc-web-text" },
    body: Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x61]).toString("base64"),
  });
  expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/grpc-web-text+proto"]);
  const frame = Buffer.from(answer.body, "base64");
  expect([frame[0], frame.readUInt32BE(1)]).toEqual([0x80, frame.length - 5]);
  expect(frame.subarray(5).toString()).toMatch(/^grpc-status: 3\r\ngrpc-message: The request body/);
  const passes = await postern.call({
    method: "POST",
    path: "/orders.v1.Orders/Get",
    headers: { "Content-Type": "application/grpc-web" },
    body: Buffer.from([0, 0, 0, 0, 5, 0x0a, 3, 0x61, 0x62, 0x63]).toString("latin1"),
  });
  expect(fromBinary(MESSAGE.Reply, Buffer.from(passes.body, "latin1").subarray(5, 9))).toMatchObject({ text: "ok" });
});

test("a body of JSON is a call of Connect on a route for these, whatever its client says of itself", async () => {
  const { postern } = await start();
  const post = (json: string) =>
    postern.call({
      method: "POST",
      path: "/orders.v1.Orders/Get",
      headers: { "Content-Type": "application/json" },
      body: json,
    });
  expect((await post('{"id":"abc","more":{"a":1}}')).status).toBe(200);
  expect(got).toEqual([fromJson(MESSAGE.Query, { id: "abc" })]);
  const refused = await post('{"id":"a"}');
  expect([refused.status, JSON.parse(refused.body)]).toMatchObject([400, { code: "invalid_argument" }]);
});
