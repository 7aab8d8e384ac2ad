import { judgeBinary, judgeJson } from "../src/protobuf/message-judge.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { GRPC_DEFAULTS } from "../src/support/grpc-defaults.ts";
import { atOnce, Turns } from "../src/support/turns.ts";
import { longMessages, MESSAGES_API } from "../test/fixtures/long-messages.ts";
import { leastStretches, threadCpuMs } from "./stretches.ts";

/**
 * `npm run bench:messages`: messages of gRPC with as many values as one may have, of each kind, judged in turns: CPU time of the
 * thread in all, in one go, and the longest that it is held at a stretch, the least of some rounds; then what a small one costs.
 */
const ROUNDS = 3;
const SMALL_ROUNDS = 3_000;
const { type, book } = MESSAGES_API;

for (const { name, bytes, isJson, unknownFields = "pass" } of longMessages(GRPC_DEFAULTS.messageValuesMax)) {
  const rules = { type, book, unknownFields };
  const steps = () => (isJson === true ? judgeJson(bytes, rules) : judgeBinary(bytes, rules));
  const turns = (): Turns => new Turns({ monotonicMs: () => performance.now() }, DEFAULTS.bodySliceMs);
  const { totalMs, stretchMs } = await leastStretches(() => turns().run(steps()), ROUNDS);
  const whole = await leastStretches(() => atOnce(steps()), ROUNDS);
  console.log(
    `${name.padEnd(32)} ${totalMs.toFixed(1).padStart(5)} ms, in one go ${whole.totalMs.toFixed(1).padStart(5)} ms, ` +
      `at a stretch ${stretchMs.toFixed(1)} ms`,
  );
}

for (const { name, bytes, isJson } of longMessages(20)) {
  const rules = { type, book, unknownFields: "pass" as const };
  let leastMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = threadCpuMs();
    for (let at = 0; at < SMALL_ROUNDS; at++)
      atOnce(isJson === true ? judgeJson(bytes, rules) : judgeBinary(bytes, rules));
    leastMs = Math.min(leastMs, threadCpuMs() - startMs);
  }
  console.log(`${name.padEnd(32)} 20 values: ${((leastMs / SMALL_ROUNDS) * 1000).toFixed(1)} µs`);
}
