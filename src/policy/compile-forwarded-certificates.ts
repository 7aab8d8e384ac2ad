import { CERTIFICATE_FORMATS } from "../message/certificate-formats.ts";
import { anchorsOf } from "../message/client-trust.ts";
import { type ForwardedCertificateRules, ForwardedCertificates } from "../message/forwarded-certificate.ts";
import { type RevocationList, readRevocationList } from "../message/revocation-list.ts";
import { Revocations } from "../message/revocations.ts";
import { CRL_LABEL, pemBlocks, pemBytes } from "../support/pem.ts";
import { forwardedCertificateShape } from "./certificate-schema.ts";
import type { Fields } from "./entries.ts";
import type { Path } from "./path.ts";
import { readBundles } from "./read-bundles.ts";
import { type Authorities, joinedAuthorities, readAuthorities } from "./read-certificates.ts";
import { readRevocationLists } from "./revocation-lists.ts";
import type { Work } from "./work.ts";

type Entry = Fields<typeof forwardedCertificateShape>;

/** `forwardedClientCertificate` of a listener; null where there is none, undefined with problems reported. */
export function compileForwardedCertificates(
  work: Work,
  listener: string,
  listenerPath: Path,
): ForwardedCertificates | null | undefined {
  const path = [...listenerPath, "forwardedClientCertificate"];
  if (work.reader.raw(path) === undefined) return null;
  const proxies = work.reader.raw([...listenerPath, "trustedProxies"]);
  if (proxies === undefined || (Array.isArray(proxies) && proxies.length === 0)) {
    work.problem("nobody is trusted to tell it; expected 'trustedProxies' beside it", path);
  }
  const entry = work.reader.fields(forwardedCertificateShape, path);
  const trust = compileTrust(work, listener, entry, path);
  const takesNames = compileNames(work, entry, path);
  if (trust === undefined || takesNames === undefined || entry.format === undefined) return undefined;
  const format = CERTIFICATE_FORMATS[entry.format];
  const header = (entry.header ?? format.header).toLowerCase();
  return new ForwardedCertificates({ format, header, ...trust, takesNames, clock: work.inputs.clock });
}

/** Undefined with problems reported. */
function compileNames(work: Work, { namesAlone = false, format, verifiedBy }: Entry, path: Path): boolean | undefined {
  if (!namesAlone) return false;
  const at = [...path, "namesAlone"];
  const isTold = format === undefined || format === "xfcc";
  if (!isTold) work.problem("only xfcc tells names without the certificate; expected 'format: xfcc'", at);
  if (verifiedBy === undefined) {
    work.problem("of names alone nothing can be verified here; expected 'verifiedBy: proxy' beside it", at);
  }
  return isTold && verifiedBy !== undefined ? true : undefined;
}

type Trust = Pick<ForwardedCertificateRules, "anchors" | "revocations">;

function compileTrust(
  work: Work,
  listener: string,
  { ca, trustBundles, crl, verifiedBy }: Entry,
  path: Path,
): Trust | undefined {
  if (verifiedBy !== undefined) {
    if (crl !== undefined) {
      work.problem("a list needs the chain that 'ca' verifies; the proxy has to ask it", [...path, "crl"]);
      return undefined;
    }
    if (ca === undefined && trustBundles === undefined) return { anchors: null, revocations: null };
    work.problem("'ca' or 'trustBundles' say who verifies; expected it without 'verifiedBy'", [...path, "verifiedBy"]);
    return undefined;
  }
  const hasRaw = ["ca", "trustBundles", "verifiedBy"].some((key) => work.reader.raw([...path, key]) !== undefined);
  if (!hasRaw) {
    work.problem("'ca' is missing; expected the authorities that issue clients' certificates", path);
    return undefined;
  }
  const use = `listener ${listener} forwarded client`;
  const others = ca === undefined ? null : readAuthorities(work, ca, `${use} CA`, [...path, "ca"]);
  const bundles = readBundles(work, trustBundles ?? {}, use, [...path, "trustBundles"]);
  const isWhole = (ca === undefined || others !== null) && bundles.size === Object.keys(trustBundles ?? {}).length;
  const authorities = joinedAuthorities([...(others === null ? [] : [others]), ...bundles.values()]);
  const at = [...path, "crl"];
  const revocations = crl === undefined ? null : compileRevocations(work, crl, authorities, `${use} CRL`, at);
  if (!isWhole || revocations === undefined) return undefined;
  const certificates = others?.certificates ?? [];
  if (trustBundles === undefined) return { anchors: () => certificates, revocations };
  const byDomain = new Map([...bundles].map(([domain, one]) => [domain, one.certificates]));
  return { anchors: (spiffeId) => anchorsOf(spiffeId, { bundles: byDomain, others: certificates }), revocations };
}

function compileRevocations(
  work: Work,
  crl: NonNullable<Entry["crl"]>,
  authorities: Authorities,
  use: string,
  path: Path,
): Revocations | undefined {
  const names = typeof crl === "string" ? [crl] : crl;
  // An anchor is believed as it stands, and needs no list from above.
  const known = authorities.certificates.length === 0 ? null : { ...authorities, hasPartialChains: false };
  const pem = readRevocationLists(work, names, known, use, path);
  if (pem === null) return undefined;
  const lists: RevocationList[] = [];
  for (const block of pemBlocks(pem, CRL_LABEL)) {
    const list = readRevocationList(pemBytes(block));
    if (list.ok) lists.push(list.value);
    else
      work.problem(
        `a list of ${names.map((name) => `'${name}'`).join(", ")} ${list.error}; expected a whole one`,
        path,
      );
    if (!list.ok) return undefined;
  }
  return new Revocations(lists);
}
