import { join } from "node:path";
import { type Contestant, OUTPUT_FILE } from "./contestant.ts";

/** What a Node team would take to enforce an OpenAPI document in front of a service. */
function validator(name: string): Contestant {
  return {
    name,
    refusesWithoutCertificate: "handshake",
    validates: true,
    accessLog: OUTPUT_FILE,
    missing: () => null,
    supports: ({ described, policy }) => described && policy === "forward",
    configure: (_workload, _world, ports) => ({
      file: process.execPath,
      args: [join(import.meta.dirname, "described-server.ts"), JSON.stringify({ name, ports })],
      env: { NODE_ENV: "production" },
    }),
  };
}

export const expressOpenapiValidator: Contestant = validator("express-openapi-validator");
export const openapiBackend: Contestant = validator("openapi-backend");
