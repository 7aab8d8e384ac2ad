// Goal: a trace goes on where it has one reading, and nowhere else. Method: the rules of W3C Trace Context level 2, one by one.
import { expect, test } from "vitest";
import { traceContextOf } from "../../src/message/trace-context.ts";
import { createHeaders } from "../fixtures/route-context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const GOOD = `00-${TRACE}-b7ad6b7169203331-01`;
const read = (...lines: (readonly [string, string])[]) => traceContextOf(createHeaders(lines));

test.each([
  [GOOD, true, false],
  [`00-${TRACE}-b7ad6b7169203331-02`, false, true],
  [`cc-${TRACE}-b7ad6b7169203331-01`, true, false],
  [`cc-${TRACE}-b7ad6b7169203331-00-what.comes.later`, false, false],
  [`00-${TRACE}-b7ad6b7169203331-ff`, true, true],
])("%s is one", (traceparent, isSampled, isRandom) => {
  const place = { traceId: TRACE, parentId: "b7ad6b7169203331", isSampled, isRandom };
  expect(read(["traceparent", traceparent])).toEqual({ traceparent, ...place, tracestate: "" });
});

test.each([
  "",
  `ff-${TRACE}-b7ad6b7169203331-01`,
  `00-${TRACE}-b7ad6b7169203331-01-more`,
  `00-${TRACE}-b7ad6b7169203331-01-`,
  `cc-${TRACE}-b7ad6b7169203331-01more`,
  `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  GOOD.toUpperCase(),
  `00-${TRACE}-b7ad6b7169203331-1`,
  ` ${GOOD}`,
  `${GOOD}, ${GOOD}`,
  `cc-${TRACE}-b7ad6b7169203331-01-${"x".repeat(300)}`,
])("'%s' is none", (traceparent) => {
  expect(read(["traceparent", traceparent])).toBeNull();
});

test("two of them are none", () => {
  expect(read(["traceparent", GOOD], ["traceparent", GOOD])).toBeNull();
});

const stateOf = (...states: string[]) =>
  read(["traceparent", GOOD], ...states.map((state) => ["tracestate", state] as const))?.tracestate;

test("its state is one list of all lines", () => {
  expect(stateOf("rojo=00f067aa0ba902b7 , congo=t61rcWkgMzE", "fw529a3039@dt=FfK;1")).toBe(
    "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,fw529a3039@dt=FfK;1",
  );
  expect(stateOf("a=1,,b=2, ")).toBe("a=1,b=2");
});

test.each([
  "a",
  "a=",
  "a=1,a=2",
  "A=1",
  "a=b=c",
  "a=\u0007",
  `a=${"x".repeat(257)}`,
  "a@=1",
  Array.from({ length: 33 }, (_, at) => `k${at}=1`).join(","),
])("the trace goes on without a state that is not valid: '%s'", (state) => {
  expect(stateOf(state)).toBe("");
});
