import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Denial, type Verdict } from "../../src/decision/verdict.ts";
import { Slots } from "../../src/limits/concurrency/slots.ts";
import { WaitingRoom } from "../../src/limits/concurrency/waiting-room.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { systemClock } from "../../src/support/clock.ts";
import { systemTimers } from "../../src/support/timers.ts";
import { eventually } from "../fixtures/eventually.ts";
import { closeAll, startProxy, startScriptedService } from "../fixtures/proxy.ts";

afterEach(closeAll);

const RULES = { max: 10, queue: { lengthMax: 10, timeoutMs: 60_000 }, adaptive: null };
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** The status of a request that has taken a place when `judge` has its say, and how many places are taken then and after it. */
async function asked(judge: (exchange: Exchange) => Verdict | Promise<Verdict>, answer = OK) {
  const slots = new Slots(new WaitingRoom(systemTimers, unlimitedMemory()), systemClock, () => 0.5);
  const upstreamPort = await startScriptedService(() => answer);
  let taken = 0;
  const { port, records } = await startProxy({
    upstreamPort,
    evaluate: (exchange) => {
      slots.take("key", RULES, exchange);
      taken = Math.max(taken, slots.inFlight);
      return judge(exchange);
    },
  });
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  socket.write("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  await eventually(() => records.length === 1);
  socket.destroy();
  return { taken, left: slots.inFlight, keys: slots.keys, status: records[0]?.status };
}

const NONE_LEFT = { taken: 1, left: 0, keys: 0 };

test("a request that is answered holds none any more", async () => {
  expect(await asked(() => null)).toEqual({ ...NONE_LEFT, status: 200 });
});

test("one that a later check refuses holds none", async () => {
  const denial = new Denial("scope_missing", null, "none", "one");
  expect(await asked(() => denial)).toEqual({ ...NONE_LEFT, status: 403 });
  expect(await asked(() => Promise.resolve(denial))).toEqual({ ...NONE_LEFT, status: 403 });
});

test("one in which a check breaks holds none, at once or after it has waited", async () => {
  const broken = (): never => {
    throw new Error("broken");
  };
  expect(await asked(broken)).toEqual({ ...NONE_LEFT, status: 500 });
  expect(await asked(() => Promise.reject(new Error("broken")))).toEqual({ ...NONE_LEFT, status: 500 });
});

test("one whose service gives no valid answer holds none", async () => {
  expect(await asked(() => null, "what?\r\n\r\n")).toEqual({ ...NONE_LEFT, status: 502 });
});
