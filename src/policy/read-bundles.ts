import type { CallSettings } from "../calls/call.ts";
import { hostsOf } from "../calls/call-url.ts";
import { parseSpiffeId } from "../message/spiffe-id.ts";
import { BundleSource, type OwnEndpoint } from "../spiffe/bundle-source.ts";
import { WorkloadBundles } from "../spiffe/workload-bundles.ts";
import type { TrustBundle } from "../spiffe/x509-svid.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { BundleEntry } from "./certificate-schema.ts";
import { certificateFacts } from "./certificates.ts";
import type { Path } from "./path.ts";
import { readAuthorities } from "./read-certificates.ts";
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

type Source = Exclude<BundleEntry, string>;

function published(work: Work, trustDomain: string, entry: Source, use: string, path: Path): TrustBundle | null {
  const { url, socket, ca, spiffeId, bootstrap } = entry;
  if (url === undefined) {
    const stray = Object.entries({ ca, spiffeId, bootstrap }).filter(([, value]) => value !== undefined);
    for (const [key] of stray) work.problem("of a bundle endpoint; expected 'url' beside it", [...path, key]);
    if (stray.length > 0) return null;
    if (socket !== undefined) return ofAgent(work, trustDomain, socket, use);
    work.problem("'url' is missing; expected that of its bundle endpoint, or 'socket' of a SPIFFE agent", path);
    return null;
  }
  if (socket === undefined) return ofEndpoint(work, trustDomain, { ...entry, url }, use, path);
  work.problem("'url' and 'socket' at once; expected one of them", [...path, "socket"]);
  return null;
}

/** What the agent has so far; of a domain that it does not know, nobody. */
function ofAgent(work: Work, trustDomain: string, socket: string, use: string): TrustBundle {
  const source = work.acquisition.acquire("spiffe-bundles", [socket], (world) => new WorkloadBundles(socket, world));
  const { material } = source;
  if (material === null) return NO_BUNDLE;
  work.files.include(`bundles ${socket}`, material.version);
  const bundle = material.bundles.get(trustDomain) ?? NO_BUNDLE;
  for (const one of bundle.certificates) work.certificates.push(certificateFacts(one, `unix:${socket}`, use, false));
  return bundle;
}

function ofEndpoint(
  work: Work,
  trustDomain: string,
  entry: Source & { readonly url: URL },
  use: string,
  path: Path,
): TrustBundle | null {
  const { url, ca } = entry;
  const authorities = ca === undefined ? null : readAuthorities(work, ca, `${use} endpoint CA`, [...path, "ca"]);
  const own = ownEndpoint(work, trustDomain, entry, use, path);
  if ((ca !== undefined && authorities === null) || own === undefined) return null;
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
  const beginning = own === null ? [] : [own.spiffeId, own.bootstrap.pem];
  const settings = [trustDomain, url.href, authorities?.pem ?? "", JSON.stringify(proxy), ...beginning];
  const source = work.acquisition.acquire(
    "spiffe-bundle",
    settings,
    (world) => new BundleSource({ trustDomain, url, call, own }, world),
  );
  const { material } = source;
  if (material === null) return NO_BUNDLE;
  work.files.include(`bundle ${trustDomain} ${url.href}`, material.version);
  for (const one of material.bundle.certificates) work.certificates.push(certificateFacts(one, url.href, use, false));
  return material.bundle;
}

/** What https_spiffe needs; null for https_web, undefined with problems reported. */
function ownEndpoint(
  work: Work,
  trustDomain: string,
  { ca, spiffeId, bootstrap }: Source,
  use: string,
  path: Path,
): OwnEndpoint | null | undefined {
  if (spiffeId === undefined) {
    if (bootstrap === undefined) return null;
    work.problem("'spiffeId' is missing; expected the endpoint's own, whose certificate it begins with", path);
    return undefined;
  }
  if (ca !== undefined)
    work.problem("the domain's own bundle vouches for it; expected 'bootstrap' alone", [...path, "ca"]);
  // Another domain's authority would say who belongs to this one.
  const isOwn = parseSpiffeId(spiffeId)?.trustDomain === trustDomain;
  if (!isOwn) work.problem(`expected an ID of ${trustDomain}, whose bundle it publishes`, [...path, "spiffeId"]);
  if (bootstrap === undefined) {
    work.problem("'bootstrap' is missing; expected a PEM file with the domain's authorities to begin with", path);
    return undefined;
  }
  const authorities = readAuthorities(work, bootstrap, `${use} bootstrap`, [...path, "bootstrap"]);
  return authorities === null || !isOwn || ca !== undefined ? undefined : { spiffeId, bootstrap: authorities };
}
