/**
 * Goal: a condition on a field of a message holds for what the service reads there. Method: grpcio of Python on both ends,
 * `postern run` between them with a section `grpc` and a route with `authorize`.
 */
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { freePort } from "../fixtures/free-port.ts";
import { binary, GOOD_ORDER, ORDERS_SET } from "../fixtures/orders-api.ts";
import { type PolicyPorts, type Postern, startPostern, theWorld } from "../fixtures/postern.ts";
import { PYTHON, runProgram, startProgram, works } from "../fixtures/program.ts";
import { closeAll } from "../fixtures/proxy.ts";

const hasGrpc = works(`${PYTHON} -c 'import grpc'`);

const policy = ({ port, app }: PolicyPorts): string => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    protocols: [h2]
    tls: { certificate: server.pem, key: server.key }
upstreams:
  app: { address: "h2c://127.0.0.1:${app}" }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
grpc:
  - file: orders.binpb
    authenticate: okta
    methods:
      orders.v1.Orders/Create:
        authorize: { when: 'body.items[0].quantity < 50 || body.note == "urgent"' }
`;

const script = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
let postern: Postern;
let token = "";
let ca = "";

beforeAll(async () => {
  if (!hasGrpc) return;
  const { pki, mint } = await theWorld();
  const app = await freePort();
  const isOpen = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(app, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
  await startProgram([PYTHON, script("services/grpc_echo.py"), String(app)], isOpen);
  postern = await startPostern(app, policy, { "orders.binpb": ORDERS_SET });
  token = await mint.token();
  ca = `${postern.folder}/ca-of-test.pem`;
  writeFileSync(ca, pki.ca.certificate);
});
afterAll(closeAll);
beforeEach(({ skip }) => skip(!hasGrpc, "python3-grpcio is not installed"));

interface Told {
  readonly code: string;
  readonly reason?: string;
  readonly answer?: string;
}

async function call(path: string, ...messages: Buffer[]): Promise<readonly Told[]> {
  const lines = messages.map((message) => `${path} ${token} ${message.toString("hex")}`);
  const command = [PYTHON, script("clients/grpc_calls.py"), String(postern.port), ca] as const;
  return JSON.parse(await runProgram(command, lines.join("\n"))) as Told[];
}

const of = (quantity: number, note?: string): Buffer =>
  binary("Order", { id: GOOD_ORDER.id, items: [{ sku: "ABC-1", quantity }], ...(note === undefined ? {} : { note }) });

test("what the condition allows reaches the service as it came, and nothing else does", async () => {
  const few = of(49);
  const urgent = of(50, "urgent");
  expect(await call("/orders.v1.Orders/Create", few, of(50), urgent)).toEqual([
    { code: "OK", answer: few.toString("hex") },
    { code: "PERMISSION_DENIED", reason: "condition_failed" },
    { code: "OK", answer: urgent.toString("hex") },
  ]);
});

test("what the descriptor does not allow is refused before any condition", async () => {
  const wrong = binary("Order", { ...GOOD_ORDER, items: [] });
  const twice = Buffer.concat([binary("Order", GOOD_ORDER), binary("Order", { note: "again" })]);
  const none = await call("/orders.v1.Orders/Create", wrong, twice, Buffer.from("ff", "hex"));
  expect(none.map(({ reason }) => reason)).toEqual(["body_schema_mismatch", "grpc_invalid", "grpc_invalid"]);
  expect(await call("/orders.v1.Orders/Secret", binary("Order", GOOD_ORDER))).toMatchObject([
    { code: "UNIMPLEMENTED" },
  ]);
});
