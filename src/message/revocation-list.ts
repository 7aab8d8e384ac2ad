import {
  DER_INTEGER,
  DER_SEQUENCE,
  type DerValue,
  derElements,
  derNameText,
  derSequence,
  derTimeMs,
  derValues,
  isDerTime,
} from "../support/der.ts";
import { err, ok, type Result } from "../support/result.ts";

/** A certificate revocation list (RFC 5280 section 5), its entries unread. */
export interface RevocationList {
  readonly issuer: string;
  readonly thisUpdateMs: number;
  /** Infinity where it does not say. */
  readonly nextUpdateMs: number;
  /** Of whose certificates it is. */
  readonly scope: "all" | "users" | "authorities";
  /** Entries as they stand there. */
  readonly revoked: Buffer;
  /** What was signed, and how; a null hash where the key says it. */
  readonly signed: Buffer;
  readonly hash: string | null;
  readonly signature: Buffer;
}

const HASHES: ReadonlyMap<string, string | null> = new Map([
  ["2a864886f70d01010b", "sha256"], // sha256WithRSAEncryption
  ["2a864886f70d01010c", "sha384"],
  ["2a864886f70d01010d", "sha512"],
  ["2a8648ce3d040302", "sha256"], // ecdsa-with-SHA256
  ["2a8648ce3d040303", "sha384"],
  ["2a8648ce3d040304", "sha512"],
  ["2b6570", null], // Ed25519
]);

const OBJECT_IDENTIFIER = 0x06;
const BOOLEAN = 0x01;
const BIT_STRING = 0x03;
/** `[0] EXPLICIT` of TBSCertList. */
const EXTENSIONS = 0xa0;
const ISSUING_POINT = "551d1c";
/** Context tags of an issuing distribution point that say for whose certificates the list is. */
const ONLY_USERS = 0x81;
const ONLY_AUTHORITIES = 0x82;

/**
 * DER → list. The error says why nobody here can go by it: of a part of the certificates alone, of other authorities' too, only
 * what has changed, or signed in a way that is weak or not known.
 */
export function readRevocationList(der: Buffer): Result<RevocationList, string> {
  const [list, more] = derValues(der) ?? [];
  const parts = list?.tag === DER_SEQUENCE && more === undefined ? derElements(list.content) : null;
  const [signed, algorithm, bits] = parts ?? [];
  const fields = signed === undefined ? null : derSequence(derValues(signed)?.[0]);
  if (signed === undefined || algorithm === undefined || fields === null) return err("cannot be read");
  const signature = bits === undefined ? undefined : derValues(bits)?.[0];
  const hash = HASHES.get(oidOf(derValues(algorithm)?.[0]) ?? "");
  if (hash === undefined) return err("is signed in a way that is not known here, or weak");
  const [inner, name, thisUpdate, ...rest] = fields[0]?.tag === DER_INTEGER ? fields.slice(1) : fields;
  const nextUpdate = isDerTime(rest[0]) ? rest[0] : undefined;
  const revoked = rest.find(({ tag }) => tag === DER_SEQUENCE)?.content ?? Buffer.alloc(0);
  const issuer = derNameText(name);
  const thisUpdateMs = isDerTime(thisUpdate) ? derTimeMs(thisUpdate) : null;
  const nextUpdateMs = nextUpdate === undefined ? Number.POSITIVE_INFINITY : derTimeMs(nextUpdate);
  const isWhole =
    signature?.tag === BIT_STRING && signature.content[0] === 0 && oidOf(inner) === oidOf(derValues(algorithm)?.[0]);
  if (!isWhole || issuer === null || thisUpdateMs === null || nextUpdateMs === null) return err("cannot be read");
  const scope = scopeOf(rest.find(({ tag }) => tag === EXTENSIONS));
  if (scope === null) return err("is of a part of the certificates, or of what has changed, alone");
  return ok({
    issuer,
    thisUpdateMs,
    nextUpdateMs,
    scope,
    revoked,
    signed,
    hash,
    signature: signature.content.subarray(1),
  });
}

/** Null where a critical extension makes it a list of another kind. */
function scopeOf(holder: DerValue | undefined): RevocationList["scope"] | null {
  if (holder === undefined) return "all";
  const extensions = derSequence(derValues(holder.content)?.[0]);
  if (extensions === null) return null;
  let scope: RevocationList["scope"] = "all";
  for (const extension of extensions) {
    const parts = derSequence(extension) ?? [];
    const [oid, second] = parts;
    const isCritical = second?.tag === BOOLEAN && second.content[0] !== 0;
    if (oid?.tag !== OBJECT_IDENTIFIER) return null;
    if (oid.content.toString("hex") !== ISSUING_POINT) {
      if (isCritical) return null;
      continue;
    }
    const marks = derSequence(derValues(parts.at(-1)?.content ?? Buffer.alloc(0))?.[0]);
    const [only, more] = marks ?? [];
    if (only === undefined || more !== undefined || only.content[0] === 0) return null;
    if (only.tag !== ONLY_USERS && only.tag !== ONLY_AUTHORITIES) return null;
    scope = only.tag === ONLY_USERS ? "users" : "authorities";
  }
  return scope;
}

function oidOf(algorithm: DerValue | undefined): string | null {
  const [oid] = derSequence(algorithm) ?? [];
  return oid?.tag === OBJECT_IDENTIFIER ? oid.content.toString("hex") : null;
}

/** Subject and issuer as they are written in a certificate (RFC 5280 section 4.1). */
export function certificateNames(der: Buffer): { readonly issuer: string; readonly subject: string } | null {
  const [certificate] = derValues(der) ?? [];
  const [signed] = derSequence(certificate) ?? [];
  const fields = derSequence(signed) ?? [];
  // The version stands before the serial number, in a tag of its own; without it the certificate is of version 1.
  const at = fields[0]?.tag === DER_INTEGER ? 2 : 3;
  const [issuer, subject] = [derNameText(fields[at]), derNameText(fields[at + 2])];
  return issuer === null || subject === null ? null : { issuer, subject };
}
