import { isTrustDomain } from "../message/spiffe-id.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type Field, fieldsOf } from "./protobuf.ts";

const MAP_ENTRY = { key: 1, value: 2 } as const;

/** Field of `map<string, bytes> bundles` in a JWTBundlesResponse (Workload API section 6.2.2). */
const JWT_BUNDLES = 1;

/**
 * Entries of a `map<string, bytes>`: by trust domain, which an agent writes plain or as an ID. Two of one domain are an error:
 * which of them counts would be the reader's choice.
 */
export function readBundleMap(fields: readonly Field[], number: number): Result<ReadonlyMap<string, Buffer>, string> {
  const bundles = new Map<string, Buffer>();
  for (const { bytes } of fields.filter((field) => field.number === number)) {
    const entry = fieldsOf(bytes) ?? [];
    const domain = bytesOf(entry, MAP_ENTRY.key)
      .toString("utf8")
      .replace(/^spiffe:\/\//, "");
    if (!isTrustDomain(domain)) return err("a bundle of no trust domain");
    if (bundles.has(domain)) return err(`two bundles of ${domain}`);
    bundles.set(domain, bytesOf(entry, MAP_ENTRY.value));
  }
  if (bundles.size <= DEFAULTS.trustBundlesMax) return ok(bundles);
  return err(`${bundles.size} bundles; at most ${DEFAULTS.trustBundlesMax}`);
}

/** A JWTBundlesResponse → JWK sets by trust domain, as they came. */
export function readJwtBundles(message: Buffer): Result<ReadonlyMap<string, Buffer>, string> {
  const fields = fieldsOf(message);
  if (fields === null) return err("an answer that is no protocol buffer message");
  return readBundleMap(fields, JWT_BUNDLES);
}

/** The last field of a number counts, as the format has it; empty where there is none. */
export function bytesOf(fields: readonly Field[], number: number): Buffer {
  return fields.findLast((field) => field.number === number)?.bytes ?? Buffer.alloc(0);
}
