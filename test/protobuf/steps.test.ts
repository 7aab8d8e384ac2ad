import { expect, test } from "vitest";
import { type Found, judgeBinary, judgeJson } from "../../src/protobuf/message-judge.ts";
import { GRPC_DEFAULTS } from "../../src/support/grpc-defaults.ts";
import type { Steps } from "../../src/support/turns.ts";
import { type LongMessage, longMessages, MESSAGES_API } from "../fixtures/long-messages.ts";

function stepsOf(steps: Steps<Found>): { readonly count: number; readonly found: Found } {
  for (let count = 0; ; count++) {
    const { done, value } = steps.next();
    if (done === true) return { count, found: value };
  }
}

const { messageValuesMax, messageValuesInOneStep } = GRPC_DEFAULTS;
const { type, book } = MESSAGES_API;

test.each<LongMessage>([...longMessages(messageValuesMax)])("$name: others have their turn in between", (message) => {
  const rules = { type, book, unknownFields: message.unknownFields ?? "pass" };
  const { bytes, isJson } = message;
  const { count, found } = stepsOf(isJson === true ? judgeJson(bytes, rules) : judgeBinary(bytes, rules));
  expect(count).toBeGreaterThan(messageValuesMax / messageValuesInOneStep / 2);
  expect(found.faults.list).toEqual([]);
});

test("what is in a group that nobody declares counts, too", () => {
  const bytes = Buffer.concat([
    Buffer.from([0x9b, 0x06]),
    Buffer.alloc(2 * messageValuesMax + 2, 8),
    Buffer.from([0x9c, 0x06]),
  ]);
  const { found } = stepsOf(judgeBinary(bytes, { type, book, unknownFields: "pass" }));
  expect(found).toMatchObject({
    isMalformed: true,
    faults: { list: [{ detail: `more than ${messageValuesMax} values` }] },
  });
});
