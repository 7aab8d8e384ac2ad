// Goal: a long text in which many rules find something holds nobody else. Method: rules of our own that all match and capture; the turns
// that a search gives are counted, beside those of a text half as long: one step takes so much, whatever there is to do.
import { expect, test } from "vitest";
import { NO_BODY } from "../../src/detection/facts.ts";
import { compiled, named, PLENTY, requestOf } from "./own-rules.ts";

const RULES = 8;

function turnsOf(rules: readonly string[], text: string): number {
  const { rules: set } = compiled(rules.join("\n"));
  const transaction = set.forRoute({ constraints: [], exclusions: [] }).begin(requestOf({ method: "POST" }), PLENTY);
  const turns = [...transaction.head(), ...transaction.body({ ...NO_BODY, args: named([["text", text]]) })];
  expect(transaction.hits).toHaveLength(rules.length);
  return turns.length;
}

const capturing = Array.from({ length: RULES }, (_, at) => {
  return `SecRule ARGS "@rx ^(?:(a)b ){1,9}.*c{${at + 1}}$" "id:${at + 1},phase:2,pass,log,t:none,capture"`;
});
const text = (blocks: number): string => `${"ab ".repeat(blocks)}${"c".repeat(RULES + 1)}`;

test("what one rule captures of a long text is searched in turns", () => {
  const [short, long] = [turnsOf(capturing, text(7_000)), turnsOf(capturing, text(14_000))];
  // A character takes two instructions at least; what else the rules do takes a turn each.
  expect(long - short).toBeGreaterThan((RULES * 21_000 * 2) / 50_000);
  expect(long).toBeGreaterThan(2 * RULES);
});

test("and so is what the second link of a chain looks for, in what the first one matched and in any other value", () => {
  const chained = ["MATCHED_VAR", "ARGS"].map((target, at) => {
    const first = `SecRule ARGS "@rx ^a" "id:${at + 1},phase:2,pass,log,t:none,chain"`;
    return `${first}\n  SecRule ${target} "@rx ^(?:(a)b ){1,9}.*c$" "t:none,capture"`;
  });
  const [short, long] = [turnsOf(chained, text(7_000)), turnsOf(chained, text(14_000))];
  expect(long - short).toBeGreaterThan((chained.length * 21_000 * 2) / 50_000);
});

test("what is captured of a long text is what would be of a short one", () => {
  const rule = `SecRule ARGS "@rx (b+)(c+)d" "id:1,phase:2,pass,log,t:none,capture,msg:'%{TX.0}|%{TX.1}|%{TX.2}',chain"
    SecRule TX:1 "@rx ^b+$" "t:none"`;
  const { rules } = compiled(rule);
  for (const padding of [0, 10_000]) {
    const transaction = rules.forRoute({ constraints: [], exclusions: [] }).begin(requestOf({}), PLENTY);
    const args = named([["text", `${"x".repeat(padding)}bbccd`]]);
    for (const steps of [transaction.head(), transaction.body({ ...NO_BODY, args })]) for (const _ of steps);
    expect(transaction.hits.map(({ message }) => message)).toEqual(["bbccd|bb|cc"]);
  }
});
