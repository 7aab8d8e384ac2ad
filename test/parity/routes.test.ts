import { describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/matcher/random.ts";
import { buildRouteTree, type RoutePattern } from "../../src/matching/route-tree.ts";
import { canonicalTarget } from "../../src/message/target.ts";
import { scan } from "./scan.ts";

// Set it to repeat a run that failed.
const { PARITY_SEED } = process.env;
const SEED = Number(PARITY_SEED ?? Math.floor(Math.random() * 2 ** 31));

const SEGMENTS = ["a", "b", "ab", "abc", "abd", "orders", "order", "%20", "__proto__", "constructor", ".a"];
/** Texts that services take for others: by case, beyond ASCII too (ä, the Kelvin sign, the long s), and scripts. */
const FOLDING = [
  "A",
  "Ab",
  "ABC",
  "Orders",
  "%C3%A4",
  "%C3%84",
  "k",
  "%E2%84%AA",
  "s",
  "%C5%BF",
  "a.php",
  "A.PHP",
  "b.cgi",
];
const METHODS = ["GET", "POST", "HEAD", "DELETE", "get", "PROPFIND"];
const HOSTS = [
  "a.example",
  "b.a.example",
  "c.b.a.example",
  "example",
  "a.example.",
  "xa.example",
  ".a.example",
  "localhost",
  "a..example",
  "",
];
const HOST_PATTERNS = ["a.example", "b.a.example", "*.a.example", "*.example", "*.b.a.example", "localhost"];

function expectSame(
  routes: readonly RoutePattern[],
  host: string,
  method: string,
  path: string,
  note: string,
): boolean {
  const match = buildRouteTree(routes).match(host, method, path);
  return expectMatch(routes, match, host, method, path, note);
}

function expectMatch(
  routes: readonly RoutePattern[],
  match: ReturnType<ReturnType<typeof buildRouteTree>["match"]>,
  host: string,
  method: string,
  path: string,
  note: string,
): boolean {
  const wanted = scan(routes, host.replace(/\.$/, ""), method, path);
  if (wanted === "unknown") return false;
  const nothing = match.kind === "not_found" && match.other !== null ? "other" : "not_found";
  const got = match.kind === "found" ? match.route : match.kind === "not_found" ? nothing : `allow ${match.allow}`;
  if (got !== wanted) {
    const name = (route: RoutePattern | string) => (typeof route === "string" ? route : JSON.stringify(route));
    throw new Error(`${note}: ${method} ${host} ${path} gave ${name(got)}, the scan ${name(wanted)}`);
  }
  if (match.kind === "found") expect(match.params).toEqual(paramsOf(match.route.template, path));
  return match.kind === "found";
}

function paramsOf(template: string, path: string): string[] {
  const segments = path.split("/");
  const parts = template.split("/").entries();
  return [...parts].flatMap(([at, part]) => (part.startsWith("{") ? [segments[at] ?? ""] : []));
}

describe("the route tree equals a scan of the routes", () => {
  test("on a grid of every template, method and path of up to three segments", () => {
    const templates = grid(["a", "ab", "{x}"], 3).flatMap((path) => [
      path,
      `${path === "/" ? "" : path}/**`,
      path === "/" ? "/" : `${path}/`,
    ]);
    const unique = [...new Set(templates)].map((template) => template.replaceAll("{x}", () => "{x}"));
    const routes = unique.map((template) => ({
      template: numberParams(template),
      methods: template.includes("ab") ? ["GET"] : [],
      hosts: [],
    }));
    const paths = grid(["a", "ab", "abc", "z", "%41x"], 3).flatMap((path) => [path, path === "/" ? "/" : `${path}/`]);
    const tree = buildRouteTree(routes);
    for (const method of ["GET", "HEAD", "POST"]) {
      for (const path of paths) expectMatch(routes, tree.match("h", method, path), "h", method, path, "grid");
    }
    for (const route of routes) {
      for (const path of paths) expectSame([route], "h", "POST", path, "one route");
    }
  });

  test(`on random tables and targets, seed ${SEED}`, () => {
    const random = seededRandom(SEED);
    let found = 0;
    for (let round = 0; round < 400; round++) {
      const routes = Array.from({ length: 1 + random(30) }, () => randomRoute(random));
      const tree = buildRouteTree(routes);
      for (let probe = 0; probe < 50; probe++) {
        const host = pick(HOSTS, random);
        const method = pick(METHODS, random);
        const path = randomPath(routes, random);
        if (expectMatch(routes, tree.match(host, method, path), host, method, path, `seed ${SEED}`)) found++;
      }
    }
    expect(found).toBeGreaterThan(2000);
  });

  test(`on random tables of texts that fold, seed ${SEED}`, () => {
    const random = seededRandom(SEED);
    const seen = { found: 0, other: 0 };
    for (let round = 0; round < 300; round++) {
      const segments = [...SEGMENTS.slice(0, 4), ...FOLDING.slice(0, 1 + random(FOLDING.length))];
      const routes = Array.from({ length: 1 + random(20) }, () => ({
        ...randomRoute(random, segments),
        isCaseSensitive: random(6) === 0,
      }));
      const tree = buildRouteTree(routes);
      for (let probe = 0; probe < 50; probe++) {
        const host = pick(HOSTS.slice(0, 3), random);
        const method = pick(METHODS, random);
        const path = changeCase(randomPath(routes, random, FOLDING), random);
        const match = tree.match(host, method, path);
        if (expectMatch(routes, match, host, method, path, `seed ${SEED}`)) seen.found++;
        if (match.kind === "not_found" && match.other !== null) seen.other++;
      }
    }
    expect(seen.found).toBeGreaterThan(1000);
    expect(seen.other).toBeGreaterThan(500);
  });
});

function pick<T>(choices: readonly T[], random: (below: number) => number): T {
  return choices[random(choices.length)] as T;
}

/** Some letters of a path in the other case. */
function changeCase(path: string, random: (below: number) => number): string {
  if (random(3) > 0) return path;
  return path.replace(/%[0-9A-F]{2}|[A-Za-z]/g, (text) => {
    if (text.length > 1 || random(3) > 0) return text;
    return text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase();
  });
}

function randomRoute(random: (below: number) => number, segments: readonly string[] = SEGMENTS): RoutePattern {
  const length = random(5);
  const parts = Array.from({ length }, () =>
    random(3) === 0 ? "{x}" : pick(segments.slice(0, 3 + random(segments.length)), random),
  );
  const ending = pick(["", "", "", "/", "/**", "/**"], random);
  const template = `/${parts.join("/")}`.replace(/^\/$/, "") + ending;
  return {
    template: numberParams(template === "" ? "/" : template),
    methods: [...new Set(Array.from({ length: random(4) }, () => pick(METHODS, random)))],
    hosts: random(2) === 0 ? [] : Array.from({ length: 1 + random(2) }, () => pick(HOST_PATTERNS, random)),
  };
}

/** A path that some route has, or nearly. */
function randomPath(
  routes: readonly RoutePattern[],
  random: (below: number) => number,
  further: readonly string[] = [],
): string {
  const value = () => pick([...SEGMENTS, ...further, "42", "a%2Cb", "%C3%A9", "z"], random);
  const filled = pick(routes, random)
    .template.replace("/**", () => pick(["", "/", "/a", "/a/b", "/z/a/"], random))
    .replace(/\{x\d*\}/g, value);
  const path = filled === "" ? "/" : filled;
  const spoilt = pick(
    [path, path, path, `${path}/`, path.slice(0, -1), `${path}${value()}`, `${path}/${value()}`],
    random,
  );
  const target = canonicalTarget(`/${spoilt.replace(/^\/+|(?<=\/)\/+/g, "")}`);
  return target.ok ? target.value.path : "/";
}

/** Parameters' names must differ within a template. */
function numberParams(template: string): string {
  let count = 0;
  return template.replaceAll("{x}", () => `{x${count++}}`);
}

/** All paths of up to `length` of these segments; `/` is the one without any. */
function grid(segments: readonly string[], length: number): string[] {
  if (length === 0) return ["/"];
  const shorter = grid(segments, length - 1);
  const longest = shorter.flatMap((path) => segments.map((segment) => `${path === "/" ? "" : path}/${segment}`));
  return [...new Set([...shorter, ...longest])];
}
