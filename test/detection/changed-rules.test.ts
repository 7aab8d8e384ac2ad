import { describe, expect, test } from "vitest";
import { targetOf } from "../../src/detection/rules/compile-rule.ts";
import { orderedRuleFiles } from "../../src/detection/rules/file-order.ts";
import { variablesOf } from "../../src/detection/seclang/variables.ts";
import { compiled, hitsOf, run } from "./own-rules.ts";

const RULES = `
  SecRule ARGS|REQUEST_COOKIES "@rx bad" "id:10,phase:2,pass,log,tag:attack-x,tag:OWASP_CRS,msg:'one'"
  SecRule ARGS "@rx bad" "id:11,phase:2,pass,log,tag:attack-y,tag:OWASP_CRS,msg:'two'"
  SecRule ARGS "@rx bad" "id:12,phase:2,pass,log,msg:'three',t:none,chain"
    SecRule REQUEST_METHOD "@rx GET" "t:none"
`;
const BAD = { args: [["x", "bad"]] } as const;

describe("directives that change rules before them", () => {
  test.each([
    ["SecRuleRemoveById 10", [11, 12]],
    ["SecRuleRemoveById 10-11 7", [12]],
    ['SecRuleRemoveById "10,12"', [11]],
    ["SecRuleRemoveByTag attack-y", [10, 12]],
    ["SecRuleRemoveByTag attack", [10, 11, 12]],
    ['SecRuleRemoveByTag "^attack-"', [12]],
    ["SecRuleRemoveByMsg two", [10, 12]],
    ['SecRuleUpdateTargetById 10 "!ARGS:x"', [11, 12]],
    ['SecRuleUpdateTargetById 10-12 "!ARGS:/^x/"', []],
    ['SecRuleUpdateTargetById 10 "!ARGS:y"', [10, 11, 12]],
    ['SecRuleUpdateTargetById 12:1 "REQUEST_PROTOCOL" REQUEST_METHOD', [10, 11]],
    ['SecRuleUpdateTargetByTag OWASP_CRS "!ARGS:x"', [12]],
    ['SecRuleUpdateTargetByMsg one "!ARGS"', [11, 12]],
    ['SecRuleUpdateActionById 10 "nolog"', [11, 12]],
    ['SecRuleUpdateActionById 12:1 "t:lowercase"', [10, 11]],
  ])("%s leaves %j", (directive, expected) => {
    expect(hitsOf(RULES + directive, BAD)).toEqual(expected);
  });

  test.each([
    ["SecRuleRemoveById x", /no id of a rule/],
    ["SecRuleRemoveById", /names no rule/],
    ["SecRuleUpdateTargetById 10", /not what changes/],
    ['SecRuleUpdateActionById 10 "id:11"', /cannot be changed/],
    ['SecRuleUpdateActionById 10 "shout"', /no action that is known/],
  ])("%s is a problem", (directive, message) => {
    expect(compiled(RULES + directive).problems).toMatchObject([{ message: expect.stringMatching(message) }]);
  });

  test("a rule that is taken off is listed with who did it", () => {
    const { listing } = compiled(`${RULES}\nSecRuleRemoveById 11`);
    expect(listing.find(({ id }) => id === 11)).toMatchObject({
      status: "removed",
      reason: "own.conf, line 7 removes it",
    });
  });
});

describe("ctl changes a request's rules from there on", () => {
  test.each([
    ["ruleRemoveById=10", [11, 12]],
    ["ruleRemoveById=10-11", [12]],
    ["ruleRemoveByTag=OWASP_CRS", [12]],
    ["ruleRemoveByMsg=three", [10, 11]],
    ["ruleRemoveTargetById=10;ARGS:x", [11, 12]],
    ["ruleRemoveTargetById=10;ARGS", [11, 12]],
    ["ruleRemoveTargetById=10;ARGS:y", [10, 11, 12]],
    ["ruleRemoveTargetById=12;ARGS:x", [10, 11]],
    ["ruleRemoveTargetByTag=OWASP_CRS;ARGS:/^x$/", [12]],
    ["ruleRemoveTargetByMsg=two;ARGS:x", [10, 12]],
    ["ruleRemoveTargetById=10;ARGS:y|ARGS:x", [11, 12]],
    ["ruleEngine=Off", []],
    ["ruleEngine=On", [10, 11, 12]],
    ["auditLogParts=+E", [10, 11, 12]],
  ])("%s leaves %j", (control, expected) => {
    const first = `SecRule REQUEST_URI "@beginsWith /" "id:1,phase:1,pass,nolog,ctl:${control}"`;
    expect(hitsOf(first + RULES, BAD)).toEqual(expected);
  });

  test("where nothing matched it changes nothing", () => {
    const first = `SecRule REQUEST_URI "@beginsWith /no" "id:1,phase:1,pass,nolog,ctl:ruleRemoveById=10"`;
    expect(hitsOf(first + RULES, BAD)).toEqual([10, 11, 12]);
  });

  test("DetectionOnly denies nothing, and no deny ends a phase", () => {
    const text = `SecAction "id:1,phase:1,pass,nolog,ctl:ruleEngine=DetectionOnly"
      SecAction "id:2,phase:2,deny,log"\nSecAction "id:3,phase:2,pass,log"`;
    const { hits, blockedBy } = run(compiled(text), {});
    expect([hits.map(({ id }) => id), blockedBy]).toEqual([[2, 3], null]);
  });

  test("a body that nothing reads is there raw, forced or not, and requestBodyProcessor asks for a reading", () => {
    const seen = `SecRule REQUEST_BODY "@rx evil" "id:2,phase:2,pass,log"`;
    const force = `SecAction "id:1,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On"\n`;
    expect(hitsOf(seen, {}, { body: { raw: "evil" } })).toEqual([2]);
    expect(hitsOf(force + seen, {}, { body: { raw: "evil" } })).toEqual([2]);
    expect(hitsOf(seen, {}, { body: { raw: "evil", processor: "JSON" } })).toEqual([]);
    const asks = compiled(`SecAction "id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=URLENCODED"`);
    expect(run(asks, {}).processor).toBe("URLENCODED");
  });

  test.each([
    ["ruleRemoveById=x", /no id of a rule/],
    ["ruleRemoveTargetById=1", /no variable/],
    ["ruleEngine=Maybe", /none of On/],
    ["shout=1", /no setting that is known/],
  ])("%s is a problem", (control, message) => {
    const { problems } = compiled(`SecAction "id:1,phase:1,pass,ctl:${control}"`);
    expect(problems).toMatchObject([{ file: "own.conf", line: 1, message: expect.stringMatching(message) }]);
  });
});

describe("exclusions of a route", () => {
  const target = (text: string) => {
    const variables = variablesOf(text);
    const [first] = variables.ok ? variables.value : [];
    const result = first === undefined ? null : targetOf(first);
    if (result?.ok !== true) throw new Error(text);
    return result.value;
  };

  test.each([
    [{ rules: [{ by: "id", first: 10, last: 10 }], target: null }, [11, 12]],
    [{ rules: [{ by: "tag", text: "OWASP_CRS" }], target: null }, [12]],
    [{ rules: [{ by: "id", first: 10, last: 12 }], target: target("ARGS:x") }, []],
    [{ rules: [{ by: "id", first: 10, last: 12 }], target: target("ARGS:y") }, [10, 11, 12]],
  ] as const)("%j leaves %j", (exclusion, expected) => {
    expect(hitsOf(RULES, BAD, { exclusions: [exclusion] })).toEqual(expected);
  });
});

describe("what the files alone decide", () => {
  const SETUP = `
    SecRule &TX:paranoia_level "@eq 0" "id:1,phase:1,pass,nolog,setvar:tx.paranoia_level=1"
    SecRule &TX:list "@eq 0" "id:2,phase:1,pass,nolog,setvar:'tx.list=GET HEAD'"
    SecAction "id:3,phase:1,pass,nolog,setvar:tx.score=0"
    SecRule TX:PARANOIA_LEVEL "@lt 2" "id:4,phase:2,pass,nolog,skipAfter:END"
    SecRule ARGS "@rx bad" "id:5,phase:2,pass,log,tag:paranoia-level/2,setvar:tx.score=+5"
    SecMarker END
    SecRule REQUEST_METHOD "!@within %{tx.list}" "id:6,phase:2,pass,log,setvar:tx.score=+5"
    SecRule TX:paranoia_level "@ge 1" "id:7,phase:2,pass,nolog,setvar:tx.total=%{tx.score}"`;

  test("is decided at load, and listed so", () => {
    const statuses = (paranoia: 1 | 2): string[] =>
      compiled(SETUP, { paranoia }).listing.map(({ id, status }) => `${id} ${status}`);
    expect(statuses(1)).toEqual(["1 setup", "2 setup", "3 setup", "4 setup", "5 off", "6 runs", "7 runs"]);
    expect(statuses(2)).toEqual(["1 setup", "2 setup", "3 setup", "4 setup", "5 runs", "6 runs", "7 runs"]);
    expect(compiled(SETUP).listing.find(({ id }) => id === 5)?.reason).toBe("rule 4 skips it");
  });

  test("gives what would have come of it at run time", () => {
    const ask = { method: "PUT", args: [["x", "bad"]] } as const;
    const one = run(compiled(SETUP), ask);
    expect([one.hits.map(({ id }) => id), one.tx("total"), one.tx("list")]).toEqual([[6], "5", "GET HEAD"]);
    const two = run(compiled(SETUP, { paranoia: 2 }), ask);
    expect([two.hits.map(({ id }) => id), two.tx("total")]).toEqual([[5, 6], "10"]);
    const more = run(compiled(SETUP, { variables: new Map([["LIST", "PUT"]]) }), ask);
    expect(more.hits).toEqual([]);
  });

  test("the policy's level stands over the setup file's", () => {
    const file = `SecAction "id:9,phase:1,pass,nolog,setvar:tx.paranoia_level=2"`;
    expect(run(compiled(file + SETUP), { args: [["x", "bad"]] }).hits).toEqual([]);
  });

  test("is not decided where a request has a say", () => {
    const raise = `SecRule REQUEST_URI "@beginsWith /deep" "id:9,phase:1,pass,nolog,setvar:tx.paranoia_level=2"\n`;
    const rules = compiled(raise + SETUP);
    expect(run(rules, { path: "/deep", args: [["x", "bad"]] }).hits.map(({ id }) => id)).toEqual([5]);
    expect(run(rules, { args: [["x", "bad"]] }).hits).toEqual([]);
  });

  test("nothing is sure behind a skip that a request decides, up to its marker", () => {
    const text = `
      SecRule ARGS:x "@rx go" "id:1,phase:1,pass,nolog,skipAfter:A"
      SecAction "id:2,phase:1,pass,nolog,setvar:tx.a=1"
      SecRule &TX:a "@eq 1" "id:3,phase:1,pass,nolog,skipAfter:B"
      SecMarker A
      SecAction "id:4,phase:1,pass,log"
      SecMarker B
      SecRule TX:a "@eq 1" "id:5,phase:1,pass,log"`;
    expect(hitsOf(text, { args: [["x", "go"]] })).toEqual([4]);
    expect(hitsOf(text, {})).toEqual([5]);
  });

  test("a first link that surely holds is left out", () => {
    const text = `
      SecAction "id:1,phase:1,pass,nolog,setvar:tx.on=1"
      SecRule TX:on "@eq 1" "id:2,phase:2,pass,log,msg:'on',chain"
        SecRule ARGS "@rx bad" "t:none,setvar:tx.seen=+1"`;
    const transaction = run(compiled(text), {
      args: [
        ["x", "bad"],
        ["y", "bad"],
      ],
    });
    expect(transaction.hits).toMatchObject([{ id: 2, message: "on", target: "ARGS:y" }]);
    expect(transaction.tx("seen")).toBe("2");
  });
});

describe("what cannot run", () => {
  test.each([
    ['SecRule IP:x "@eq 1" "id:1,phase:2"', /^IP: what outlives a request/],
    ['SecRule REMOTE_ADDR "@geoLookup" "id:1,phase:2"', /^@geolookup: countries/],
    ['SecRule TX:x "@eq 1" "id:1,phase:5"', /^rules of phase 5/],
    ['SecRule XML:/a/b "@rx a" "id:1,phase:2"', /^of XML the texts/],
    ['SecRule DURATION "@gt 1" "id:1,phase:2"', /^DURATION: /],
  ])("%s is listed with the reason", (text, reason) => {
    const { listing, problems } = compiled(text);
    expect(problems).toEqual([]);
    expect(listing).toMatchObject([{ id: 1, line: 1, status: "left", reason: expect.stringMatching(reason) }]);
  });

  test("actions that are not done are told beside a rule that runs", () => {
    const text = `SecRule ARGS "a" "id:1,phase:2,pass,setvar:ip.x=1,expirevar:ip.x=60"`;
    expect(compiled(text).listing).toMatchObject(
      [{ status: "runs", reason: /^without setvar:ip: .*; expirevar: / }].map(({ status, reason }) => ({
        status,
        reason: expect.stringMatching(reason),
      })),
    );
  });

  test.each([
    ['SecRule NO_SUCH "a" "id:1,phase:2"', /'NO_SUCH' is no variable/],
    ['SecRule ARGS "@noSuch" "id:1,phase:2"', /'@nosuch' is no operator/],
    ['SecRule ARGS "a" "id:1,phase:2,t:noSuch"', /'t:noSuch' is no transformation/],
    ['SecRule ARGS "a" "phase:2"', /has no id/],
    ['SecRule ARGS "a" "id:x,phase:2"', /'x' is no id/],
    ['SecRule ARGS "a" "id:1,phase:9"', /'9' is no phase/],
    ['SecRule ARGS "a(" "id:1,phase:2"', /a group is not closed/],
    ['SecRule ARGS:/(/ "a" "id:1,phase:2"', /of a name/],
    ['SecRule ARGS "@pmFromFile no.data" "id:1,phase:2"', /'no.data' is not there/],
    ['SecRule ARGS "@ipMatch 1.2.3" "id:1,phase:2"', /is no address/],
    ['SecRule ARGS "@validateByteRange 1-300" "id:1,phase:2"', /no range of bytes/],
    ['SecRule ARGS "a" "id:1,phase:2,severity:HUGE"', /no severity/],
    ['SecAction "id:1,phase:2"\nSecAction "id:1,phase:2"', /id 1 is that of a rule in own.conf, line 1/],
    ["SecNoSuch On", /'SecNoSuch' is no directive/],
    ["Include other.conf", /put this one among its 'rules'/],
    ['SecDefaultAction "log,pass"', /says no phase/],
  ])("%s is a problem", (text, message) => {
    const { problems } = compiled(text);
    expect(problems.map((problem) => problem.message)).toContainEqual(expect.stringMatching(message));
  });

  test("settings of ModSecurity itself are read, and nothing comes of them", () => {
    const text = 'SecRuleEngine On\nSecRequestBodyLimit 131072\nSecComponentSignature "x"\nSecCollectionTimeout 600';
    expect(compiled(text).problems).toEqual([]);
  });
});

test("files are read in the order of setup, plugins, rules, plugins", () => {
  const names = ["rules/B.conf", "plugins/p-after.conf", "plugins/p-before.conf", "rules/A.conf", "rules/a.data"];
  expect(orderedRuleFiles([...names, "plugins/p-config.conf", "crs-setup.conf", "rules/X.conf.example"])).toEqual([
    "crs-setup.conf",
    "plugins/p-config.conf",
    "plugins/p-before.conf",
    "rules/A.conf",
    "rules/B.conf",
    "plugins/p-after.conf",
  ]);
});

test("a change that means no rule before it is told, and so is what sets up another engine", () => {
  const { problems, notDone } = compiled(`
    SecRuleEngine DetectionOnly
    SecRuleUpdateTargetById 7 "!ARGS:x"
    SecRuleRemoveById 7
    SecRule ARGS "@rx a" "id:7,phase:2,pass,log"
    SecRuleUpdateTargetById 7 "!ARGS:y"
    SecRuleRemoveByTag none-has-it
  `);
  expect(problems).toEqual([]);
  expect(notDone.map(({ name, line, reason }) => [line, name.toLowerCase(), reason])).toEqual([
    [2, "secruleengine", "the policy's mode decides whether rules deny"],
    [3, "secruleupdatetargetbyid", "it means no rule that stands before it"],
    [4, "secruleremovebyid", "it means no rule that stands before it"],
    [7, "secruleremovebytag", "it means no rule that stands before it"],
  ]);
});
