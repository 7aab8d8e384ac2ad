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
  - path: /users/{id}
    methods: [GET]
    public: true
    validate:
      path: { id: { type: integer } }
      query: { limit: { type: integer, maximum: 100 }, sort: { enum: [name, age] } }
  - path: /pets
    methods: [POST]
    public: true
    validate: { body: { schema: pet.json, dialect: openapi-3.0 } }
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
/** As an OpenAPI 3.0 document has it. */
const pet = `{
  "type": "object",
  "required": ["name"],
  "properties": {
    "name": { "type": "string", "nullable": true, "example": "Rex" },
    "weight": { "type": "number", "minimum": 0, "exclusiveMinimum": true },
    "photo": { "type": "string", "format": "byte" }
  }
}`;
const files = { "user.json": schema, "pet.json": pet };

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

  test("in parameters is listed by their names, with the lines of the policy in the log", async () => {
    const response = await fetch(`http://127.0.0.1:${postern.port}/users/7?limit=1000&sort=secret`);
    expect(await response.json()).toMatchObject({
      status: 422,
      reason: "parameter_invalid",
      errors: [
        { in: "query", name: "limit", pointer: "", keyword: "maximum", detail: "expected at most 100" },
        { in: "query", name: "sort", pointer: "", keyword: "enum", detail: 'expected one of "name", "age"' },
      ],
    });
    const line = await postern.logged((entry) => entry["reason"] === "parameter_invalid");
    expect(line["faults"]).toEqual([
      expect.stringMatching(/^query limit: \/ maximum \(.*policy\.yaml:18:\d+\)$/),
      expect.stringMatching(/^query sort: \/ enum \(.*policy\.yaml:18:\d+\)$/),
    ]);
  });

  test("is judged as OpenAPI 3.0 means it where the policy says so", async () => {
    expect(await post(postern.port, '{"name":null,"weight":0.5,"photo":"aGk="}', "/pets")).toMatchObject({
      status: 200,
    });
    const answer = await post(postern.port, '{"name":1,"weight":0,"photo":"?"}', "/pets");
    expect(answer.errors).toEqual([
      { pointer: "/name", keyword: "type", detail: "expected null or string" },
      { pointer: "/weight", keyword: "exclusiveMinimum", detail: "expected more than 0" },
      { pointer: "/photo", keyword: "format", detail: "expected text of format byte" },
    ]);
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
    expect(service.arrived.map(({ body }) => body.length)).toEqual(expect.arrayContaining([15, text("user").length]));
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
