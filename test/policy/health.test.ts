// Goal: what a policy says of health is one check each, made once for the same words, and what makes no sense is told at its place.
import { describe, expect, test } from "vitest";
import type { ProbeSettings } from "../../src/health/probe.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { examinePolicy } from "../../src/policy/compile.ts";
import type { UpstreamSettings } from "../../src/policy/snapshot.ts";
import { testResources } from "../fixtures/outside.ts";
import { examine, fixedClock, PUBLIC_ROUTE, policyWith, readerOf, warningsOf } from "./policy-kit.ts";

const policy = (check: string, address = "http://127.0.0.1:3000", more = "") =>
  policyWith(`${PUBLIC_ROUTE}\n${more}`).replace(/address: '.*?'/, `address: '${address}', healthCheck: ${check}`);

const withProbes = (probes: string, address = "http://127.0.0.1:3000") =>
  policyWith(`${PUBLIC_ROUTE}\nadmin: { address: 127.0.0.1:9901, probes: 0.0.0.0:9902, serviceProbes: ${probes} }`, {
    upstream: address,
  });

async function problems(text: string): Promise<readonly string[]> {
  return (await examine(text)).problems.map((one) => `${one.place.path}: ${one.text}`);
}

/** What services would be asked by a policy that compiles. */
async function compiled(text: string, resources = testResources()) {
  const asked: (readonly [UpstreamSettings, ProbeSettings])[] = [];
  const { snapshot, problems: found } = await examinePolicy("conf/policy.yaml", {
    cwd: "/srv",
    clock: fixedClock,
    rateTables: new RateTables([1, 2], fixedClock, 64),
    readFile: readerOf(text, {}),
    resources,
    probing: {
      open: (upstream, probe) => {
        asked.push([upstream, probe]);
        return () => Promise.resolve({ isGood: true, status: 200, text: "" });
      },
      running: new Map(),
    },
  });
  if (snapshot === null) throw new Error(JSON.stringify(found));
  return { snapshot, asked, resources };
}

describe("healthCheck of an upstream", () => {
  test("has usual words, and what is absent is usual", async () => {
    const { snapshot, asked } = await compiled(policy("{ path: '/healthz?full=1' }"));
    expect(asked.map(([, probe]) => probe)).toEqual([
      {
        type: "http",
        method: "GET",
        target: "/healthz?full=1",
        authority: null,
        lines: "user-agent: postern-health\r\n",
        service: "",
        statuses: [[200, 299]],
        timeoutMs: 3000,
      },
    ]);
    expect([...snapshot.resources.values()].map((one) => one.status())).toMatchObject([
      { kind: "health check", name: "app", gatesReadiness: false },
    ]);
    expect(snapshot.refusals).toBeNull();
    const full = await compiled(
      policy(
        "{ path: /h, method: HEAD, host: Orders.example.org:80, headers: { X-Probe: 'yes', User-Agent: k }, expectedStatuses: [200-204, 404], interval: 5s, timeout: 500ms, healthyThreshold: 1, unhealthyThreshold: 5, whenUnhealthy: [notReady, refuse] }",
      ),
    );
    expect(full.asked[0]?.[1]).toMatchObject({
      method: "HEAD",
      authority: "orders.example.org:80",
      lines: "x-probe: yes\r\nuser-agent: k\r\n",
      statuses: [
        [200, 204],
        [404, 404],
      ],
      timeoutMs: 500,
    });
    expect(full.snapshot.refusals?.get("app")).toMatchObject({
      retrySeconds: 5,
      place: { path: "upstreams.app.healthCheck.whenUnhealthy" },
    });
    const grpc = await compiled(policy("{ type: grpc, service: orders.v1.Orders }", "h2c://127.0.0.1:50051"));
    expect(grpc.asked[0]?.[1]).toMatchObject({ type: "grpc", service: "orders.v1.Orders" });
  });

  test("outlives a reload that leaves it and its upstream alone", async () => {
    const first = await compiled(policy("{ path: /h }"));
    first.resources.follow(first.snapshot);
    const checkOf = ({ snapshot }: typeof first) => [...snapshot.resources.values()][0];
    const same = await compiled(policy("{ path: /h }", undefined, "log: { access: 'off' }"), first.resources);
    expect(checkOf(same)).toBe(checkOf(first));
    for (const [check, address] of [
      ["{ path: /other }", "http://127.0.0.1:3000"],
      ["{ path: /h, interval: 5s }", "http://127.0.0.1:3000"],
      ["{ path: /h }", "http://127.0.0.1:3001"],
    ] as const) {
      expect(checkOf(await compiled(policy(check, address), first.resources))).not.toBe(checkOf(first));
    }
    first.resources.close();
  });

  test.each([
    ["{}", "http://127.0.0.1:3000", "healthCheck: 'path' is missing; expected what is asked for, as in /healthz"],
    ["{ path: healthz }", "http://a.internal", "healthCheck.path: expected a path as it is sent"],
    ["{ path: '//a' }", "http://a.internal", "healthCheck.path: expected a path as it is sent"],
    ['{ path: "/a\\r\\nx: y" }', "http://a.internal", "healthCheck.path: expected a path as it is sent"],
    ["{ type: grpc }", "http://127.0.0.1:3000", "healthCheck.type: gRPC needs HTTP/2"],
    ["{ type: grpc, path: /h }", "h2c://127.0.0.1:3000", "healthCheck.path: 'path' belongs to type http"],
    ["{ type: tcp, service: a }", "http://127.0.0.1:3000", "healthCheck.service: 'service' belongs to type grpc"],
    ["{ type: tcp, host: a.b }", "http://127.0.0.1:3000", "healthCheck.host: nothing is said over the connection"],
    ["{ path: /h, headers: { Authorization: x } }", "http://127.0.0.1:3000", "a secret has no place in a policy"],
    ["{ path: /h, headers: { Host: x } }", "http://127.0.0.1:3000", "'host' says it"],
    ["{ path: /h, headers: { Connection: x } }", "http://127.0.0.1:3000", "'connection' is postern's own to write"],
    ['{ path: /h, headers: { X-A: "a\\r\\nb" } }', "http://127.0.0.1:3000", "expected 1 to 1024 visible characters"],
    ["{ path: /h, host: 'a b' }", "http://127.0.0.1:3000", "healthCheck.host: expected a host, and a port or none"],
    ["{ path: /h, expectedStatuses: [600] }", "http://127.0.0.1:3000", "expectedStatuses[0]: expected at most 599"],
    ["{ path: /h, expectedStatuses: ['300-200'] }", "http://127.0.0.1:3000", "expected a status or a range of them"],
    ["{ path: /h, interval: 10ms }", "http://127.0.0.1:3000", "healthCheck.interval: expected a time from 1s to 1h"],
    ["{ path: /h, timeout: 2m }", "http://127.0.0.1:3000", "healthCheck.timeout: expected a time from 100ms to 60s"],
    ["{ path: /h, intervall: 5s }", "http://127.0.0.1:3000", "did you mean 'interval'?"],
  ])("%s at %s", async (check, address, text) => {
    const found = await problems(policy(check, address));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(text);
    expect(found[0]).toMatch(/^upstreams\.app\.healthCheck/);
  });
});

describe("serviceProbes", () => {
  test("are asked of the one upstream, at their own path where no other is named", async () => {
    const { snapshot, asked } = await compiled(
      withProbes("[{ path: /app/readyz }, { path: /app/live, servicePath: '/live?x=1', timeout: 2s }]"),
    );
    expect([...snapshot.admin.serviceProbes.keys()]).toEqual(["/app/readyz", "/app/live"]);
    expect(asked.map(([, { target, timeoutMs }]) => [target, timeoutMs])).toEqual([
      ["/app/readyz", 1000],
      ["/live?x=1", 2000],
    ]);
    const grpc = await compiled(withProbes("[{ path: /app, type: grpc }]", "h2c://[::1]:50051"));
    expect(grpc.asked[0]?.[1].type).toBe("grpc");
    expect((await compiled(withProbes("[{ path: /app }]", "unix:/run/app.sock"))).asked).toHaveLength(1);
  });

  test("count as a use of their upstream", async () => {
    const text = withProbes("[{ path: /app, upstream: other }]").replace(
      /upstreams: \{/,
      "upstreams: { other: { address: 'http://127.0.0.1:3001' },",
    );
    expect(await warningsOf(text.replace("address: 127.0.0.1:8080", "address: 127.0.0.1:8080, upstream: app"))).toEqual(
      [],
    );
  });

  test.each([
    ["[{ path: /app }]", "http://10.0.0.5:3000", "serviceProbes[0]: 'app' is on another machine"],
    [
      "[{ path: /app, upstream: app }]",
      "https://orders.internal",
      "serviceProbes[0].upstream: 'app' is on another machine",
    ],
    [
      "[{ path: /app, upstream: ap }]",
      "http://127.0.0.1:3000",
      "serviceProbes[0].upstream: no upstream 'ap' is defined",
    ],
    ["[{ path: /readyz }]", "http://127.0.0.1:3000", "serviceProbes[0].path: this path is postern's own"],
    ["[{ path: /a }, { path: /a }]", "http://127.0.0.1:3000", "serviceProbes[1].path: this path is another probe's"],
    ["[{ path: /a/../b }]", "http://127.0.0.1:3000", "serviceProbes[0].path: expected a path of letters"],
    ["[{ path: '/%61' }]", "http://127.0.0.1:3000", "serviceProbes[0].path: expected a path of letters"],
    ["[{ path: '/a;b' }]", "http://127.0.0.1:3000", "serviceProbes[0].path: expected a path of letters"],
    ["[{ path: '/a?b' }]", "http://127.0.0.1:3000", "serviceProbes[0].path: expected a path of letters"],
    ["[{ path: '/**' }]", "http://127.0.0.1:3000", "serviceProbes[0].path: expected a path of letters"],
    ["[{ path: /a, type: tcp, servicePath: /b }]", "http://127.0.0.1:3000", "'servicePath' belongs to type http"],
  ])("%s of %s", async (probes, address, text) => {
    const found = await problems(withProbes(probes, address));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(text);
    expect(found[0]).toMatch(/^admin\.serviceProbes/);
  });

  test("need the port for probes", async () => {
    const text = withProbes("[{ path: /a }]").replace("probes: 0.0.0.0:9902, ", "");
    expect(await problems(text)).toEqual([
      "admin.serviceProbes: there is no port for them; expected 'probes' beside it, as in 0.0.0.0:9902",
    ]);
  });
});
