import { expect, test } from "vitest";
import type { AnswerFacts, Taken } from "../../src/message/taken.ts";
import { createExchange } from "../fixtures/route-context.ts";

const FACTS: AnswerFacts = {
  status: 200,
  requestBodyBytes: 1,
  responseBodyBytes: 2,
  callOutcome: "none",
  upstreamMs: 3,
  denied: false,
};

function noting(name: string, notes: string[]): Taken {
  return {
    giveBack: () => notes.push(`${name} back`),
    onEnd: ({ status }) => notes.push(`${name} ended ${status}`),
  };
}

test("what limits took is settled once, when the request is over", () => {
  const notes: string[] = [];
  const exchange = createExchange();
  exchange.take(noting("a", notes));
  exchange.take(noting("b", notes));
  exchange.end();
  exchange.settle(FACTS);
  exchange.settle(FACTS);
  exchange.giveBack();
  expect(notes).toEqual(["a ended 200", "b ended 200"]);
});

test("what is given back is not settled, and the last that was taken goes first", () => {
  const notes: string[] = [];
  const exchange = createExchange();
  exchange.take(noting("a", notes));
  exchange.take(noting("b", notes));
  exchange.giveBack();
  exchange.giveBack();
  exchange.take(noting("c", notes));
  exchange.settle(FACTS);
  expect(notes).toEqual(["b back", "a back", "c ended 200"]);
});

test("what is taken for a request whose client has left while it waited is given back at once", () => {
  const notes: string[] = [];
  const exchange = createExchange();
  exchange.end();
  exchange.settle({ ...FACTS, status: 499 });
  exchange.take(noting("late", notes));
  expect(notes).toEqual(["late back"]);
});
