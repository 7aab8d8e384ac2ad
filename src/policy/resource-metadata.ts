import type { TokenFacts } from "../filters/filter.ts";
import { HeaderBlock } from "../message/headers.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { asksForCertificates } from "./compile-listeners.ts";
import { resourceMetadataShape } from "./schema.ts";
import type { OwnPage } from "./snapshot.ts";
import type { Work } from "./work.ts";

const SECTION = "resourceMetadata";

/** Section `resourceMetadata`, before the authenticators, whose challenges lead to it. */
export function readResource(work: Work): void {
  if (work.reader.raw([SECTION]) === undefined) return;
  work.resourceSetting = work.reader.fields(resourceMetadataShape, [SECTION]).resource ?? null;
}

/** What the routes turned out to ask for, as a page for clients (RFC 9728 section 3.2). */
export function describeResource(work: Work): void {
  const setting = work.resourceSetting;
  if (setting === null) return;
  const place = work.reader.document.place([SECTION]);
  for (const route of work.routes) {
    if (route.template !== setting.path) continue;
    const text = `postern answers this path itself, by 'resourceMetadata' of line ${place.line}; expected another path`;
    work.problems.add(route.place, text);
  }
  const tokens = tokensInUse(work);
  if (tokens.length === 0 && work.isWhole) {
    work.warning("no route takes tokens of an authorization server, so there is nothing to tell of them", [SECTION]);
  }
  const body = Buffer.from(JSON.stringify(metadataOf(work, setting.resource, tokens)));
  work.ownPage = { label: "oauth-protected-resource", path: setting.path, place, headers: HEADERS, body };
}

/** For pages of any origin: it holds nothing that is not for everybody. */
const HEADERS: OwnPage["headers"] = new HeaderBlock(
  ["content-type", "cache-control", "access-control-allow-origin"],
  ["application/json", `public, max-age=${DEFAULTS.resourceMetadataAgeSeconds}`, "*"],
);

/** Of the authenticators that some route names. */
function tokensInUse({ authenticators }: Work): readonly TokenFacts[] {
  const unused = new Set(authenticators.unused());
  return [...authenticators].flatMap(([name, { tokens }]) =>
    unused.has(name) || tokens === undefined ? [] : [tokens],
  );
}

/** Members that would be empty are left out (RFC 9728 section 3.2). */
function metadataOf(work: Work, resource: string, tokens: readonly TokenFacts[]): object {
  const { name, documentation } = work.reader.fields(resourceMetadataShape, [SECTION]);
  const issuers = tokens.flatMap((one) => one.issuers).filter(isIssuerUrl);
  const algorithms = tokens.flatMap(({ binding }) => binding.dpopAlgorithms);
  const takesCertificates = asksForCertificates(work) && tokens.some(({ binding }) => binding.takesCertificates);
  const isAlwaysDpop = tokens.length > 0 && tokens.every(({ binding }) => binding.requiresDpop);
  return {
    resource,
    authorization_servers: listOf(issuers),
    scopes_supported: listOf(work.scopes),
    bearer_methods_supported: listOf(tokens.flatMap((one) => one.bearerMethods)),
    dpop_signing_alg_values_supported: listOf(algorithms),
    dpop_bound_access_tokens_required: isAlwaysDpop || undefined,
    tls_client_certificate_bound_access_tokens: takesCertificates || undefined,
    resource_name: name,
    resource_documentation: documentation,
  };
}

function listOf(texts: Iterable<string>): readonly string[] | undefined {
  const list = [...new Set(texts)].toSorted();
  return list.length === 0 ? undefined : list;
}

/** Issuers without an address are nobody whom a client could ask for a token (RFC 8414 section 2). */
function isIssuerUrl(issuer: string): boolean {
  return issuer.startsWith("https://") && URL.canParse(issuer);
}
