import { METHODS } from "node:http";
import { type Message, type Reading, sameMessage } from "./reading.ts";

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);

/** What differs between our reading and llhttp's where it must not, or null. */
export function requestsDiffer(ours: Reading, llhttp: Reading): string | null {
  for (const [at, message] of ours.messages.entries()) {
    const other = inOriginForm(llhttp.messages[at]);
    if (other === undefined) {
      const method = message.start.split(" ")[0] ?? "";
      // llhttp has a list of methods; any token is a method to us (RFC 9110 section 9.1), and no boundary hangs on it.
      if (!KNOWN_METHODS.has(method)) return null;
      return `llhttp does not read message ${at + 1}: ${llhttp.end ?? "waits for more"}`;
    }
    if (!sameMessage(message, other)) return difference(message, other, at);
  }
  // Once we refuse or close, nobody asks what would have come next.
  if (ours.end !== null || llhttp.messages.length <= ours.messages.length) return null;
  return `llhttp reads a message ${ours.messages.length + 1}`;
}

/** We hand on the path of an absolute target, llhttp the whole of it; CONNECT is refused and has none. */
function inOriginForm(message: Message | undefined): Message | undefined {
  if (message === undefined) return undefined;
  const start = message.start.replace(/^CONNECT .*/, "CONNECT /").replace(/(?<= )https?:\/\/[^/?#]*\/?/i, "/");
  return start === message.start ? message : { ...message, start };
}

/** The same for a response and the informational ones before it. */
export function responsesDiffer(ours: Reading, llhttp: Reading): string | null {
  // 100 Continue is dropped by us and no message of its own to anybody.
  const theirs = llhttp.messages.filter(({ start }) => start !== "100");
  if (ours.end === null && theirs.some(({ start }) => !start.startsWith("1"))) return "llhttp reads a whole response";
  if (ours.end !== "complete") return null;
  for (const [at, message] of ours.messages.entries()) {
    const other = theirs[at];
    if (other === undefined) return `llhttp does not read message ${at + 1}: ${llhttp.end ?? "waits for more"}`;
    if (!sameMessage(message, other)) return difference(message, other, at);
  }
  return null;
}

function difference(ours: Message, other: Message, at: number): string {
  if (ours.start !== other.start) return `message ${at + 1}: '${ours.start}' is '${other.start}' to llhttp`;
  if (ours.body !== other.body) return `message ${at + 1}: the body differs`;
  return `message ${at + 1}: the headers differ`;
}

/** How the bytes were cut into reads must not matter. */
export function splitDiffers(whole: Reading, cut: Reading): string | null {
  if (whole.messages.length !== cut.messages.length) return "cut into reads, the number of messages differs";
  const changed = whole.messages.findIndex((message, at) => {
    const other = cut.messages[at];
    return other === undefined || !sameMessage(message, other);
  });
  if (changed >= 0) return `cut into reads, message ${changed + 1} differs`;
  if (kindOf(whole.end) !== kindOf(cut.end)) return `cut into reads, it ends with ${cut.end} instead of ${whole.end}`;
  return whole.end === null && whole.partial !== cut.partial ? "cut into reads, something else is left" : null;
}

/** What is wrong in two ways is refused for the one that is seen first. */
function kindOf(end: string | null): string | null {
  return end === null || end === "closed" || end === "complete" ? end : "refused";
}

/**
 * Bytes behind an answer can be told only from those that came with it, and an answer that has begun to flow can no longer
 * be refused, only cut.
 */
export function splitResponseDiffers(whole: Reading, cut: Reading): string | null {
  if (whole.end === "complete" || whole.end === null) return splitDiffers(whole, cut);
  if (whole.end === MORE_THAN_ANNOUNCED) return null;
  return cut.end === null || cut.end === "complete" ? `cut into reads, ${whole.end} is ${cut.end}` : null;
}

const MORE_THAN_ANNOUNCED = "invalid: more bytes than announced";

export type Outcome =
  | "both accept"
  | "only llhttp accepts"
  | "only nghttp2 accepts"
  | "only ours accepts"
  | "both refuse"
  | "both wait";

/** For the counts: where nothing disagrees, how the whole connection went. */
export function outcomeOf(ours: Reading, llhttp: Reading): Outcome {
  const accepts = (reading: Reading): boolean =>
    (reading.end === null || reading.end === "closed" || reading.end === "complete") && !reading.partial;
  if (ours.end === null && ours.partial) return "both wait";
  if (accepts(ours)) return accepts(llhttp) ? "both accept" : "only ours accepts";
  return accepts(llhttp) ? "only llhttp accepts" : "both refuse";
}
