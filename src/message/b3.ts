import type { HeaderBlock } from "./headers.ts";
import type { TracePlace } from "./trace-context.ts";

/** Every header of B3, lower case (https://github.com/openzipkin/b3-propagation). */
export const B3_HEADERS = [
  "b3",
  "x-b3-traceid",
  "x-b3-spanid",
  "x-b3-parentspanid",
  "x-b3-sampled",
  "x-b3-flags",
] as const;

const SINGLE = /^([0-9a-f]{32}|[0-9a-f]{16})-([0-9a-f]{16})(?:-([01d])(?:-[0-9a-f]{16})?)?$/;
const TRACE_ID = /^(?:[0-9a-f]{32}|[0-9a-f]{16})$/;
const SPAN_ID = /^[0-9a-f]{16}$/;
const NOTHING = /^0+$/;
/** `true` and `false` are what old clients send. */
const SAMPLED: ReadonlyMap<string, boolean> = new Map([
  ["1", true],
  ["true", true],
  ["d", true],
  ["0", false],
  ["false", false],
]);

/** The one header `b3`; null where there is none, or it has neither a place in a trace nor a decision. */
export function b3PlaceOf(headers: HeaderBlock): TracePlace | null {
  const text = headers.get("b3") ?? "";
  if (text === "" || headers.count("b3") !== 1) return null;
  if (text.length === 1) return decisionOf(text);
  const [, traceId = "", parentId = "", sampled = ""] = SINGLE.exec(text) ?? [];
  return placeOf(traceId, parentId, SAMPLED.get(sampled) ?? null);
}

/** The same of the headers `X-B3-…`; one that stands twice has no one reading. */
export function b3MultiPlaceOf(headers: HeaderBlock): TracePlace | null {
  if (B3_HEADERS.some((name) => headers.count(name) > 1)) return null;
  const traceId = headers.get("x-b3-traceid") ?? "";
  const parentId = headers.get("x-b3-spanid") ?? "";
  const sampled = headers.get("x-b3-flags") === "1" ? "d" : (headers.get("x-b3-sampled") ?? "");
  if (traceId === "" && parentId === "") return decisionOf(sampled);
  if (!TRACE_ID.test(traceId) || !SPAN_ID.test(parentId)) return null;
  return placeOf(traceId, parentId, SAMPLED.get(sampled) ?? null);
}

/** Without ids, as who asks for health pages says that nobody is to record them; the trace begins here. */
function decisionOf(sampled: string): TracePlace | null {
  const isSampled = SAMPLED.get(sampled);
  return isSampled === undefined ? null : { traceId: "", parentId: "", isSampled, isRandom: true };
}

/** A short id is the lower half of a long one. */
function placeOf(traceId: string, parentId: string, isSampled: boolean | null): TracePlace | null {
  if (traceId === "" || NOTHING.test(traceId) || NOTHING.test(parentId)) return null;
  return { traceId: traceId.padStart(32, "0"), parentId, isSampled, isRandom: false };
}
