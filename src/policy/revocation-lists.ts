import { CRL_LABEL, pemBlock, pemBlocks, pemBytes } from "../support/pem.ts";
import { subjectOf, timeText } from "./certificates.ts";
import {
  DER_INTEGER,
  DER_SEQUENCE,
  derNameText,
  derSequence,
  derTimeMs,
  derValues,
  isDerTime,
  nameKey,
} from "./der.ts";
import type { Path } from "./path.ts";
import { type Authorities, readArmour } from "./read-certificates.ts";
import type { Work } from "./work.ts";

/** What matters of a certificate revocation list (RFC 5280 section 5.1) before OpenSSL reads it. */
interface RevocationList {
  readonly issuer: string;
  readonly thisUpdateMs: number;
  /** Infinity where it does not say. */
  readonly nextUpdateMs: number;
}

/**
 * The revocation lists of a file, in PEM one after another, or one in DER, looked at beside the authorities that they
 * are for; `use` for metrics. Gives PEM; null with problems reported. The entries are OpenSSL's: only the head is read
 * here, so that a list of megabytes costs no time.
 */
export function readRevocationLists(
  work: Work,
  name: string,
  authorities: Authorities | null,
  use: string,
  path: Path,
): Buffer | null {
  const content = readArmour(work, name, path);
  if (content === null) return null;
  const blocks = content[0] === DER_SEQUENCE ? [pemBlock(content, CRL_LABEL)] : pemBlocks(content, CRL_LABEL);
  if (blocks.length === 0) {
    work.problem(`'${name}': the file holds no revocation list; expected PEM or DER`, path);
    return null;
  }
  if (content.toString("latin1").split(`-----BEGIN ${CRL_LABEL}-----`).length - 1 > blocks.length) {
    work.problem(`'${name}': revocation list ${blocks.length + 1} of the file is cut off: it has no END line`, path);
    return null;
  }
  const lists: RevocationList[] = [];
  for (const [at, block] of blocks.entries()) {
    const list = readList(pemBytes(block));
    if (list === null) {
      work.problem(`'${name}': revocation list ${at + 1} of the file cannot be read`, path);
      return null;
    }
    lists.push(list);
  }
  const newest = newestOf(lists);
  checkTimes(work, name, newest, path);
  if (authorities !== null) checkIssuers(work, name, newest, authorities, path);
  const file = work.files.absoluteName(name);
  for (const { issuer, nextUpdateMs } of newest.values()) {
    if (nextUpdateMs < Number.POSITIVE_INFINITY) work.revocationLists.push({ file, use, issuer, nextUpdateMs });
  }
  return Buffer.from(blocks.join("\n"), "latin1");
}

function readList(der: Buffer): RevocationList | null {
  const [list] = derValues(der) ?? [];
  const [signed] = derSequence(list) ?? [];
  const fields = derSequence(signed) ?? [];
  const [, name, thisUpdate, nextUpdate] = fields[0]?.tag === DER_INTEGER ? fields.slice(1) : fields;
  const issuer = derNameText(name);
  const thisUpdateMs = isDerTime(thisUpdate) ? derTimeMs(thisUpdate) : null;
  const nextUpdateMs = isDerTime(nextUpdate) ? derTimeMs(nextUpdate) : Number.POSITIVE_INFINITY;
  return issuer === null || thisUpdateMs === null || nextUpdateMs === null
    ? null
    : { issuer, thisUpdateMs, nextUpdateMs };
}

/** By issuer: of several lists of one, as while a new one is handed out, OpenSSL takes one that holds. */
function newestOf(lists: readonly RevocationList[]): ReadonlyMap<string, RevocationList> {
  const newest = new Map<string, RevocationList>();
  for (const list of lists) {
    const key = nameKey(list.issuer);
    const other = newest.get(key);
    if (other === undefined || other.nextUpdateMs < list.nextUpdateMs) newest.set(key, list);
  }
  return newest;
}

function checkTimes(work: Work, name: string, lists: ReadonlyMap<string, RevocationList>, path: Path): void {
  const nowMs = work.inputs.clock.wallMs();
  for (const { issuer, thisUpdateMs, nextUpdateMs } of lists.values()) {
    const list = `the revocation list of ${issuer}`;
    const effect = "so certificates of this authority are refused";
    if (nowMs > nextUpdateMs) work.aged(`${list} ended at ${timeText(nextUpdateMs)}, ${effect}`, name, path);
    if (nowMs < thisUpdateMs) work.aged(`${list} begins at ${timeText(thisUpdateMs)}, ${effect}`, name, path);
  }
}

/** With any list at all, OpenSSL wants one of each authority up to a root. */
function checkIssuers(
  work: Work,
  name: string,
  lists: ReadonlyMap<string, RevocationList>,
  { certificates, hasPartialChains }: Authorities,
  path: Path,
): void {
  const known = new Set<string>();
  for (const certificate of certificates) {
    if (!certificate.ca) continue;
    const subject = certificateSubject(certificate.raw) ?? "";
    known.add(nameKey(subject));
    if (lists.has(nameKey(subject))) continue;
    const text = `'${name}' has no list of ${subjectOf(certificate)}, so clients with certificates of this authority are refused`;
    work.warning(text, path);
  }
  const foreign = [...lists].filter(([key]) => !known.has(key));
  if (foreign.length === lists.size) {
    const issuers = foreign.map(([, { issuer }]) => issuer).join("; ");
    work.problem(`'${name}' is of ${issuers}, and no such authority is in 'ca'`, path);
  } else {
    for (const [, { issuer }] of foreign) {
      work.warning(`the list of ${issuer}, which is not in 'ca', counts only where clients send its certificate`, path);
    }
  }
  if (hasPartialChains) {
    const text =
      "an authority in 'ca' stands there without the one above it; with 'crl' its clients are refused: expected the whole chain up to the root in 'ca', and a list of each";
    work.warning(text, path);
  }
}

/** The subject as it is written in the certificate (RFC 5280 section 4.1), as the issuer of a list is. */
function certificateSubject(der: Buffer): string | null {
  const [certificate] = derValues(der) ?? [];
  const [signed] = derSequence(certificate) ?? [];
  const fields = derSequence(signed) ?? [];
  // The version stands before the serial number, in a tag of its own; without it the certificate is of version 1.
  return derNameText(fields[fields[0]?.tag === DER_INTEGER ? 4 : 5]);
}
