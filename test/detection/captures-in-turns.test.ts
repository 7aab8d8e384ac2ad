// Goal: a long text in which many rules find something holds nobody else. Method: rules of our own that all match and capture; the turns
// that a search gives are counted.
import { expect, test } from "vitest";
import { NO_BODY } from "../../src/detection/facts.ts";
import { compiled, named, PLENTY, requestOf } from "./own-rules.ts";

const TEXT = "ab ".repeat(14_000);
const RULES = 8;

function turnsOfSearch(): number {
  const rules = Array.from({ length: RULES }, (_, at) => {
    return `SecRule ARGS "@rx (a)b {1,${at + 1}}" "id:${at + 1},phase:2,pass,log,t:none,capture"`;
  });
  const { rules: set } = compiled(rules.join("\n"));
  const transaction = set.forRoute({ constraints: [], exclusions: [] }).begin(requestOf({ method: "POST" }), PLENTY);
  const turns = [...transaction.head(), ...transaction.body({ ...NO_BODY, args: named([["text", TEXT]]) })];
  expect(transaction.hits).toHaveLength(RULES);
  return turns.length;
}

// One for what finds the text, and one for what captures of it.
test("others get their turn between captures of one long text", () => {
  expect(turnsOfSearch()).toBeGreaterThanOrEqual(2 * RULES);
});
