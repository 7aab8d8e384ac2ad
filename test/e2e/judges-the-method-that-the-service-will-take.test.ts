// Goal: a parameter that names another method does not get past a policy that denies that method.
// Method: real frameworks that read one, behind a policy with POST but without DELETE on /items; each spelling is tried on
// the bare service first where that shows that it works there.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { hasRealService, type RealServiceKind, startRealService, type Understood } from "../fixtures/real-service.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: items
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
routes:
  - { path: '/items/{id}', methods: [POST], public: true }
`;
const withDelete = (ports: PolicyPorts): string => policy(ports).replace("[POST]", "[POST, DELETE]");
const readsNone = (ports: PolicyPorts): string =>
  policy(ports).replace("public: true", "public: true, request: { methodParameters: [] }");

interface Answer {
  readonly status: number;
  readonly handler: string | undefined;
  readonly reason: string | undefined;
}

async function post(port: number, query: string, body?: string, type?: string): Promise<Answer> {
  const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
  const response = await fetch(`http://127.0.0.1:${port}/items/1${query}`, {
    method: "POST",
    headers,
    body: body ?? "",
  });
  const text = await response.text();
  const json: Partial<Understood> & { reason?: string } = text.startsWith("{") ? JSON.parse(text) : {};
  return { status: response.status, handler: json.handler, reason: json.reason };
}

const REFUSED = { status: 400, handler: undefined, reason: "method_overridden" };
const UPDATED = { status: 200, handler: "update item", reason: undefined };
const DELETED = { status: 200, handler: "delete item", reason: undefined };

/** Queries by which the service takes the request for a DELETE. */
const QUERIES = {
  express: ["?_method=DELETE", "?%5fmethod=delete", "?a=1&_method=DELETE&_method=POST"],
  php: ["?_method=DELETE", "?.method=delete", "?_method%00x=DELETE", "?+_method=DELETE"],
} as const satisfies Partial<Record<RealServiceKind, readonly string[]>>;

describe.for(Object.entries(QUERIES) as [RealServiceKind, readonly string[]][])("%s", ([kind, queries]) => {
  let service = 0;
  let postern: Postern;
  beforeAll(async () => {
    if (!hasRealService(kind)) return;
    service = (await startRealService(kind)).port;
    postern = await startPostern(service, policy);
  }, 60_000);
  afterAll(closeAll);

  test.for(queries)("POST %s", async (query, { skip }) => {
    skip(!hasRealService(kind), `${kind} is not installed`);
    expect(await post(service, query)).toEqual(DELETED);
    expect(await post(postern.port, query)).toEqual(REFUSED);
  });

  test("a method of the same route, its own method and no method pass", async ({ skip }) => {
    skip(!hasRealService(kind), `${kind} is not installed`);
    for (const query of ["?_method=POST", "?q=_method%3DDELETE"]) {
      expect(await post(postern.port, query)).toEqual(UPDATED);
    }
    expect((await post(postern.port, "?_method=")).reason).toBeUndefined();
    const both = await startPostern(service, withDelete);
    expect(await post(both.port, "?_method=DELETE")).toEqual(DELETED);
    const none = await startPostern(service, readsNone);
    expect((await post(none.port, "?_method=DELETE")).reason).toBeUndefined();
  });

  test("the log says which method was named, and the way out", async ({ skip }) => {
    skip(!hasRealService(kind), `${kind} is not installed`);
    await post(postern.port, "?_method=purge");
    const line = await postern.logged(({ seen }) => typeof seen === "string" && seen.includes("PURGE"));
    expect(line).toMatchObject({ reason: "method_overridden", rule: "routes[0]" });
    expect(line["wanted"]).toContain("methodParameters");
  });
});
