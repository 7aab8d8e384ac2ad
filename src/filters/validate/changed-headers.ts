import type { HeaderBlock } from "../../message/headers.ts";

/** What is said of the bytes of a request's body, and does not hold for others (RFC 9530, RFC 1864). */
const OF_THE_BYTES: ReadonlySet<string> = new Set(["content-digest", "content-md5", "digest", "repr-digest"]);

/** Components of a signature (RFC 9421) that are of the body, or of one of the headers above. */
const SIGNED = /"(?:content-(?:digest|md5|length|encoding)|digest|repr-digest)"/i;
const SIGNATURES = ["signature", "signature-input"] as const;

/**
 * Headers of a request whose body goes on with other bytes. Digests of the client's bytes come off, and so do signatures
 * over them: the service would refuse the one for the other. Content-Length is framing, and written anew anyway.
 */
export function headersOfChangedBody(headers: HeaderBlock, more: readonly string[] = []): HeaderBlock {
  const off = new Set([...OF_THE_BYTES, ...more]);
  if (SIGNED.test(headers.list("signature-input") ?? "")) for (const name of SIGNATURES) off.add(name);
  return headers.without(off);
}
