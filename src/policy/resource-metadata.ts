import { Denial, type Verdict } from "../decision/verdict.ts";
import type { Check, TokenFacts } from "../filters/filter.ts";
import { HeaderBlock } from "../message/headers.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { asksForCertificates } from "./asks-for-certificates.ts";
import type { Path } from "./path.ts";
import { lineWords } from "./problems.ts";
import type { ResourceEntry, RouteUse } from "./resource-setting.ts";
import { resourceMetadataShape } from "./section-schema.ts";
import type { OwnPage } from "./snapshot.ts";
import type { Work } from "./work.ts";

const SECTION = "resourceMetadata";

/** Section `resourceMetadata`, before the authenticators, whose challenges lead to it. */
export function readResources(work: Work): void {
  const raw = work.reader.raw([SECTION]);
  if (raw === undefined) return;
  const isList = Array.isArray(raw);
  const count = isList ? raw.length : 1;
  if (count === 0 || count > DEFAULTS.protectedResourcesMax) {
    work.problem(`expected 1 to ${DEFAULTS.protectedResourcesMax} resources`, [SECTION]);
    return;
  }
  for (let at = 0; at < count; at++) readResource(work, isList ? [SECTION, at] : [SECTION]);
}

function readResource(work: Work, path: Path): void {
  const { resource, name, documentation } = work.reader.fields(resourceMetadataShape, path);
  if (resource === undefined) return;
  const twin = work.protectedResources.find((one) => one.path === resource.path);
  if (twin === undefined) work.protectedResources.push({ ...resource, name, documentation, at: path });
  else
    work.problem(`its metadata is where that of '${twin.resource}' is; expected another path`, [...path, "resource"]);
}

/**
 * Whose route this is: of the one resource that there is, or of the one whose path stands longest before the route's. Null
 * where there is none.
 */
function resourceOf(resources: readonly ResourceEntry[], template: string): ResourceEntry | null {
  const [first = null, ...others] = resources;
  if (others.length === 0) return first;
  const fitting = resources.filter(({ ownPath }) => template === ownPath || template.startsWith(`${ownPath}/`));
  return fitting.toSorted((a, b) => b.ownPath.length - a.ownPath.length)[0] ?? null;
}

/**
 * Checks of a route whose challenges lead to its own resource. Authenticators stand for all routes and lead to the first one; of
 * another, or of none, is what only the route knows.
 */
export function leadToResource(work: Work, template: string, checks: readonly Check[]): readonly Check[] {
  const [first] = work.protectedResources;
  const own = resourceOf(work.protectedResources, template);
  if (first === undefined || own === first) return checks;
  const parameter = (url: string): string => `, resource_metadata="${url}"`;
  const instead = own === null ? "" : parameter(own.url);
  return checks.map((check) =>
    check.phase === "authenticate" || check.phase === "authorize"
      ? leading(check, parameter(first.url), instead)
      : check,
  );
}

function leading(check: Check, parameter: string, instead: string): Check {
  const lead = (verdict: Verdict): Verdict => {
    if (!(verdict instanceof Denial) || verdict.headers.length === 0) return verdict;
    const { reason, place, seen, wanted, terminal, parts, body } = verdict;
    const headers = verdict.headers.map(([name, value]) => [name, value.replace(parameter, instead)] as const);
    return new Denial(reason, place, seen, wanted, headers, terminal, parts, body);
  };
  const { name, phase, place, enforcePercent, once, late } = check;
  return {
    name,
    phase,
    place,
    enforcePercent,
    ...(once === undefined ? {} : { once }),
    ...(late === undefined ? {} : { late }),
    evaluate: (exchange) => {
      const verdict = check.evaluate(exchange);
      return verdict instanceof Promise ? verdict.then(lead) : lead(verdict);
    },
    explain: (exchange) => check.explain(exchange),
  };
}

/** What the routes turned out to ask for, as a page for clients of each resource (RFC 9728 section 3.2). */
export function describeResources(work: Work): void {
  for (const entry of work.protectedResources) describe(work, entry);
}

function describe(work: Work, entry: ResourceEntry): void {
  const place = work.reader.document.place(entry.at);
  for (const route of work.routes) {
    if (route.template !== entry.path) continue;
    const text = `postern answers this path itself, by 'resourceMetadata' of ${lineWords(place, route.place)}; expected another path`;
    work.problems.add(route.place, text);
  }
  const uses = work.routeUses.filter(({ template }) => resourceOf(work.protectedResources, template) === entry);
  const tokens = tokensOf(work, uses);
  if (tokens.length === 0 && work.isWhole) {
    const whose = work.protectedResources.length === 1 ? "no route" : "no route of this resource";
    work.warning(
      "resource_without_tokens",
      `${whose} takes tokens of an authorization server, so there is nothing to tell of them`,
      entry.at,
    );
  }
  const scopes = uses.flatMap((use) => [...use.scopes]);
  const body = Buffer.from(JSON.stringify(metadataOf(work, entry, tokens, scopes)));
  work.ownPages.set(entry.path, { label: "oauth-protected-resource", path: entry.path, place, headers: HEADERS, body });
}

/** For pages of any origin: it holds nothing that is not for everybody. */
const HEADERS: OwnPage["headers"] = new HeaderBlock(
  ["content-type", "cache-control", "access-control-allow-origin"],
  ["application/json", `public, max-age=${DEFAULTS.resourceMetadataAgeSeconds}`, "*"],
);

/** Of the authenticators that some of these routes name. */
function tokensOf({ authenticators }: Work, uses: readonly RouteUse[]): readonly TokenFacts[] {
  const used = new Set(uses.flatMap((use) => [...use.authenticators]));
  return [...authenticators].flatMap(([name, { tokens }]) => (used.has(name) && tokens !== undefined ? [tokens] : []));
}

/** Members that would be empty are left out (RFC 9728 section 3.2). */
function metadataOf(
  work: Work,
  { resource, name, documentation }: ResourceEntry,
  tokens: readonly TokenFacts[],
  scopes: readonly string[],
): object {
  const issuers = tokens.flatMap((one) => one.issuers).filter(isIssuerUrl);
  const algorithms = tokens.flatMap(({ binding }) => binding.dpopAlgorithms);
  const takesCertificates = asksForCertificates(work) && tokens.some(({ binding }) => binding.takesCertificates);
  const isAlwaysDpop = tokens.length > 0 && tokens.every(({ binding }) => binding.requiresDpop);
  return {
    resource,
    authorization_servers: listOf(issuers),
    scopes_supported: listOf(scopes),
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
