import type { RoutePattern } from "../../src/matching/route-tree.ts";

export interface BenchRoute extends RoutePattern {
  readonly id: number;
}

const NOUNS =
  "orders invoices customers payments products shipments carts reviews accounts devices tickets events reports users teams".split(
    " ",
  );
const QUALIFIERS =
  "open legacy internal partner billing retail wholesale mobile archived regional pending shared".split(" ");

/**
 * Ten routes of one resource. No static segment stands beside a parameter, for hono's RegExpRouter refuses such tables;
 * the table of rest-api.ts has many.
 */
const SHAPES: readonly (readonly [method: string, suffix: string])[] = [
  ["GET", ""],
  ["POST", ""],
  ["GET", "/{id}"],
  ["PUT", "/{id}"],
  ["DELETE", "/{id}"],
  ["GET", "/{id}/history"],
  ["GET", "/{id}/items/{itemId}"],
  ["GET", "-search/recent"],
  ["POST", "-reports/monthly/export"],
  ["GET", "-files/**"],
];

/** `size` routes, ten for each resource, all below `/v1`. */
export function makeTable(size: number): readonly BenchRoute[] {
  return Array.from({ length: size }, (_, id) => {
    const [method, suffix] = SHAPES[id % SHAPES.length] ?? ["GET", ""];
    return { id, methods: [method], hosts: [], template: `/v1/${resource(Math.floor(id / SHAPES.length))}${suffix}` };
  });
}

function resource(index: number): string {
  const noun = NOUNS[index % NOUNS.length];
  const qualifier = QUALIFIERS[Math.floor(index / NOUNS.length) % QUALIFIERS.length];
  const round = Math.floor(index / (NOUNS.length * QUALIFIERS.length));
  return `${qualifier}-${noun}${round === 0 ? "" : `-${round}`}`;
}
