import { createHash } from "node:crypto";
import type { Exchange } from "../message/exchange.ts";
import type { Clock } from "../support/clock.ts";
import { err, ok, type Result } from "../support/result.ts";
import { bytesOf, readDictionary } from "./structured.ts";
import { digestOf } from "./whole-body.ts";

const HASHES: ReadonlyMap<string, readonly [name: string, bytes: number]> = new Map([
  ["sha-512", ["sha512", 64]],
  ["sha-256", ["sha256", 32]],
]);

/** A digest of the content that a request announces. */
export interface AnnouncedDigest {
  readonly hash: string;
  readonly bytes: Buffer;
}

/**
 * The Content-Digest field (RFC 9530 section 2) → the digests that can be checked, each of which has to hold; or what is wrong
 * with it. Hashes that nobody should use (md5, sha, unixsum) are not looked at, and alone they are no digest.
 */
export function readContentDigest({ headers }: Exchange): Result<readonly AnnouncedDigest[], string> {
  const members = readDictionary(headers.list("content-digest") ?? "");
  if (!members.ok) return members;
  const digests: AnnouncedDigest[] = [];
  for (const [name, [value]] of members.value) {
    const known = HASHES.get(name);
    if (known === undefined) continue;
    const bytes = bytesOf(value);
    if (bytes?.length !== known[1]) return err(`a ${name} that is none`);
    digests.push({ hash: known[0], bytes });
  }
  return digests.length === 0 ? err("no sha-256 and no sha-512") : ok(digests);
}

/** Whether every digest is that of the body. */
export function isDigestOf(
  digests: readonly AnnouncedDigest[],
  body: Buffer,
  clock: Clock,
): boolean | Promise<boolean> {
  for (const [at, { hash, bytes }] of digests.entries()) {
    const digest = digestOf(createHash(hash), [body], clock);
    if (digest instanceof Promise) {
      return digest.then((settled) => settled.equals(bytes) && isDigestOf(digests.slice(at + 1), body, clock));
    }
    if (!digest.equals(bytes)) return false;
  }
  return true;
}
