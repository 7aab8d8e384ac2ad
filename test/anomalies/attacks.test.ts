// Goal: who knows how anomalies are found gets past them no further than the page says, and honest crowds are not told of. Method:
// a service with a steady life, and then each attack by itself.
import { beforeEach, describe, expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { AnomalyWorld, type Asked, DAY_MS, HOUR_MS, MINUTE_MS } from "../fixtures/anomaly-world.ts";

const ROUTES = ["/orders", "/orders/{id}", "/files/**", "/login", "/admin"];
let world: AnomalyWorld;

beforeEach(() => {
  world = new AnomalyWorld(ROUTES, { learnMs: HOUR_MS });
  live(2 * HOUR_MS);
});

/** Twenty callers, two requests a second among them; one in fifty is not there. */
function live(ms: number, each: (at: number) => void = () => {}): void {
  for (let at = 0; at < ms / 1000; at++) {
    const user = at % 20;
    const of = { from: `192.0.2.${user}`, caller: `idp/user-${user}` };
    world.ask({ ...of, route: "/orders" });
    world.ask({
      ...of,
      route: "/orders/{id}",
      params: [`${user}0${at % 3}`],
      ...(at % 50 === 0 ? { status: 404 } : {}),
    });
    each(at);
    world.pass(1000);
  }
}

const scan = (from: string, at: number): Asked => ({ route: null, path: `/x/${at}`, from, reason: "route_not_found" });
const kinds = (): readonly string[] => world.begun().map(({ kind }) => kind);

describe("an attacker", () => {
  test("who mixes a scan with requests that are honest is told", () => {
    live(10 * MINUTE_MS, (at) => {
      for (let more = 0; more < 3; more++) world.ask({ route: "/files/**", path: "/files/a", from: "203.0.113.5" });
      world.ask(scan("203.0.113.5", at));
    });
    expect(world.begun()).toContainEqual(expect.objectContaining({ kind: "path_scan", client: "203.0.113.5" }));
  });

  test("is named as its provider names it, and hides behind no other whose id looks like a token, too", () => {
    const stolen = ["idp/00u1ero7vZFVEIYLWPBN", "idp/auth0|5f7c8ec7c33c6c004bbafe82"];
    for (const caller of stolen) {
      for (let at = 0; at < 20; at++) world.ask({ route: "/orders", caller, from: `203.0.${at}.5` });
    }
    world.pass(MINUTE_MS);
    expect(world.begun().map(({ kind, caller }) => [kind, caller])).toEqual(stolen.map((one) => ["replay", one]));
  });

  test("who comes from more networks than there is memory for fills none, and who walks through objects is told", () => {
    const many = Array.from({ length: DEFAULTS.anomalyObjectsMax }, (_, at) => `/r${at}/{id}`);
    world = new AnomalyWorld(many, { learnMs: HOUR_MS });
    world.pass(3 * HOUR_MS);
    for (let at = 0; at < 2_000; at++) {
      for (const route of many) world.ask({ route, params: ["1"], from: `2001:db8:${at.toString(16)}::1` });
    }
    const { addresses } = world.book;
    expect(addresses.objects).toBe(DEFAULTS.anomalyObjectsAllMax);
    for (let at = 0; at < 300; at++) world.ask({ route: many[0] ?? null, params: [`${at}`], from: "203.0.113.5" });
    world.pass(MINUTE_MS);
    expect(world.begun()).toMatchObject([{ kind: "id_enumeration", client: "203.0.113.5" }]);
    addresses.clear();
    expect(addresses.objects).toBe(0);
  });

  test("who scans by a network of IPv6 is one client", () => {
    live(MINUTE_MS, (at) => world.ask(scan(`2001:db8:1:2::${at.toString(16)}`, at)));
    expect(world.begun()).toMatchObject([{ kind: "path_scan", client: "2001:db8:1:2::/64" }]);
  });

  test("who teaches the peak of its own objects doubles it in a day at most", () => {
    const walk = (from: number, many: number): void => {
      for (let at = 0; at < many; at++) {
        world.ask({ route: "/orders/{id}", params: [`w${from + at}`], caller: "idp/user-3", from: "192.0.2.3" });
      }
      live(11 * MINUTE_MS);
    };
    // Below what is told, again and again.
    for (let turn = 0; turn < 6; turn++) walk(1_000 * turn, 55);
    expect(kinds()).toEqual([]);
    walk(100_000, 300);
    expect(kinds()).toEqual(["id_enumeration"]);
    // What was told has taught nothing.
    live(HOUR_MS);
    walk(200_000, 300);
    expect(kinds()).toEqual(["id_enumeration", "id_enumeration"]);
  });

  test("who makes the service fail a little more each hour is told", () => {
    let failed = 0;
    for (let hour = 1; hour <= 8 && kinds().length === 0; hour++) {
      live(HOUR_MS, (at) => {
        if (at % Math.max(1, Math.floor(40 / hour)) !== 0) return;
        failed++;
        world.ask({ route: "/orders", from: "203.0.113.5", status: 502 });
      });
    }
    expect(failed).toBeGreaterThan(0);
    expect(kinds()).toContain("error_rate");
  });

  test("who invents addresses pushes out no address that is established, and no memory grows", () => {
    const before = world.book.addresses.established.size;
    expect(before).toBe(20);
    for (let at = 0; at < 40_000; at++) {
      world.ask({
        route: null,
        path: `/y/${at % 5}`,
        from: `${10 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}.9`,
        reason: "route_not_found",
      });
    }
    expect(world.book.addresses.size).toBeLessThanOrEqual(DEFAULTS.anomalyActorsMax + before);
    expect(world.book.addresses.established.size).toBe(before);
    // A scanner among them keeps its place by what it did.
    for (let at = 0; at < 15; at++) world.ask(scan("203.0.113.5", at));
    for (let at = 0; at < 5_000; at++)
      world.ask({ route: "/files/**", path: "/files/a", from: `44.${at >> 8}.${at & 255}.9` });
    for (let at = 15; at < 25; at++) world.ask(scan("203.0.113.5", at));
    world.pass(20_000);
    expect(world.begun().map(({ client }) => client)).toContain("203.0.113.5");
  });

  test("who invents methods and paths makes no operation of each", () => {
    const before = world.book.operations.size;
    for (let at = 0; at < 500; at++)
      world.ask({ route: null, method: `M${at}`, path: `/z/${at}`, reason: "method_forbidden" });
    expect(world.book.operations.size).toBe(before + 1);
  });

  test("writes nothing of its own into an event but its name, without what acts on a terminal", () => {
    const evil = 'keys/a\u001b[31m\n{"event":"ready"}\u202e';
    const token = "keys/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijklmnop";
    for (const caller of [evil, token]) {
      for (let at = 0; at < 200; at++) {
        world.ask({
          route: "/orders/{id}",
          params: [`\u001b]0;${at}`],
          caller,
          from: "203.0.113.5",
          path: `/orders/secret-${at}`,
        });
      }
    }
    world.pass(20_000);
    const text = JSON.stringify(world.told);
    expect(world.begun()).toHaveLength(2);
    expect(text).not.toMatch(/[\u0000-\u001f\u202e]|\\u001b|secret-|eyJ/);
    expect(text).toContain("~redacted~");
  });

  test("with 300 addresses that scan is one event, or a few, and not 300", () => {
    live(2 * MINUTE_MS, (at) => {
      for (let one = 0; one < 300; one++) world.ask(scan(`203.0.${one % 250}.${1 + Math.floor(one / 250)}`, at));
    });
    expect(world.begun().length).toBeLessThanOrEqual(2);
    expect(world.begun()[0]).toMatchObject({ kind: "path_scan", client: null });
    expect(world.book.events.active.values().next().value?.members.size).toBeGreaterThan(250);
  });
});

describe("honest crowds", () => {
  test("an office behind one address, each of whom misses now and then", () => {
    live(DAY_MS / 8, (at) => {
      const of = { from: "198.51.100.7", caller: `idp/clerk-${at % 200}` };
      world.ask({ ...of, route: "/orders" });
      if (at % 30 === 0) world.ask({ ...of, route: "/orders/{id}", params: [`${at}`], status: 404 });
      if (at % 40 === 0)
        world.ask({ route: null, path: `/icon-${at % 120}`, from: "198.51.100.7", reason: "route_not_found" });
      if (at % 50 === 0)
        world.ask({ route: "/orders", from: "198.51.100.7", reason: "password_wrong", account: `clerk-${at % 200}` });
    });
    expect(world.told).toEqual([]);
  });

  test("a client that tries one wrong key for ever has no credentials that it stuffs", () => {
    live(HOUR_MS, (at) => {
      if (at % 20 === 0)
        world.ask({ route: "/orders", from: "203.0.113.5", reason: "api_key_unknown", key: "the-old-one" });
    });
    expect(kinds()).not.toContain("credential_stuffing");
  });

  test("a service that is away, and all who try again, are one event that ends", () => {
    live(5 * MINUTE_MS, (at) => {
      for (let client = 0; client < 30; client++) {
        const of = { from: `192.0.2.${client}`, caller: `idp/user-${client % 20}` };
        for (const route of ["/orders", "/orders/{id}", "/files/**", "/login", "/admin"]) {
          world.ask({ ...of, route, params: route.includes("{") ? [`${client}`] : [], status: 503 });
        }
        if (at % 2 === 0) world.ask({ ...of, route: "/orders", reason: "rate_limited" });
      }
    });
    const errors = world.begun().filter(({ kind }) => kind === "error_rate");
    expect(errors).toMatchObject([{ operation: null, state: "begun" }]);
    expect(world.begun().length).toBeLessThanOrEqual(2);
    live(30 * MINUTE_MS);
    expect(world.book.events.active.size).toBe(0);
    expect(world.told.filter(({ state }) => state === "ended").length).toBe(world.begun().length);
  });

  test("a scan that trickles on for the rest of the day was told once, and is told on the next", () => {
    for (let at = 0; at < 60; at++) {
      world.ask(scan("203.0.113.5", at));
      world.pass(1000);
    }
    for (let at = 60; at < 110; at++) {
      world.pass(20 * MINUTE_MS);
      world.ask(scan("203.0.113.5", at));
    }
    expect(world.told.map(({ state }) => state)).toEqual(["begun", "ended"]);
    // As much once more is more than a trickle.
    for (let at = 200; at < 270; at++) world.ask(scan("203.0.113.5", at));
    world.pass(MINUTE_MS);
    expect(kinds()).toEqual(["path_scan", "path_scan"]);
  });

  test("a scan of many addresses has ended when it has, though its window is full", () => {
    live(5 * MINUTE_MS, (at) => world.ask(scan(`203.0.113.${at % 200}`, at)));
    live(HOUR_MS / 2);
    expect(world.told.map(({ kind, state }) => `${kind} ${state}`)).toEqual(["path_scan begun", "path_scan ended"]);
  });

  /** Three routes at once, each with what `of` says. */
  const busy = (ms: number, of: (route: string, at: number) => Partial<Asked>): void =>
    live(ms, (at) => {
      for (const route of ["/files/**", "/login", "/admin"]) {
        world.ask({ route, path: "/files/a", from: "192.0.2.1", ...of(route, at) });
      }
    });

  test("an outage that is over is not told again for one failure in the quarter of an hour that remembers it", () => {
    busy(2 * HOUR_MS, () => ({}));
    busy(5 * MINUTE_MS, (_, at) => ({ status: at % 3 > 0 ? 503 : 200 }));
    // What always fails now and then.
    busy(HOUR_MS, (_, at) => ({ status: at % 240 === 200 ? 503 : 200 }));
    expect(world.told.map(({ kind, state }) => [kind, state])).toEqual([
      ["error_rate", "begun"],
      ["error_rate", "ended"],
    ]);
  });

  test("one route that fails is one event, of that route, with its end", () => {
    busy(2 * HOUR_MS, () => ({}));
    busy(15 * MINUTE_MS, (route, at) => ({ status: route === "/admin" && at % 3 > 0 ? 503 : 200 }));
    busy(HOUR_MS, () => ({}));
    expect(world.told.map(({ operation, state }) => [operation, state])).toEqual([
      ["GET /admin", "begun"],
      ["GET /admin", "ended"],
    ]);
  });

  test("a service that is slow everywhere is one event, which names the others at its end", () => {
    busy(2 * HOUR_MS, (_, at) => ({ ms: 18 + (at % 5) }));
    busy(15 * MINUTE_MS, (_, at) => ({ ms: 390 + (at % 40) }));
    busy(HOUR_MS, (_, at) => ({ ms: 18 + (at % 5) }));
    expect(world.told.map(({ kind, state }) => [kind, state])).toEqual([
      ["unusual_time", "begun"],
      ["unusual_time", "ended"],
    ]);
    expect(world.told.at(-1)?.seen).toMatch(/; also GET \/\w+/);
  });

  test("what goes on is told once an hour", () => {
    live(3 * HOUR_MS, (at) => world.ask(scan("203.0.113.5", at)));
    expect(world.told.map(({ state }) => state)).toEqual(["begun", "ongoing", "ongoing"]);
  });
});
