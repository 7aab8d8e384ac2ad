import type { X509Certificate } from "node:crypto";
import { DER_INTEGER, type DerValue, derSequence, derValues } from "../support/der.ts";

/** What the extensions of a certificate say of its use (RFC 5280 section 4.2). */
export interface CertificateUse {
  readonly isAuthority: boolean;
  /** How many authorities may stand between it and a leaf; Infinity where it does not say. */
  readonly pathLengthMax: number;
  /** Null where the extension is absent: any use. */
  readonly keyUsage: ReadonlySet<KeyUse> | null;
  /** It limits the names of what it issues, or has a critical extension that is not looked at here. */
  readonly hasMore: boolean;
}

export type KeyUse = "digitalSignature" | "keyAgreement" | "keyCertSign" | "cRLSign";

const BASIC_CONSTRAINTS = "551d13";
const KEY_USAGE = "551d0f";
const NAME_CONSTRAINTS = "551d1e";
/** Extended key usage and subject alternative names: who asks reads them elsewhere. */
const READ_ELSEWHERE: ReadonlySet<string> = new Set(["551d25", "551d11", BASIC_CONSTRAINTS, KEY_USAGE]);

const OBJECT_IDENTIFIER = 0x06;
const BOOLEAN = 0x01;
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;
/** `[3] EXPLICIT` of TBSCertificate. */
const EXTENSIONS = 0xa3;

/** Null where its DER cannot be read. */
export function certificateUse({ raw }: Pick<X509Certificate, "raw">): CertificateUse | null {
  const [certificate] = derValues(raw) ?? [];
  const [signed] = derSequence(certificate) ?? [];
  const fields = derSequence(signed);
  if (fields === null) return null;
  const holder = fields.find(({ tag }) => tag === EXTENSIONS);
  const extensions = holder === undefined ? [] : derSequence(derValues(holder.content)?.[0]);
  if (extensions === null) return null;
  let use: CertificateUse = {
    isAuthority: false,
    pathLengthMax: Number.POSITIVE_INFINITY,
    keyUsage: null,
    hasMore: false,
  };
  for (const extension of extensions) {
    const next = withExtension(use, extension);
    if (next === null) return null;
    use = next;
  }
  return use;
}

function withExtension(use: CertificateUse, extension: DerValue): CertificateUse | null {
  const parts = derSequence(extension) ?? [];
  const [oid, second] = parts;
  const value = parts.at(-1);
  if (oid?.tag !== OBJECT_IDENTIFIER || value?.tag !== OCTET_STRING) return null;
  const isCritical = second?.tag === BOOLEAN && second.content[0] !== 0;
  const id = oid.content.toString("hex");
  if (id === BASIC_CONSTRAINTS) {
    const constraints = derSequence(derValues(value.content)?.[0]);
    if (constraints === null) return null;
    const [ca, length] = constraints[0]?.tag === BOOLEAN ? constraints : [undefined, constraints[0]];
    const isAuthority = ca !== undefined && ca.content[0] !== 0;
    const pathLengthMax = length?.tag === DER_INTEGER ? smallInteger(length.content) : Number.POSITIVE_INFINITY;
    return { ...use, isAuthority, pathLengthMax };
  }
  if (id === KEY_USAGE) {
    const bits = derValues(value.content)?.[0];
    return bits?.tag === BIT_STRING ? { ...use, keyUsage: keyUses(bits.content) } : null;
  }
  const isMore = id === NAME_CONSTRAINTS || (isCritical && !READ_ELSEWHERE.has(id));
  return isMore ? { ...use, hasMore: true } : use;
}

/** Of more than four bytes it bounds nothing; below 0 it lets nothing stand between. */
function smallInteger(content: Buffer): number {
  if (content.length === 0 || content.length > 4) return Number.POSITIVE_INFINITY;
  return content.readIntBE(0, content.length);
}

/** The first byte of a BIT STRING tells how many bits of the last are unused. */
function keyUses(content: Buffer): ReadonlySet<KeyUse> {
  const bits = content[1] ?? 0;
  const uses = new Set<KeyUse>();
  if ((bits & 0x80) !== 0) uses.add("digitalSignature");
  if ((bits & 0x08) !== 0) uses.add("keyAgreement");
  if ((bits & 0x04) !== 0) uses.add("keyCertSign");
  if ((bits & 0x02) !== 0) uses.add("cRLSign");
  return uses;
}
