import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listen } from "../../fixtures/proxy.ts";

/**
 * The service that regression tests of answers expect: `POST /reflect` answers with the status, headers and body that its JSON
 * says; everything else is 200.
 */
export function startReflectingService(): Promise<number> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => answer(request, response, Buffer.concat(chunks)));
  });
  return listen(server);
}

function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  response.setHeader("Connection", "close");
  if (!(request.url ?? "").startsWith("/reflect")) {
    response.end();
    return;
  }
  let wanted: Record<string, unknown> = {};
  try {
    wanted = Object(JSON.parse(body.toString("utf8")));
  } catch {
    response.statusCode = 400;
  }
  if (typeof wanted["status"] === "number") response.statusCode = wanted["status"];
  for (const [name, value] of Object.entries(Object(wanted["headers"]))) response.setHeader(name, String(value));
  const encoded = wanted["encodedBody"];
  if (!response.hasHeader("content-type")) response.setHeader("Content-Type", "text/plain");
  response.end(typeof encoded === "string" ? Buffer.from(encoded, "base64") : String(wanted["body"] ?? ""));
}
