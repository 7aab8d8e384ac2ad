import { KeyReader } from "../../src/limits/key.ts";
import { AddressPart } from "../../src/limits/key-parts.ts";
import { gcraOf } from "../../src/limits/rate/gcra.ts";
import { RateTable } from "../../src/limits/rate/rate-table.ts";
import { parseAddress } from "../../src/message/address.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { systemClock } from "../../src/support/clock.ts";
import { type Figure, medians, type Sample, time } from "./measure.ts";

const KEYS = 1_000_000;
const BATCH = 4_096;
const ROUNDS = 101;

const TABLE_BYTES = 32 * 1024 * 1024;

/**
 * One request counted by its address in a table in which a million addresses are live, and one of its own alone. Beside
 * them one read from somewhere in as much memory, for that alone is most of what a million keys cost.
 */
export function benchLimit(): Figure[] {
  const peer = parseAddress("192.0.2.7");
  if (peer === null) throw new Error("no address");
  const facts = {
    listener: "in",
    peer,
    proxyPeer: null,
    protocol: "http/1.1",
    secure: true,
    certificate: null,
  } as const;
  const target = { path: "/", query: "" };
  const exchange = new Exchange(facts, "GET", target, "a", "a", new HeaderBlock([], []), EMPTY_BODY);
  // One is made with each connection, not by the decision.
  const address = { family: 4 as const, text: "", w0: 0, w1: 0, w2: 0, w3: 0 };
  exchange.clientAddress = address;
  const reader = new KeyReader([new AddressPart(64)]);
  const { intervalMs, toleranceMs } = gcraOf({ count: 1_000_000, windowSeconds: 3_600 });
  const lane = (keys: number, live: number) => {
    const table = new RateTable(keys, [1, 2], systemClock);
    const prefix = table.prefix("perAddress");
    const count = (at: number): number => {
      address.w0 = at;
      reader.feed(table.hash, prefix, exchange, "/");
      return table.take(intervalMs, toleranceMs);
    };
    for (let at = 0; at < live; at++) for (let turn = 0; turn < 8; turn++) count(at);
    let at = 0;
    return () =>
      time(
        () => {
          let admitted = 0;
          for (let turn = 0; turn < BATCH; turn++) {
            at = (at + 7_919) % live;
            if (count(at) > 0) admitted++;
          }
          return admitted;
        },
        BATCH,
        BATCH,
      );
  };
  const lanes = { "a million keys": lane(2_097_152, KEYS), "one key": lane(1_024, 1), "one far read": farReads() };
  const ns = medians(lanes, ROUNDS);
  return Object.entries(ns).map(([contestant, value]) => ({ bench: "limit", contestant, size: KEYS, ns: value }));
}

/** Reads of which each says where the next one is, so that they wait for each other. */
function farReads(): () => Sample {
  const memory = new Uint32Array(new SharedArrayBuffer(TABLE_BYTES)).fill(1);
  let at = 1;
  return () =>
    time(
      () => {
        let read = 0;
        for (let turn = 0; turn < BATCH; turn++) {
          const one = memory[at >>> 9] ?? 0;
          read += one;
          at = (Math.imul(at, 1_664_525) + 1_013_904_223 * one) >>> 0;
        }
        return read;
      },
      BATCH,
      BATCH,
    );
}
