// Goal: for each operation of documents as people write them, a request that is made from its schemas passes, and one with a single
// part changed so that its schema refuses it does not. Method: all of a package of examples; values from the schemas' own questions,
// written in each parameter's style by a writer of the test.
import { beforeAll, describe, expect, test } from "vitest";
import { validateFilter } from "../../../src/filters/validate/compile.ts";
import {
  compiledValidate,
  type DescribedOperation,
  type DescribedRequest,
  documentNames,
  exchangeOf,
  operationsOf,
  requestOf,
} from "./described-requests.ts";

beforeAll(() => validateFilter.prepare?.());

interface Tally {
  operations: number;
  good: number;
  bad: number;
}

function tryAll(name: string): Tally {
  const tally = { operations: 0, good: 0, bad: 0 };
  for (const operation of operationsOf(name)) {
    const { title, parts } = operation;
    tally.operations++;
    const judge = judgeOf(operation);
    if (parts === null) continue;
    expect(judge(requestOf(operation, ({ example }) => example)), title).toBeNull();
    tally.good++;
    for (const part of parts) {
      const mutation = part.compiled.mutation(part.example);
      if (mutation === null || !part.canWrite(mutation.value)) continue;
      const request = requestOf(operation, (one) => (one === part ? mutation.value : one.example));
      expect(judge(request), `${title}: ${part.name}`).not.toBeNull();
      tally.bad++;
    }
  }
  return tally;
}

function judgeOf(operation: DescribedOperation) {
  const { check, problems } = compiledValidate(operation);
  expect(problems).toEqual([]);
  return (request: DescribedRequest): string | null => {
    const verdict = check?.evaluate(exchangeOf(request)) ?? null;
    if (verdict instanceof Promise) throw new Error("the example is short, and its body is here");
    return verdict === null ? null : `${verdict.seen}; ${verdict.wanted}`;
  };
}

describe("each operation of @readme/oas-examples", () => {
  const total: Tally = { operations: 0, good: 0, bad: 0 };

  test.each(documentNames)("%s", (name) => {
    const { operations, good, bad } = tryAll(name);
    total.operations += operations;
    total.good += good;
    total.bad += bad;
  });

  test("nearly all of them could be tried", () => {
    expect(total.good / total.operations).toBeGreaterThan(0.9);
    expect(total.bad).toBeGreaterThan(100);
    if (process.env["SHOW"] !== undefined) process.stdout.write(`${JSON.stringify(total)}\n`);
  });
});
