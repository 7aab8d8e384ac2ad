/** The fastify contestant, a process of its own: `node bench/proxy/fastify-server.ts JSON`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import httpProxy from "@fastify/http-proxy";
import jwt from "@fastify/jwt";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Ports } from "./contestant.ts";
import type { Workload } from "./workloads.ts";
import { AUDIENCE, DENIED_ADDRESS, ISSUER, SCOPE } from "./world.ts";

interface Settings {
  readonly workload: Workload;
  readonly folder: string;
  readonly ports: Ports;
}

const { workload, folder, ports } = JSON.parse(process.argv[2] ?? "") as Settings;
const read = (name: string): Buffer => readFileSync(join(folder, name));
const isFull = workload.policy === "full";

const tls = {
  cert: read("server.pem"),
  key: read("server.key"),
  ca: read("ca.pem"),
  requestCert: true,
  rejectUnauthorized: true,
  minVersion: "TLSv1.3",
} as const;

const app = (
  workload.transport === "plain" ? fastify({ logger: false }) : fastify({ logger: false, https: tls })
) as FastifyInstance;

if (isFull) await protect(app);

await app.register(httpProxy, {
  upstream: `http://127.0.0.1:${ports.origin}`,
  prefix: isFull ? "/v1/orders" : "/",
  rewritePrefix: isFull ? "/v1/orders" : "/",
  undici: { connections: 128, pipelining: 1 },
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      host: request.headers.host,
      authorization: undefined,
      "x-forwarded-for": request.ip,
      "x-forwarded-proto": workload.transport === "plain" ? "http" : "https",
      "x-forwarded-host": request.headers.host,
    }),
    rewriteHeaders: ({ server: _server, "x-powered-by": _poweredBy, ...headers }) =>
      isFull
        ? {
            ...headers,
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "no-referrer",
            "cache-control": "no-store",
            "strict-transport-security": "max-age=31536000",
          }
        : headers,
  },
});

/** The rules that postern's full policy states, in the same order. */
async function protect(server: FastifyInstance): Promise<void> {
  server.addHook("onRequest", async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.ip === DENIED_ADDRESS || request.ip.startsWith("203.0.113.")) await reply.code(403).send();
  });
  await server.register(rateLimit, { max: 900_000, timeWindow: 1000 });
  await server.register(jwt, {
    secret: { public: read("jwt.pem").toString() },
    verify: { algorithms: ["RS256"], allowedIss: ISSUER, allowedAud: AUDIENCE, requiredClaims: ["exp"], cache: true },
  });
  server.addHook("preHandler", async (request: FastifyRequest, reply: FastifyReply) => {
    try {
      const claims = await request.jwtVerify<{ scope?: string }>();
      if (!(claims.scope ?? "").split(" ").includes(SCOPE)) await reply.code(403).send();
    } catch {
      if (!reply.sent) await reply.code(401).send();
    }
  });
}

await app.listen({ host: "127.0.0.1", port: ports.proxy });
