// Goal: a long answer that is held to a contract holds nobody up: it is read, judged and changed a stretch at a time.
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { responseFilter } from "../../src/filters/response/compile.ts";
import { Answer } from "../../src/message/answer.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { systemClock } from "../../src/support/clock.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { compileFilter, createExchange, createHeaders } from "../fixtures/route-context.ts";

for (const load of Object.values(responseFilter.parts ?? {})) await load();

const ORDER = {
  type: "object",
  required: ["orders"],
  additionalProperties: false,
  properties: {
    orders: {
      type: "array",
      items: { type: "object", required: ["id"], properties: { id: { type: "integer" }, note: { type: "string" } } },
    },
    password: { type: "string", writeOnly: true },
  },
};
const FILES = { "orders.json": JSON.stringify(ORDER) };

const bodyOf = (more: object): Buffer => {
  const orders = Array.from({ length: 12_000 }, (_, id) => ({ id, note: "n".repeat(60), list: [1, { a: "b" }] }));
  return Buffer.from(JSON.stringify({ orders, ...more }));
};

/** A clock that goes on by a millisecond each time it is looked at, so that a stretch is counted in steps. */
function steppingClock() {
  let steps = 0;
  return { ...systemClock, monotonicMs: () => ++steps, steps: () => steps };
}

function ruleFor(type: string, validate: object, clock: typeof systemClock, exchange: Exchange) {
  const { responseChecks, problems } = compileFilter(responseFilter, { validate }, { files: FILES, clock });
  expect(problems).toEqual([]);
  const answer = new Answer(200, createHeaders([["content-type", type]]), true);
  return responseChecks[0]?.judgeBody?.(exchange, answer);
}

function ruleOf(validate: object, clock: typeof systemClock, exchange: Exchange) {
  const rule = ruleFor("application/json", validate, clock, exchange);
  if (rule?.kind !== "whole") throw new Error("expected a rule that sees bodies whole");
  return rule;
}

/** What came of it, how many turns others had meanwhile, and most steps between two of them. */
function judgedInTurns(body: Buffer, more: object = {}) {
  const clock = steppingClock();
  const content = { "application/json": { schema: "orders.json" } };
  const rule = ruleOf({ content, ...more }, clock, createExchange({}));
  return seenInTurns(clock, () => rule.judge(body));
}

async function seenInTurns<T>(clock: ReturnType<typeof steppingClock>, judge: () => T | Promise<T>) {
  let turns = 0;
  let longest = 0;
  let last = clock.steps();
  let isOver = false;
  const others = (): void => {
    turns++;
    longest = Math.max(longest, clock.steps() - last);
    last = clock.steps();
    if (!isOver) setImmediate(others);
  };
  setImmediate(others);
  const judging = judge();
  expect(judging).toBeInstanceOf(Promise);
  const judged = await judging;
  isOver = true;
  return { judged, turns, longest };
}

const KINDS = [
  ["that fits", bodyOf({}), {}],
  ["that does not fit at its very end", bodyOf({ other: 1 }), {}],
  ["of which something comes off", bodyOf({ other: 1 }), { stripUndeclared: true }],
] as const;

for (const [what, body, more] of KINDS) {
  test(`an answer of a MiB ${what} gives others their turn all along`, async () => {
    expect(body.length).toBeGreaterThan(1024 * 1024);
    const { judged, turns, longest } = await judgedInTurns(body, more);
    if (what === "that fits") expect(judged).toBe(body);
    else if ("stripUndeclared" in more) expect(judged.toString()).not.toContain("other");
    else expect(judged).toBeInstanceOf(Denial);
    // Where every step takes a millisecond, a stretch ends with the first that is one too many.
    expect(longest).toBeLessThanOrEqual(DEFAULTS.bodySliceMs + 4);
    expect(turns).toBeGreaterThan(body.length / DEFAULTS.bodyAtOnceBytesMax);
  });
}

test("a short one is judged at once", () => {
  const body = Buffer.from('{"orders":[{"id":1}]}');
  const content = { "application/json": { schema: "orders.json" } };
  expect(ruleOf({ content }, systemClock, createExchange({})).judge(body)).toBe(body);
});

describe("an item of many bytes", () => {
  const LINES = "application/x-ndjson";
  const ITEMS = { content: { [LINES]: { itemSchema: "orders.json" } } };
  const few = (more: object): string => {
    const orders = Array.from({ length: 2_500 }, (_, id) => ({ id, note: "n".repeat(60) }));
    return `${JSON.stringify({ orders, ...more })}\n`;
  };
  const itemsRule = (clock: typeof systemClock) => {
    const rule = ruleFor(LINES, ITEMS, clock, createExchange({}));
    if (rule?.kind !== "stream") throw new Error("expected a rule that sees items");
    return rule;
  };

  test("gives others their turn, and what came with it goes on in order", async () => {
    const clock = steppingClock();
    const rule = itemsRule(clock);
    const piece = Buffer.from(`{"orders":[]}\n${few({})}{"orders":[{"id":1}]}\n{"ord`);
    const { judged, turns, longest } = await seenInTurns(clock, () => rule.take(piece));
    expect(judged.toString()).toBe(piece.toString("utf8", 0, piece.length - 5));
    expect(longest).toBeLessThanOrEqual(DEFAULTS.bodySliceMs + 4);
    expect(turns).toBeGreaterThan(2);
    expect(await rule.take(Buffer.from('ers":[]}\n'))).toEqual(Buffer.from('{"orders":[]}\n'));
    expect(await rule.end()).toHaveLength(0);
  });

  test("refuses what does not fit at its very end, by its number, also where no line end follows", async () => {
    for (const end of ["\n", ""]) {
      const rule = itemsRule(systemClock);
      const text = `{"orders":[]}\n${few({ other: 1 }).trimEnd()}${end}`;
      const taken = await rule.take(Buffer.from(text));
      const denial = taken instanceof Denial ? taken : await rule.end();
      expect(denial).toMatchObject({
        reason: "response_invalid",
        seen: expect.stringMatching(/^item 2: body \/other/),
      });
    }
  });
});
