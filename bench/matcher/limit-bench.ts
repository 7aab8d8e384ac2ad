import { KeyReader } from "../../src/limits/key.ts";
import { AddressPart } from "../../src/limits/key-parts.ts";
import { gcraOf } from "../../src/limits/rate/gcra.ts";
import { RateTable } from "../../src/limits/rate/rate-table.ts";
import { parseAddress } from "../../src/message/address.ts";
import { EMPTY_BODY } from "../../src/message/body.ts";
import { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { systemClock } from "../../src/support/clock.ts";
import { type Figure, medians, time } from "./measure.ts";

const KEYS = 1_000_000;
const BATCH = 4_096;
const ROUNDS = 101;

/** One request counted by its address in a table in which a million addresses are live, and one of its own alone. */
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
  const reader = new KeyReader([new AddressPart(64)]);
  const { intervalMs, toleranceMs } = gcraOf({ count: 1_000_000, windowSeconds: 3_600 });
  const lane = (keys: number, live: number) => {
    const table = new RateTable(keys, [1, 2], systemClock);
    const prefix = table.prefix("perAddress");
    const count = (at: number): number => {
      exchange.clientAddress = { family: 4, text: "", w0: at, w1: 0, w2: 0, w3: 0 };
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
  const ns = medians({ "a million keys": lane(2_097_152, KEYS), "one key": lane(1_024, 1) }, ROUNDS);
  return Object.entries(ns).map(([contestant, value]) => ({ bench: "limit", contestant, size: KEYS, ns: value }));
}
