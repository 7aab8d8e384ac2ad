import { describe, expect, test } from "vitest";
import { headersOfChanged, headersOfInflated } from "../../src/proxy/changed-body.ts";
import { createHeaders } from "../fixtures/route-context.ts";

type Lines = readonly (readonly [string, string])[];

function linesOf(lines: Lines, change = headersOfChanged): string[] {
  const { names, values } = change(createHeaders(lines));
  return names.map((name, at) => `${name}: ${values[at]}`);
}

/** What is said of a body → what is left of it once the body is another; null for nothing. */
const TABLE: readonly (readonly [name: string, said: string, left: string | null])[] = [
  ["accept-ranges", "bytes", null],
  ["content-digest", "sha-256=:AAAA:", null],
  ["repr-digest", "sha-256=:AAAA:", null],
  ["digest", "SHA-256=AAAA", null],
  ["content-md5", "AAAA", null],
  ["etag", '"v1"', 'W/"v1"'],
  ["etag", 'W/"v1"', 'W/"v1"'],
  ["want-content-digest", "sha-256=1", "sha-256=1"],
  ["want-repr-digest", "sha-256=1", "sha-256=1"],
  ["last-modified", "Sun, 29 Nov 2026 00:00:00 GMT", "Sun, 29 Nov 2026 00:00:00 GMT"],
  ["content-type", "application/json", "application/json"],
  ["vary", "accept-encoding", "accept-encoding"],
];

test.each(TABLE)("of %s: %s there is left %s", (name, said, left) => {
  const rest = left === null ? [] : [`${name}: ${left}`];
  expect(linesOf([[name, said]])).toEqual(rest);
  expect(linesOf([[name, said]], headersOfInflated)).toEqual(rest);
});

test("what is inflated says nothing of its coding; what is only changed does", () => {
  expect(linesOf([["content-encoding", "gzip"]])).toEqual(["content-encoding: gzip"]);
  expect(linesOf([["content-encoding", "gzip"]], headersOfInflated)).toEqual([]);
});

test("a head that comes again has what was made of it", () => {
  const headers = createHeaders([["etag", '"v1"']]);
  expect(headersOfChanged(headers)).toBe(headersOfChanged(headers));
  expect([...headers.values]).toEqual(['"v1"']);
});

describe("signatures (RFC 9421)", () => {
  const signed = (...members: readonly string[]): Lines => [
    ["signature-input", members.map((components, at) => `sig${at}=${components};created=1;keyid="a, b"`).join(", ")],
    ["signature", members.map((_, at) => `sig${at}=:AAA${at}:`).join(", ")],
  ];

  test.each(["content-digest", "repr-digest", "content-length", "etag", "content-encoding"])(
    "that cover %s go, and others stay",
    (name) => {
      const lines = signed(`("@status" "${name}")`, '("@status" "content-type")', `("date" "${name}";bs)`);
      expect(linesOf(lines)).toEqual([
        "signature: sig1=:AAA1:",
        'signature-input: sig1=("@status" "content-type");created=1;keyid="a, b"',
      ]);
      expect(linesOf(signed(`("${name}")`))).toEqual([]);
    },
  );

  test("that cover nothing of the body stay as they are", () => {
    const lines = signed('("@status")', '("date" "x-content-digest")');
    expect(linesOf(lines)).toEqual(lines.map(([name, value]) => `${name}: ${value}`));
  });
});
