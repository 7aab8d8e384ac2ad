import { CERTIFICATE_FORMATS } from "../message/certificate-formats.ts";
import { anchorsOf } from "../message/client-trust.ts";
import { type ForwardedCertificateRules, ForwardedCertificates } from "../message/forwarded-certificate.ts";
import { forwardedCertificateShape } from "./certificate-schema.ts";
import type { Fields } from "./entries.ts";
import type { Path } from "./path.ts";
import { readBundles } from "./read-bundles.ts";
import { readAuthorities } from "./read-certificates.ts";
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
  const anchors = compileAnchors(work, listener, entry, path);
  if (anchors === undefined || entry.format === undefined) return undefined;
  const format = CERTIFICATE_FORMATS[entry.format];
  const header = (entry.header ?? format.header).toLowerCase();
  return new ForwardedCertificates({ format, header, anchors, clock: work.inputs.clock });
}

function compileAnchors(
  work: Work,
  listener: string,
  { ca, trustBundles, verifiedBy }: Entry,
  path: Path,
): ForwardedCertificateRules["anchors"] | undefined {
  if (verifiedBy !== undefined) {
    if (ca === undefined && trustBundles === undefined) return null;
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
  if (!isWhole) return undefined;
  const certificates = others?.certificates ?? [];
  if (trustBundles === undefined) return () => certificates;
  const byDomain = new Map([...bundles].map(([domain, one]) => [domain, one.certificates]));
  return (spiffeId) => anchorsOf(spiffeId, { bundles: byDomain, others: certificates });
}
