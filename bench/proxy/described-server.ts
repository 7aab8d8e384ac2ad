/** Both contestants that enforce an OpenAPI document, a process each: `node bench/proxy/described-server.ts JSON`. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import express, { type ErrorRequestHandler, type Request } from "express";
import { middleware } from "express-openapi-validator";
import { type Document, OpenAPIBackend } from "openapi-backend";
import { Pool } from "undici";
import type { Ports } from "./contestant.ts";
import { DESCRIPTION } from "./described.ts";

const { name, ports } = JSON.parse(process.argv[2] ?? "") as { readonly name: string; readonly ports: Ports };
const pool = new Pool(`http://127.0.0.1:${ports.origin}`, { connections: 128 });

async function forward(
  request: IncomingMessage,
  url: string,
  body: Buffer | null,
  response: ServerResponse,
): Promise<void> {
  const { connection: _connection, authorization: _authorization, host = "", ...headers } = request.headers;
  const answer = await pool.request({
    method: (request.method ?? "GET") as "GET",
    path: url,
    headers: {
      ...headers,
      host,
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": host,
    },
    body,
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const type = answer.headers["content-type"];
  if (type !== undefined) response.setHeader("content-type", type);
  response.writeHead(answer.statusCode, { "content-length": bytes.length });
  response.end(bytes);
}

function serveExpress(): void {
  const app = express();
  const raw = new WeakMap<IncomingMessage, Buffer>();
  app.use(express.json({ limit: "2mb", verify: (request, _response, bytes) => raw.set(request, bytes) }));
  app.use(middleware({ apiSpec: DESCRIPTION as never, validateRequests: true, validateResponses: false }));
  app.use((request: Request, response) => forward(request, request.originalUrl, raw.get(request) ?? null, response));
  const refuse: ErrorRequestHandler = (error: { readonly status?: number }, _request, response, _next) => {
    response.status(error.status === 400 ? 422 : (error.status ?? 500)).end();
  };
  app.use(refuse);
  app.listen(ports.proxy, "127.0.0.1");
}

async function serveBackend(): Promise<void> {
  type Call = [request: IncomingMessage, body: Buffer | null, response: ServerResponse];
  const end =
    (status: number) =>
    (_context: unknown, ...[, , response]: Call) =>
      response.writeHead(status).end();
  const pass = (_context: unknown, ...[request, body, response]: Call) =>
    forward(request, request.url ?? "/", body, response);
  const operations = Object.values(DESCRIPTION.paths).flatMap(
    (path) => Object.values(path) as { operationId: string }[],
  );
  const api = new OpenAPIBackend({
    definition: DESCRIPTION as unknown as Document,
    handlers: {
      ...Object.fromEntries(operations.map(({ operationId }) => [operationId, pass])),
      notFound: end(404),
      methodNotAllowed: end(405),
      validationFail: end(422),
    },
  });
  await api.init();
  createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const bytes = chunks.length === 0 ? null : Buffer.concat(chunks);
      const { method = "GET", url = "/", headers } = request;
      const [path = "/", query = ""] = url.split("?", 2);
      const parts = { method, path, query, headers: headers as Record<string, string>, body: bytes?.toString() };
      api.handleRequest(parts, request, bytes, response).catch(() => response.writeHead(500).end());
    });
  }).listen(ports.proxy, "127.0.0.1");
}

if (name === "openapi-backend") await serveBackend();
else serveExpress();
