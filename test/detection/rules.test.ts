import { describe, expect, test } from "vitest";
import { beginPatternWork } from "../../src/schema/pattern/work.ts";
import { type Asked, compiled, hitsOf, named, run } from "./own-rules.ts";

const rule = (variables: string, operator: string, actions = ""): string =>
  `SecRule ${variables} "${operator}" "id:1,phase:2,pass,log,t:none${actions === "" ? "" : `,${actions}`}"`;

/** Whether a rule of this kind hits. */
function hits(variables: string, operator: string, asked: Asked, actions = ""): boolean {
  return hitsOf(rule(variables, operator, actions), asked).length > 0;
}

describe("variables", () => {
  const asked: Asked = {
    method: "POST",
    path: "/a/b.php",
    headers: [
      ["Host", "example.com"],
      ["X-A", "one"],
    ],
    cookies: [
      ["sid", "abc"],
      ["__utma", "evil"],
    ],
    args: [
      ["x", "evil"],
      ["y", "good"],
    ],
  };

  test("names are held against patterns whatever a body before has spent on its own", () => {
    beginPatternWork(0);
    expect(hits("ARGS:/^x(?:[0-9]|$)/", "@rx evil", asked)).toBe(true);
    expect(hits("ARGS|!ARGS:/^[xw](?:[0-9]|$)/", "@rx evil", asked)).toBe(false);
    beginPatternWork(Number.POSITIVE_INFINITY);
  });

  test.each([
    ["ARGS", "evil", true],
    ["ARGS:x", "evil", true],
    ["ARGS:X", "evil", true],
    ["ARGS:y", "evil", false],
    ["ARGS|!ARGS:x", "evil", false],
    ["ARGS|!ARGS:/^[xz]/", "evil", false],
    ["ARGS|!ARGS:/^[yz]/", "evil", true],
    ["ARGS:/^X$/", "evil", true],
    ["ARGS_NAMES", "^y$", true],
    ["ARGS_GET|ARGS_POST", "evil", true],
    ["ARGS_POST", ".", false],
    ["REQUEST_COOKIES|!REQUEST_COOKIES:/__utm/", "evil", false],
    ["REQUEST_COOKIES_NAMES", "__utm", true],
    ["REQUEST_HEADERS:x-a", "^one$", true],
    ["REQUEST_HEADERS|!REQUEST_HEADERS:X-A", "one", false],
    ["REQUEST_HEADERS_NAMES", "^X-A$", true],
    ["REQUEST_BASENAME", "^b.php$", true],
    ["REQUEST_FILENAME", "^/a/b.php$", true],
    ["REQUEST_LINE", "^POST /a/b.php.x=evil&y=good HTTP/1.1$", true],
    ["REQUEST_METHOD", "^POST$", true],
    ["REQUEST_PROTOCOL", "^HTTP/1.1$", true],
    ["QUERY_STRING", "^x=evil", true],
    ["REMOTE_ADDR", "^192", true],
    ["ARGS_COMBINED_SIZE", "^10$", true],
    ["UNIQUE_ID", "^0123", true],
    ["REQUEST_BODY", ".*", false],
  ])("%s has %s: %s", (variables, pattern, expected) => {
    expect(hits(variables, `@rx ${pattern}`, asked)).toBe(expected);
  });

  test.each([
    ["&ARGS", "@eq 2", true],
    ["&ARGS:x", "@eq 1", true],
    ["&REQUEST_HEADERS:Accept", "@eq 0", true],
    ["&REQUEST_HEADERS:Host", "!@eq 1", false],
    ["&TX:nothing", "@eq 0", true],
  ])("count %s %s: %s", (variables, operator, expected) => {
    expect(hits(variables, operator, asked)).toBe(expected);
  });

  test.each([
    ["ARGS:json.a", { processor: "JSON", args: named([["json.a", "evil"]]) }, true],
    ["REQUEST_BODY", { processor: "JSON", raw: "evil" }, false],
    ["REQUEST_BODY", { processor: "URLENCODED", raw: "a=evil" }, true],
    ["FILES", { files: named([["f", "evil.php"]]) }, true],
    ["FILES_NAMES", { files: named([["evil", "x"]]) }, true],
    ["MULTIPART_PART_HEADERS:f", { partHeaders: named([["f", "X: evil"]]) }, true],
    ["XML:/*", { xmlTexts: ["evil"] }, true],
    ["XML:/*", { xmlAttributes: ["evil"] }, false],
    ["XML://@*", { xmlAttributes: ["evil"] }, true],
    ["REQBODY_ERROR_MSG", { error: "evil" }, true],
    ["REQBODY_PROCESSOR", { processor: "XML" }, false],
  ] as const)("%s of a body", (variables, body, expected) => {
    expect(hitsOf(rule(variables, "@rx evil"), { method: "POST" }, { body })).toEqual(expected ? [1] : []);
  });

  test("answers have theirs", () => {
    const text = `
      SecRule RESPONSE_STATUS "@streq 500" "id:1,phase:3,pass,log"
      SecRule RESPONSE_HEADERS:X-Powered-By "@rx PHP" "id:2,phase:3,pass,log"
      SecRule RESPONSE_BODY "@rx stack trace" "id:3,phase:4,pass,log"`;
    const headers = named([["x-powered-by", "PHP/8"]]);
    expect(hitsOf(text, {}, { answer: { status: 500, headers, body: "a stack trace" } })).toEqual([1, 2, 3]);
    expect(hitsOf(text, {}, { answer: { body: "all is well" } })).toEqual([]);
  });
});

describe("operators", () => {
  test.each([
    ["@eq 5", "5", true],
    ["@eq 5", "x", false],
    ["@ge 5", "05", true],
    ["@gt 5", "5", false],
    ["@le 5", "6", false],
    ["@lt 5", "abc", true],
    ["@streq a", "a", true],
    ["@streq a", "ab", false],
    ["@contains b", "abc", true],
    ["@containsWord b", "abc", false],
    ["@containsWord b", "a b,c", true],
    ["@beginsWith ab", "abc", true],
    ["@endsWith bc", "abc", true],
    ["@within one two", "two", true],
    ["@within one two", "three", false],
    ["!@within GET POST", "PUT", true],
    ["@pm cat dog", "a DOG's life", true],
    ["!@pm cat dog", "a bird", true],
    ["@pmFromFile words.data", "in a Wood", true],
    ["@rx ^a.c$", "a\nc", true],
    ["a+b", "aab", true],
    ["@validateByteRange 32-126,9", "a\tb", false],
    ["@validateByteRange 32-126", "a\tb", true],
    ["@validateUrlEncoding", "a%2", true],
    ["@validateUrlEncoding", "a%20b", false],
    ["@validateUtf8Encoding", "a\xc3\xa4", false],
    ["@validateUtf8Encoding", "a\xc3", true],
    ["@validateUtf8Encoding", "\xc0\xaf", true],
    ["@ipMatch 192.0.2.0/24,2001:db8::/32", "192.0.2.77", true],
    ["@ipMatch 192.0.2.0/24,2001:db8::/32", "2001:db8::1", true],
    ["@ipMatch 192.0.2.0/24", "192.0.3.1", false],
    ["@ipMatchFromFile list.data", "192.0.2.77", true],
    ["@detectSQLi", "x' or 1=1 --", true],
    ["@detectXSS", "<script>", true],
    ["@unconditionalMatch", "", true],
    ["@noMatch", "a", false],
  ])("%s on %j: %s", (operator, value, expected) => {
    const files = { "words.data": "# animals\nwood\n\n tree \n", "list.data": "192.0.2.0/24\n#x\n" };
    const rules = compiled(rule("ARGS:x", operator), {}, files);
    expect(rules.problems).toEqual([]);
    expect(run(rules, { args: [["x", value]] }).hits.length > 0).toBe(expected);
  });

  test("an argument may have parts that are a request's", () => {
    const same = rule("REQUEST_HEADERS:Origin", "!@endsWith ://%{REQUEST_HEADERS.host}");
    const headers = (origin: string) => ({
      headers: [
        ["Host", "a.example"],
        ["Origin", origin],
      ] as const,
    });
    expect(hitsOf(same, headers("https://a.example"))).toEqual([]);
    expect(hitsOf(same, headers("https://b.example"))).toEqual([1]);
    expect(
      hitsOf(rule("ARGS:a", "@rx ^%{ARGS.b}$"), {
        args: [
          ["a", "xx"],
          ["b", "x+"],
        ],
      }),
    ).toEqual([1]);
    expect(
      hitsOf(rule("ARGS:a", "@pm %{ARGS.b} no"), {
        args: [
          ["a", "a DOG"],
          ["b", "dog"],
        ],
      }),
    ).toEqual([1]);
  });
});

describe("chains", () => {
  const chain = `
    SecRule ARGS:a "@rx (\\d)" "id:1,phase:2,deny,log,capture,msg:'%{TX.1} of %{MATCHED_VAR_NAME}',t:none,chain"
      SecRule TX:1 "@gt 4" "t:none,chain"
      SecRule REQUEST_METHOD "@streq POST" "t:none,setvar:'tx.seen=%{TX.1}'"`;

  test("hit where all links match, and show what a request brought", () => {
    const { hits, blockedBy, tx } = (() => {
      const transaction = run(compiled(chain), { method: "POST", args: [["a", "x7"]] });
      return { hits: transaction.hits, blockedBy: transaction.blockedBy, tx: transaction.tx("seen") };
    })();
    expect(hits).toEqual([blockedBy]);
    expect(blockedBy).toMatchObject({ id: 1, target: "REQUEST_METHOD", matched: "POST", phase: 2 });
    expect(blockedBy?.place).toEqual({ file: "own.conf", line: 2 });
    expect(tx).toBe("7");
  });

  test.each([
    ["GET", "x7"],
    ["POST", "x3"],
    ["POST", "x"],
  ])("do not where one does not: %s %s", (method, value) => {
    expect(hitsOf(chain, { method, args: [["a", value]] })).toEqual([]);
  });

  test("see all that the link before matched", () => {
    const text = `
      SecRule ARGS "@rx a" "id:1,phase:2,pass,log,t:none,t:lowercase,chain"
        SecRule MATCHED_VARS "@rx ^ab$" "t:none,chain"
        SecRule MATCHED_VARS_NAMES "@streq MATCHED_VARS:ARGS:y" "t:none"`;
    expect(
      hitsOf(text, {
        args: [
          ["x", "ac"],
          ["y", "AB"],
        ],
      }),
    ).toEqual([1]);
    expect(
      hitsOf(text, {
        args: [
          ["x", "AB"],
          ["y", "ac"],
        ],
      }),
    ).toEqual([]);
  });

  test("without an end are a problem", () => {
    expect(compiled('SecRule ARGS "a" "id:1,phase:2,chain"').problems).toMatchObject([{ line: 1 }]);
  });
});

describe("flow", () => {
  const log = (id: number, phase = 2): string => `SecAction "id:${id},phase:${phase},pass,log"\n`;

  test("skipAfter leads behind its marker, in its phase", () => {
    const text = `SecRule ARGS:x "@rx go" "id:1,phase:2,pass,nolog,skipAfter:END"
      ${log(2)}${log(3, 1)}SecMarker END
      ${log(4)}`;
    expect(hitsOf(text, { args: [["x", "go"]] })).toEqual([3, 4]);
    expect(hitsOf(text, {})).toEqual([3, 2, 4]);
  });

  test("skipAfter without a marker leads to the end of its phase", () => {
    const text = `SecRule ARGS:x "@rx go" "id:1,phase:1,pass,nolog,skipAfter:NOWHERE"\n${log(2, 1)}${log(3)}`;
    expect(hitsOf(text, { args: [["x", "go"]] })).toEqual([3]);
  });

  test("skip leaves out so many rules", () => {
    const text = `SecRule ARGS:x "@rx go" "id:1,phase:2,pass,nolog,skip:2"\n${log(2)}${log(3)}${log(4)}`;
    expect(hitsOf(text, { args: [["x", "go"]] })).toEqual([4]);
    expect(hitsOf(text, {})).toEqual([2, 3, 4]);
  });

  test("deny ends its phase, and the first is the one that counts", () => {
    const text = `SecRule ARGS:x "@rx ." "id:1,phase:1,deny,log"\n${log(2, 1)}SecAction "id:3,phase:2,deny,log"`;
    const transaction = run(compiled(text), { args: [["x", "a"]] });
    expect(transaction.hits.map(({ id }) => id)).toEqual([1, 3]);
    expect(transaction.blockedBy?.id).toBe(1);
  });

  test("block does what the default action of the phase says", () => {
    const text = `SecDefaultAction "phase:2,log,deny"\nSecRule ARGS:x "@rx ." "id:1,phase:2,block"`;
    expect(run(compiled(text), { args: [["x", "a"]] }).blockedBy?.id).toBe(1);
    expect(run(compiled(text.replace("deny", "pass")), { args: [["x", "a"]] }).blockedBy).toBeNull();
  });

  test.each([
    ["allow", [1]],
    ["allow:request", [1, 4]],
    ["allow:phase", [1, 3, 4]],
  ])("%s", (action, expected) => {
    const text = `SecRule ARGS:x "@rx ." "id:1,phase:1,${action},log"\n${log(2, 1)}${log(3)}${log(4, 3)}`;
    expect(hitsOf(text, { args: [["x", "a"]] }, { answer: {} })).toEqual(expected);
  });
});

describe("what rules write", () => {
  test("values are set, added to, taken from and taken away, in any case of the name", () => {
    const text = `
      SecAction "id:1,phase:1,pass,nolog,setvar:tx.A=3,setvar:tx.b,setvar:tx.c=x"
      SecRule ARGS "@rx ." "id:2,phase:1,pass,nolog,setvar:'tx.a=+%{tx.b}',setvar:tx.%{MATCHED_VAR_NAME}=-2,setvar:!tx.c"`;
    const transaction = run(compiled(text), {
      args: [
        ["n", "1"],
        ["m", "2"],
      ],
    });
    expect(["a", "b", "c", "args:n"].map((name) => transaction.tx(name))).toEqual(["5", "1", undefined, "-2"]);
  });

  test("a rule that matches twice adds twice, and the score of a hit is what it added", () => {
    const text = `
      SecRule ARGS "@rx bad" "id:1,phase:2,pass,log,tag:paranoia-level/1,severity:CRITICAL,setvar:tx.inbound_anomaly_score_pl1=+5"`;
    const transaction = run(compiled(text), {
      args: [
        ["x", "bad"],
        ["y", "so bad"],
      ],
    });
    expect(transaction.hits).toMatchObject([{ score: 10, severity: 2, paranoia: 1, target: "ARGS:y", matched: "bad" }]);
    expect(transaction.tx("inbound_anomaly_score_pl1")).toBe("10");
  });

  test("capture gives TX:0 and the groups, and takes away those of before", () => {
    const text = `
      SecRule ARGS:x "@rx (a)(b)?" "id:1,phase:2,pass,nolog,capture"
      SecRule ARGS:y "@pm cat dog" "id:2,phase:2,pass,nolog,capture,setvar:'tx.one=%{tx.1}',setvar:'tx.zero=%{tx.0}'"`;
    const transaction = run(compiled(text), {
      args: [
        ["x", "ab"],
        ["y", "my DOG"],
      ],
    });
    expect([transaction.tx("zero"), transaction.tx("one")]).toEqual(["DOG", ""]);
  });

  test("members by a pattern of the name are found among them", () => {
    const text = `
      SecRule ARGS_NAMES "@rx ." "id:1,phase:2,pass,nolog,setvar:'tx.count_%{MATCHED_VAR}=+1'"
      SecRule TX:/^COUNT_/ "@gt 1" "id:2,phase:2,pass,log"`;
    expect(
      hitsOf(text, {
        args: [
          ["a", ""],
          ["b", ""],
          ["a", ""],
        ],
      }),
    ).toEqual([2]);
    expect(
      hitsOf(text, {
        args: [
          ["a", ""],
          ["b", ""],
        ],
      }),
    ).toEqual([]);
  });

  test("more names than a request may write are not kept", () => {
    const text = `SecRule ARGS_NAMES "@rx ." "id:1,phase:2,pass,nolog,setvar:'tx.n_%{MATCHED_VAR}=1'"`;
    const args = Array.from({ length: 5000 }, (_, at) => [`a${at}`, ""] as const);
    const transaction = run(compiled(text), { args });
    expect([transaction.tx("n_a0"), transaction.tx("n_a4999")]).toEqual(["1", undefined]);
  });
});

describe("transformations", () => {
  test("are done in order, and t:none takes off those of before and of the default", () => {
    const text = `SecDefaultAction "phase:2,log,pass,t:lowercase"
      SecRule ARGS "@rx ^a b$" "id:1,phase:2,t:urlDecode"
      SecRule ARGS "@rx ^a b$" "id:2,phase:2"
      SecRule ARGS "@rx ^A B$" "id:3,phase:2,t:none"
      SecRule ARGS "@rx ^A B$" "id:4,phase:2,t:none,t:urlDecode"
      SecRule ARGS "@rx ^%41 B$" "id:5,phase:2,t:none"`;
    expect(hitsOf(text, { args: [["x", "%41 B"]] })).toEqual([4, 5]);
    expect(hitsOf(text, { args: [["x", "A B"]] })).toEqual([2, 3, 4]);
  });

  test("multiMatch looks at each text on the way, once", () => {
    const text = rule("ARGS", "@rx ^a", "t:urlDecode,t:lowercase,multiMatch,setvar:tx.n=+1");
    const count = (value: string): string | undefined => run(compiled(text), { args: [["x", value]] }).tx("n");
    expect([count("a"), count("%61"), count("a%41"), count("A"), count("b")]).toEqual(["1", "1", "3", "1", undefined]);
  });
});
