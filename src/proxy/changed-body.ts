import { HeaderBlock } from "../message/headers.ts";

/** What is said of the bytes of a body and does not hold for others; the length is framing, and written anew anyway. */
const OF_THE_BYTES: ReadonlySet<string> = new Set([
  "accept-ranges", // parts are of the service's bytes (RFC 9110 section 14.3)
  "content-digest", // RFC 9530
  "content-md5",
  "digest",
  "repr-digest", // RFC 9530
]);

/**
 * Headers of an answer whose body leaves with other bytes than it came with. A strong ETag becomes a weak one: it promises
 * the same bytes each time (RFC 9110 section 8.8.1), and another policy would send others.
 */
export function headersOfChanged(headers: HeaderBlock): HeaderBlock {
  const kept = headers.without(OF_THE_BYTES);
  if (kept.get("etag") === undefined) return kept;
  const values = kept.values.map((value, at) =>
    kept.names[at] === "etag" && value.startsWith('"') ? `W/${value}` : value,
  );
  return new HeaderBlock(kept.names, values);
}
