import { describe, expect, test } from "vitest";
import type { Directive } from "../../src/detection/seclang/directive.ts";
import { readSecLang } from "../../src/detection/seclang/read.ts";
import { atOnce } from "../../src/support/turns.ts";

const read = (text: string) => atOnce(readSecLang("own.conf", text));

/** The only directive of a text without problems. */
function only<K extends Directive["kind"]>(text: string, kind: K): Extract<Directive, { kind: K }> {
  const { directives, problems } = read(text);
  expect(problems).toEqual([]);
  expect(directives).toHaveLength(1);
  const [directive] = directives;
  if (directive?.kind !== kind) throw new Error(`a ${directive?.kind}`);
  return directive as Extract<Directive, { kind: K }>;
}

describe("lines", () => {
  test("go on behind a backslash, and know where they began", () => {
    const { directives } = read(
      '# note \\\nSecMarker Not\nSecMarker A\nSecAction \\\n  "id:1,\\\n  phase:1"\r\nSecMarker "B C"\n',
    );
    expect(directives.map(({ kind, place }) => [kind, place.line])).toEqual([
      ["marker", 3],
      ["action", 4],
      ["marker", 7],
    ]);
  });

  test("the last one ends with the file", () => {
    expect(only("SecMarker \\\n  END", "marker").name).toBe("END");
    expect(read("SecMarker END \\").directives).toEqual(read("SecMarker END").directives);
  });

  test("an open quote is a problem with its place", () => {
    expect(read('\nSecRule ARGS "@rx a').problems).toEqual([
      { file: "own.conf", line: 2, message: 'a quote is not closed; a quote inside of a text is written \\"' },
    ]);
  });

  test("what belongs to a server is a problem, a setting is not", () => {
    const { directives, problems } = read("<IfModule x>\nSecRuleEngine On\n</IfModule>");
    expect(problems.map(({ line }) => line)).toEqual([1, 3]);
    expect(directives).toEqual([
      { kind: "setting", place: { file: "own.conf", line: 2 }, name: "SecRuleEngine", words: ["On"] },
    ]);
  });
});

describe("a rule", () => {
  test("has variables, an operator and actions", () => {
    const rule = only(
      `SecRule REQUEST_HEADERS:User-Agent|!args:/^a|b/|&TX:x "!@Within %{tx.list} " "id:1,t:none"`,
      "rule",
    );
    expect(rule.variables).toEqual([
      { collection: "REQUEST_HEADERS", member: { kind: "name", name: "User-Agent" }, use: "value" },
      { collection: "ARGS", member: { kind: "pattern", source: "^a|b" }, use: "exclude" },
      { collection: "TX", member: { kind: "name", name: "x" }, use: "count" },
    ]);
    expect(rule.operator).toEqual({ name: "within", negated: true, argument: "%{tx.list} " });
  });

  test.each([
    ["@rx (?i)a\\\\b", { name: "rx", negated: false, argument: "(?i)a\\\\b" }],
    ['say \\"no\\" \\d', { name: "rx", negated: false, argument: 'say "no" \\d' }],
    ["!^a$", { name: "rx", negated: true, argument: "^a$" }],
    ["! @eq 0", { name: "eq", negated: true, argument: "0" }],
    ["@detectSQLi", { name: "detectsqli", negated: false, argument: "" }],
    ["user@host", { name: "rx", negated: false, argument: "user@host" }],
  ])("operator %s", (text, operator) => {
    expect(only(`SecRule ARGS "${text}"`, "rule").operator).toEqual(operator);
  });

  test.each([
    ["XML:/*|XML://@*", [":/*", "://@*"]],
    ["TX:'/WEB_ATTACK/'", ["/WEB_ATTACK/"]],
    ["ARGS:/a/b/|ARGS:a/b", ["/a/b/", ":a/b"]],
    ["ARGS:/x\\/|y/,ARGS", ["/x\\/|y/", ""]],
  ])("members of %s", (variables, members) => {
    const rule = only(`SecRule "${variables}" "@rx x" "id:1"`, "rule");
    const shown = rule.variables.map(({ member }) => {
      if (member.kind === "all") return "";
      return member.kind === "name" ? `:${member.name}` : `/${member.source}/`;
    });
    expect(shown).toEqual(members);
  });

  test.each([
    ["SecRule ARGS", /takes variables/],
    ['SecRule "" "@rx x" "id:1"', /no variable/],
    ['SecRule 1x "@rx x" "id:1"', /'1x' is no variable/],
    ['SecRule ARGS "@rx x" "id:1" "more"', /put each in quotes/],
    ["SecAction id:1 phase:2", /put it in quotes/],
    ["SecMarker", /one name/],
    [`SecAction "id:1,msg:'open"`, /is not closed/],
    [`SecAction "id:1,%%"`, /no action/],
  ])("%s is a problem", (text, message) => {
    const { directives, problems } = read(text);
    expect(directives).toEqual([]);
    expect(problems.map((problem) => problem.message)).toEqual([expect.stringMatching(message)]);
  });
});

test("actions keep commas and quotes of their texts", () => {
  const { actions } = only(
    `SecAction "id:1, msg:'it\\'s, here',nolog,setvar:'tx.a=+%{tx.b}',setvar:tx.it's=1,ctl:ruleRemoveTargetById=1-9;ARGS:x,T:Lowercase,"`,
    "action",
  );
  expect(actions).toEqual([
    { name: "id", value: "1" },
    { name: "msg", value: "it's, here" },
    { name: "nolog", value: "" },
    { name: "setvar", value: "tx.a=+%{tx.b}" },
    { name: "setvar", value: "tx.it's=1" },
    { name: "ctl", value: "ruleRemoveTargetById=1-9;ARGS:x" },
    { name: "t", value: "Lowercase" },
  ]);
});
