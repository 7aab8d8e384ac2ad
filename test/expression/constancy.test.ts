// Goal: what is said to be always true or false is so, and honest conditions are left in peace.
import { describe, expect, test } from "vitest";
import { constancies } from "../../src/expression/constancy.ts";
import { ANYTHING, narrow } from "../../src/expression/domain.ts";

const NOW = Date.parse("2026-12-01T00:00:00Z");
const known = (name: string) => {
  if (name === "request.method") return narrow(ANYTHING, { is: "among", values: ["GET", "HEAD"], kind: "text" });
  if (name === "request.path") return narrow(ANYTHING, { is: "prefix", text: "/v1/orders/" });
  return name === "now" ? narrow(ANYTHING, { is: ">=", bound: NOW, kind: "time" }) : null;
};
const said = (source: string) =>
  constancies(source, known).map(({ at, value, isWhole }) => `${at} ${value}${isWhole ? "" : " part"}`);

describe("constant", () => {
  test.each([
    ['request.method == "POST"', ["0 false"]],
    ['request.method != "POST"', ["0 true"]],
    ['request.method in ["GET", "HEAD"]', ["0 true"]],
    ['request.method == "POST" && jwt.a == 1', ["0 false"]],
    ['jwt.a == 1 && "PUT" == request.method', ["14 false"]],
    ['jwt.a == 1 || request.method == "GET" || request.method == "HEAD"', ["0 true"]],
    ['jwt.a == 1 || request.method == "PUT"', ["14 false part"]],
    ['!(request.method == "PUT") && jwt.b', ["2 true part"]],
    ["body.total > 10 && body.total < 5", ["0 false"]],
    ["body.total > 10 && body.total <= 10", ["0 false"]],
    ["body.total > 10 || body.total <= 10", ["0 true"]],
    ["10 < body.total && body.total < 10", ["0 false"]],
    ["body.total >= -5 || body.total < 0", ["0 true"]],
    ['jwt.a == "x" && jwt.a == "y"', ["0 false"]],
    ['jwt.a != "x" || jwt.a != "y"', ["0 true"]],
    ['jwt.a == "x" && jwt.a > 3', ["0 false"]],
    ["jwt.a == true && !jwt.a", ["0 false"]],
    ['jwt.a in ["x", "y"] && jwt.a in ["z"]', ["0 false"]],
    ['!(jwt.a == "x" || jwt.b == 1) && jwt.a == "x"', ["0 false"]],
    ["jwt.a == jwt.a", ["0 true"]],
    ["jwt.a < jwt.a", ["0 false"]],
    ['request.path.startsWith("/v2/")', ["0 false"]],
    ['request.path.startsWith("/v1/")', ["0 true"]],
    ['request.path == "/v1/other"', ["0 false"]],
    ['now < timestamp("2026-01-01T00:00:00Z")', ["0 false"]],
    ['now > timestamp("2026-01-01T00:00:00Z") && jwt.a', ["0 true part"]],
    ["now.getMonth() == 12", ["0 false"]],
    ["now.getDayOfWeek() <= 6", ["0 true"]],
    ["jwt.a.size() < 0", ["0 false"]],
    ['jwt.a == 1 ? jwt.b : request.method == "PUT"', ["21 false part"]],
  ])("%s", (source, expected) => {
    expect(said(source)).toEqual(expected);
  });
});

describe("honest", () => {
  test.each([
    'request.method == "GET" || jwt.a == 1',
    'request.method != "HEAD"',
    "body.total > 5 && body.total < 10",
    "body.total > 10 || body.total < 5",
    "body.total >= 10 && body.total <= 10",
    'jwt.a == "x" || jwt.a == "y"',
    'jwt.a != "x" && jwt.a != "y"',
    'jwt.a == "x" && jwt.b == "y"',
    "jwt.a < jwt.b",
    'jwt.a == "1" || jwt.a == 1',
    "has(jwt.a) && jwt.a",
    'request.path.startsWith("/v1/orders/42")',
    '!request.path.startsWith("/v1/orders/42")',
    'request.path == "/v1/orders/42"',
    'now < timestamp("2027-01-01T00:00:00Z")',
    "now.getHours() >= 8 && now.getHours() < 18",
    'now.getHours("Europe/Berlin") > 20 && now.getHours() < 18',
    'jwt.list.exists(request, request.method == "PUT")',
    '"a" in jwt.scopes && "b" in jwt.scopes',
    "jwt.a[0] == 1 && jwt.a[1] == 2",
    "jwt.a == 9007199254740993 && jwt.a == 9007199254740992",
    "jwt.a + 1 > 2 && jwt.a + 1 < 2",
    "jwt.a == 1 ? true : jwt.b",
    "not ( a condition",
  ])("%s", (source) => {
    expect(said(source)).toEqual([]);
  });
});

test("what is found constant never comes to anything else: all small conditions of two comparisons", () => {
  const values = [-1, 0, 1, 2, 3];
  const comparisons = ["==", "!=", "<", "<=", ">", ">="].flatMap((op) => [0, 1, 2].map((bound) => `x ${op} ${bound}`));
  const holds = (source: string, x: number): boolean => {
    const [, op = "", bound = ""] = /^x (\S+) (\d)$/.exec(source) ?? [];
    const to = Number(bound);
    return { "==": x === to, "!=": x !== to, "<": x < to, "<=": x <= to, ">": x > to, ">=": x >= to }[op] ?? false;
  };
  let constant = 0;
  // Doubles lie between whole numbers, too.
  const all = [...values, ...values.map((value) => value + 0.5)];
  for (const left of comparisons) {
    for (const right of comparisons) {
      for (const op of ["&&", "||"]) {
        const answers = new Set(
          all.map((x) => (op === "&&" ? holds(left, x) && holds(right, x) : holds(left, x) || holds(right, x))),
        );
        const whole = constancies(`${left} ${op} ${right}`, () => null).filter(({ isWhole }) => isWhole);
        expect(
          whole.map(({ value }) => value),
          `${left} ${op} ${right}`,
        ).toEqual(answers.size === 1 ? [...answers] : []);
        constant += whole.length;
      }
    }
  }
  expect(constant).toBeGreaterThan(50);
});
