import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { policyWith } from "../policy/policy-kit.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export interface Told {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A folder with these files, and what `postern` says there. */
export function folderWith(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "postern-tests-"));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const postern = async (...args: readonly string[]): Promise<Told> => {
    const told = { out: "", err: "" };
    const code = await main(args, {
      stdout: (text) => {
        told.out += text;
      },
      stderr: (text) => {
        told.err += text;
      },
      cwd: folder,
      clock: systemClock,
    });
    return { code, ...told };
  };
  return { folder, postern };
}

/** SHA-256 of `pk_0123456789abcdef0123456789`. */
export const KEY = "pk_0123456789abcdef0123456789";

/** Routes and callers that the tests of tests are about; `tests` is the value of the section. */
export function ordersWith(tests: string): string {
  return policyWith(`authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [ES256] }
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
limits:
  tight: { rate: 1/minute, burst: 2, key: principal }
  daily: { quota: 3/day, key: principal }
  waits: { rate: 2/minute, burst: 1, key: principal, throttle: { timeout: 60s } }
bans:
  guessing: { on: [api_key_unknown], times: 2/minute, key: client.address, for: 5m }
routes:
  - { path: /health, methods: [GET], public: true }
  - path: "/orders/{id}"
    methods: [GET]
    authenticate: [okta, partners]
    authorize: { scopes: ["orders:read"] }
    limit: [tight, daily]
  - path: /orders
    methods: [POST]
    authenticate: [okta]
    validate: { body: { schema: order.json } }
  - { path: /slow, methods: [GET], authenticate: [partners], limit: [waits] }
tests:
${tests}`);
}
