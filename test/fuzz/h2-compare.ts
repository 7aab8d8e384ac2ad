import { SETTING } from "../../src/http2/wire.ts";
import { canonicalTarget } from "../../src/message/target.ts";
import { ERROR, FLAG, TYPE } from "../fixtures/h2-frames.ts";
import type { Outcome } from "./compare.ts";
import { GOAWAY } from "./h2-nghttp2.ts";
import { FRAME_HEAD_BYTES, type H2Reading, type StreamReading } from "./h2-reading.ts";

/** What differs between our reading of these frames and nghttp2's where it must not, or null. */
export function h2Differs(ours: H2Reading, nghttp2: H2Reading, frames: readonly string[]): string | null {
  if (ours.end?.startsWith("throws") === true) return ours.end;
  // We may refuse more messages than nghttp2 does, but both must keep the same tables.
  if (ours.end?.startsWith(`goaway ${ERROR.compression} `) === true && nghttp2.end === null)
    return "HPACK to nghttp2 alone";
  // What nghttp2 has not read when it gives the connection up it might still have read.
  const isOver = (nghttp2.end !== null && GOES_ON.test(nghttp2.end)) || frames.some(isHeldToOtherRules);
  for (const [id, stream] of ours.streams) {
    if (stream.state !== "whole") continue;
    const other = nghttp2.streams.get(id);
    const isUnread =
      other === undefined || (other.state !== "whole" && !isWholeByHead(stream) && !hasLateFields(stream));
    if (isUnread && (isOver || !isForwarded(stream))) continue;
    if (other === undefined) return `nghttp2 does not read stream ${id}: ${nghttp2.end ?? "it refuses it"}`;
    const what = streamDiffers(stream, other);
    if (what !== null) return `stream ${id}: ${what}${isUnread ? `, ${nghttp2.end}` : ""}`;
  }
  return null;
}

/** Why nghttp2 ends connections, or node, where one stream is all that RFC 9113 would have ended, or nothing. */
const GOES_ON = new RegExp(
  [
    GOAWAY, // of the client: what it begins behind it is served here
    "DATA: stream in half-closed", // section 6.1: a stream error
    "HEADERS: stream closed|^Stream was already closed", // section 5.1: a stream error, as long as it is not answered
    "WINDOW_UPDATE: window_size_increment == 0", // section 6.9: a stream error
    "WINDOW_UPDATE: window size overflow|^Flow control error", // section 6.9.1: a stream error
    "^goaway 2 |^Protocol error$", // node fails over a body that is not as long as announced
  ].join("|"),
);

/**
 * What nghttp2 refuses and we pass over: a stream that depends on itself (RFC 9113 has no priorities any more), values
 * of settings that mean nothing to a server (RFC 8441 section 3) or to us (9, RFC 9218 section 2.1), and SETTINGS that are
 * acknowledged twice.
 */
function isHeldToOtherRules(one: string): boolean {
  const bytes = Buffer.from(one, "latin1");
  if (bytes.length < FRAME_HEAD_BYTES) return false;
  const [type, flags = 0] = bytes.subarray(3, 5);
  if (type === TYPE.settings) {
    if ((flags & FLAG.ack) !== 0) return true;
    for (let at = FRAME_HEAD_BYTES; at + 6 <= bytes.length; at += 6) {
      const id = bytes.readUInt16BE(at);
      if (id === 9 || (id === SETTING.enableConnectProtocol && bytes.readUInt32BE(at + 2) > 1)) return true;
    }
  }
  const isPadded = (flags & FLAG.padded) !== 0;
  const at = FRAME_HEAD_BYTES + (type === TYPE.headers && isPadded ? 1 : 0);
  const hasPriority = type === TYPE.priority || (type === TYPE.headers && (flags & FLAG.priority) !== 0);
  if (!hasPriority || bytes.length < at + 4) return false;
  return (bytes.readUInt32BE(at) & 0x7fff_ffff) === (bytes.readUInt32BE(5) & 0x7fff_ffff);
}

function streamDiffers(stream: StreamReading, other: StreamReading): string | null {
  if (stream.start !== other.start) return `'${stream.start}' is '${other.start}' to nghttp2`;
  if (stream.headers.join("\n") !== other.headers.join("\n")) return "the headers differ";
  if (isWholeByHead(stream)) return null;
  if (other.state !== "whole") return hasLateFields(stream) ? null : `whole to us, to nghttp2 ${other.state}`;
  if (stream.body !== other.body) return "the body differs";
  const heeded = ({ trailers }: StreamReading): string => trailers.filter((line) => !LATE.test(line)).join("\n");
  return heeded(stream) === heeded(other) ? null : "the trailers differ";
}

/** What follows is no body, or none that may hold anything, so that we do not wait for its end. */
function isWholeByHead({ isTunnel, headers, body }: StreamReading): boolean {
  return isTunnel || (headers.includes("content-length: 0") && body === "");
}

/** Trailers that nghttp2 refuses or drops; here they are not heeded and go no further (src/message/trailers.ts). */
const LATE = /^(?:content-length|host|te):/;

function hasLateFields({ trailers }: StreamReading): boolean {
  return trailers.some((line) => LATE.test(line));
}

/** What nghttp2 resets for its method or path we hand on, to be refused with a reason (src/proxy/pipeline.ts). */
function isForwarded({ start, isTunnel }: StreamReading): boolean {
  const target = start.split(" ").slice(isTunnel ? 3 : 2);
  return (isTunnel || !/^(?:TRACE|TRACK|CONNECT) /i.test(start)) && canonicalTarget(target.join(" ")).ok;
}

/** How the bytes were cut into reads must not matter, as long as nothing was answered. */
export function h2SplitDiffers(whole: H2Reading, cut: H2Reading): string | null {
  if (cut.end?.startsWith("throws") === true) return cut.end;
  if (whole.end !== cut.end) return `cut into reads, it ends with ${cut.end} instead of ${whole.end}`;
  if (whole.said.join("\n") !== cut.said.join("\n")) return "cut into reads, something else is said";
  for (const id of new Set([...whole.streams.keys(), ...cut.streams.keys()])) {
    const stream = whole.streams.get(id);
    const other = cut.streams.get(id);
    if (other === undefined) return `cut into reads, stream ${id} is not seen`;
    // A request that is taken back in the read that brought it is nobody's.
    if (stream === undefined && other.left) continue;
    if (stream === undefined) return `cut into reads, stream ${id} is seen`;
    if (stream.state !== other.state)
      return `cut into reads, stream ${id} is ${other.state} instead of ${stream.state}`;
    const isSame = stream.state !== "whole" || streamDiffers(stream, other) === null;
    if (!isSame) return `cut into reads, stream ${id} differs`;
  }
  return null;
}

/** For the counts: where nothing disagrees, how the whole connection went. */
export function h2OutcomeOf(ours: H2Reading, nghttp2: H2Reading): Outcome {
  const all = (reading: H2Reading): boolean =>
    reading.end === null && [...reading.streams.values()].every(({ state }) => state === "whole");
  const ids = ours.streams.size === nghttp2.streams.size;
  if (all(ours)) return all(nghttp2) && ids ? "both accept" : "only ours accepts";
  if (ours.end === null && [...ours.streams.values()].every(({ state }) => state === "whole" || state === "open")) {
    return "both wait";
  }
  return all(nghttp2) ? "only nghttp2 accepts" : "both refuse";
}
