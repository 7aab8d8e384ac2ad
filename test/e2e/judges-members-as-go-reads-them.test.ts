// Goal: no member of a JSON body reaches Go under a name that the schema judges, but for the member that was judged.
// Method: POST to a real encoding/json behind a schema with role: user; each spelling is tried on the bare service first.
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
  - path: /users
    methods: [POST]
    public: true
    validate: { contentType: [application/json], body: { schema: user.json } }
`;
const schema = JSON.stringify({ type: "object", properties: { role: { enum: ["user"] }, task: { enum: ["read"] } } });

let service = 0;
let postern: Postern;
beforeAll(async () => {
  if (!hasRealService("go")) return;
  service = (await startRealService("go")).port;
  postern = await startPostern(service, policy, { "user.json": schema });
});
afterAll(closeAll);
beforeEach(({ skip }) => skip(!hasRealService("go"), "go is not installed"));

async function post(port: number, body: string): Promise<Partial<Understood> & { status: number; reason?: string }> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`http://127.0.0.1:${port}/users`, { method: "POST", headers, body });
  return { status: response.status, ...((await response.json()) as Partial<Understood>) };
}

test.for([
  ['{"role":"user","ROLE":"admin"}', "user as admin"],
  ['{"Role":"admin"}', "user as admin"],
  ['{"role":"user","rol\\u0045":"admin"}', "user as admin"],
  ['{"role":"user","ta\u017fk":"delete"}', "user as user who may delete"],
  ['{"role":"user","tas\u212a":"delete"}', "user as user who may delete"],
  ['{"role":"user","task":"read","TA\\u017f\\u212A":"delete"}', "user as user who may delete"],
] as const)("%s makes nobody more than a user", async ([body, handler]) => {
  expect(await post(service, body)).toMatchObject({ status: 200, handler });
  expect(await post(postern.port, body)).toMatchObject({ status: 422, reason: "body_schema_mismatch" });
});

test("the member itself is judged, and what Go takes for no member of these passes", async () => {
  const honest = '{"role":"user","task":"read","roles":"admin","r\u00f6le":"admin","deep":{"ROLE":"admin"}}';
  expect(await post(postern.port, honest)).toMatchObject({ status: 200, handler: "user as user who may read" });
  expect(await post(postern.port, '{"role":"admin"}')).toMatchObject({ status: 422, reason: "body_schema_mismatch" });
  expect((await post(postern.port, '{"role":"user","role":"admin"}')).status).toBe(400);
});
