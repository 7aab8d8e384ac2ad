import { createHash, randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { type Command, type CommandIo, EXIT, misuse, parseOptions } from "./command.ts";
import { createDevelopmentCa } from "./development-ca.ts";
import { shellWord } from "./shell-word.ts";

const API_KEY_BYTES = 32;
const CALLER = "first-caller";
const CERTIFICATE_DAYS = 90;

interface NewFile {
  readonly name: string;
  readonly content: string;
  readonly secret: boolean;
}

export const initCommand: Command = {
  name: "init",
  summary: "Writes a development CA, certificates, an API key's hash and a first policy.",
  usage: "[DIR]",
  example: "postern init gate     a first policy in gate/policy.yaml, with all the files it names",
  run: init,
};

async function init(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseOptions(args, {});
  if (!parsed.ok) return misuse(initCommand, parsed.error, io);
  const { positionals } = parsed.value;
  if (positionals.length > 1) return misuse(initCommand, "expected at most one folder", io);
  const folder = resolve(io.cwd, positionals[0] ?? ".");
  const apiKey = randomBytes(API_KEY_BYTES).toString("base64url");
  const files = await firstFiles(apiKey, io.clock.wallMs());

  const problem = writeNew(folder, files);
  if (problem !== null) {
    io.stderr(`postern init: ${problem}\n`);
    return EXIT.problems;
  }
  io.stdout(nextSteps(relative(io.cwd, folder) || ".", files, apiKey));
  return EXIT.fine;
}

/** Also true of a link that leads nowhere. */
function exists(name: string): boolean {
  return lstatSync(name, { throwIfNoEntry: false }) !== undefined;
}

async function firstFiles(apiKey: string, nowMs: number): Promise<NewFile[]> {
  const ca = await createDevelopmentCa("postern development CA", nowMs, CERTIFICATE_DAYS);
  const server = await ca.issue({
    commonName: "localhost",
    usage: "server",
    dnsNames: ["localhost"],
    addresses: ["127.0.0.1", "::1"],
  });
  const client = await ca.issue({
    commonName: CALLER,
    usage: "client",
    uris: [`spiffe://example.org/${CALLER}`],
  });
  return [
    { name: "policy.yaml", content: FIRST_POLICY, secret: false },
    { name: "keys.yaml", content: keysFile(apiKey), secret: true },
    { name: "tls/ca.pem", content: ca.certificate, secret: false },
    { name: "tls/server.pem", content: server.certificate, secret: false },
    { name: "tls/server.key", content: server.key, secret: true },
    { name: "tls/client.pem", content: client.certificate, secret: false },
    { name: "tls/client.key", content: client.key, secret: true },
  ];
}

/** Writes all files or, where one of them exists, none; gives what went wrong. */
function writeNew(folder: string, files: readonly NewFile[]): string | null {
  try {
    const existing = files.map((file) => join(folder, file.name)).find(exists);
    if (existing !== undefined) return `${existing} exists already; nothing was written`;
    for (const { name, content, secret } of files) {
      const file = join(folder, name);
      mkdirSync(dirname(file), { recursive: true });
      // wx refuses a file, or a link, that came into being since the look above.
      writeFileSync(file, content, { flag: "wx", mode: secret ? 0o600 : 0o644 });
    }
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function keysFile(apiKey: string): string {
  const digest = createHash("sha256").update(apiKey).digest("hex");
  return `# Callers and the SHA-256 of their keys; 'postern hash-key' makes one. The keys themselves are stored nowhere.
callers:
  - name: ${CALLER}
    keys:
      - sha256: '${digest}'
`;
}

const FIRST_POLICY = `# A first policy. While postern runs, saving this file is enough: the next request obeys.
version: 1
service: my-service # its name in challenges, /policy and metrics

listeners:
  - name: inbound
    address: 127.0.0.1:8443 # 0.0.0.0:8443 to be reached from other machines
    tls:
      certificate: tls/server.pem
      key: tls/server.key
      clientCertificate: { mode: optional, ca: tls/ca.pem } # required: no handshake without one
    upstream: app

upstreams:
  app: { address: 'http://127.0.0.1:3000' } # your service; let it listen on loopback only

admin: { address: '127.0.0.1:9901' } # /metrics /healthz /readyz /policy

authenticators:
  mesh: { type: client-certificate, trustDomain: example.org }
  keys: { type: api-key, header: X-Api-Key, keys: keys.yaml }

limits:
  perAddress: { rate: 50/second, burst: 100, key: client.address }

defaults: # every route starts from these
  limit: [perAddress]
  response: { removeHeaders: [Server, X-Powered-By], securityHeaders: api }

routes: # what no route names is denied
  - path: /health
    methods: [GET]
    public: true
  - path: /v1/**
    authenticate: [mesh, keys] # any one of them
`;

function nextSteps(folder: string, files: readonly NewFile[], apiKey: string): string {
  const at = (name: string) => shellWord(join(folder, name));
  const list = files.map((file) => `  ${join(folder, file.name)}\n`).join("");
  return `Written:
${list}
Next:
  1. Start your service on 127.0.0.1:3000, or set its address under 'upstreams'.
  2. postern run --policy ${at("policy.yaml")}
  3. curl --cacert ${at("tls/ca.pem")} -H 'X-Api-Key: ${apiKey}' https://localhost:8443/v1/
     curl --cacert ${at("tls/ca.pem")} --cert ${at("tls/client.pem")} --key ${at("tls/client.key")} https://localhost:8443/v1/

The API key above is shown this once; keys.yaml holds its hash. The certificates are for development: they end after
${CERTIFICATE_DAYS} days, and the key of their CA was not kept.
`;
}
