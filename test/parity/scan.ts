import type { RoutePattern } from "../../src/matching/route-tree.ts";

/**
 * What the route tree must do, as a scan that can be read at a glance: of all routes whose host and path match, the
 * most specific place (host pattern and path shape) owns the request; its routes decide by the method.
 */
export function scan<R extends RoutePattern>(
  routes: readonly R[],
  host: string,
  method: string,
  path: string,
): R | string {
  const offers = routes.flatMap((route) =>
    (route.hosts.length === 0 ? ["*"] : route.hosts).map((pattern) => ({
      route,
      pattern,
      shape: shape(route.template),
    })),
  );
  const patterns = [...new Set(offers.map(({ pattern }) => pattern))].filter((pattern) => hostMatches(pattern, host));
  for (const pattern of patterns.sort((a, b) => hostRank(b) - hostRank(a))) {
    const ofHost = offers.filter((offer) => offer.pattern === pattern);
    const place = bestShape(
      ofHost.map((offer) => offer.shape),
      path,
    );
    if (place === undefined) continue;
    const owners = ofHost.filter((offer) => offer.shape === place).map((offer) => offer.route);
    return decide(owners, method);
  }
  return "not_found";
}

/** The most specific shape; where that is a rest or none, one that matches but for a slash at the end comes first. */
function bestShape(shapes: readonly string[], path: string): string | undefined {
  const best = (of: string) => shapes.filter((one) => pathMatches(one, of)).sort(compareShapes)[0];
  const own = best(path);
  if ((own !== undefined && !own.endsWith("**")) || path === "/") return own;
  const twin = best(path.endsWith("/") ? path.slice(0, -1) : `${path}/`);
  return twin === undefined || twin.endsWith("**") ? own : twin;
}

function decide<R extends RoutePattern>(owners: readonly R[], method: string): R | string {
  const naming = (name: string) => owners.find((route) => route.methods.includes(name));
  const any = owners.find((route) => route.methods.length === 0);
  const found = naming(method) ?? (method === "HEAD" ? naming("GET") : undefined) ?? any;
  const methods = new Set(owners.flatMap((route) => route.methods));
  if (methods.has("GET")) methods.add("HEAD");
  return found ?? `allow ${[...methods].sort().join(", ")}`;
}

/** Names of parameters are of no account: `/a/{x}` and `/a/{y}` are one place. */
function shape(template: string): string {
  return template.replace(/\{[^}]*\}/g, "{}");
}

function hostMatches(pattern: string, host: string): boolean {
  return (
    pattern === "*" ||
    pattern === host ||
    (pattern.startsWith("*.") && /./.test(host.slice(0, 1 - pattern.length)) && host.endsWith(pattern.slice(1)))
  );
}

function hostRank(pattern: string): number {
  if (pattern === "*") return 0;
  return pattern.startsWith("*.") ? pattern.length : Number.POSITIVE_INFINITY;
}

function pathMatches(template: string, path: string): boolean {
  const segments = path.split("/");
  const parts = template.split("/");
  const hasRest = parts.at(-1) === "**";
  if (hasRest) parts.pop();
  if (hasRest ? segments.length < parts.length : segments.length !== parts.length) return false;
  return parts.every((part, at) => (part === "{}" ? segments[at] !== "" : segments[at] === part));
}

/**
 * Negative where `a` is more specific: at the first segment in which they differ, static or the end before `{}` before
 * `**`. One of them may end there: then the other has its `**`.
 */
function compareShapes(a: string, b: string): number {
  const rank = (part: string | undefined) => ["{}", "**"].indexOf(part ?? "") + 1;
  const [partsA, partsB] = [a.split("/"), b.split("/")];
  let at = 0;
  while (at < partsA.length && partsA[at] === partsB[at]) at++;
  return rank(partsA[at]) - rank(partsB[at]);
}
