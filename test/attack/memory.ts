import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Held, holdEarlyBodies, holdHandshakes, holdIdle } from "../fixtures/memory-attack.ts";
import { createTestPki } from "../fixtures/pki.ts";

/** What one address without credentials can do to postern's memory, and the policy that it is done to. */

export const MEMORY_ATTACKS: Readonly<Record<string, (port: number) => Promise<Held>>> = {
  "4,900 silent connections": (port) => holdHandshakes(port, 4_900, "silent"),
  "4,900 handshakes without an end": (port) => holdHandshakes(port, 4_900, "hello"),
  "4,900 idle TLS connections": (port) => holdIdle(port, 4_900),
  "4,900 idle HTTP/2 connections": (port) => holdIdle(port, 4_900, "h2"),
  "100 HTTP/2 connections of 100 early bodies": (port) => holdEarlyBodies(port, 100, 16_000),
  "the same in crumbs": (port) => holdEarlyBodies(port, 100, 4_000, 40),
};

/** `limitMib`: what postern may hold, as the shipped manifest grants it. */
export async function memoryPolicy(app: number, limitMib: number) {
  const { server } = await createTestPki();
  return (port: number, admin: number, folder: string): string => {
    writeFileSync(join(folder, "server.pem"), server.certificate);
    writeFileSync(join(folder, "server.key"), server.key);
    return `version: 1
service: target
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
memory: { maxBytes: ${limitMib}MiB }
log: { access: off }
routes:
  - { path: /**, public: true }
`;
  };
}
