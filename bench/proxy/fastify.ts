import { join } from "node:path";
import { type Contestant, OUTPUT_FILE } from "./contestant.ts";

/** What a Node team would put together from well-kept plugins: @fastify/http-proxy, @fastify/jwt, @fastify/rate-limit. */
export const fastify: Contestant = {
  name: "fastify",
  refusesWithoutCertificate: "handshake",
  validates: false,
  accessLog: OUTPUT_FILE,
  missing: () => null,
  supports: ({ protocol, routes, work, accessLog, fields, searched }) =>
    protocol === "http/1.1" && routes === 1 && work === "get" && !accessLog && !fields && searched === null,
  configure: (workload, world, ports) => ({
    file: process.execPath,
    args: [join(import.meta.dirname, "fastify-server.ts"), JSON.stringify({ workload, folder: world.folder, ports })],
    env: { NODE_ENV: "production" },
  }),
};
