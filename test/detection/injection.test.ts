import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sqlInjection } from "../../src/detection/sqli/judge.ts";
import { crossSiteScript } from "../../src/detection/xss/judge.ts";
import { cpuMs } from "../fixtures/cpu-time.ts";
import { HONEST, SCRIPTS, SQL_INJECTIONS } from "./injection-grammar.ts";

/** As the rules get it: the bytes of a value. */
const bytes = (text: string): string => Buffer.from(text).toString("latin1");
const RUNS = { numRuns: 150 };
const HONEST_TEXTS = 2_000;
const isAlarm = (text: string): boolean => (sqlInjection(text) ?? crossSiteScript(text)) !== undefined;

describe("SQL of its own is recognised", () => {
  for (const [shape, texts] of Object.entries(SQL_INJECTIONS)) {
    test(shape, () => {
      fc.assert(
        fc.property(texts, (text) => sqlInjection(bytes(text)) !== undefined),
        RUNS,
      );
    });
  }
});

describe("a text that runs in a page is recognised", () => {
  for (const [shape, texts] of Object.entries(SCRIPTS)) {
    test(shape, () => {
      fc.assert(
        fc.property(texts, (text) => crossSiteScript(bytes(text)) !== undefined),
        RUNS,
      );
    });
  }
});

describe("honest texts are neither", () => {
  for (const [sort, texts] of Object.entries(HONEST)) {
    // A rate, and no rule: one in a thousand of drawn sentences is a query, word by word.
    test(sort, () => {
      const alarms = fc.sample(texts, HONEST_TEXTS).map(bytes).filter(isAlarm);
      expect(alarms.length, alarms.join("\n")).toBeLessThan(HONEST_TEXTS / 100);
    });
  }

  test.each([
    "select a plan and drop by",
    "Select all that apply (one or more)",
    "union of workers",
    "The credit union select committee met",
    "1=1",
    "drop table reservations",
    "Please use '--help' or '-h'",
    "the '=' sign is missing",
    "rock 'n' roll and the boys' toys",
    "2 or 3 pieces, 4 and a half inches",
    "Delete from list",
    "data:image/png;base64,iVBORw0KGgo=",
    "JavaScript: The Good Parts (2nd edition)",
    "price gt 5 and name eq 'x'",
    "status = open AND type = bug",
    "like 'this' and 'that'",
    "between 'a' and 'b'",
    "in 'Moby Dick' and 'Emma'",
    "where 'id' is missing",
    "'yes' or 'no'? 'No' is what she said",
    "ask @> for 2 or 3 of them",
    "x.onload = done; a<b>c",
    "C:\\Users\\jane\\notes (1).txt",
    "Déjà vu à la carte",
  ])("%s", (text) => {
    expect([sqlInjection(bytes(text)), crossSiteScript(bytes(text))]).toEqual([undefined, undefined]);
  });
});

test.each([
  ["as MySQL reads it: a versioned comment", "1/*!50000union*//*!50000select*/1,2"],
  ["by JSON that PostgreSQL finds in JSON", `' or '{"a":1}'::jsonb @> '{"a":1}'-- `],
  ["by JSON beside a column", `' or data @>'{}'-- `],
  ["by a key that JSON has", `' or '{"a":1}'::jsonb ? 'a'-- `],
  ["by a pattern of PostgreSQL", "' or 'a' ~ 'a"],
  ["by words that a text has", "' or a @@ 'b"],
  ["by a list of PostgreSQL", "' or array[1] && array[1]-- "],
  ["by a value with its type", "' or inet '1.1.1.1' << inet '1.0.0.0/8'-- "],
  ["by a condition that begins as a sentence", "like 'a' or 1=1"],
  ["with no space at all", "1'or'1'='1"],
  ["with a line end in a comment of a line", "-1 union#x\nselect 1,2"],
  ["behind an escaped quote", "\\' or 1=1 -- "],
  ["without a semicolon, as SQL Server reads it", "1) waitfor delay '0:0:5'--"],
  ["in the other half of a bracket", "1]-(SELECT 0 WHERE 1=1 AND sleep(5))|[1"],
  ["with a space of Latin-1", "1\u00a0union\u00a0select\u00a01"],
  ["with numbers that MySQL drops", "1' AND SLEEP 1.e(5 1.e) AND 'a'='a"],
  ["with numbers that MySQL drops within a name", "1' 1.e,(SELECT a FROM mysql 1.e.user 1.e) AND 'a'='a"],
  ["with comments before a parenthesis", "1 and sleep/**//**/(5)"],
  ["with a comment and a space before a parenthesis", "1 and sleep/**/ (5)"],
  ["with a line of comment before a parenthesis", "1 and sleep #x\n(5)"],
  ["with a parenthesis in a comment that MySQL reads", "1 and sleep/*!50000(*/5)"],
  ["by a whole table", "1 union table users"],
  ["by rows", "1 union values row(1,2)"],
  ["by a file of PostgreSQL", "1;copy (select 1) to program 'id'"],
  ["in a text of dollars", "1; select $x$a$x$, pg_sleep(5)"],
  ["behind many parentheses and signs", `1${")".repeat(200)} or ${"(".repeat(200)}- + -1=-1`],
  ["behind long arithmetic", `1${"+1".repeat(5_000)} or 1=1`],
])("SQL is recognised %s", (_, text) => {
  expect(sqlInjection(text)).toBeDefined();
});

test("what is told has the shape and the kinds of the tokens, none of the values", () => {
  expect(sqlInjection("jane' or 'secret'='secret")).toBe("tautology slsc");
  expect(sqlInjection("1 union select password from users")).toBe("union nUS");
  expect(crossSiteScript('<img src=x onerror="secret()">')).toBe("handler");
  expect(crossSiteScript("<a href='java&Tab;script:secret()'>")).toBe("url");
});

test("any text at all gives a short word or nothing, and never throws", () => {
  const pieces = fc.constantFrom(
    ..."'\"`()[]{};,=<>!|&%*/+-#@$\\.:0x1ae \n\u0000é",
    "/*",
    "*/",
    "--",
    "or",
    "union",
    "select",
    "<a",
    "on",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.array(pieces, { maxLength: 60 }).map((all) => all.join("")),
      ),
      (text) => {
        for (const judge of [sqlInjection, crossSiteScript])
          expect((judge(text) ?? "none").length).toBeLessThanOrEqual(40);
      },
    ),
    { numRuns: 1_000 },
  );
});

/** Pieces that a reader might look at again and again. */
const HOSTILE = [
  ..."'\"`()[]{};#\\/*$@<&=-",
  ...[
    "/*",
    "/*!",
    "/*/**/*/",
    "--\n",
    "--x",
    "''",
    "\\'",
    " or 1",
    "1+",
    "$a",
    "a.",
    "`a`.",
    "q'",
    "x'",
    "@`",
    "a(",
    "a /*",
    "a/**/",
  ],
  ...[
    "1'or ",
    "union ",
    "select a,",
    "case when ",
    ";drop ",
    "<a ",
    "<!--",
    "</",
    "<a b=",
    "style=/",
    "content='",
    "&#x41;",
    "= ",
    "=\t",
  ],
  ...["x=&#1;", "<!--[", "<script", "javascript", " on", "'='", "((select "],
];

test("time is in line with the length, whatever the text", () => {
  const slow: string[] = [];
  for (const judge of [sqlInjection, crossSiteScript]) {
    for (const piece of HOSTILE) {
      const text = (length: number): string => piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
      const cost = (length: number): number => least(() => judge(text(length)));
      if (cost(64 * 1024) > 5 * cost(16 * 1024) + ALLOWED_MS && cost(64 * 1024) > 8 * cost(16 * 1024)) slow.push(piece);
    }
  }
  expect(slow).toEqual([]);
});

const ALLOWED_MS = 20;

function least(work: () => void): number {
  const costs = Array.from({ length: 3 }, () => {
    const before = cpuMs();
    work();
    return cpuMs() - before;
  });
  return Math.min(...costs);
}
