import { describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/matcher/random.ts";
import { buildRouteTree, type RoutePattern } from "../../src/matching/route-tree.ts";
import { canonicalTarget } from "../../src/message/target.ts";
import { scan } from "./scan.ts";

// Set it to repeat a run that failed.
const { PARITY_SEED } = process.env;
const SEED = Number(PARITY_SEED ?? Math.floor(Math.random() * 2 ** 31));

const SEGMENTS = ["a", "b", "ab", "abc", "abd", "orders", "order", "%20", "__proto__", "constructor", ".a"];
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
  const got = match.kind === "found" ? match.route : match.kind === "not_found" ? match.kind : `allow ${match.allow}`;
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
});

function pick<T>(choices: readonly T[], random: (below: number) => number): T {
  return choices[random(choices.length)] as T;
}

function randomRoute(random: (below: number) => number): RoutePattern {
  const length = random(5);
  const parts = Array.from({ length }, () =>
    random(3) === 0 ? "{x}" : pick(SEGMENTS.slice(0, 3 + random(9)), random),
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
function randomPath(routes: readonly RoutePattern[], random: (below: number) => number): string {
  const value = () => pick([...SEGMENTS, "42", "a%2Cb", "%C3%A9", "z"], random);
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
