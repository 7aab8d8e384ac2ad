import { type Compared, type Comparison, compare } from "../../src/comparison/compare.ts";
import { SchemaSource } from "../../src/comparison/schema-source.ts";
import { openTestWorld } from "../../src/rehearsal/test-world.ts";
import { type Files, fixedClock, policyWith, readerOf } from "../policy/policy-kit.ts";

export const AUTHENTICATORS = `authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [ES256] }
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
`;

/** Another that makes tokens. */
export const ENTRA = `  entra: { type: jwt, issuer: "https://login.example.org/", audience: [orders], algorithms: [ES256] }
`;

/** Two callers with one scope each, and one that is as the first. */
export const KEYS = `callers:
  - { name: acme, scopes: ["orders:read"], keys: [{ sha256: "${"a".repeat(64)}" }] }
  - { name: again, scopes: ["orders:read"], keys: [{ sha256: "${"b".repeat(64)}" }] }
  - { name: other, scopes: ["orders:write"], keys: [{ sha256: "${"c".repeat(64)}" }] }
`;

/** A listener that lets clients show a certificate, with files for it. */
export const MUTUAL =
  "{ name: inbound, address: 127.0.0.1:8443, tls: { certificate: server.pem, key: server.key, clientCertificate: { mode: optional, ca: ca.pem } } }";

export async function worldOf(
  rest: string,
  files: Files = { "keys.yaml": KEYS },
  head: Parameters<typeof policyWith>[1] = {},
): Promise<Compared> {
  const readFile = readerOf(policyWith(rest, head), files);
  const opened = await openTestWorld("conf/policy.yaml", {
    cwd: "/srv",
    readFile,
    clock: fixedClock,
    env: {},
    outline: "values",
  });
  if (!opened.ok) throw new Error(opened.error.map(({ place, text }) => `${place.line}: ${text}`).join("\n"));
  return { world: opened.value, schemas: new SchemaSource("/srv/conf", readFile) };
}

/** Without the rest of the policy, which both have. */
export async function compared(
  before: string,
  after: string,
  files: readonly [Files, Files] = [{}, {}],
  head: Parameters<typeof policyWith>[1] = {},
): Promise<Comparison> {
  const worlds = [
    await worldOf(before, { "keys.yaml": KEYS, ...files[0] }, head),
    await worldOf(after, { "keys.yaml": KEYS, ...files[1] }, head),
  ] as const;
  return compare(...worlds, fixedClock.wallMs());
}
