// Goal: methods of a descriptor are one version's, or end, as operations of a description are and do.
// Method: compiled policies with one descriptor in two versions, asked with the header that names one.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { policyWith, problemsOf, snapshotOf } from "./policy-kit.ts";

const STOCK = readFileSync(new URL("../../policies/grpc/stock.binpb", import.meta.url));
const COUNT = "/stock.v1.Stock/Count";
const FROM = "versions: { from: [{ header: Api-Version }] }";

const files = { "stock.binpb": STOCK };

/** Line of the policy of the route that a call gets, or why none. */
function ask({ versions, routes }: Snapshot, path: string, version: string): string {
  const exchange = createExchange({ method: "POST", path, headers: [["api-version", version]] });
  const match = (versions?.routesFor(exchange) ?? routes).match(exchange.host, "POST", path);
  if (match.kind === "not_found") return match.kind;
  return versions?.judge(exchange, match.route)?.reason ?? `${match.kind} ${match.route.place.line}`;
}

test("a file is one version's, and what its services do not have is refused in that version", async () => {
  const snapshot = await snapshotOf(
    policyWith(`${FROM}
grpc:
  - { file: stock.binpb, version: '1', public: true, methods: { stock.v1.Stock: { deprecated: { since: 2026-01-01 } } } }
  - { file: stock.binpb, version: '2', public: true }`),
    files,
  );
  const [first, second] = snapshot.routeList.filter(({ template }) => template === COUNT);
  expect([first?.versions, second?.versions]).toEqual([["1"], ["2"]]);
  expect(ask(snapshot, COUNT, "1")).toBe(`found ${first?.place.line}`);
  expect(ask(snapshot, COUNT, "2")).toBe(`found ${second?.place.line}`);
  expect(first?.place.line).not.toBe(second?.place.line);
  expect(ask(snapshot, COUNT, "3")).toBe("version_unknown");
  expect(ask(snapshot, "/stock.v1.Stock/Other", "2")).toBe(`found ${second?.place.line}`);
  const names = (route: typeof first) => route?.checks.map(({ name }) => name);
  expect([names(first)?.includes("deprecated"), names(second)?.includes("deprecated")]).toEqual([true, false]);
});

test("a single method may be a version's, and the others every version's", async () => {
  const snapshot = await snapshotOf(
    policyWith(`${FROM}
grpc: [{ file: stock.binpb, public: true, undeclared: ignore, methods: { stock.v1.Stock/Count: { version: '2' } } }]
routes: [{ path: /x, public: true, version: '1' }]`),
    files,
  );
  expect(ask(snapshot, COUNT, "2")).toMatch(/^found /);
  expect(ask(snapshot, COUNT, "1")).not.toMatch(/^found /);
});

test("one method twice in one version is a problem, and a version without 'versions' is one, too", async () => {
  const twice = `${FROM}\ngrpc: [{ file: stock.binpb, version: '1', public: true }, { file: stock.binpb, version: ['1', '2'], public: true }]`;
  expect(await problemsOf(policyWith(twice), files)).not.toEqual([]);
  const without = "grpc: [{ file: stock.binpb, version: '1', public: true }]";
  expect(await problemsOf(policyWith(without), files)).toEqual(
    expect.arrayContaining([expect.stringContaining("versions")]),
  );
});
