import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineFilter } from "../../src/filters/filter.ts";
import { REGISTRY, type Registry } from "../../src/filters/index.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { examine, fixedClock, policyWith, routeOf } from "./policy-kit.ts";

/** A protection that judges answers, on their head or their body. */
const answers = defineFilter<"head" | "body" | "audit">({
  name: "answers",
  defaults: "override",
  schema: z.enum(["head", "body", "audit"]),
  compile(settings, context) {
    const place = context.place();
    const enforcePercent = settings === "audit" ? 0 : 100;
    context.addResponseCheck({ name: "answers", place, enforcePercent, judgesBody: settings !== "head" });
  },
});

const registry: Registry = { ...REGISTRY, filters: [...REGISTRY.filters, answers] };

async function compiled(routes: string): Promise<Snapshot> {
  const { snapshot, problems } = await examine(policyWith(routes), {}, fixedClock, registry);
  if (snapshot === null) throw new Error(JSON.stringify(problems));
  return snapshot;
}

/** What of the header lines reaches the service on a route. */
function forwarded(snapshot: Snapshot, template: string): string {
  const headers = new HeaderBlock(["range", "if-range", "accept"], ["bytes=0-9", '"v1"', "*/*"]);
  return routeOf(snapshot, template).rewriteRequest(headers, createExchange());
}

describe("checks of answers", () => {
  test("stand on their route with their place, and on no other", async () => {
    const snapshot = await compiled(`routes:
  - { path: /judged, public: true, answers: head }
  - { path: /other, public: true }`);
    expect(routeOf(snapshot, "/judged").responseChecks.map(({ place }) => place.path)).toEqual(["routes[0].answers"]);
    expect(routeOf(snapshot, "/other").responseChecks).toEqual([]);
  });

  test("of the defaults stand on each route, and give way to its own", async () => {
    const snapshot = await compiled(`defaults: { answers: head }
routes: [{ path: /a, public: true }, { path: /b, public: true, answers: body }]`);
    const judging = ["/a", "/b"].map((path) => routeOf(snapshot, path).responseChecks.map((check) => check.judgesBody));
    expect(judging).toEqual([[false], [true]]);
  });

  test("of bodies keep the service from being asked for parts; others do not", async () => {
    const snapshot = await compiled(`routes:
  - { path: /head, public: true, answers: head }
  - { path: /body, public: true, answers: body }
  - { path: /audit, public: true, answers: audit }`);
    expect(forwarded(snapshot, "/head")).toMatch(/range: bytes=0-9\r\nif-range: "v1"\r\naccept/);
    expect(forwarded(snapshot, "/audit")).toBe(forwarded(snapshot, "/head"));
    expect(forwarded(snapshot, "/body")).not.toMatch(/range/);
    expect(forwarded(snapshot, "/body")).toMatch(/accept: /);
  });

  test("of bodies keep the service from compressing, where nothing else is said", async () => {
    const route = (path: string, response: string): string =>
      `  - { path: ${path}, public: true, response: { ${response} } }`;
    const snapshot = await compiled(`defaults: { response: { maxDepth: 8 } }
routes:
${route("/identity", "maxItems: 9")}
${route("/refuse", "contentEncoding: refuse")}
${route("/inflate", "contentEncoding: inflate")}
${route("/pass", "contentEncoding: pass")}`);
    const asked = (path: string): string => {
      const headers = new HeaderBlock(["accept-encoding"], ["gzip"]);
      return routeOf(snapshot, path).rewriteRequest(headers, createExchange());
    };
    expect(["/identity", "/refuse", "/inflate", "/pass"].map((path) => asked(path).includes("gzip"))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    const { responseChecks, answerReading } = routeOf(snapshot, "/identity");
    expect(responseChecks.map(({ place }) => place.path)).toEqual([
      "routes[0].response.maxItems",
      "defaults.response.maxDepth",
    ]);
    expect(answerReading).toMatchObject({ compressed: "inflate", unreadable: "refuse" });
  });

  test("that only audit change nothing that the service is asked", async () => {
    const snapshot = await compiled(`routes:
  - path: /audit
    public: true
    response:
      fields: { remove: ['$.a'], mode: audit }
      leaks: { cards: block, mode: audit }
      validate: { status: [200], writeOnly: strip, mode: audit }
  - path: /half
    public: true
    response: { fields: [{ remove: ['$.a'], mode: audit }, { remove: ['$.b'] }] }`);
    const asked = (path: string): string => {
      const headers = new HeaderBlock(["accept-encoding", "range"], ["gzip", "bytes=0-1"]);
      return routeOf(snapshot, path).rewriteRequest(headers, createExchange());
    };
    expect(asked("/audit")).toMatch(/^accept-encoding: gzip\r\nrange: bytes=0-1\r\n/);
    expect(asked("/half")).not.toMatch(/gzip|range/);
  });

  test("are loaded with the first policy that has one", async () => {
    const snapshot = await compiled("routes: [{ path: /a, public: true, response: { securityHeaders: off } }]");
    expect(routeOf(snapshot, "/a")).toMatchObject({ responseChecks: [], answerReading: null });
  });
});
