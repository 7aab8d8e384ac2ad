import { HeaderBlock } from "../message/headers.ts";

/**
 * What is said of the bytes of a body and does not hold for others; the length is framing, and written anew anyway.
 * `Want-Content-Digest` and `Want-Repr-Digest` ask for something, and stay.
 */
export const OF_THE_BYTES: ReadonlySet<string> = new Set([
  "accept-ranges", // parts are of the service's bytes (RFC 9110 section 14.3)
  "content-digest", // RFC 9530
  "content-md5",
  "digest",
  "repr-digest", // RFC 9530
]);

/** Components that a signature cannot cover any more (RFC 9421 section 2.1), for they changed or are gone. */
const SIGNED_OF_THE_BYTES: readonly string[] = [...OF_THE_BYTES, "content-encoding", "content-length", "etag"];

const CODING: ReadonlySet<string> = new Set(["content-encoding"]);

/**
 * Headers of an answer whose body leaves with other bytes than it came with. A strong ETag becomes a weak one: it promises
 * the same bytes each time (RFC 9110 section 8.8.1), and another policy would send others. Of the signatures those go that
 * cover any of it.
 */
export function headersOfChanged(headers: HeaderBlock): HeaderBlock {
  headers.changed ??= changed(headers);
  return headers.changed;
}

function changed(headers: HeaderBlock): HeaderBlock {
  const kept = withoutBrokenSignatures(headers.without(OF_THE_BYTES));
  if (kept.get("etag") === undefined) return kept;
  const values = kept.values.map((value, at) =>
    kept.names[at] === "etag" && value.startsWith('"') ? `W/${value}` : value,
  );
  return new HeaderBlock(kept.names, values);
}

/** The same where it leaves as what its compressed bytes hold. */
export function headersOfInflated(headers: HeaderBlock): HeaderBlock {
  return headersOfChanged(headers.without(CODING));
}

const SIGNATURES: ReadonlySet<string> = new Set(["signature", "signature-input"]);

/** A member of a dictionary (RFC 9651 section 3.2), up to its comma: strings, and lists, may have commas within. */
const MEMBER = /\s*([a-z*][\w.*-]*)((?:"(?:[^"\\]|\\.)*"|\([^)]*\)|[^",(])*),?/gy;

function withoutBrokenSignatures(headers: HeaderBlock): HeaderBlock {
  const inputs = headers.list("signature-input");
  if (inputs === undefined) return headers;
  const broken = new Set<string>();
  for (const [, label = "", value = ""] of inputs.matchAll(MEMBER)) {
    if (SIGNED_OF_THE_BYTES.some((name) => value.includes(`"${name}"`))) broken.add(label);
  }
  if (broken.size === 0) return headers;
  const rest = headers.without(SIGNATURES);
  const names = [...rest.names];
  const values = [...rest.values];
  for (const name of SIGNATURES) {
    const left = [...(headers.list(name) ?? "").matchAll(MEMBER)].filter(([, label = ""]) => !broken.has(label));
    if (left.length === 0) continue;
    names.push(name);
    values.push(left.map(([, label, value]) => `${label}${value}`).join(", "));
  }
  return new HeaderBlock(names, values);
}
