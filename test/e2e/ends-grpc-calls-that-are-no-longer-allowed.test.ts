// Goal: a gRPC stream goes on obeying the policy: what an edit or the end of a token forbids ends with grpc-status 16 in
// trailers, as gRPC has it, and all else goes on.
// Method: @grpc/grpc-js on both ends of a real process, over TLS and HTTP/2; calls that nobody ends.
import { type Client, Metadata, type ServerDuplexStream, type StatusObject, status } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { createGrpcClient, openBidi, openClientStream, openServerStream, startGrpcService } from "../fixtures/grpc.ts";
import { type PolicyPorts, startPostern, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

function policy({ port, admin, app }: PolicyPorts): string {
  return `version: 1
service: echo
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    protocols: [h2]
    tls: { certificate: server.pem, key: server.key }
upstreams:
  app: { address: "h2c://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json, skew: 0s }
defaults:
  authenticate: [okta]
routes:
  - { path: /test.Echo/Bidi, methods: [POST], authorize: { scopes: [echo] } }
  - { path: /test.Echo/ClientStream, methods: [POST], authorize: { scopes: [send] } }
  - { path: /test.Echo/ServerStream, methods: [POST], authorize: { scopes: [listen] } }
`;
}

/** Calls of which the service has got the whole request, and to which it says nothing. */
let listening = 0;

const implementation = {
  unary: () => {},
  clientStream: () => {},
  serverStream: (call: { request: Buffer; write(value: Buffer): void }) => {
    if (call.request.toString() === "say nothing") listening++;
    else call.write(call.request);
  },
  bidi: (call: ServerDuplexStream<Buffer, Buffer>) => {
    call.on("data", (message: Buffer) => call.write(message));
    call.on("error", () => {});
  },
};

async function start() {
  const { pki, mint } = await theWorld();
  const postern = await startPostern(await startGrpcService(implementation), policy);
  const client = createGrpcClient(postern.port, pki.ca.certificate);
  const metadata = async (claims: Record<string, unknown> = {}): Promise<Metadata> => {
    const made = new Metadata();
    made.set("authorization", `Bearer ${await mint.token({ scope: "echo listen send", ...claims })}`);
    return made;
  };
  return { postern, client, metadata };
}

/** A call that has sent one message, and whose service will not answer before its last. */
async function openSilent(client: Client, metadata: Metadata) {
  const ended: { status: StatusObject | null } = { status: null };
  const call = openClientStream(client, metadata, () => {});
  call.on("status", (one) => {
    ended.status = one;
  });
  await new Promise<void>((resolve) => call.write(Buffer.from("one"), () => resolve()));
  return ended;
}

/** A call whose request is whole, and whose service has not said a word. */
async function openListener(client: Client, metadata: Metadata, arrived: () => boolean) {
  const listener = follow(openServerStream(client, "say nothing", metadata));
  await eventually(arrived);
  return listener;
}

/** What came on a call, and how it ended. */
function follow(call: ReturnType<typeof openBidi> | ReturnType<typeof openServerStream>) {
  const followed: { messages: string[]; status: StatusObject | null } = { messages: [], status: null };
  call.on("data", (message: Buffer) => followed.messages.push(message.toString()));
  call.on("error", () => {});
  call.on("status", (ended) => {
    followed.status = ended;
  });
  return followed;
}

test("an edit ends the streams that it denies with status 16, and a call that it allows goes on", async () => {
  const { postern, client, metadata } = await start();
  const bidi = openBidi(client, await metadata());
  const lasting = follow(bidi);
  const denied = follow(openServerStream(client, "first", await metadata()));
  bidi.write(Buffer.from("one"));
  await eventually(() => lasting.messages.includes("one") && denied.messages.includes("first"));
  postern.write("policy.yaml", policy(postern).replace("[listen]", "[listen, more]"));
  const ended = await eventually(() => denied.status);
  expect(ended).toMatchObject({ code: status.UNAUTHENTICATED });
  expect(ended.metadata.get("x-postern-reason")).toEqual(["stream_denied"]);
  const line = await postern.logged((one) => one["reason"] === "stream_denied");
  expect(line).toMatchObject({ status: 200, route: "/test.Echo/ServerStream", rule: "routes[2].authorize.scopes" });
  bidi.write(Buffer.from("two"));
  await eventually(() => lasting.messages.includes("two"));
  expect(lasting.status).toBeNull();
  bidi.cancel();
});

test("a token's end ends its stream with status 16", async () => {
  const { postern, client, metadata } = await start();
  const exp = Math.floor(Date.now() / 1000) + 3;
  const bidi = openBidi(client, await metadata({ exp }));
  const call = follow(bidi);
  bidi.write(Buffer.from("one"));
  await eventually(() => call.messages.includes("one"));
  expect(await eventually(() => call.status)).toMatchObject({ code: status.UNAUTHENTICATED });
  expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
  await postern.logged((line) => line["reason"] === "stream_expired");
});

test("a call whose service has not said a word yet is ended alike, by an edit and by its token's end", async () => {
  const { postern, client, metadata } = await start();
  const exp = Math.floor(Date.now() / 1000) + 3;
  const expiring = await openSilent(client, await metadata({ exp }));
  expect(await eventually(() => expiring.status)).toMatchObject({ code: status.UNAUTHENTICATED });
  expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
  await postern.logged((line) => line["reason"] === "stream_expired");
  const denied = await openSilent(client, await metadata());
  postern.write("policy.yaml", policy(postern).replace("[send]", "[send, more]"));
  const ended = await eventually(() => denied.status);
  expect(ended).toMatchObject({ code: status.UNAUTHENTICATED });
  expect(ended.metadata.get("x-postern-reason")).toEqual(["stream_denied"]);
});

test("so is a call that only listens, whose request is over and whose service is silent", async () => {
  const { postern, client, metadata } = await start();
  const exp = Math.floor(Date.now() / 1000) + 3;
  const expiring = await openListener(client, await metadata({ exp }), () => listening === 1);
  expect(await eventually(() => expiring.status)).toMatchObject({ code: status.UNAUTHENTICATED });
  expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
  await postern.logged((line) => line["reason"] === "stream_expired");
  const denied = await openListener(client, await metadata(), () => listening === 2);
  postern.write("policy.yaml", policy(postern).replace("[listen]", "[listen, more]"));
  const ended = await eventually(() => denied.status);
  expect(ended).toMatchObject({ code: status.UNAUTHENTICATED });
  expect(ended.metadata.get("x-postern-reason")).toEqual(["stream_denied"]);
});
