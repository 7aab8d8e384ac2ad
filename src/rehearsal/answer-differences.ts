import { isDeepStrictEqual } from "node:util";
import type { Exchange } from "../message/exchange.ts";
import type { Expectation } from "../policy/tests/expect-section.ts";
import { excerpt } from "../support/excerpt.ts";
import { atPointer } from "../support/json-pointer.ts";
import { type Difference, headerDifferences } from "./differences.ts";
import type { ClientAnswer } from "./rehearsed-answer.ts";

/** A text as it may be shown. */
type Show = (text: string) => string;

/** `given`: body of the service's answer; empty where postern answers. */
export function answerDifferences(
  { answer }: Expectation,
  { lines, body }: Pick<ClientAnswer, "lines" | "body">,
  given: Buffer,
  { leaks }: Pick<Exchange, "leaks">,
  show: Show,
): readonly Difference[] {
  if (answer === undefined) return [];
  const kinds = (leaks?.counts ?? []).filter(({ way }) => way === "response").map(({ kind }) => kind);
  return [
    ...headerDifferences("answer's header", answer.headers ?? {}, lines),
    ...(answer.body === undefined ? [] : bodyDifferences(answer.body, body, show)),
    ...partDifferences(answer, jsonOf(body), jsonOf(given), show),
    ...(answer.leaks === undefined ? [] : leakDifferences(answer.leaks, kinds)),
  ];
}

function bodyDifferences(expected: unknown, body: Buffer, show: Show): readonly Difference[] {
  const isText = typeof expected === "string";
  const isMet = isText ? body.equals(Buffer.from(expected)) : isSame(jsonOf(body), expected);
  if (isMet) return [];
  const words = isText ? excerpt(show(expected), CHARACTERS_SHOWN) : shown(expected, show);
  return [{ what: "answer's body", expected: words, found: excerpt(show(body.toString()), CHARACTERS_SHOWN) }];
}

type ExpectedParts = Pick<NonNullable<Expectation["answer"]>, "parts" | "removed" | "masked">;

function partDifferences(
  { parts = {}, removed = [], masked = [] }: ExpectedParts,
  got: unknown,
  given: unknown,
  show: Show,
): readonly Difference[] {
  const found: Difference[] = [];
  const add = (pointer: string, expected: string, value: unknown): void => {
    found.push({ what: `answer's ${pointer === "" ? "body" : pointer}`, expected, found: shown(value, show) });
  };
  for (const [pointer, expected] of Object.entries(parts)) {
    const value = atPointer(got, pointer);
    if (!isSame(value, expected)) add(pointer, shown(expected, show), value);
  }
  for (const pointer of removed) {
    if (atPointer(given, pointer) === undefined) add(pointer, "something that the service says there", undefined);
    else if (atPointer(got, pointer) !== undefined) add(pointer, "nothing", atPointer(got, pointer));
  }
  for (const pointer of masked) {
    const [was, is] = [atPointer(given, pointer), atPointer(got, pointer)];
    if (was === undefined) add(pointer, "something that the service says there", undefined);
    else if (is === undefined || isSame(is, was)) add(pointer, "another value than the service's", is);
  }
  return found;
}

function leakDifferences(expected: readonly string[], kinds: readonly string[]): readonly Difference[] {
  const isMet = expected.length === 0 ? kinds.length === 0 : expected.every((kind) => kinds.includes(kind));
  const text = (some: readonly string[]): string => some.join(", ") || "none";
  return isMet ? [] : [{ what: "leaks", expected: text(expected), found: text([...new Set(kinds)]) }];
}

/** As JSON; what a policy's text was read into has no prototype, and numbers as -0 are no others there. */
function isSame(value: unknown, expected: unknown): boolean {
  if (value === undefined || expected === undefined) return value === expected;
  return isDeepStrictEqual(value, JSON.parse(JSON.stringify(expected)));
}

const CHARACTERS_SHOWN = 200;

function shown(value: unknown, show: Show): string {
  return value === undefined ? "nothing" : excerpt(show(JSON.stringify(value)), CHARACTERS_SHOWN);
}

/** Undefined where it is no JSON. */
function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
