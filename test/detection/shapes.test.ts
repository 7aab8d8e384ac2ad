import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_BODY, type ValueConstraint } from "../../src/detection/facts.ts";
import type { CompiledRules } from "../../src/detection/rules/compile-rules.ts";
import { atOnce } from "../../src/support/turns.ts";
import { compiled, named, PLENTY, requestOf, run } from "./own-rules.ts";

const RULES = `
  SecRule ARGS "@rx <script" "id:1,phase:2,pass,log,t:none,t:urlDecodeUni,t:lowercase"
  SecRule ARGS "@rx (?i)select.+from" "id:2,phase:2,pass,log,t:none"
  SecRule ARGS "@rx ^[a-f]{4}$" "id:3,phase:2,pass,log,t:none,t:lowercase"
  SecRule ARGS "@pm passwd shadow" "id:4,phase:2,pass,log,t:none,t:normalizePath"
  SecRule ARGS "@rx a{9}" "id:5,phase:2,pass,log,t:none"
  SecRule ARGS "@detectSQLi" "id:6,phase:2,pass,log,t:none"
  SecRule ARGS "!@rx ^[a-z]" "id:7,phase:2,pass,log,t:none"
  SecRule ARGS "@rx ^\\.\\.$" "id:8,phase:2,pass,log,t:none,t:urlDecodeUni"
  SecRule ARGS "@rx 1" "id:9,phase:2,pass,log,t:none,t:length"
`;

/** Ranges of ASCII as an alphabet. */
const alphabet = (...ranges: string[]): number[] =>
  ranges.flatMap((range) => [range.charCodeAt(0), range.charCodeAt(range.length - 1)]);

function hitsOf(rules: CompiledRules, value: string, constraint: ValueConstraint | null): number[] {
  const route = rules.rules.forRoute({ exclusions: [], constraints: constraint === null ? [] : [constraint] });
  atOnce(route.prepare());
  const request = requestOf({});
  const argsGet = [{ name: "x", value, shape: constraint === null ? -1 : 0 }];
  const transaction = route.begin({ ...request, argsGet }, PLENTY);
  atOnce(transaction.head());
  atOnce(transaction.body(NO_BODY));
  return transaction.hits.map(({ id }) => id);
}

describe("a value of a contract", () => {
  const rules = compiled(RULES);
  const digits: ValueConstraint = { alphabet: alphabet("09"), lengthMax: 8, isClosed: false };
  const shareOf = (...constraints: ValueConstraint[]): { rules: number; searched: number } =>
    rules.rules.forRoute({ exclusions: [], constraints }).share;

  test("is not searched for what no text of its alphabet and length can match", () => {
    expect(shareOf({ alphabet: null, lengthMax: null, isClosed: false })).toEqual({ rules: 9, searched: 9 });
    // What is negated may hold of any text, and so may what is said of a length.
    expect(shareOf(digits)).toEqual({ rules: 9, searched: 2 });
    expect(shareOf({ alphabet: alphabet("az"), lengthMax: 8, isClosed: false })).toEqual({ rules: 9, searched: 4 });
    expect(shareOf({ ...digits, isClosed: true })).toEqual({ rules: 9, searched: 0 });
    expect(shareOf({ alphabet: alphabet("%%", "09"), lengthMax: 8, isClosed: false }).searched).toBeGreaterThan(3);
  });

  test("is searched for all the rest", () => {
    expect(hitsOf(rules, "fade", { alphabet: alphabet("az"), lengthMax: 8, isClosed: false })).toEqual([3]);
    expect(hitsOf(rules, "1234567890", { ...digits, lengthMax: 10 })).toEqual([7, 9]);
    expect(hitsOf(rules, "..", { alphabet: alphabet("..", "az"), lengthMax: 8, isClosed: false })).toEqual([7, 8]);
  });

  test("a name that reads like a shape is a name", () => {
    const own = compiled(`SecRule ARGS|!ARGS:y "@rx <script" "id:1,phase:2,pass,log,t:none"`);
    const route = own.rules.forRoute({ exclusions: [], constraints: [{ ...digits, isClosed: true }] });
    const argsGet = [
      { name: "x", value: "1", shape: 0 },
      { name: "closed x", value: "<script>", shape: -1 },
    ];
    const transaction = route.begin({ ...requestOf({}), argsGet }, PLENTY);
    atOnce(transaction.head());
    atOnce(transaction.body(NO_BODY));
    expect(transaction.hits).toHaveLength(1);
  });

  test("hits the same rules as one without a contract, whatever it is", () => {
    const sets = [
      alphabet("09"),
      alphabet("az"),
      alphabet("AZ", "az"),
      alphabet("..", "09", "az"),
      alphabet("%%", "09", "AF"),
    ];
    const value = fc.constantFrom(...sets).chain((set) => {
      const characters = Array.from({ length: 128 }, (_, code) => code).filter((code) =>
        set.some((first, at) => at % 2 === 0 && code >= first && code <= (set[at + 1] ?? first)),
      );
      const text = fc.array(fc.constantFrom(...characters), { maxLength: 24 });
      return text.map((codes) => ({ set, text: String.fromCharCode(...codes) }));
    });
    fc.assert(
      fc.property(value, ({ set, text }) => {
        const constraint = { alphabet: set, lengthMax: text.length, isClosed: false };
        expect(hitsOf(rules, text, constraint)).toEqual(hitsOf(rules, text, null));
      }),
      { numRuns: 300 },
    );
  });
});

describe("answers", () => {
  const RULES_OF_ANSWERS = `
    SecRule RESPONSE_BODY "@rx error" "id:1,phase:4,pass,log,setvar:tx.outbound_anomaly_score_pl1=+3"
    SecAction "id:2,phase:4,pass,nolog,setvar:tx.outbound_anomaly_score=+%{tx.outbound_anomaly_score_pl1}"
    SecRule TX:outbound_anomaly_score "@ge 5" "id:3,phase:4,deny,log"`;

  test("that come in events add up, each counted once", () => {
    const transaction = run(compiled(RULES_OF_ANSWERS), {});
    const answer = (body: string): unknown =>
      atOnce(transaction.answerBody({ status: 200, protocol: "HTTP/1.1", headers: [], body }));
    answer("an error");
    answer("all is well");
    expect([transaction.answerScore, transaction.answerBlockedBy]).toEqual([3, null]);
    answer("another error");
    expect(transaction.answerScore).toBe(6);
    expect([transaction.answerBlockedBy?.id, transaction.blockedBy]).toEqual([3, null]);
  });
});

describe("a budget", () => {
  test("ends the search, and says so", () => {
    const rules = compiled(RULES).rules.forRoute({ exclusions: [], constraints: [] });
    const asked = requestOf({ args: [["x", `${"y".repeat(5000)}<script`]] });
    const spend = (budget: Partial<typeof PLENTY>): { over: boolean; hits: number } => {
      const transaction = rules.begin(asked, { ...PLENTY, ...budget });
      atOnce(transaction.head());
      atOnce(transaction.body(NO_BODY));
      return { over: transaction.overBudget, hits: transaction.hits.length };
    };
    expect(spend({})).toEqual({ over: false, hits: 1 });
    expect(spend({ bytes: 100 }).over).toBe(true);
    expect(spend({ patterns: 0 }).over).toBe(true);
    expect(spend({ steps: 10 }).over).toBe(true);
  });

  test("a long value is searched in turns", () => {
    const rules = compiled(RULES).rules.forRoute({ exclusions: [], constraints: [] });
    const transaction = rules.begin(requestOf({ args: [["x", "aB <%41".repeat(30_000)]] }), PLENTY);
    let turns = 0;
    for (const steps of [transaction.head(), transaction.body(NO_BODY)]) for (const _ of steps) turns++;
    expect(turns).toBeGreaterThan(5);
  });

  test("many short values are searched in turns", () => {
    const { rules } = compiled('SecRule ARGS "@rx attack" "id:1,phase:2,deny"');
    const args = named(Array.from({ length: 4_000 }, (_, at) => [`p${at}`, `v'${at}`] as const));
    const transaction = rules.forRoute({ constraints: [], exclusions: [] }).begin(requestOf({}), PLENTY);
    let turns = 0;
    for (const steps of [transaction.head(), transaction.body({ ...NO_BODY, args })]) for (const _ of steps) turns++;
    expect(turns).toBeGreaterThan(100);
  });
});
