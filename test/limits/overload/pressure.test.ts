import { describe, expect, test } from "vitest";
import { evenShare, FairShedding } from "../../../src/limits/overload/fair-shedding.ts";
import { Pressure } from "../../../src/limits/overload/pressure.ts";

const RULES = { loopDelayMsMax: 200, memoryShareMax: 0.9 };

function looked(looks: number, delayMs: number, memoryShare = 0, pressure = new Pressure(RULES)): Pressure {
  for (let at = 0; at < looks; at++) pressure.look(delayMs, memoryShare);
  return pressure;
}

describe("the level", () => {
  test("one long turn of the thread is no overload", () => {
    const pressure = looked(5, 5);
    pressure.look(900, 0);
    pressure.look(900, 0);
    expect(pressure.level).toBe(0);
    pressure.look(900, 0);
    expect(pressure.level).toBeGreaterThan(0);
  });

  test("what matters least is shed first, all of it before anything that matters more, and what is critical never", () => {
    const pressure = looked(3, 201);
    const shares: number[][] = [];
    for (let at = 0; at < 50; at++) {
      pressure.look(201, 0);
      shares.push((["low", "normal", "high", "critical"] as const).map((priority) => pressure.shareOf(priority)));
    }
    for (const [low = 0, normal = 0, high = 0, critical] of shares) {
      if (normal > 0) expect(low).toBe(1);
      if (high > 0) expect(normal).toBe(1);
      expect(critical).toBe(0);
    }
    expect(shares.at(-1)).toEqual([1, 1, 1, 0]);
  });

  test("it climbs faster the further over the bound, stands between bound and calm, and falls below", () => {
    expect(looked(6, 800).level).toBeGreaterThan(looked(6, 210).level * 2);
    const pressure = looked(10, 400);
    const { level } = pressure;
    looked(3, 150, 0, pressure);
    const standing = pressure.level;
    looked(20, 150, 0, pressure);
    expect(pressure.level).toBe(standing);
    expect(standing).toBeGreaterThanOrEqual(level);
    looked(100, 20, 0, pressure);
    expect(pressure.level).toBe(0);
  });

  test("memory sheds what matters least and half of the usual, and never all: it may be held by what shedding does not free", () => {
    const pressure = looked(1_000, 0, 0.99);
    expect(pressure.shareOf("low")).toBe(1);
    expect(pressure.shareOf("normal")).toBeCloseTo(0.5);
    expect(pressure.shareOf("high")).toBe(0);
    // Not before there is some room, so that it does not swing.
    looked(1_000, 0, 0.88, pressure);
    expect(pressure.shareOf("normal")).toBeCloseTo(0.5);
    looked(1_000, 0, 0.8, pressure);
    expect(pressure.level).toBe(0);
  });

  test("what is not looked at changes nothing", () => {
    const pressure = new Pressure({
      loopDelayMsMax: Number.POSITIVE_INFINITY,
      memoryShareMax: Number.POSITIVE_INFINITY,
    });
    expect(looked(100, 10_000, 1, pressure).level).toBe(0);
  });
});

describe("who is shed", () => {
  test("the share that is left is spread evenly", () => {
    expect(evenShare(Int32Array.of(10, 10, 100), 0.5)).toBe(40);
    expect(evenShare(Int32Array.of(10, 10, 10), 0.5)).toBe(5);
    expect(evenShare(Int32Array.of(0, 0, 0), 0.5)).toBe(Number.POSITIVE_INFINITY);
    expect(evenShare(Int32Array.of(1, 2, 3), 1)).toBe(3);
  });

  test("one client at fifty times the others' rate is what goes; the others lose nothing, and the share is kept", () => {
    let state = 3;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const shedding = new FairShedding(random);
    const shed = { flood: 0, others: 0 };
    let asked = 0;
    for (let ms = 0; ms < 10_000; ms++) {
      if (ms === 1_000) asked = shed.flood = shed.others = 0; // nothing is known in the first window
      // 20 clients of 10 a second, and one of 500.
      const clients = [...(ms % 2 === 0 ? ["flood"] : []), ...(ms % 5 === 0 ? [`client${(ms / 5) % 20}`] : [])];
      for (const client of clients) {
        asked++;
        if (shedding.sheds(client, 0.5, ms)) shed[client === "flood" ? "flood" : "others"]++;
      }
    }
    expect(shed.others).toBeLessThan(asked * 0.02);
    expect((shed.flood + shed.others) / asked).toBeGreaterThan(0.45);
    expect((shed.flood + shed.others) / asked).toBeLessThan(0.55);
  });

  test("with nothing known of anybody, the share is chance's", () => {
    const shedding = new FairShedding(Math.random);
    const shed = Array.from({ length: 4_000 }, (_, at) => shedding.sheds(at, 0.25, 0)).filter(Boolean).length;
    expect(shed).toBeGreaterThan(700);
    expect(shed).toBeLessThan(1_300);
    expect(shedding.sheds("any", 1, 0)).toBe(true);
  });
});
