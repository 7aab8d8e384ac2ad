import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

const BODY_BYTES_MAX = 64 * 1024;
const HOST = "127.0.0.1";

/** A service that knows nothing of security: what the quick start puts behind postern. */
export interface SampleService {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on loopback; port 0 takes a free one. Rejects where the port is taken. */
export function startSampleService(port: number): Promise<SampleService> {
  const server = createServer((request, response) => void respond(request, response));
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, () => {
      server.off("error", reject);
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : port,
        close: () => close(server),
      });
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Every answer shows the request as it arrived, so that one sees what postern removed and added. */
async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", url: path = "/", headers } = request;
  const [status, answer] = business(method, path);
  let bodyBytes = 0;
  try {
    for await (const chunk of request) {
      bodyBytes += chunk.length;
      if (bodyBytes > BODY_BYTES_MAX) return void request.destroy();
    }
  } catch {
    return; // the client went away
  }
  const text = `${JSON.stringify({ ...answer, received: { method, path, headers, bodyBytes } }, null, 2)}\n`;
  // Two headers that say too much, as many frameworks send them.
  response.writeHead(status, { "content-type": "application/json", server: "sample/1.0", "x-powered-by": "sample" });
  response.end(text);
}

function business(method: string, path: string): readonly [status: number, answer: object] {
  if (path === "/health") return [200, { healthy: true }];
  const orderId = /^\/v1\/orders\/([^/?]+)$/.exec(path)?.[1];
  if (orderId !== undefined) return [200, { id: orderId, item: "lamp", quantity: 2, status: "shipped" }];
  if (path === "/v1/orders" && method === "POST") return [201, { id: 43, status: "accepted" }];
  return [200, {}];
}
