import { join } from "node:path";
import type { Contestant } from "./contestant.ts";

/** What a Node team would put together from well-kept plugins: @fastify/http-proxy, @fastify/jwt, @fastify/rate-limit. */
export const fastify: Contestant = {
  name: "fastify",
  refusesWithoutCertificate: "handshake",
  missing: () => null,
  supports: (workload) => workload.protocol === "http/1.1" && workload.routes === 1,
  configure: (workload, world, ports) => ({
    file: process.execPath,
    args: [join(import.meta.dirname, "fastify-server.ts"), JSON.stringify({ workload, folder: world.folder, ports })],
    env: { NODE_ENV: "production" },
  }),
};
