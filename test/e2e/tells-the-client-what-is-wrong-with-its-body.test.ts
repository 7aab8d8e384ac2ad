// Goal: a body that does not fit is refused, its sender hears all that is wrong with it, and the log names the schema's lines;
// and no member reaches a Go service under a name that the schema judges, but for the member that was judged.
// Method: POST to a plain service, and to a real one whose encoding/json takes names in any case, which is tried bare first.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { hasRealService, startRealService, type Understood } from "../fixtures/real-service.ts";

const policy =
  (more = "") =>
  ({ port, app }: PolicyPorts): string =>
    `
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
    validate: { body: { schema: user.json${more} } }
  - path: /quiet
    methods: [POST]
    public: true
    validate: { body: { schema: user.json }, errors: hidden }
`;
const schema = `{
  "type": "object",
  "required": ["role"],
  "properties": {
    "role": { "enum": ["user"] },
    "größe": { "type": "integer" }
  }
}`;
const files = { "user.json": schema };

interface Answer extends Partial<Understood> {
  readonly status: number;
  readonly reason?: string;
  readonly errors?: readonly { readonly pointer: string; readonly keyword: string; readonly detail: string }[];
}

async function post(port: number, body: string, path = "/users"): Promise<Answer> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers, body });
  return { ...((await response.json()) as Answer), status: response.status };
}

afterAll(closeAll);

describe("what is wrong", () => {
  let service: Service;
  let postern: Postern;
  beforeAll(async () => {
    service = await startService();
    postern = await startPostern(service.port, policy(), files);
  });

  test("is listed for the client without its values, and for the log with the lines", async () => {
    const answer = await post(postern.port, '{"größe":"secret","role":"boss"}');
    expect(answer).toMatchObject({ status: 422, reason: "body_schema_mismatch" });
    expect(answer.errors).toEqual([
      { pointer: "/größe", keyword: "type", detail: "expected integer" },
      { pointer: "/role", keyword: "enum", detail: 'expected "user"' },
    ]);
    const line = await postern.logged((entry) => entry["reason"] === "body_schema_mismatch");
    expect(line["seen"]).toBe("body /gr\\u00f6\\u00dfe type and 1 more");
    expect(line["faults"]).toEqual([expect.stringContaining("type (user.json:6:16)"), "/role enum (user.json:5:15)"]);
    expect(service.arrived).toEqual([]);
  });

  test("is kept from the client where the policy says so", async () => {
    const answer = await post(postern.port, "{}", "/quiet");
    expect(answer).toMatchObject({ status: 422, reason: "body_schema_mismatch" });
    expect(answer).not.toHaveProperty("errors");
  });

  test("in a body of a megabyte is found while others are answered, and a right one arrives whole", async () => {
    const text = (role: string) =>
      JSON.stringify({ role, more: Array.from({ length: 60_000 }, (_, at) => `item ${at}`) });
    const [wrong, right, small] = await Promise.all([
      post(postern.port, text("boss")),
      post(postern.port, text("user")),
      post(postern.port, '{"role":"user"}'),
    ]);
    expect([wrong.status, right.status, small.status]).toEqual([422, 200, 200]);
    expect(service.arrived.map(({ body }) => body.length).sort((a, b) => a - b)).toEqual([15, text("user").length]);
  });
});

describe.skipIf(!hasRealService("go"))("a service in Go", () => {
  let bare = 0;
  let guarded: Postern;
  let trusting: Postern;
  beforeAll(async () => {
    bare = (await startRealService("go")).port;
    guarded = await startPostern(bare, policy(), files);
    trusting = await startPostern(bare, policy(", members: caseSensitive"), files);
  });

  test.for(['{"role":"user","ROLE":"admin"}', '{"role":"user","Role":"admin"}', '{"role":"user","rolE":"admin"}'])(
    "%s makes nobody an admin",
    async (body) => {
      expect(await post(bare, body)).toMatchObject({ status: 200, handler: "user as admin" });
      const answer = await post(guarded.port, body);
      expect(answer).toMatchObject({ status: 422, errors: [{ keyword: "memberCase" }] });
      expect(await post(trusting.port, body)).toMatchObject({ status: 200, handler: "user as admin" });
    },
  );

  test("honest bodies pass, other members with them", async () => {
    const body = '{"role":"user","Name":"x","tags":{"ROLE":1,"role":2}}';
    expect(await post(guarded.port, body)).toMatchObject({ status: 200, handler: "user as user" });
  });
});
