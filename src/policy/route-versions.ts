import type { RequestRules } from "../filters/filter.ts";
import { withoutParameters, withParameters } from "../message/query.ts";
import type { Path } from "./path.ts";
import type { RouteParts } from "./route-parts.ts";
import type { Route } from "./snapshot.ts";
import type { Work } from "./work.ts";

/** Key `version` of a route. */
export function versionsOf(work: Work, version: string | readonly string[] | undefined, path: Path): readonly string[] {
  if (version === undefined) return [];
  if (work.reader.raw(["versions"]) === undefined) {
    work.problem("nothing says where requests name their version; expected a section 'versions'", [...path, "version"]);
  }
  return typeof version === "string" ? [version] : [...new Set(version)];
}

/** What a route of a version has for its filters: pages may send its headers, and caches keep its answers apart. */
export function addVersionParts({ versionRules }: Work, versions: readonly string[], parts: RouteParts): void {
  if (versionRules === null || versions.length === 0) return;
  const { headers, mediaTypes } = versionRules;
  for (const name of headers) parts.declaredHeaders.add(name);
  const names = [...headers, ...(mediaTypes.length === 0 ? [] : ["accept"])];
  if (names.length > 0) parts.addHeaders.push(["vary", names.join(", ")]);
}

/** The service gets the version in the words of postern, and none of the client's. */
export function withVersionHeaders(
  work: Work,
  versions: readonly string[],
  rules: RequestRules,
  path: Path,
): RequestRules {
  if (work.versionRules === null || versions.length === 0) return rules;
  const { headers } = work.versionRules;
  const [set] = rules.setHeaders.find(([name]) => headers.includes(name)) ?? [];
  if (set !== undefined)
    work.warning("no_effect", `'request.setHeaders' has no say in ${set}, which 'versions' writes`, path);
  return {
    ...rules,
    removeHeaders: [...new Set([...rules.removeHeaders, ...headers])],
    setHeaders: rules.setHeaders.filter(([name]) => !headers.includes(name)),
  };
}

/** Where no header tells the service, the query does, whoever named the version. */
export function versionInQuery(
  { versionRules }: Work,
  versions: readonly string[],
  rewrite: Route["rewriteQuery"],
): Route["rewriteQuery"] {
  const { headers = [], queries = [] } = versionRules ?? {};
  const [first] = queries;
  if (first === undefined || headers.length > 0 || versions.length === 0) return rewrite;
  const names = new Set(queries);
  return (query, version) => {
    const rest = rewrite === null ? query : rewrite(query, version);
    if (version === null) return rest;
    return withParameters(withoutParameters(rest, names), new Map(queries.map((name) => [name, `${name}=${version}`])));
  };
}
