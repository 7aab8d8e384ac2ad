import { seededRandom } from "./random.ts";
import type { BenchRoute } from "./tables.ts";

export interface Probe {
  readonly method: string;
  readonly path: string;
  /** The request as it comes. */
  readonly head: Buffer;
  /** Id of the route that has to be found, or -1. */
  readonly id: number;
  readonly params: Readonly<Record<string, string>>;
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** Requests for a table: four fifths hits over all its routes, the others unknown paths and methods. */
export function makeProbes(routes: readonly BenchRoute[], count: number, seed: number): readonly Probe[] {
  const random = seededRandom(seed);
  const patterns = compileScan(routes);
  const probes: Probe[] = [];
  while (probes.length < count) {
    const route = routes[random(routes.length)];
    if (route === undefined) throw new Error("an empty table has no probes");
    const filled = fill(route, random);
    const kind = random(20);
    const method = kind >= 18 ? (METHODS[random(METHODS.length)] ?? "GET") : (route.methods[0] ?? "GET");
    const path = kind >= 16 && kind < 18 ? spoil(filled.path, random) : filled.path;
    const isHit = kind < 16;
    // Routers differ in what a wrong method may fall back to, so misses are those that no route could take.
    if (!isHit && patterns.some((each) => each.method === method && each.pattern.test(path))) continue;
    const head = Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: api.example.org\r\n\r\n`, "latin1");
    const expected = isHit ? { id: route.id, params: filled.params } : { id: -1, params: {} };
    probes.push({ method, path, head, ...expected });
  }
  return probes;
}

function fill(route: BenchRoute, random: (below: number) => number): { path: string; params: Record<string, string> } {
  const params: Record<string, string> = {};
  const path = route.template
    .replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = random(2) === 0 ? String(10_000 + random(90_000_000)) : `item-${random(100_000).toString(36)}-z`;
      params[name] = value;
      return value;
    })
    .replace("**", () => `2026/${10 + random(3)}/picture-${random(1000)}.png`);
  return { path, params };
}

/** A path that no route has: another first, last or middle segment. */
function spoil(path: string, random: (below: number) => number): string {
  const segments = path.split("/");
  const at = 1 + random(segments.length);
  segments.splice(at, random(2), `no-such-${random(100)}`);
  return segments.join("/");
}

function compileScan(routes: readonly BenchRoute[]): readonly { method: string; pattern: RegExp }[] {
  return routes.map((route) => {
    const source = route.template
      .replace(/[.]/g, "\\.")
      .replace(/\{\w+\}/g, "[^/]+")
      .replace("/**", "(?:/.*)?");
    return { method: route.methods[0] ?? "", pattern: new RegExp(`^${source}$`) };
  });
}
