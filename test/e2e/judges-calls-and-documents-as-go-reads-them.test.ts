// Goal: Go's decoders call no method and believe no element that the policy would refuse.
// Method: POST to a real encoding/json and encoding/xml; each attack is tried on the bare service first.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { hasRealService, startRealService, type Understood } from "../fixtures/real-service.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: users
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
routes:
  - path: /rpc
    methods: [POST]
    public: true
    validate: { jsonrpc: { methods: [ping, 'orders.*'] } }
  - path: /xml
    methods: [POST]
    public: true
    validate: { xml: {} }
`;

let service = 0;
let postern: Postern;
beforeAll(async () => {
  if (!hasRealService("go")) return;
  service = (await startRealService("go")).port;
  postern = await startPostern(service, policy);
});
afterAll(closeAll);
beforeEach(({ skip }) => skip(!hasRealService("go"), "go is not installed"));

async function post(
  port: number,
  path: "/rpc" | "/xml",
  body: string,
): Promise<Partial<Understood> & { reason?: string }> {
  const headers = { "content-type": path === "/rpc" ? "application/json" : "application/xml" };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers, body });
  const answer = (await response.json()) as Partial<Understood> & { error?: { data: { reason: string } } };
  // A refused call is answered as a call.
  return answer.error?.data ?? answer;
}

test.for<[path: "/rpc" | "/xml", body: string, handler: string, reason: string]>([
  ["/rpc", '{"jsonrpc":"2.0","method":"ping","METHOD":"shutdown","id":1}', "call of shutdown", "jsonrpc_invalid"],
  ["/rpc", '{"jsonrpc":"2.0","method":"ping","method":"shutdown","id":1}', "call of shutdown", "jsonrpc_invalid"],
  ["/rpc", '{"jsonrpc":"2.0","method":"shutdown","id":1}{"method":"ping"}', "call of shutdown", "jsonrpc_invalid"],
  ["/rpc", '{"jsonrpc":"2.0","method":"shutdown","id":1}', "call of shutdown", "jsonrpc_method_denied"],
  ["/xml", "<user><x:role>admin</x:role></user>", "user as admin", "body_not_xml"],
  ["/xml", "<user><role>admin</role></user><user><role>user</role></user>", "user as admin", "body_not_xml"],
  ["/xml", "<!DOCTYPE user><user><role>admin</role></user>", "user as admin", "xml_construct_denied"],
])("%s %s", async ([path, body, handler, reason]) => {
  expect(await post(service, path, body)).toMatchObject({ handler });
  expect(await post(postern.port, path, body)).toMatchObject({ reason });
});

test("honest calls and documents arrive", async () => {
  const call = '{"jsonrpc":"2.0","method":"orders.create","params":{"METHOD":"x"},"id":"7"}';
  expect(await post(postern.port, "/rpc", call)).toMatchObject({ handler: "call of orders.create" });
  const document = '<?xml version="1.0" encoding="utf-8"?><user xmlns="urn:u"><role>user</role></user>';
  expect(await post(postern.port, "/xml", document)).toMatchObject({ handler: "user as user" });
});
