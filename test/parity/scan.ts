import type { RoutePattern } from "../../src/matching/route-tree.ts";

/** Texts without any of these are one only with themselves. */
const FOLDS = /[A-Z%.]/;

/** Not from the sources: the methods that a route without a list takes. */
const USUAL = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/** Whether two segments are one. */
type Same = (a: string | undefined, b: string | undefined) => boolean;

const isSame: Same = (a, b) => a === b;

/** As ICU compares without regard to case: canonically equivalent texts are equal, letters with accents are others. */
const collator = new Intl.Collator("en", { sensitivity: "accent" });
const isSameFolded: Same = (a, b) => a === b || (a !== undefined && b !== undefined && foldedIn(a).has(b));

/** Texts that are one with `text`, of those that were asked for: the collator is slow, and texts are few. */
function foldedIn(text: string): Pick<Set<string>, "has"> {
  const known = answers.get(text) ?? new Map<string, boolean>();
  answers.set(text, known);
  return {
    has: (other) => {
      const answer = known.get(other) ?? collator.compare(nameOf(text), nameOf(other)) === 0;
      known.set(other, answer);
      return answer;
    },
  };
}
const answers = new Map<string, Map<string, boolean>>();

/** As the file system of Windows names it, where dots and spaces at the end are nothing. ICU sees ſ as an accent on s. */
function nameOf(segment: string): string {
  return decodeURIComponent(segment)
    .replace(/(?!^)[. ]+$/, "")
    .replaceAll("ſ", "s");
}

/**
 * What the route tree must do, as a scan that can be read at a glance: of all routes whose host and path match, the
 * most specific place (host pattern and path shape) owns the request; its routes decide by the method. Where a service
 * that folds case, drops a last slash or runs scripts might see another, it is `other`.
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
    const shapes = [...new Set(ofHost.map((offer) => offer.shape))];
    const own = bestShape(shapes, path);
    const sensitive = new Set(ofHost.filter(({ route }) => route.isCaseSensitive === true).map((offer) => offer.shape));
    const insensitive = shapes.filter((one) => !sensitive.has(one));
    if (isElsewhere(shapes, own, path, isSame)) return "other";
    const isFolded = FOLDS.test(path) || insensitive.some((one) => FOLDS.test(one));
    if (isFolded && (own === undefined || !sensitive.has(own)) && isElsewhere(insensitive, own, path, isSameFolded)) {
      return "other";
    }
    const inner = innerPlace(shapes, own, path);
    if (inner === "is") return "other";
    // A rarity that the tree's own tests hold.
    if (inner === "may") return "unknown";
    if (own === undefined) continue;
    const owners = ofHost.filter((offer) => offer.shape === own).map((offer) => offer.route);
    return decide(owners, method);
  }
  return "not_found";
}

/**
 * Whether a script on the path is, or routes what follows its name to, a place that neither `own` nor the path itself is: it
 * `is` so by the spelling of that path, or it `may` be so by another reading of it.
 */
function innerPlace(shapes: readonly string[], own: string | undefined, path: string): "is" | "may" | "not" {
  if (!path.includes(".")) return "not";
  const [, folder = "", inner] = /^((?:\/[^/]*)*?)\/[^/]*\.(?:php|cgi)(\/.*)$/i.exec(path) ?? [];
  if (inner === undefined) return "not";
  // A route that reaches beyond the script says what follows it; else the script itself may be another's.
  const isSpelled = own !== undefined && lengthOf(own) > folder.split("/").length - 1;
  const candidates = [...(isSpelled ? [] : [path.slice(0, -inner.length)]), `${folder}${inner}`, inner];
  const isAround = (found: string): boolean => found.endsWith("**") && pathMatches(found, path, isSame);
  const isThere = candidates
    .map((one) => bestShape(shapes, one))
    .some((one) => one !== undefined && one !== own && !isAround(one));
  if (isThere) return own === undefined || own.endsWith("**") ? "is" : "may";
  const loose = (one: string): boolean => isElsewhere(shapes, undefined, one, isSameFolded);
  return candidates.some(loose) ? "may" : "not";
}

/** Segments of a shape, its rest left out. */
function lengthOf(shape: string): number {
  return shape.replace(/\/\*\*$/, "").split("/").length - 1;
}

/** Whether the most specific place of those that are `same` to such a service is another than `own`. */
function isElsewhere(shapes: readonly string[], own: string | undefined, path: string, same: Same): boolean {
  if (own !== undefined && same === isSame && shapes.every((one) => loosen(one) === one)) return false;
  const [best] = shapes
    .map(loosen)
    .filter((one) => pathMatches(one, path === "/" ? path : path.replace(/\/$/, ""), same))
    .sort((a, b) => compareShapes(a, b, same));
  return best !== undefined && (own === undefined || !isSameShape(best, loosen(own), same));
}

/** All that a service may take for the shape's paths: a slash at the end or none, and whatever is behind a script. */
function loosen(shape: string): string {
  const known = loosened.get(shape) ?? loosenedOf(shape);
  loosened.set(shape, known);
  return known;
}
const loosened = new Map<string, string>();

function loosenedOf(shape: string): string {
  const [script] = /^(?:\/[^/]*)*?\/[^/]*\.(?:php|cgi)(?=\/|$)/i.exec(shape) ?? [];
  if (script !== undefined) return `${script}/**`;
  return shape === "/" ? shape : shape.replace(/\/$/, "");
}

function isSameShape(a: string, b: string, same: Same): boolean {
  const [partsA, partsB] = [a.split("/"), b.split("/")];
  return partsA.length === partsB.length && partsA.every((part, at) => same(part, partsB[at]));
}

/** The most specific shape; where that is a rest or none, one that matches but for a slash at the end comes first. */
function bestShape(shapes: readonly string[], path: string): string | undefined {
  const best = (of: string) =>
    shapes.filter((one) => pathMatches(one, of, isSame)).sort((a, b) => compareShapes(a, b, isSame))[0];
  const own = best(path);
  if ((own !== undefined && !own.endsWith("**")) || path === "/") return own;
  const twin = best(path.endsWith("/") ? path.slice(0, -1) : `${path}/`);
  return twin === undefined || twin.endsWith("**") ? own : twin;
}

function decide<R extends RoutePattern>(owners: readonly R[], method: string): R | string {
  const naming = (name: string) => owners.find((route) => route.methods.includes(name));
  const usual = owners.find((route) => route.methods.length === 0);
  const found = naming(method) ?? (method === "HEAD" ? naming("GET") : undefined);
  const methods = new Set(owners.flatMap((route) => (route.methods.length === 0 ? USUAL : route.methods)));
  if (methods.has("GET")) methods.add("HEAD");
  return found ?? (USUAL.includes(method) ? usual : undefined) ?? `allow ${[...methods].sort().join(", ")}`;
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

function pathMatches(template: string, path: string, same: Same): boolean {
  const segments = path.split("/");
  const parts = template.split("/");
  const hasRest = parts.at(-1) === "**";
  if (hasRest) parts.pop();
  if (hasRest ? segments.length < parts.length : segments.length !== parts.length) return false;
  return parts.every((part, at) => (part === "{}" ? segments[at] !== "" : same(segments[at], part)));
}

/**
 * Negative where `a` is more specific: at the first segment in which they differ, static or the end before `{}` before
 * `**`. One of them may end there: then the other has its `**`.
 */
function compareShapes(a: string, b: string, same: Same): number {
  const rank = (part: string | undefined) => ["{}", "**"].indexOf(part ?? "") + 1;
  const [partsA, partsB] = [a.split("/"), b.split("/")];
  let at = 0;
  while (at < partsA.length && same(partsA[at], partsB[at])) at++;
  return rank(partsA[at]) - rank(partsB[at]);
}
