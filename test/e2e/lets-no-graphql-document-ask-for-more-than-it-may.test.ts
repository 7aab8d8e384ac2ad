// Goal: graphql-js executes no document that the policy would refuse, however it is sent, and honest clients are served.
// Method: express with graphql-js behind postern, which takes documents from query and body as its old middleware did; each
// attack is tried on the bare service first.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import express from "express";
import { buildSchema, getIntrospectionQuery, graphql } from "graphql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll, listen } from "../fixtures/proxy.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: shop
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
routes:
  - path: /graphql
    methods: [POST, GET]
    public: true
    validate: { graphql: { depth: 5, aliases: 4, complexity: 500, methods: [POST, GET], persisted: remember, batch: 3 } }
  - path: /known
    methods: [POST]
    public: true
    validate: { graphql: { operations: known.json } }
`;

const schema = buildSchema(`
  type Query { me: User users(first: Int): [User] }
  type Mutation { pay(sum: Int): Int }
  type User { name: String friends(first: Int): [User] }
`);
const user = (): object => ({
  name: "ada",
  friends: ({ first }: { first: number }) => Array.from({ length: first }, user),
});
const rootValue = {
  me: user,
  users: ({ first }: { first: number }) => Array.from({ length: Math.min(first, 1_000) }, user),
  pay: ({ sum }: { sum: number }) => sum,
};

interface Wanted {
  readonly query?: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
}

const stored = new Map<string, string>();

async function startShop(): Promise<number> {
  const app = express();
  app.use(express.json({ type: ["application/json", "application/graphql+json"] }));
  app.use(express.text({ type: "text/plain" }));
  app.all(["/graphql", "/known"], async (request, response) => {
    const body = (typeof request.body === "string" ? JSON.parse(request.body) : (request.body ?? {})) as unknown;
    const list = Array.isArray(body) ? (body as Wanted[]) : [body as Wanted];
    const answers = await Promise.all(list.map((one) => run({ ...one, ...(request.query as Wanted) })));
    response.json(Array.isArray(body) ? answers : answers[0]);
  });
  const server = createServer(app);
  return listen(server);
}

function run(wanted: Wanted & { readonly extensions?: { persistedQuery?: { sha256Hash: string } } }): Promise<object> {
  const hash = wanted.extensions?.persistedQuery?.sha256Hash;
  if (hash !== undefined && wanted.query !== undefined) stored.set(hash, wanted.query);
  const source = wanted.query ?? stored.get(hash ?? "") ?? "";
  const { variables, operationName } = wanted;
  return graphql({ schema, source, rootValue, variableValues: variables ?? {}, operationName: operationName ?? null });
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Record<string, unknown> & { readonly errors?: readonly { message: string; extensions: object }[] };
}

async function post(
  port: number,
  body: unknown,
  { path = "/graphql", type = "application/json", accept = "*/*" } = {},
) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "content-type": type, accept };
  return answerOf(await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers, body: text }));
}

async function answerOf(response: Response): Promise<Answer> {
  const type = response.headers.get("content-type") ?? "";
  return { status: response.status, type, body: (await response.json()) as Answer["body"] };
}

const known = "query Me { me { name } }";
let bare = 0;
let postern: Postern;
beforeAll(async () => {
  bare = await startShop();
  postern = await startPostern(bare, policy, { "known.json": JSON.stringify([known]) });
});
afterAll(closeAll);

const deep = "{me{friends(first:1){friends(first:1){friends(first:1){friends(first:1){name}}}}}}";

describe("what graphql-js would execute and the policy refuses", () => {
  test.for<[what: string, body: unknown, reason: string, options?: { path?: string; type?: string }]>([
    ["a deep document", { query: deep }, "graphql_too_costly"],
    [
      "a deep one in fragments",
      {
        query:
          "{me{...F}} fragment F on User{friends(first:1){...G}} fragment G on User{friends(first:1){friends(first:1){friends(first:1){name}}}}",
      },
      "graphql_too_costly",
    ],
    ["a long list", { query: "{users(first:1000){name}}" }, "graphql_too_costly"],
    [
      "one of a variable",
      { query: "query($n:Int){users(first:$n){name}}", variables: { n: 1000 } },
      "graphql_too_costly",
    ],
    ["one of a variable's default", { query: "query($n:Int=1000){users(first:$n){name}}" }, "graphql_too_costly"],
    ["many aliases", { query: "{a:me{name} b:me{name} c:me{name} d:me{name} e:me{name}}" }, "graphql_too_costly"],
    [
      "aliases over a batch",
      [{ query: "{a:me{name} b:me{name}}" }, { query: "{a:me{name} b:me{name} c:me{name}}" }],
      "graphql_too_costly",
    ],
    ["the schema", { query: getIntrospectionQuery() }, "graphql_introspection"],
    ["the schema by another name", { query: "{x:__schema{types{name}}}" }, "graphql_introspection"],
    [
      "a deep document in the URL",
      { query: "{me{name}}" },
      "graphql_invalid",
      { path: `/graphql?query=${encodeURIComponent(deep)}` },
    ],
    ["a deep document as plain text", { query: deep }, "content_type_unsupported", { type: "text/plain" }],
    [
      "one that is not known",
      { query: "query Me { me { friends(first: 1) { name } } }" },
      "graphql_operation_denied",
      { path: "/known" },
    ],
  ])("%s", async ([, body, reason, options]) => {
    const executed = await post(bare, body, options);
    expect(JSON.stringify(executed.body)).toContain('"data":{');
    expect((await post(postern.port, body, options)).body).toMatchObject({ reason });
  });

  test("a mutation by a link", async () => {
    const path = `/graphql?query=${encodeURIComponent("mutation{pay(sum:7)}")}`;
    expect((await answerOf(await fetch(`http://127.0.0.1:${bare}${path}`))).body).toEqual({ data: { pay: 7 } });
    const answer = await answerOf(await fetch(`http://127.0.0.1:${postern.port}${path}`));
    expect(answer).toMatchObject({ status: 403, body: { reason: "graphql_operation_denied" } });
  });

  test("a hash of what the service has in its cache", async () => {
    const extensions = { persistedQuery: { version: 1, sha256Hash: createHash("sha256").update(deep).digest("hex") } };
    await post(bare, { query: deep, extensions });
    expect((await post(bare, { extensions })).body).toHaveProperty("data.me");
    expect((await post(postern.port, { extensions })).body.errors?.[0]?.message).toBe("PersistedQueryNotFound");
    expect((await post(postern.port, { query: deep, extensions })).body).toMatchObject({
      reason: "graphql_too_costly",
    });
  });
});

describe("honest clients", () => {
  test("get their answers, by POST, by GET and in a list", async () => {
    const query = "query Q($n:Int!){users(first:$n){name ...F}} fragment F on User{friends(first:2){name}}";
    const body = { query, operationName: "Q", variables: { n: 3 } };
    expect((await post(postern.port, body)).body).toHaveProperty("data.users.length", 3);
    expect((await post(postern.port, [{ query: known }, { query: known }])).body).toHaveLength(2);
    const parameters = new URLSearchParams({ query: known, operationName: "Me" });
    const answer = await answerOf(await fetch(`http://127.0.0.1:${postern.port}/graphql?${parameters}`));
    expect(answer.body).toEqual({ data: { me: { name: "ada" } } });
    expect((await post(postern.port, { query: known }, { path: "/known" })).status).toBe(200);
    expect((await post(postern.port, { query: "mutation{pay(sum:7)}" })).body).toEqual({ data: { pay: 7 } });
  });

  test("with persisted queries are asked for the document once, as Apollo's link expects it", async () => {
    const query = "{me{name}}";
    const extensions = { persistedQuery: { version: 1, sha256Hash: createHash("sha256").update(query).digest("hex") } };
    const first = await post(postern.port, { extensions });
    expect(first).toMatchObject({ status: 404, type: "application/json" });
    expect(first.body.errors).toMatchObject([
      { message: "PersistedQueryNotFound", extensions: { code: "PERSISTED_QUERY_NOT_FOUND" } },
    ]);
    expect((await post(postern.port, { query, extensions })).status).toBe(200);
    expect((await post(postern.port, { extensions })).body).toEqual({ data: { me: { name: "ada" } } });
  });

  test("hear of a refusal in the form that they accept", async () => {
    const accept = "application/graphql-response+json, application/json;q=0.9";
    const refused = await post(postern.port, { query: deep }, { accept });
    expect(refused).toMatchObject({ status: 400, type: "application/graphql-response+json" });
    expect(refused.body).toMatchObject({
      errors: [{ message: expect.stringContaining("depth of at most 5"), extensions: { code: "GRAPHQL_TOO_COSTLY" } }],
    });
    expect(refused.body).not.toHaveProperty("data");
    const elsewhere = await post(postern.port, {}, { accept, path: "/nowhere" });
    expect(elsewhere.body.errors).toMatchObject([{ extensions: { reason: "route_not_found", status: 404 } }]);
    const problem = await post(postern.port, { query: deep }, { accept: "application/graphql-response+json;q=0" });
    expect(problem).toMatchObject({ type: "application/problem+json", body: { errors: [{ keyword: "depth" }] } });
    const line = await postern.logged((entry) => entry["reason"] === "graphql_too_costly");
    expect(line).toMatchObject({
      seen: "depth 6",
      wanted: "depth of at most 5",
      rule: "routes[0].validate.graphql.depth",
    });
  });
});
