import { certificateNames } from "../message/revocation-list.ts";
import {
  DER_INTEGER,
  DER_SEQUENCE,
  derNameText,
  derSequence,
  derTimeMs,
  derValues,
  isDerTime,
  nameKey,
} from "../support/der.ts";
import { CRL_LABEL, endsInBegin, pemBlock, pemBlocks, pemBytes } from "../support/pem.ts";
import { subjectOf, timeText } from "./certificates.ts";
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

/** What a file holds: its lists, and the same in PEM. */
interface ListFile {
  readonly name: string;
  readonly path: Path;
  readonly lists: readonly RevocationList[];
  readonly blocks: readonly string[];
}

/**
 * The revocation lists of files, each in PEM one after another or one in DER, looked at beside the authorities that they
 * are for; `use` for metrics. Gives PEM; null with problems reported. The entries are OpenSSL's: only the head is read
 * here, so that a list of megabytes costs no time.
 */
export function readRevocationLists(
  work: Work,
  names: readonly string[],
  authorities: Authorities | null,
  use: string,
  path: Path,
): Buffer | null {
  const isOne = typeof work.reader.raw(path) === "string";
  const files = names.map((name, at) => readFile(work, name, isOne ? path : [...path, at]));
  const whole = files.filter((file) => file !== null);
  if (whole.length < files.length) return null;
  const newest = newestOf(whole.flatMap(({ lists }) => lists));
  for (const file of whole) checkTimes(work, file, newest);
  if (authorities !== null) checkIssuers(work, whole, newest, authorities, path);
  for (const list of newest.values()) {
    const { issuer, nextUpdateMs } = list;
    const holder = whole.find(({ lists }) => lists.includes(list));
    if (holder === undefined || nextUpdateMs === Number.POSITIVE_INFINITY) continue;
    work.revocationLists.push({ file: work.files.absoluteName(holder.name), use, issuer, nextUpdateMs });
  }
  return Buffer.from(whole.flatMap(({ blocks }) => blocks).join("\n"), "latin1");
}

function readFile(work: Work, name: string, path: Path): ListFile | null {
  const content = readArmour(work, name, path);
  if (content === null) return null;
  const isDer = content[0] === DER_SEQUENCE;
  const blocks = isDer ? [pemBlock(content, CRL_LABEL)] : pemBlocks(content, CRL_LABEL);
  if (blocks.length === 0) {
    work.problem(`'${name}': the file holds no revocation list; expected PEM or DER`, path);
    return null;
  }
  const begun = isDer ? 1 : content.toString("latin1").split(`-----BEGIN ${CRL_LABEL}-----`).length - 1;
  if (begun > blocks.length || (!isDer && endsInBegin(content))) {
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
  return { name, path, lists, blocks };
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

function checkTimes(work: Work, { name, path, lists }: ListFile, newest: ReadonlyMap<string, RevocationList>): void {
  const nowMs = work.inputs.clock.wallMs();
  for (const one of lists) {
    const { issuer, thisUpdateMs, nextUpdateMs } = one;
    if (newest.get(nameKey(issuer)) !== one) continue;
    const list = `the revocation list of ${issuer}`;
    const effect = "so certificates of this authority are refused";
    if (nowMs > nextUpdateMs) work.aged(`${list} ended at ${timeText(nextUpdateMs)}, ${effect}`, name, path);
    if (nowMs < thisUpdateMs) work.aged(`${list} begins at ${timeText(thisUpdateMs)}, ${effect}`, name, path);
  }
}

/** With any list at all, OpenSSL wants one of each authority up to a root. */
function checkIssuers(
  work: Work,
  files: readonly ListFile[],
  newest: ReadonlyMap<string, RevocationList>,
  { certificates, hasPartialChains }: Authorities,
  path: Path,
): void {
  const names = files.map(({ name }) => `'${name}'`).join(", ");
  const known = new Set<string>();
  for (const certificate of certificates) {
    if (!certificate.ca) continue;
    const key = nameKey(certificateNames(certificate.raw)?.subject ?? "");
    const isNew = !known.has(key);
    known.add(key);
    if (newest.has(key) || !isNew) continue;
    const text = `${names} has no list of ${subjectOf(certificate)}, so clients with certificates of this authority are refused`;
    work.warning("revocation_incomplete", text, path);
  }
  for (const file of files) checkForeign(work, file, newest, known);
  if (hasPartialChains) {
    const text =
      "an authority in 'ca' stands there without the one above it; with 'crl' its clients are refused: expected the whole chain up to the root in 'ca', and a list of each";
    work.warning("revocation_incomplete", text, path);
  }
}

/** A file that is of other authorities alone is the wrong one. */
function checkForeign(
  work: Work,
  { name, path, lists }: ListFile,
  newest: ReadonlyMap<string, RevocationList>,
  known: ReadonlySet<string>,
): void {
  const issuers = new Map(lists.map(({ issuer }) => [nameKey(issuer), newest.get(nameKey(issuer))?.issuer ?? issuer]));
  const foreign = [...issuers].filter(([key]) => !known.has(key)).map(([, issuer]) => issuer);
  if (foreign.length === issuers.size) {
    work.problem(`'${name}' is of ${foreign.join("; ")}, and no such authority is in 'ca'`, path);
    return;
  }
  for (const issuer of foreign) {
    work.warning(
      "revocation_incomplete",
      `the list of ${issuer}, which is not in 'ca', counts only where clients send its certificate`,
      path,
    );
  }
}
