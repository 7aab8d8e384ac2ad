import type { HeaderBlock } from "../message/headers.ts";
import { NO_LENGTH, UNTIL_CLOSE } from "../message/stream.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { ParsedHeaders } from "./head.ts";

/** Whether an answer ends with its head, whatever that says and whatever comes behind (RFC 9112 section 6.3, rule 1). */
export function endsWithHead(status: number, isHead: boolean): boolean {
  return isHead || status === 204 || status === 304;
}

/** What is wrong with the informational response that is the `count`th before its answer; null for nothing. */
export function informationalFault(minor: 0 | 1, { close }: ParsedHeaders, count: number): string | null {
  // HTTP/1.0 knows none (RFC 9110 section 15.2): others take it for the answer itself.
  if (close || minor === 0) return "informational response with a close or in HTTP/1.0";
  return count > DEFAULTS.informationalMax ? "too many informational responses" : null;
}

/** Length of an answer's body: bytes, CHUNKED or UNTIL_CLOSE (RFC 9112 section 6.3). */
export function bodyBytesOf(parsed: ParsedHeaders, bodyless: boolean): number {
  if (bodyless) return 0;
  return parsed.bodyBytes === NO_LENGTH ? UNTIL_CLOSE : parsed.bodyBytes;
}

/** What a read brought beyond an answer of known length whose head ends at `end`. */
export function bytesBehind(buffer: Buffer, end: number, bodyBytes: number): Buffer {
  return bodyBytes < 0 ? buffer.subarray(buffer.length) : buffer.subarray(Math.min(buffer.length, end + bodyBytes));
}

/** The line end that some scripts print behind their answer, or its first byte: nobody reads another answer in it. */
export function isLineEnd(rest: Buffer): boolean {
  return rest[0] === 0x0d && (rest.length === 1 || (rest.length === 2 && rest[1] === 0x0a));
}

const TIMEOUT = /(?:^|[\s,;])timeout\s*=\s*"?(\d{1,9})/i;

/** How long the service's connection may rest by its own word, milliseconds; Infinity where it says nothing. */
export function restMsOf(headers: HeaderBlock): number {
  const seconds = TIMEOUT.exec(headers.get("keep-alive") ?? "")?.[1];
  if (seconds === undefined) return Number.POSITIVE_INFINITY;
  return Number(seconds) * 1_000 - DEFAULTS.upstreamKeepAliveMarginMs;
}
