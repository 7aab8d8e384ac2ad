import { beforeAll, describe, expect, test } from "vitest";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { LongBodies } from "../../src/filters/validate/long-bodies.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { compileFilter, createExchange, MemoryBody, onlyCheck } from "../fixtures/route-context.ts";

beforeAll(async () => {
  await validateFilter.prepare?.();
});

const UNJUDGED = { left: "left", late: "late" };

/** Bodies of clients, and in what order they are judged; each ends when it is told to. */
class Line {
  readonly bodies = new LongBodies();
  nowMs = 0;
  readonly begun: string[] = [];
  readonly #ends: (() => void)[] = [];

  monotonicMs(): number {
    return this.nowMs;
  }

  /** So long that no other has room beside it, where nothing else is said. */
  add(
    name: string,
    peer: string,
    bytes: number = DEFAULTS.longBodiesBytesMax,
  ): { exchange: Exchange; verdict: Promise<string> } {
    const exchange = createExchange({ peer });
    const verdict = this.bodies.judge(exchange, bytes, this, UNJUDGED, async () => {
      this.begun.push(name);
      await new Promise<void>((resolve) => this.#ends.push(resolve));
      return name;
    });
    return { exchange, verdict };
  }

  /** Ends the one that is being judged, and lets the next begin. */
  async endOne(): Promise<void> {
    this.#ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("clients take turns: who sends many long bodies holds up itself", async () => {
  const line = new Line();
  for (const name of ["a1", "a2", "a3"]) line.add(name, "192.0.2.1");
  for (const name of ["b1", "b2"]) line.add(name, "192.0.2.2");
  for (let at = 0; at < 5; at++) await line.endOne();
  expect(line.begun).toEqual(["a1", "a2", "b1", "a3", "b2"]);
});

test("clients whose bodies have room together are judged side by side, and of each one at a time", async () => {
  const line = new Line();
  const half = DEFAULTS.longBodiesBytesMax / 2;
  for (const name of ["a1", "a2"]) line.add(name, "192.0.2.1", half);
  line.add("b1", "192.0.2.2", half);
  line.add("c1", "192.0.2.3", half);
  expect(line.begun).toEqual(["a1", "b1"]);
  await line.endOne();
  expect(line.begun).toEqual(["a1", "b1", "a2"]);
  await line.endOne();
  expect(line.begun).toEqual(["a1", "b1", "a2", "c1"]);
});

test("small ones do not go by one that waits for room", async () => {
  const line = new Line();
  line.add("small", "192.0.2.1", 0);
  line.add("large", "192.0.2.2");
  line.add("small too", "192.0.2.3", 0);
  expect(line.begun).toEqual(["small"]);
  await line.endOne();
  expect(line.begun).toEqual(["small", "large"]);
  await line.endOne();
  expect(line.begun).toEqual(["small", "large", "small too"]);
});

test("short ones count, too, so that only so many are judged side by side", () => {
  const line = new Line();
  const most = DEFAULTS.longBodiesBytesMax / DEFAULTS.longBodyBytesMin;
  for (let at = 0; at <= most; at++) line.add(`${at}`, `192.0.2.${at}`, 0);
  expect(line.begun).toHaveLength(most);
});

test("the body of a client that has left is given up at once, and the next ones are judged", async () => {
  const line = new Line();
  line.add("first", "192.0.2.1");
  const gone = line.add("gone", "192.0.2.2");
  const other = line.add("other", "192.0.2.2");
  gone.exchange.end();
  await expect(gone.verdict).resolves.toBe("left");
  await line.endOne();
  await line.endOne();
  await expect(other.verdict).resolves.toBe("other");
  expect(line.begun).toEqual(["first", "other"]);
});

test("all that a request has in line is given up when its client leaves", async () => {
  const line = new Line();
  const first = line.add("first", "192.0.2.1");
  const exchange = createExchange({ peer: "192.0.2.1" });
  const judge = (name: string) => line.bodies.judge(exchange, 0, line, UNJUDGED, () => Promise.resolve(name));
  const waiting = [judge("second"), judge("third")];
  exchange.end();
  expect(await Promise.all(waiting)).toEqual(["left", "left"]);
  await line.endOne();
  await expect(first.verdict).resolves.toBe("first");
});

test("of a request that is over nothing is begun any more", async () => {
  const bodies = new LongBodies();
  const exchange = createExchange();
  const begun: string[] = [];
  const judge = (name: string, work: () => Promise<string>) =>
    bodies.judge(exchange, 0, new Line(), UNJUDGED, () => {
      begun.push(name);
      return work();
    });
  const outer = judge("outer", () => {
    exchange.end();
    return judge("part", () => Promise.resolve("part"));
  });
  await expect(outer).resolves.toBe("left");
  await expect(judge("next", () => Promise.resolve("next"))).resolves.toBe("left");
  expect(begun).toEqual(["outer"]);
});

test("what is part of the work under way does not wait for its end", async () => {
  const bodies = new LongBodies();
  const exchange = createExchange();
  const judge = (work: () => Promise<string>) => bodies.judge(exchange, 0, new Line(), UNJUDGED, work);
  await expect(judge(() => judge(() => Promise.resolve("part")))).resolves.toBe("part");
});

test("one that fails holds nobody up", async () => {
  const bodies = new LongBodies();
  const failing = bodies.judge(createExchange(), 0, new Line(), UNJUDGED, () => Promise.reject(new Error("broken")));
  const next = bodies.judge(createExchange(), 0, new Line(), UNJUDGED, () => Promise.resolve("judged"));
  await expect(failing).rejects.toThrow("broken");
  await expect(next).resolves.toBe("judged");
});

test("none waits for longer than it may, though another is at work all the time", async () => {
  const line = new Line();
  const first = line.add("first", "192.0.2.1");
  const late = line.add("late", "192.0.2.2");
  line.nowMs = DEFAULTS.longBodyWaitMsMax - 1;
  const inTime = line.add("in time", "192.0.2.2");
  line.bodies.giveUpLate();
  line.nowMs++;
  line.bodies.giveUpLate();
  await expect(late.verdict).resolves.toBe("late");
  late.exchange.end();
  await line.endOne();
  await line.endOne();
  expect(await Promise.all([first.verdict, inTime.verdict])).toEqual(["first", "in time"]);
  expect(line.begun).toEqual(["first", "in time"]);
});

test("tests of a policy, in whose time hours pass, give up nobody else's body", async () => {
  const line = new Line();
  line.add("first", "192.0.2.1", 0);
  const waiting = line.add("waiting", "192.0.2.1", 0);
  const testTime = { monotonicMs: () => line.nowMs + 3_600_000 };
  const ofTest = line.bodies.judge(createExchange({ peer: "192.0.2.2" }), 0, testTime, UNJUDGED, async () => "tested");
  await expect(ofTest).resolves.toBe("tested");
  await line.endOne();
  await line.endOne();
  await expect(waiting.verdict).resolves.toBe("waiting");
});

describe("validate", () => {
  /** Each look at the clock takes `stepMs`. */
  const checkOf = (stepMs: number) => {
    const clock = { nowMs: 0, monotonicMs: () => (clock.nowMs += stepMs), wallMs: () => 0 };
    const files = { "list.json": '{"type":"array","items":{"type":"integer"}}' };
    return onlyCheck(compileFilter(validateFilter, { body: { schema: "list.json" } }, { clock, files }));
  };
  const longBody = (peer: string): Exchange => {
    const body = new MemoryBody([Buffer.from(`[${"1,".repeat(DEFAULTS.bodyAtOnceBytesMax)}1]`)]);
    return createExchange({ method: "POST", headers: [["content-type", "application/json"]], peer, body });
  };

  test("judges an honest client's body before most of those that another sent first", async () => {
    const check = checkOf(0);
    const done: string[] = [];
    const send = async (peer: string): Promise<void> => {
      await check.evaluate(longBody(peer));
      done.push(peer);
    };
    await Promise.all([...Array(20).fill("192.0.2.1"), "198.51.100.1"].map(send));
    expect(done).toHaveLength(21);
    expect(done.indexOf("198.51.100.1")).toBeLessThan(3);
  });

  test("stops in the middle of a body whose client has left, and goes on with the next", async () => {
    const check = checkOf(1);
    const gone = longBody("192.0.2.1");
    const verdict = check.evaluate(gone);
    const next = check.evaluate(longBody("192.0.2.1"));
    gone.end();
    expect(await verdict).toMatchObject({ reason: "client_closed" });
    expect(gone.isBodyJudged).toBe(false);
    expect(await next).toBeNull();
  });

  test("refuses for want of capacity what waited too long", async () => {
    const check = checkOf(1_000);
    const first = check.evaluate(longBody("192.0.2.1"));
    const second = check.evaluate(longBody("192.0.2.1"));
    expect(await first).toBeNull();
    expect(await second).toMatchObject({ reason: "overloaded", terminal: false, headers: [["retry-after", "1"]] });
  });
});
