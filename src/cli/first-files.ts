import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { createDevelopmentCa } from "./development-ca.ts";
import { keySetOf } from "./development-token.ts";

/** Of what `init` writes, what its other forms read again. */
export const FILES = {
  ca: "tls/ca.crt",
  caKey: "development/ca.key",
  issuerKey: "development/issuer.key",
  claims: "development/claims.json",
} as const;

export const CERTIFICATE_DAYS = 90;
export const FIRST_CALLER = "first-caller";
const API_KEY_BYTES = 32;
const SERVICE = "my-service";
const ISSUER = "https://issuer.example.org/";

/** A file that is to be: its name below the folder, and whether others may read it. */
export interface NewFile {
  readonly name: string;
  readonly content: string;
  readonly secret: boolean;
}

export interface FirstFiles {
  readonly files: readonly NewFile[];
  /** Stands in none of them. */
  readonly apiKey: string;
}

/** What a client identifies itself with, under the names that a Kubernetes Secret of type tls has. */
export function clientFiles(name: string, { certificate, key }: { certificate: string; key: string }): NewFile[] {
  return [
    { name: `clients/${name}/tls.crt`, content: certificate, secret: false },
    { name: `clients/${name}/tls.key`, content: key, secret: true },
  ];
}

/** SPIFFE ID of a development client. */
export function spiffeIdOf(client: string): string {
  return `spiffe://example.org/${client}`;
}

/** A first policy and every file that it names, with the keys to make more. */
export async function firstFiles(nowMs: number): Promise<FirstFiles> {
  const apiKey = randomBytes(API_KEY_BYTES).toString("base64url");
  const ca = await createDevelopmentCa("postern development CA", nowMs, CERTIFICATE_DAYS);
  const server = await ca.issue({
    commonName: "localhost",
    usage: "server",
    dnsNames: ["localhost"],
    addresses: ["127.0.0.1", "::1"],
  });
  const client = await ca.issue({ commonName: FIRST_CALLER, usage: "client", uris: [spiffeIdOf(FIRST_CALLER)] });
  const issuer = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuerKey = String(issuer.privateKey.export({ type: "pkcs8", format: "pem" }));
  const files: NewFile[] = [
    { name: "policy.yaml", content: FIRST_POLICY, secret: false },
    { name: "keys.yaml", content: keysFile(apiKey), secret: true },
    { name: "issuer.jwks.json", content: keySetOf(issuer.publicKey), secret: false },
    { name: FILES.ca, content: ca.certificate, secret: false },
    { name: "tls/tls.crt", content: server.certificate, secret: false },
    { name: "tls/tls.key", content: server.key, secret: true },
    ...clientFiles(FIRST_CALLER, client),
    { name: "development/README.md", content: ABOUT_DEVELOPMENT, secret: false },
    { name: FILES.caKey, content: ca.key, secret: true },
    { name: FILES.issuerKey, content: issuerKey, secret: true },
    { name: FILES.claims, content: `${JSON.stringify({ iss: ISSUER, aud: SERVICE })}\n`, secret: false },
  ];
  return { files, apiKey };
}

function keysFile(apiKey: string): string {
  const digest = createHash("sha256").update(apiKey).digest("hex");
  return `# Callers and the SHA-256 of their keys; 'postern hash-key' makes one. The keys themselves are stored nowhere.
callers:
  - name: ${FIRST_CALLER}
    keys:
      - sha256: '${digest}'
`;
}

const ABOUT_DEVELOPMENT = `# For development only

Whoever has these two keys can be any caller: \`ca.key\` signs client certificates, \`issuer.key\` signs tokens. postern reads
neither of them. Keep this folder on your machine, and where real clients come, take \`tls/ca.crt\` and the authenticator
\`development\` out of the policy for those of your own CA and identity provider.

- \`postern init client NAME\` makes a client certificate in \`clients/NAME/\`.
- \`postern init token\` prints a token with the claims of \`claims.json\`.
`;

const FIRST_POLICY = `# A first policy. While postern runs, saving this file is enough: the next request obeys.
version: 1
service: ${SERVICE} # its name in challenges, /policy and metrics

listeners:
  - name: inbound
    address: 127.0.0.1:8443 # 0.0.0.0:8443 to be reached from other machines
    tls:
      certificate: tls/tls.crt
      key: tls/tls.key
      clientCertificate: { mode: optional, ca: tls/ca.crt } # required: no handshake without one
    trustedProxies: [] # networks of your load balancer, whose X-Forwarded-For names the client: [10.0.0.0/8]
    upstream: app

upstreams:
  app: { address: 'http://127.0.0.1:3000' } # your service; let it listen on loopback only

admin: { address: '127.0.0.1:9901' } # /metrics /healthz /readyz /policy

authenticators:
  mesh: { type: client-certificate, trustDomain: example.org }
  keys: { type: api-key, header: X-Api-Key, keys: keys.yaml }
  development: # tokens of 'postern init token'; your identity provider takes its place
    type: jwt
    issuer: ${ISSUER}
    audience: [${SERVICE}]
    algorithms: [ES256]
    keys: issuer.jwks.json

limits:
  perCaller: { rate: 50/second, burst: 100, key: principal } # key: client.address counts a load balancer as one client

defaults: # every route starts from these
  response: { removeHeaders: [Server, X-Powered-By], securityHeaders: api }

routes: # what no route names is denied
  - path: /health
    methods: [GET]
    public: true
  - path: /v1/**
    authenticate: [mesh, keys, development] # any one of them
    limit: [perCaller]
`;
