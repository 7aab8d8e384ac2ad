import { describe, expect, test } from "vitest";
import { priorityFilter } from "../../src/filters/overload/compile.ts";
import { examine, policyWith, routeOf, snapshotOf } from "../policy/policy-kit.ts";

const checkOf = async (top: string, route: string) => {
  const snapshot = await snapshotOf(policyWith(`${top}\nroutes: [{ ${route}, public: true }]\n`));
  const template = /path: ([^,}]+)/.exec(route)?.[1]?.trim() ?? "";
  return routeOf(snapshot, template).checks.find(({ name }) => name === "overload");
};

const explained = async (top: string, route: string): Promise<string | undefined> => {
  const check = await checkOf(top, route);
  return check?.explain({} as never);
};

describe("a policy with 'overload'", () => {
  test("has a check behind the match of every route, before all others, once a request", async () => {
    const snapshot = await snapshotOf(
      policyWith(
        "overload: {}\nlimits: { all: { rate: 1/second, key: route } }\ndefaults: { limit: [all] }\nroutes: [{ path: /, public: true }]",
      ),
    );
    const [first] = routeOf(snapshot, "/").checks;
    expect(first).toMatchObject({ name: "overload", phase: "match", once: true, enforcePercent: 100 });
    expect(first?.place.path).toBe("overload");
  });

  test("says what it would do, with its own bounds or the usual ones", async () => {
    expect(await explained("overload: {}", "path: /a")).toBe(
      "priority normal: shed while events wait more than 200 ms or 90 % of the memory is held; scope process",
    );
    expect(await explained("overload: { eventLoopDelay: 50ms, memory: 80% }", "path: /a, priority: low")).toBe(
      "priority low: shed while events wait more than 50 ms or 80 % of the memory is held; scope process",
    );
  });

  test("takes the priority of the defaults, and of the route before that", async () => {
    const top = "overload: {}\ndefaults: { priority: high }";
    expect(await explained(top, "path: /a")).toContain("priority high");
    expect(await explained(top, "path: /a, priority: low")).toContain("priority low");
  });

  test("audits where it says so", async () => {
    expect((await checkOf("overload: { mode: audit }", "path: /a"))?.enforcePercent).toBe(0);
  });
});

describe("health checks", () => {
  const paths = ["/health", "/healthz", "/livez", "/readyz", "/ping", "/-/healthy", "/actuator/health", "/api/health"];
  for (const path of [...paths, "/grpc.health.v1.Health/Check"]) {
    test(`${path} is never shed`, async () => {
      expect(await explained("overload: {}", `path: ${path}`)).toBe("priority critical: never shed");
    });
  }

  test("a route that says another priority has it, and one that only looks alike is none", async () => {
    expect(await explained("overload: {}", "path: /health, priority: low")).toContain("priority low");
    for (const path of ["/healthy-recipes", "/v1/health", "/health/records"]) {
      expect(await explained("overload: {}", `path: ${path}`), path).toContain("priority normal");
    }
  });
});

test("a policy without 'overload' has no such check, and is told that a priority does nothing", async () => {
  expect(await checkOf("", "path: /a")).toBeUndefined();
  const { warnings } = await examine(policyWith("routes: [{ path: /a, public: true, priority: low }]"));
  expect(warnings.map(({ text }) => text)).toContain(
    "nothing is shed without section 'overload'; expected 'overload: {}' at the top level",
  );
});

test("bounds out of range are problems", async () => {
  for (const [settings, text] of [
    ["eventLoopDelay: 1ms", "expected a time of 20ms to 10s"],
    ["memory: 20%", "expected a share of 50% to 100%"],
    ["memory: '90'", "expected a share of 50% to 100%"],
  ]) {
    const { problems } = await examine(policyWith(`overload: { ${settings} }\nroutes: [{ path: /a, public: true }]`));
    expect(problems.map((problem) => problem.text).join("\n")).toContain(text);
  }
  expect(priorityFilter.schema.safeParse("urgent").success).toBe(false);
});
