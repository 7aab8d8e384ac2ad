import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDevelopmentCa, type Issued } from "../../src/cli/development-ca.ts";
import { ORDER_SCHEMA } from "./order.ts";
import { TRANSFER_BYTES } from "./workloads.ts";

export const ISSUER = "https://issuer.example.org/";
export const AUDIENCE = "orders";
export const SCOPE = "orders:read";
/** A second loopback address, for the client that the address rule denies. */
export const DENIED_ADDRESS = "127.0.0.9";
export const PATH = "/v1/orders/42";
/** Answers with the headers that arrived, so that header rules can be compared; not measured. */
export const ECHO_PATH = "/v1/orders/echo";

/** 110 bytes: an answer so short that the proxy's own work is what is measured. */
export const BODY = JSON.stringify({ id: 42, status: "shipped", items: 3, total: "129.90", note: "x".repeat(45) });

/** Where orders are posted. */
export const POST_PATH = "/v1/orders";
/** Files of the world's folder that the service hands out, and where it takes bodies: it tells their length and hash. */
export const SAMPLE_PATH = "/v1/orders/sample";
export const LARGE_PATH = "/v1/orders/large";
/** JSON of the service, by its length, and the field of each order that some workloads remove. */
export const ANSWER_PATHS = { short: PATH, "2kb": "/v1/orders/few", "1mib": "/v1/orders/many" } as const;
export const ANSWERS = { short: BODY, "2kb": ordersOf(14), "1mib": ordersOf(7_100) } as const;
export const HIDDEN_FIELD = "$.orders[*].cost";
/** The same in the text. */
export const HIDDEN_MEMBER = ',"cost":"71.20"';
export const UPLOAD_PATH = "/v1/orders/upload";
export const SAMPLE_BYTES = 8 * 1024 ** 2;

function ordersOf(count: number): string {
  const orders = Array.from({ length: count }, (_, at) => ({
    id: 100_000 + at,
    status: "shipped",
    customer: { name: `customer ${at}`, city: "Springfield" },
    items: 3,
    total: "129.90",
    cost: "71.20",
  }));
  return JSON.stringify({ orders });
}

/** What all contestants share: a folder, certificates, keys and tokens. */
export interface World {
  readonly folder: string;
  readonly ca: string;
  readonly server: Issued;
  readonly client: Issued;
  readonly tokens: Tokens;
  /** A body that looks like nothing else, to be compared at the other end. */
  readonly sample: Buffer;
  /** Name of a file of `TRANSFER_BYTES` zeros. */
  readonly largeFile: string;
  remove(): void;
}

export interface Tokens {
  readonly good: string;
  readonly wrongScope: string;
  readonly wrongAudience: string;
  readonly wrongIssuer: string;
  readonly expired: string;
  readonly tampered: string;
}

export async function createWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "postern-bench-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.on("exit", remove);
  const nowMs = Date.now();
  const ca = await createDevelopmentCa("postern bench CA", nowMs);
  const server = await ca.issue({
    commonName: "localhost",
    usage: "server",
    dnsNames: ["localhost"],
    addresses: ["127.0.0.1"],
  });
  const client = await ca.issue({
    commonName: "caller",
    usage: "client",
    uris: ["spiffe://example.org/ns/bench/sa/c"],
  });
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const files = {
    "ca.pem": ca.certificate,
    "server.pem": server.certificate,
    "server.key": server.key,
    "server-with-key.pem": server.certificate + server.key,
    "jwt.pem": publicKey.export({ type: "spki", format: "pem" }),
    "order.schema.json": JSON.stringify(ORDER_SCHEMA),
  };
  const sample = randomBytes(SAMPLE_BYTES);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
  writeFileSync(join(folder, "sample.bin"), sample);
  writeFileSync(join(folder, "few.json"), ANSWERS["2kb"]);
  writeFileSync(join(folder, "many.json"), ANSWERS["1mib"]);
  return {
    folder,
    largeFile: createLargeFile(folder),
    ca: ca.certificate,
    server,
    client,
    tokens: createTokens(privateKey, nowMs),
    sample,
    remove,
  };
}

/**
 * It is sparse. In shared memory it takes no room at all; on a disk its zeros would be read into memory anew whenever the
 * system has taken that back, which costs more than the transfer.
 */
function createLargeFile(folder: string): string {
  const shared = "/dev/shm";
  const place = existsSync(shared) ? mkdtempSync(join(shared, "postern-bench-")) : folder;
  process.on("exit", () => rmSync(place, { recursive: true, force: true }));
  const file = join(place, "large.bin");
  writeFileSync(file, "");
  truncateSync(file, TRANSFER_BYTES);
  return file;
}

function createTokens(key: KeyObject, nowMs: number): Tokens {
  const nowSeconds = Math.floor(nowMs / 1000);
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: "caller-7",
    iat: nowSeconds,
    exp: nowSeconds + 3600,
    scope: `profile ${SCOPE}`,
  };
  const good = signToken(key, claims);
  // Another payload under a genuine signature.
  const [head, , signature] = good.split(".");
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: "admin" })).toString("base64url");
  return {
    good,
    wrongScope: signToken(key, { ...claims, scope: "profile orders:readonly" }),
    wrongAudience: signToken(key, { ...claims, aud: "invoices" }),
    wrongIssuer: signToken(key, { ...claims, iss: "https://other.example.org/" }),
    expired: signToken(key, { ...claims, exp: nowSeconds - 3600 }),
    tampered: `${head}.${forged}.${signature}`,
  };
}

function signToken(key: KeyObject, claims: object): string {
  const head = Buffer.from(JSON.stringify({ alg: "RS256", typ: "JWT", kid: "bench" })).toString("base64url");
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  const signature = sign("sha256", Buffer.from(`${head}.${payload}`), key).toString("base64url");
  return `${head}.${payload}.${signature}`;
}
