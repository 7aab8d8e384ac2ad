// Goal: whatever the streams of a key do, their bytes are no more than the burst, the rate and one read of each.
// Method: streams that read whenever they may, on a clock that the test moves, in pieces of any size.
import { expect, test } from "vitest";
import { KeyPace } from "../../src/limits/bandwidth/key-pace.ts";
import { RateTable } from "../../src/limits/rate/rate-table.ts";
import { PacedReading, type Way } from "../../src/message/pace.ts";
import { ManualTime } from "../fixtures/manual-time.ts";

const PIECE_BYTES_MAX = 65_536;

/** 0 to 1, the same in each run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function paceOf(table: RateTable, key: string, bytesPerSecond: number, burst: number, time: ManualTime): KeyPace {
  table.hash.copy(table.prefix(key));
  table.hash.finish();
  const byteMs = 1000 / bytesPerSecond;
  const facts = { table, timers: time, way: "response" as Way, byteMs, toleranceMs: burst * byteMs };
  return new KeyPace(facts, true, () => {});
}

/** Reads pieces for as long as it may; the takers of its bytes always have room. */
class Stream {
  bytes = 0;
  readonly #reading: PacedReading;
  readonly #random: () => number;

  constructor(pace: KeyPace, random: () => number) {
    this.#random = random;
    this.#reading = new PacedReading([pace], "response", () => this.read());
  }

  read(): void {
    do {
      const piece = 1 + Math.floor(this.#random() * PIECE_BYTES_MAX);
      this.bytes += piece;
      this.#reading.add(piece);
    } while (this.#reading.mayRead(true));
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])("streams of one key have its rate together, and no less (seed %i)", (seed) => {
  const random = randomOf(seed);
  const time = new ManualTime(1_000);
  const table = new RateTable(16, [seed, 7], time);
  const bytesPerSecond = 1_000 + Math.floor(random() * 1_000_000);
  const burst = Math.floor(random() * 500_000);
  const count = 1 + Math.floor(random() * 5);
  const streams = Array.from({ length: count }, () => {
    const stream = new Stream(paceOf(table, "a", bytesPerSecond, burst, time), random);
    stream.read();
    return stream;
  });
  const other = new Stream(paceOf(table, "b", bytesPerSecond, burst, time), random);
  other.read();
  const seconds = 600;
  time.pass(seconds * 1000);
  const total = streams.reduce((sum, { bytes }) => sum + bytes, 0);
  const may = burst + bytesPerSecond * seconds;
  expect(total).toBeLessThanOrEqual(may + count * PIECE_BYTES_MAX);
  expect(total).toBeGreaterThanOrEqual(may - bytesPerSecond - count * PIECE_BYTES_MAX);
  // Another key has its own.
  expect(other.bytes).toBeGreaterThanOrEqual(may - bytesPerSecond - PIECE_BYTES_MAX);
});

test("a taker that is full is not filled when the time has come, and time is not passed over when it has room", () => {
  const time = new ManualTime(1_000);
  const table = new RateTable(16, [1, 7], time);
  let reads = 0;
  const reading = new PacedReading([paceOf(table, "a", 1_000, 0, time)], "response", () => reads++);
  reading.add(1_000);
  expect(reading.mayRead(false)).toBe(false);
  time.pass(5_000);
  expect(reads).toBe(0);
  reading.onDrain();
  expect(reads).toBe(1);
  reading.add(1_000);
  expect(reading.mayRead(true)).toBe(false);
  reading.onDrain();
  expect(reads).toBe(1);
  time.pass(999);
  expect(reads).toBe(1);
  time.pass(2);
  expect(reads).toBe(2);
  reading.add(1_000);
  reading.mayRead(true);
  reading.stop();
  time.pass(10_000);
  expect(reads).toBe(2);
});

test("bytes of the other way cost nothing", () => {
  const time = new ManualTime(1_000);
  const table = new RateTable(16, [1, 7], time);
  const pace = paceOf(table, "a", 1_000, 0, time);
  expect(pace.spend("request", 1_000_000)).toBe(0);
  expect(pace.spend("response", 1_000)).toBeGreaterThan(990);
});
