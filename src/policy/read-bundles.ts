import type { CallSettings } from "../calls/call.ts";
import { hostsOf } from "../calls/call-url.ts";
import { BundleSource } from "../spiffe/bundle-source.ts";
import type { TrustBundle } from "../spiffe/x509-svid.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { BundleEntry } from "./certificate-schema.ts";
import { certificateFacts } from "./certificates.ts";
import type { Path } from "./path.ts";
import { type Authorities, lacksRoots, readAuthorities } from "./read-certificates.ts";
import type { Work } from "./work.ts";

const NO_BUNDLE: TrustBundle = { pem: Buffer.alloc(0), certificates: [] };

/**
 * `trustBundles` → authorities by trust domain; those that cannot be read are missing, with problems reported. A domain whose
 * endpoint has not answered yet has none so far, and the policy is compiled anew when it has.
 */
export function readBundles(
  work: Work,
  entries: Readonly<Record<string, BundleEntry>>,
  use: string,
  path: Path,
): ReadonlyMap<string, TrustBundle> {
  const bundles = new Map<string, TrustBundle>();
  for (const [domain, entry] of Object.entries(entries)) {
    const at = [...path, domain];
    const name = `${use} bundle ${domain}`;
    const bundle =
      typeof entry === "string" ? readAuthorities(work, entry, name, at) : published(work, domain, entry, name, at);
    if (bundle !== null) bundles.set(domain, bundle);
  }
  return bundles;
}

function published(
  work: Work,
  trustDomain: string,
  { url, ca }: Exclude<BundleEntry, string>,
  use: string,
  path: Path,
): TrustBundle | null {
  const authorities = ca === undefined ? null : readAuthorities(work, ca, `${use} endpoint CA`, [...path, "ca"]);
  if (ca !== undefined && authorities === null) return null;
  const { proxy } = work.context((inner) => [...path, ...inner]);
  const call: CallSettings = {
    ca: authorities?.pem ?? null,
    certificate: null,
    key: null,
    proxy,
    namedHosts: hostsOf([url]),
    socketPath: null,
    connectTimeoutMs: DEFAULTS.callConnectTimeoutMs,
    timeoutMs: DEFAULTS.callTimeoutMs,
    answerBytesMax: DEFAULTS.bundleBytesMax,
    breaks: false,
  };
  const settings = [trustDomain, url.href, authorities?.pem ?? "", JSON.stringify(proxy)];
  const source = work.acquisition.acquire(
    "spiffe-bundle",
    settings,
    (world) => new BundleSource({ trustDomain, url, call }, world),
  );
  const { material } = source;
  if (material === null) return NO_BUNDLE;
  work.files.include(`bundle ${trustDomain} ${url.href}`, material.version);
  for (const one of material.bundle.certificates) work.certificates.push(certificateFacts(one, url.href, use, false));
  return material.bundle;
}

/** All of them as one file would have them. */
export function joinedAuthorities(all: readonly (TrustBundle | Authorities)[]): Authorities {
  return {
    pem: Buffer.concat(all.flatMap(({ pem }) => [pem, Buffer.from("\n")])),
    certificates: all.flatMap(({ certificates }) => certificates),
    hasPartialChains: all.some(({ certificates }) => lacksRoots(certificates)),
  };
}
