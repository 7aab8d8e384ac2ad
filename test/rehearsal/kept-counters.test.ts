// Goal: what a table counts beside what it was read from is forgotten between tests, and only that.
import { expect, test } from "vitest";
import { Guesses } from "../../src/filters/basic/guesses.ts";
import { RateTable } from "../../src/limits/rate/rate-table.ts";
import { parseAddress } from "../../src/message/address.ts";
import { Kept } from "../../src/policy/kept.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce } from "../../src/support/turns.ts";
import { fixedClock } from "../policy/policy-kit.ts";

test("wrong passwords of one test shut nobody out of the next", () => {
  const kept = new Kept();
  const make = function* () {
    yield;
    const table = new RateTable(64, [1, 2], fixedClock);
    return new Guesses(table, DEFAULTS.passwordAddressFailures, DEFAULTS.passwordUserFailures);
  };
  const guesses = atOnce(kept.get("guesses", ["users"], make));
  atOnce(
    kept.get("names", [], function* () {
      yield;
      return new Set(["alice"]);
    }),
  );
  kept.settle(true);
  const address = parseAddress("192.0.2.1");
  if (guesses === null || address === null) throw new Error("no guesses");
  for (let nth = 0; nth < DEFAULTS.passwordUserFailures.burst; nth++) guesses.failed("alice", address);
  expect(guesses.waitMs("alice", address)).toBeGreaterThan(0);
  kept.forget();
  expect(guesses.waitMs("alice", address)).toBe(0);
});
