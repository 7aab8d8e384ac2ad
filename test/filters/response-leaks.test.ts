// Goal: no find leaves in an answer, in whatever form it stands there, and nothing else changes.
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { responseFilter } from "../../src/filters/response/compile.ts";
import type { StreamRule } from "../../src/filters/response-check.ts";
import { Answer } from "../../src/message/answer.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { compileFilter, createExchange, createHeaders } from "../fixtures/route-context.ts";
import { SAMPLES } from "../leaks/samples.ts";

for (const load of Object.values(responseFilter.parts ?? {})) await load();

const CARD = "4111111111111111";
const GITHUB = SAMPLES.find(({ kind }) => kind === "github-token")?.text ?? "";
const JSON_TYPE = "application/json";
const NOTED = { way: "response", kind: "card-visa" };

interface Judged {
  readonly exchange: Exchange;
  readonly answer: Answer;
  readonly rule: StreamRule | null;
  readonly denial: Denial | null;
}

function judge(settings: object, headers: readonly (readonly [string, string])[]): Judged {
  const { responseChecks, problems } = compileFilter(responseFilter, settings);
  expect(problems).toEqual([]);
  const [check] = responseChecks;
  const exchange = createExchange();
  const answer = new Answer(200, createHeaders(headers), true);
  const denial = check?.judgeHead?.(exchange, answer) ?? null;
  const rule = check?.judgeBody?.(exchange, answer) ?? null;
  return { exchange, answer, denial, rule: rule?.kind === "stream" ? rule : null };
}

/** What leaves of a body that comes byte by byte, or the denial. */
function passed(rule: StreamRule | null, body: string): string {
  let text = "";
  for (const byte of Buffer.from(body, "latin1")) {
    const taken = rule?.take(Buffer.from([byte])) ?? Buffer.from([byte]);
    if (taken instanceof Denial) return `${taken.reason}: ${taken.seen}`;
    text += taken.toString("latin1");
  }
  const last = rule?.end() ?? Buffer.alloc(0);
  return last instanceof Denial ? `${last.reason}: ${last.seen}` : text + last.toString("latin1");
}

const seen = (leaks: object, type: string | null, body: string, more: object = {}): string =>
  passed(judge({ leaks, ...more }, type === null ? [] : [["content-type", type]]).rule, body);

describe("mask", () => {
  test.each([
    ["a string", JSON_TYPE, `{"a":"${CARD}"}`, '{"a":"[card-visa]"}'],
    ["a number stays one", JSON_TYPE, `{"a":${CARD},"b":1}`, '{"a":0,"b":1}'],
    ["a list of numbers", JSON_TYPE, `[1, ${CARD} ,2]`, "[1, 0 ,2]"],
    ["a number that is all", JSON_TYPE, CARD, "0"],
    ["groups within a text", JSON_TYPE, '{"a":"card 4111 1111 1111 1111, ok"}', '{"a":"card [card-visa], ok"}'],
    ["escapes", JSON_TYPE, '{"a":"4111\\u0031\\u003111111111 11"}', '{"a":"4111\\u0031\\u003111111111 11"}'],
    ["escapes of digits", JSON_TYPE, '{"a":"4111\\u0031\\u00311111111111"}', '{"a":"[card-visa]"}'],
    ["JSON within a string", JSON_TYPE, `{"a":"{\\"b\\":\\"${CARD}\\"}"}`, '{"a":"{\\"b\\":\\"[card-visa]\\"}"}'],
    [
      "both of two members of one name",
      JSON_TYPE,
      `{"a":"${CARD}","a":"x ${CARD}"}`,
      '{"a":"[card-visa]","a":"x [card-visa]"}',
    ],
    ["a name", JSON_TYPE, `{"${CARD}":1}`, '{"[card-visa]":1}'],
    ["NDJSON", "application/x-ndjson", `{"a":1}\n{"a":${CARD}}\n`, '{"a":1}\n{"a":0}\n'],
    ["what is called text and is JSON", "text/plain", ` {"a":${CARD}}`, ' {"a":0}'],
    ["what has no label", null, `{"a":${CARD}}`, '{"a":0}'],
    ["any bytes", "application/octet-stream", `\0\0${CARD}\0`, "\0\0[card-visa]\0"],
    ["events", "text/event-stream", `data: {"a":"${CARD}"}\n\n`, 'data: {"a":"[card-visa]"}\n\n'],
    ["events of lines", "text/event-stream", `data: {"a":\ndata: ${CARD}}\n\n`, 'data: {"a":\ndata: 0}\n\n'],
    ["comments of events", "text/event-stream", `: ${CARD}\n\n`, ": [card-visa]\n\n"],
    ["HTML", "text/html", `<b>&#52;${CARD.slice(1)}</b>`, "<b>[card-visa]</b>"],
    ["CSV", "text/csv", `id,pan\n1,${CARD}\n`, "id,pan\n1,[card-visa]\n"],
    ["Latin-1", "text/plain; charset=iso-8859-1", `Gr\xf6\xdfe ${CARD}`, "Gr\xf6\xdfe [card-visa]"],
  ])("%s", (_name, type, body, expected) => {
    expect(seen({ cards: "mask" }, type, body)).toBe(expected);
  });

  test("a key to its end, and nothing behind it", () => {
    const pem = `-----BEGIN PRIVATE KEY-----\\n${"MIIE".repeat(400)}\\n-----END PRIVATE KEY-----\\n`;
    expect(seen({ privateKeys: "mask" }, JSON_TYPE, `{"k":"${pem}","b":"x"}`)).toBe(
      '{"k":"[pem-private-key]\\n","b":"x"}',
    );
    const cut = `{"k":"-----BEGIN PRIVATE KEY-----\\n${"MIIE".repeat(400)}","b":"x"}`;
    expect(seen({ privateKeys: "mask" }, JSON_TYPE, cut)).toBe('{"k":"[pem-private-key]","b":"x"}');
  });

  test("what a block stands in is refused, whatever stands around it", () => {
    const body = `{"password":"${GITHUB}"}`;
    expect(seen({ passwords: "mask" }, JSON_TYPE, body)).toBe('{"password":"[password-field]"}');
    expect(seen({ passwords: "mask", vendorKeys: "block" }, JSON_TYPE, body)).toBe(
      "response_leak: github-token in /password",
    );
    expect(seen({ passwords: "observe", vendorKeys: "mask" }, JSON_TYPE, body)).toBe('{"password":"[github-token]"}');
  });
});

test("block names the kind and the field, and never the value", () => {
  expect(seen({ cards: "block" }, JSON_TYPE, `{"items":[{},{"a/b":"${CARD}"}]}`)).toBe(
    "response_leak: card-visa in /items/1/a~1b",
  );
  expect(seen({ cards: "block" }, "text/plain", `x ${CARD}`)).toBe("response_leak: card-visa");
  const inName = `{"jane@example.org":{"card":"${CARD}"}}`;
  expect(seen({ cards: "block", emails: "observe" }, JSON_TYPE, inName)).toBe(
    "response_leak: card-visa in /[email]/card",
  );
});

test("observe changes nothing and notes the field", () => {
  const { exchange, rule } = judge({ leaks: { cards: "observe" } }, [["content-type", JSON_TYPE]]);
  const body = `{"a":[{"b":"${CARD}"},{"b":${CARD}}]}`;
  expect(passed(rule, body)).toBe(body);
  expect(rule?.changes).toBe(false);
  expect(exchange.leaks?.first).toEqual([
    { ...NOTED, action: "observe", field: "/a/0/b" },
    { ...NOTED, action: "observe", field: "/a/1/b" },
  ]);
  expect(exchange.leaks?.counts).toEqual([{ ...NOTED, action: "observe", count: 2 }]);
});

test("the log names the first, and all are counted", () => {
  const { exchange, rule } = judge({ leaks: { cards: "mask" } }, [["content-type", JSON_TYPE]]);
  passed(rule, JSON.stringify(Array.from({ length: 50 }, () => CARD)));
  expect(exchange.leaks?.first).toHaveLength(20);
  expect(exchange.leaks?.counts).toEqual([{ ...NOTED, action: "mask", count: 50 }]);
});

test.each([
  ["$.user.card", '{"user":{"card":"@"},"card":"#"}'],
  ["$.cards[*].pan", '{"cards":[{"pan":"@"},{"pan":"@","x":"#"}]}'],
  ["$..pan", '{"pan":"@","a":[{"pan":{"x":"@"}}],"b":"#"}'],
  ["/a/0", '{"a":["@","#"]}'],
])("allow: %s may have it, and nothing else", (path, body) => {
  const text = body.replaceAll("@", CARD).replaceAll("#", CARD);
  const expected = body.replaceAll("@", CARD).replaceAll("#", "[card-visa]");
  expect(seen({ cards: "mask", allow: [path] }, JSON_TYPE, text)).toBe(expected);
});

test("allow: a column", () => {
  const body = `pan,other\n${CARD},${CARD}\n`;
  expect(seen({ cards: "mask", allow: ["PAN"] }, "text/csv", body)).toBe(`pan,other\n${CARD},[card-visa]\n`);
});

describe("headers", () => {
  test("a token that a header gives to its client is no secret by the header's name", () => {
    const headers = [["x-auth-token", "3f9a8b7c6d5e4f3a2b1c0d9e"]] as const;
    expect(judge({ leaks: { entropy: "block" } }, headers).denial).toBeNull();
  });

  const values = ({ answer }: Judged): string[] => [...answer.headers.values];

  test("are masked or refused; what a session's cookie is belongs to who gets it", () => {
    const headers = [
      ["x-debug", `card=${CARD}`],
      ["set-cookie", `sid=${CARD}`],
      ["x-api-key", GITHUB],
    ] as const;
    expect(values(judge({ leaks: { cards: "mask" } }, headers))).toEqual(["card=[card-visa]", `sid=${CARD}`, GITHUB]);
    const { denial, exchange } = judge({ leaks: { vendorKeys: "block" } }, headers);
    expect(`${denial?.reason}: ${denial?.seen}`).toBe("response_leak: github-token in x-api-key");
    expect(exchange.leaks?.first).toEqual([
      { way: "response", kind: "github-token", action: "block", field: "x-api-key" },
    ]);
    expect(values(judge({ leaks: { cards: "mask", allow: ["X-Debug"] } }, headers))[0]).toBe(`card=${CARD}`);
  });

  test("a head that comes again is looked at by each route's rules, and masked each time", () => {
    const headers = createHeaders([["x-debug", `card=${CARD}`]]);
    const seenBy = (leaks: object): string => {
      const { responseChecks } = compileFilter(responseFilter, { leaks });
      const answers = [1, 2].map(() => {
        const answer = new Answer(200, headers, true);
        responseChecks[0]?.judgeHead?.(createExchange(), answer);
        return answer.headers.values[0] ?? "";
      });
      expect(answers[0]).toBe(answers[1]);
      return answers[0] ?? "";
    };
    expect(seenBy({ vendorKeys: "mask" })).toBe(`card=${CARD}`);
    expect(seenBy({ cards: "mask" })).toBe("card=[card-visa]");
    expect(seenBy({ vendorKeys: "mask" })).toBe(`card=${CARD}`);
  });

  test("addresses are read as what they say", () => {
    const headers = [
      ["location", "/sent?to=mia%40example.org&page=2"],
      ["link", "</cards/4111%201111%201111%201111>; rel=next"],
      ["x-any", "mia%40example.org"],
    ] as const;
    expect(values(judge({ leaks: { cards: "mask", emails: "mask" } }, headers))).toEqual([
      "/sent?to=[email]&page=2",
      "</cards/[card-visa]>; rel=next",
      "mia%40example.org",
    ]);
  });

  test.each([["application/json"], ["image/png"]])("so are trailers, whatever the body is: %s", (type) => {
    const { rule } = judge({ leaks: { cards: "mask" } }, [["content-type", type]]);
    const judged = rule?.judgeTrailers?.(createHeaders([["x-sum", `${CARD} x`]]));
    expect(judged instanceof Denial ? judged.seen : judged?.values).toEqual(["[card-visa] x"]);
  });
});

describe("what cannot be looked into", () => {
  test.each([
    ["application/json; charset=utf-16", "{}", "a charset that nobody here reads"],
    ["text/plain", "\xff\xfe4\x001\x001\0", "UTF-16 or UTF-32"],
    ["application/json", "\0{\0}", "UTF-16 or UTF-32"],
    ["application/json", '{\0"\0p\0', "UTF-16 or UTF-32"],
    [null, "[\0\0\x004\0\0\0", "UTF-16 or UTF-32"],
    ["application/xml", "\0<\0?\0x", "UTF-16 or UTF-32"],
    ["text/plain", "4\x001\x001\0", "UTF-16 or UTF-32"],
    ["text/plain; charset=utf-8; charset=utf-7", "x", "a Content-Type with more than one reading"],
  ] as const)("%s %j", (type, body, fault) => {
    expect(seen({ cards: "mask" }, type, body)).toBe(`response_unreadable: ${fault}`);
    expect(seen({ cards: "mask" }, type, body, { unreadable: "pass" })).toBe(body);
    expect(seen({ cards: "observe" }, type, body)).toBe(body);
  });

  test.each(["\0\0\0\x20ftypisom", "\0\0\0\0\x05hello", "\x16\0\0\0\x02a\0", "MZ\x90\0\x03", "4\0"])(
    "zeros of a binary file are not those of wide characters: %j",
    (body) => expect(seen({ cards: "mask" }, "application/octet-stream", body)).toBe(body),
  );

  test("pictures and the like are not looked at, and leave with their length", () => {
    expect(seen({ cards: "mask" }, "image/png", CARD)).toBe(CARD);
    expect(judge({ leaks: { cards: "mask" } }, [["content-type", "image/png"]]).rule?.changes).toBe(false);
  });

  test("what is called a picture and begins as JSON does is none", () => {
    const fault = "response_unreadable: JSON that is called a picture, sound or font";
    expect(seen({ cards: "mask" }, "image/png", `\r\n{"pan":"${CARD}"}`)).toBe(fault);
    expect(seen({ cards: "mask" }, "audio/mpeg", "\xff\xfe{}", { unreadable: "pass" })).toBe("\xff\xfe{}");
  });
});

describe("patterns of one's own", () => {
  const own = (match: string, more: object = {}): object => ({ patterns: { employee: { match, ...more } } });

  test.each([
    ["EMP-[0-9]{4,8}", '{"a":"EMP-12345678, EMP-1"}', '{"a":"[employee], EMP-1"}'],
    ["\\b[A-Z]{2}\\d{2}\\b", '{"a":"AB12 xAB12 AB123"}', '{"a":"[employee] xAB12 AB123"}'],
    ["(?:ab){2,3}", '"xabababababx"', '"x[employee][employee]x"'.replace("[employee]x", "[employee]x")],
    ["Größe \\d", '{"a":"Gr\xc3\xb6\xc3\x9fe 1!"}', '{"a":"[employee]!"}'],
    ["4\\d{5}", '{"a":412345}', '{"a":0}'],
  ])("%s", (match, body, expected) => {
    expect(seen(own(match), JSON_TYPE, body)).toBe(expected);
  });

  test("near", () => {
    const settings = own("\\d{6}", { near: ["badge"] });
    expect(seen(settings, JSON_TYPE, '{"badgeNo":"123456","n":"123456"}')).toBe(
      '{"badgeNo":"[employee]","n":"123456"}',
    );
  });

  test("block", () => {
    expect(seen(own("EMP-\\d{4}", { action: "block" }), JSON_TYPE, '{"a":{"b":"EMP-1234"}}')).toBe(
      "response_leak: employee in /a/b",
    );
  });
});

test("what a policy says wrong is told", () => {
  const problems = (leaks: object) => compileFilter(responseFilter, { leaks }).problems.map(({ text }) => text);
  expect(problems({ crads: "mask" })).toEqual(["no detector 'crads'; did you mean 'cards'?"]);
  expect(problems({ cards: "hide" })).toEqual([expect.stringContaining("expected observe, mask or block")]);
  expect(problems({})).toEqual([expect.stringContaining("nothing is looked for")]);
  expect(problems({ cards: "mask", allow: ["$.a["] })).toEqual([expect.stringContaining("expected a path")]);
  const match = (text: string) => problems({ patterns: { own: { match: text } } });
  expect(match("^EMP-[0-9]+$")).toEqual([expect.stringContaining("it never matches inside of one")]);
  expect(match("(?:^a|b)")).toEqual([expect.stringContaining("it never matches inside of one")]);
  expect(match("a*")).toEqual([expect.stringContaining("the empty text")]);
  expect(match("ab+")).toEqual([expect.stringContaining("write a count")]);
  expect(match("a(?=bc)")).toEqual([expect.stringContaining("looks at more than the one character beside")]);
  expect(match("a(")).toHaveLength(1);
  expect(problems({ patterns: { jwt: { match: "abc" } } })).toEqual([expect.stringContaining("is a detector already")]);
});

test("a policy that asks for none has no check", () => {
  expect(compileFilter(responseFilter, {}).responseChecks).toEqual([]);
});
