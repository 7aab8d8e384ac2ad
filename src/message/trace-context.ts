import type { HeaderBlock } from "./headers.ts";

/** Of `traceparent` (W3C Trace Context level 2, section 3.2.2.5). */
export const TRACE_FLAGS = { sampled: 1, random: 2 } as const;

/** A place in a trace, whatever header has it. */
export interface TracePlace {
  /** 32 hexadecimal digits; empty, as `parentId` then, where only a decision came, which B3 can do. */
  readonly traceId: string;
  /** Of the span that asks: 16 hexadecimal digits. */
  readonly parentId: string;
  /** Null where the header leaves it to whoever reads it. */
  readonly isSampled: boolean | null;
  readonly isRandom: boolean;
}

/** A place in a trace, as its header has it (W3C Trace Context level 2). */
export interface TraceContext extends TracePlace {
  readonly traceparent: string;
  /** Empty for none. */
  readonly tracestate: string;
}

/** Version, trace id, parent id, flags, and what later versions have behind. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]*)?$/;
const TRACEPARENT_CHARS = 55;
const NO_TRACE = "0".repeat(32);
const NO_PARENT = "0".repeat(16);
const TRACEPARENT_CHARS_MAX = 256;

/** Section 3.3.1.3 asks to pass at least 512; all who write more are cut short by somebody. */
const TRACESTATE_CHARS_MAX = 512;
const TRACESTATE_MEMBERS_MAX = 32;
const MEMBER =
  /^(?:[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** What a request says of its trace; null where it says nothing, or nothing that has one reading (section 3.2.2). */
export function traceContextOf(headers: HeaderBlock): TraceContext | null {
  const traceparent = headers.get("traceparent") ?? "";
  if (traceparent.length > TRACEPARENT_CHARS_MAX || headers.count("traceparent") !== 1) return null;
  if (!TRACEPARENT.test(traceparent)) return null;
  const version = traceparent.slice(0, 2);
  const traceId = traceparent.slice(3, 35);
  const parentId = traceparent.slice(36, 52);
  if (version === "ff" || traceId === NO_TRACE || parentId === NO_PARENT) return null;
  // Later versions may have more behind, this one has not.
  if (version === "00" && traceparent.length > TRACEPARENT_CHARS) return null;
  const flags = Number.parseInt(traceparent.slice(53, TRACEPARENT_CHARS), 16);
  return {
    traceparent,
    traceId,
    parentId,
    isSampled: (flags & TRACE_FLAGS.sampled) !== 0,
    isRandom: (flags & TRACE_FLAGS.random) !== 0,
    tracestate: tracestateOf(headers),
  };
}

/** The lines are one list (section 3.3.1). One that is not valid is left out whole: the trace goes on without it. */
function tracestateOf(headers: HeaderBlock): string {
  if (headers.get("tracestate") === undefined) return "";
  const lines = headers.names.flatMap((name, at) => (name === "tracestate" ? [headers.values[at] ?? ""] : []));
  const text = lines.join(",");
  if (text.length > TRACESTATE_CHARS_MAX) return "";
  const members = text
    .split(",")
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((member) => member !== "");
  const keys = new Set(members.map((member) => member.split("=")[0]));
  const isValid = members.length <= TRACESTATE_MEMBERS_MAX && keys.size === members.length;
  return isValid && members.every((member) => MEMBER.test(member)) ? members.join(",") : "";
}
