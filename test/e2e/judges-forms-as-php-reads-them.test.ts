// Goal: no field of a form reaches PHP under a name that the schema judges, but for the field that was judged.
// Method: POST to a real PHP behind a schema with role: user; each spelling is tried on the bare service first.
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
    validate: { contentType: [application/x-www-form-urlencoded], body: { schema: user.json } }
`;
const schema = JSON.stringify({ type: "object", properties: { user_role: { enum: ["user"] } } });

let service = 0;
let postern: Postern;
beforeAll(async () => {
  if (!hasRealService("php")) return;
  service = (await startRealService("php")).port;
  postern = await startPostern(service, policy, { "user.json": schema });
});
afterAll(closeAll);
beforeEach(({ skip }) => skip(!hasRealService("php"), "php is not installed"));

async function post(port: number, body: string): Promise<Partial<Understood> & { status: number; reason?: string }> {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const response = await fetch(`http://127.0.0.1:${port}/users`, { method: "POST", headers, body });
  return { status: response.status, ...((await response.json()) as Partial<Understood>) };
}

test.for([
  "user[role=admin",
  "user.role=admin",
  "user role=admin",
  "user+role=admin",
  " user_role=admin",
  "user_role%00x=admin",
  "user%5Brole=admin",
])("%s makes nobody an admin", async (field) => {
  expect(await post(service, field)).toMatchObject({ status: 200, handler: "user as admin" });
  expect(await post(postern.port, `user_role=user&${field}`)).toMatchObject({ status: 400, reason: "body_not_form" });
});

test("the field itself is judged, and passes where it fits", async () => {
  expect(await post(postern.port, "user_role=user&text=a%3Bb")).toMatchObject({ status: 200, handler: "user as user" });
  expect(await post(postern.port, "user_role=admin")).toMatchObject({ status: 422, reason: "body_schema_mismatch" });
  expect(await post(postern.port, "user_role=user&user_role=admin")).toMatchObject({ status: 422 });
});
