import type { HeaderBlock } from "./headers.ts";

/**
 * Headers that are meant for the whole way; RFC 9110 section 7.6.1 forbids to name them in Connection. One who does
 * wants them to vanish between the check that read them and the service. What postern adds cannot be named away, for
 * it is added afterwards.
 */
const END_TO_END: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "authorization",
  "cache-control",
  "content-encoding",
  "content-language",
  "content-type",
  "cookie",
  "date",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "origin",
  "range",
  "referer",
  "user-agent",
  "sec-websocket-extensions",
  "sec-websocket-key",
  "sec-websocket-protocol",
  "sec-websocket-version",
  "traceparent",
  "tracestate",
]);

/** Names that the Connection header takes off, or null for none, as it nearly always is. */
export function namedByConnection(headers: HeaderBlock): ReadonlySet<string> | null {
  const first = headers.get("connection");
  if (first === undefined) return null;
  if ((first === "keep-alive" || first === "close") && headers.count("connection") === 1) return null;
  const named = new Set<string>();
  for (const option of (headers.list("connection") ?? "").toLowerCase().split(",")) {
    const name = option.trim();
    if (!END_TO_END.has(name)) named.add(name);
  }
  return named;
}
