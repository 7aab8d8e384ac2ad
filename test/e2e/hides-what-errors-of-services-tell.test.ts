// Goal: no stack trace, no SQL and no page of a framework leaves with an error of the service; its status does, and the id by
// which the log has it. Method: a service that answers with such pages, plain, in gzip and in chunks, over HTTP/1.1 and HTTP/2, and
// frameworks that make theirs.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ClientHttp2Session } from "node:http2";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import { type PolicyPorts, type Postern, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { hasRealService, type RealServiceKind, startRealService } from "../fixtures/real-service.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: orders
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', protocols: [h2c, http/1.1], upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
log: { access: all }
defaults:
  response: { errors: problem }
routes:
  - { public: true, path: /fields/**, response: { fields: { allow: [$.id] } } }
  - { public: true, path: /judged/**, response: { validate: { responses: { 200: {}, 5XX: { content: { '*/*': {} } } } } } }
  - { public: true, path: /tried/**, response: { errors: { mode: audit } } }
  - { public: true, path: /own/**, response: { errors: { template: '{"failed":"{id}"}' } } }
  - { public: true, path: /** }
`;

const PAGE = 'Traceback (most recent call last): psycopg2.errors.SyntaxError: at or near "secret_table"';

function answer({ url = "", method, headers }: IncomingMessage, response: ServerResponse): boolean {
  const status = Number(/\d+/.exec(url)?.[0] ?? 500);
  const coded = url.includes("gzip");
  response.writeHead(status, {
    "Content-Type": "text/html",
    ETag: '"secret_table"',
    "Retry-After": "7",
    ...(coded ? { "Content-Encoding": "gzip" } : {}),
    ...(url.includes("trailers") && method !== "HEAD" ? { Trailer: "X-Trace" } : {}),
    ...(headers.range === undefined ? {} : { "X-Range": headers.range }),
  });
  if (method === "HEAD") response.end();
  else if (url.includes("empty")) response.end();
  else {
    const body = coded ? gzipSync(PAGE) : Buffer.from(PAGE);
    response.write(body.subarray(0, 9));
    if (url.includes("trailers")) response.addTrailers({ "X-Trace": "secret_table" });
    response.end(body.subarray(9));
  }
  return true;
}

afterAll(closeAll);

describe("a service that tells too much", () => {
  let postern: Postern;
  let session: ClientHttp2Session;
  beforeAll(async () => {
    postern = await startPostern((await startService(answer)).port, policy);
    session = openH2(postern.port);
  });
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${postern.port}${path}`, init);

  test.each(["/500", "/503/gzip", "/404/empty", "/400/trailers", "/fields/500", "/judged/500", "/judged/502/gzip"])(
    "%s is a problem document with the service's status",
    async (path) => {
      const status = Number(/\d+/.exec(path)?.[0]);
      const response = await ask(path);
      expect([response.status, response.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
      expect(response.headers.get("retry-after")).toBe("7");
      for (const name of ["etag", "content-encoding"]) expect(response.headers.get(name)).toBeNull();
      const problem = (await response.json()) as { id: string };
      expect(problem).toEqual({ type: "about:blank", title: expect.any(String), status, id: expect.any(String) });
      await postern.logged((line) => line["id"] === problem.id && line["status"] === status);
      const h2 = await askH2(session, { ":path": path });
      expect([h2.status, h2.resetCode]).toEqual([status, 0]);
      expect(JSON.parse(h2.body)).toMatchObject({ type: "about:blank", status });
      const head = await ask(path, { method: "HEAD" });
      expect([head.status, head.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
      expect(head.headers.get("etag")).toBeNull();
    },
  );

  test("answers that are no errors leave as they came, parts of them too", async () => {
    const response = await ask("/206", { headers: { range: "bytes=0-" } });
    expect([response.status, response.headers.get("x-range"), await response.text()]).toEqual([206, "bytes=0-", PAGE]);
    expect(await (await ask("/200/gzip")).text()).toBe(PAGE);
  });

  test("a template stands in place of it, and what is only tried is noted", async () => {
    expect(await (await ask("/own/500")).json()).toEqual({ failed: expect.any(String) });
    const tried = await ask("/tried/500");
    expect([tried.headers.get("content-type"), await tried.text()]).toEqual(["text/html", PAGE]);
    const line = await postern.logged((one) => one["path"] === "/tried/500");
    expect(JSON.stringify(line)).toContain("response_denied");
  });
});

describe.for(["express", "gunicorn+flask", "php"] as const satisfies readonly RealServiceKind[])("%s", (kind) => {
  let postern: Postern;
  beforeAll(async () => {
    if (!hasRealService(kind)) return;
    postern = await startPostern((await startRealService(kind)).port, policy);
  });
  beforeEach(({ skip }) => skip(!hasRealService(kind), `${kind} is not installed`));

  test("shows none of its own pages of errors", async () => {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: "{" };
    for (const response of [
      await fetch(`http://127.0.0.1:${postern.port}/users`, init),
      await fetch(`http://127.0.0.1:${postern.port}/%ff/../nothing.php`),
    ]) {
      const text = await response.text();
      expect(text).not.toMatch(/<html|<pre|<br|Error:|\.(?:js|ts|py|php):\d+/i);
      if (response.status < 400) continue;
      expect(JSON.parse(text)).toMatchObject({ status: response.status });
    }
  });
});
