// Bans as the pipeline asks them: a whole policy, judged request by request.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { UNIX_PEER } from "../../src/message/address.ts";
import { judgeNoted } from "../../src/proxy/noted-judgement.ts";
import { explain } from "../../src/rehearsal/explain.ts";
import { createTelemetry } from "../../src/telemetry/live.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { createExchange, type RequestOptions } from "../fixtures/route-context.ts";
import { MemorySink } from "../fixtures/telemetry.ts";
import { examine, NOW_MS, policyWith } from "../policy/policy-kit.ts";

const SHA256 = createHash("sha256").update("acme-key").digest("hex");
const FILES = { "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${SHA256}" }] }]` };
const ROUTES = `
authenticators: { keys: { type: api-key, header: X-Key, keys: keys.yaml } }
routes:
  - { path: /open, public: true }
  - { path: '/orders/{id}', authenticate: [keys], authorize: { methods: [GET] } }
  - { path: '/things/{id}', public: true, validate: { path: { id: { pattern: '^[0-9]+$' } } } }
`;

type Asked = RequestOptions & { readonly key?: string; readonly isUnix?: boolean };

async function setUp(bans: string, rest = ROUTES) {
  const time = new ManualTime(NOW_MS);
  const { snapshot, problems } = await examine(policyWith(`bans:\n${bans}\n${rest}`), FILES, time);
  if (snapshot === null) throw new Error(problems.map(({ text }) => text).join("\n"));
  const [listener] = snapshot.listeners;
  if (listener === undefined) throw new Error("no listener");
  const sink = new MemorySink();
  const telemetry = createTelemetry({
    clock: time,
    sink,
    processFigures: null,
    memory: unlimitedMemory(),
    loopDelay: null,
    resources: () => [],
  });
  let audited: readonly string[] = [];
  const ask = async (path: string, { key, isUnix, ...options }: Asked = {}): Promise<string> => {
    const headers = [...(options.headers ?? []), ...(key === undefined ? [] : [["x-key", key] as const])];
    const exchange = createExchange({ ...options, path, headers });
    if (isUnix === true) exchange.clientAddress = UNIX_PEER;
    const outcome = await judgeNoted(
      {
        snapshot,
        exchange,
        trustedProxies: null,
        trustsForwardedHost: false,
        forwardedCertificates: null,
        observer: null,
        shares: { of: () => 0.99 },
        fault: null,
        route: null,
        ownPage: null,
        methodBody: null,
      },
      { clock: time, telemetry },
    );
    audited = (exchange.audited ?? []).map(({ reason }) => reason);
    return outcome instanceof Denial ? outcome.reason : "allowed";
  };
  const asks = async (times: number, path: string, options: Asked = {}): Promise<readonly string[]> => {
    const reasons: string[] = [];
    for (let at = 0; at < times; at++) reasons.push(await ask(path, options));
    return reasons;
  };
  return { time, snapshot, listener, ask, asks, audited: () => audited };
}

const SCANS = "  scans: { on: [route_not_found, parameter_invalid], times: 2/minute, key: client.address, for: 5m }";

describe("a ban of an address", () => {
  test("meets everything that it asks for, good credentials too, and no other address", async () => {
    const { ask, asks, time } = await setUp(SCANS);
    expect(await asks(2, "/.env")).toEqual(["route_not_found", "route_not_found"]);
    expect(await ask("/open")).toBe("allowed");
    expect(await ask("/.env")).toBe("route_not_found");
    expect(await asks(2, "/.env")).toEqual(["banned", "banned"]);
    expect(await ask("/orders/1", { key: "acme-key" })).toBe("banned");
    expect(await ask("/open", { peer: "192.0.2.8" })).toBe("allowed");
    // What is banned already makes no ban longer.
    await asks(50, "/.env");
    time.pass(5 * 60_000);
    expect(await ask("/open")).toBe("allowed");
  });

  test("spares the work of who it is: no credential is looked at", async () => {
    const { ask, asks, snapshot } = await setUp(SCANS);
    let looks = 0;
    const keys = snapshot.authenticators.get("keys");
    if (keys === undefined) throw new Error("no authenticator");
    const { authenticate } = keys;
    keys.authenticate = (exchange) => {
      looks++;
      return authenticate.call(keys, exchange);
    };
    expect(await ask("/orders/1", { key: "acme-key" })).toBe("allowed");
    await asks(3, "/.env");
    expect(await ask("/orders/1", { key: "acme-key" })).toBe("banned");
    expect(looks).toBe(1);
  });

  test("meets the whole network of an IPv6 client, of as many bits as the policy says", async () => {
    const { ask, asks } = await setUp(SCANS.replace("client.address,", "client.address, ipv6Prefix: 56,"));
    for (let at = 0; at < 3; at++) await ask("/.env", { peer: `2001:db8:0:1${at}::1` });
    expect(await ask("/open", { peer: "2001:db8:0:1f::9" })).toBe("banned");
    expect(await asks(1, "/open", { peer: "2001:db8:0:200::1" })).toEqual(["allowed"]);
  });

  test("is none of the peers of a Unix socket, who have no address", async () => {
    const { ask, asks } = await setUp(SCANS);
    await asks(9, "/.env", { isUnix: true });
    expect(await ask("/open", { isUnix: true })).toBe("allowed");
  });

  test("that is only tried out is noted, and stops nobody", async () => {
    const { ask, asks, audited } = await setUp(SCANS.replace("for: 5m", "for: 5m, mode: audit"));
    await asks(3, "/.env");
    expect(await ask("/open")).toBe("allowed");
    expect(audited()).toEqual(["banned"]);
    const none = await setUp(SCANS.replace("for: 5m", "for: 5m, mode: { enforce: 0% }"));
    await none.asks(3, "/.env");
    expect(await none.ask("/open")).toBe("allowed");
  });
});

describe("a key that is known later", () => {
  test("by route: the ban stands behind the match, and other routes are served", async () => {
    const bans = "  walks: { on: [parameter_invalid], times: 1/minute, key: [client.address, route], for: 5m }";
    const { ask, asks, snapshot } = await setUp(bans);
    expect(await asks(3, "/things/x")).toEqual(["parameter_invalid", "parameter_invalid", "banned"]);
    expect(await ask("/things/1")).toBe("banned");
    expect(await ask("/open")).toBe("allowed");
    expect(snapshot.routeList.map(({ checks }) => checks[0]?.name)).toEqual(["ban", "ban", "ban"]);
  });

  test("by path parameter: routes that have none are not counted", async () => {
    const bans = "  walks: { on: [method_not_authorized], times: 1/minute, key: path.id, for: 5m }";
    const { ask, asks } = await setUp(bans);
    const post = { method: "POST", key: "acme-key" };
    expect(await asks(3, "/orders/7", post)).toEqual(["method_not_authorized", "method_not_authorized", "banned"]);
    expect(await ask("/orders/8", post)).toBe("method_not_authorized");
    expect(await ask("/open")).toBe("allowed");
  });

  test("by caller: from any address, and no other caller's nor anonymous requests", async () => {
    const bans = "  callers: { on: [method_not_authorized], times: 1/minute, key: principal, for: 5m }";
    const { ask, asks } = await setUp(bans);
    await asks(2, "/orders/1", { method: "POST", key: "acme-key" });
    expect(await ask("/orders/1", { key: "acme-key", peer: "198.51.100.1" })).toBe("banned");
    expect(await ask("/open")).toBe("allowed");
    // Who is not good at authenticating is told so, and not that the caller is banned.
    expect(await ask("/orders/1", { key: "guess" })).toBe("api_key_unknown");
  });

  test("by an expression", async () => {
    const key = "{ expression: 'client.address + \" \" + request.method' }";
    const { ask, asks } = await setUp(
      SCANS.replace("client.address", key).replace("for: 5m", "for: 5m, absent: unlimited"),
    );
    await asks(3, "/.env");
    expect(await ask("/open")).toBe("banned");
    expect(await ask("/open", { method: "HEAD" })).toBe("allowed");
  });
});

describe("a key that may be absent", () => {
  const header = (absent: string): string =>
    SCANS.replace("client.address", `'request.headers["x-tenant"]', absent: ${absent}`);
  const of = (...tenants: readonly string[]): Asked => ({ headers: tenants.map((one) => ["x-tenant", one] as const) });

  test("unlimited: without it nobody is banned, and two readings of it lead round no ban", async () => {
    const { ask, asks } = await setUp(header("unlimited"));
    expect(await asks(4, "/.env")).toEqual(Array(4).fill("route_not_found"));
    await asks(3, "/.env", of("evil"));
    expect(await ask("/open", of("evil"))).toBe("banned");
    expect(await ask("/open", of("good"))).toBe("allowed");
    expect(await ask("/open")).toBe("allowed");
    expect(await ask("/open", of("evil", "good"))).toBe("limit_key_missing");
  });

  test("another key in its place", async () => {
    const { ask, asks } = await setUp(header("{ key: client.address }"));
    await asks(3, "/.env");
    expect(await ask("/open")).toBe("banned");
    expect(await ask("/open", { peer: "192.0.2.8" })).toBe("allowed");
    expect(await ask("/open", of("good"))).toBe("allowed");
    expect(await ask("/open", { isUnix: true })).toBe("allowed");
  });

  test("deny: no request without it passes, whoever is banned", async () => {
    const { ask } = await setUp(header("deny"));
    expect(await ask("/open")).toBe("limit_key_missing");
    expect(await ask("/open", of("good"))).toBe("allowed");
  });
});

test("explain says which ban counts a denial, which would meet the request, and for how long", async () => {
  const bans = `${SCANS}\n  guessing: { on: [api_key_unknown], times: 20/minute, key: client.address, for: 5m, growing: true }`;
  const { snapshot, listener } = await setUp(bans);
  const lost = await explain(snapshot, listener, createExchange({ path: "/.env" }), false);
  const sawOf = (check: string, told: typeof lost) =>
    told.steps.filter((step) => step.check === check).map(({ phase, result, saw }) => `${phase} ${result} ${saw}`);
  const text =
    "'scans' bans client.address 192.0.2.7 for 5m after more than 2 in 1m of route_not_found, parameter_invalid";
  expect(sawOf("ban", lost)).toEqual([
    `admit pass ${text}; counted by this process`,
    `respond info this denial counts: ${text}; counted by this process`,
  ]);
  const wrong = createExchange({ path: "/orders/1", headers: [["x-key", "guess"]] });
  expect(sawOf("ban", await explain(snapshot, listener, wrong, false)).at(-1)).toBe(
    "respond info this denial counts: 'guessing' bans client.address 192.0.2.7 for 5m, growing after more than 20 in 1m of api_key_unknown; counted by this process",
  );
});

test("more bans than there may be, and one behind an unknown proxy, are told", async () => {
  const entry = "{ on: [route_not_found], times: 2/minute, key: client.address, for: 5m }";
  const many = Array.from({ length: 33 }, (_, at) => `  b${at}: ${entry}`).join("\n");
  await expect(setUp(many)).rejects.toThrow("expected at most 32 bans");
  const { warnings } = await examine(
    policyWith(`bans: { scans: ${entry} }\n${ROUTES}`, { listener: "{ name: inbound, address: 0.0.0.0:8080 }" }),
    FILES,
  );
  expect(warnings.map(({ text }) => text).join()).toContain("are banned as one address");
});
