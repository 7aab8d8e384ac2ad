/** RFC 9113 section 3.4; no HTTP/1.1 request begins like this. */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Whether these first bytes of a plain connection tell HTTP/2 with prior knowledge from HTTP/1.1. */
export function tellsProtocol(seen: Buffer): boolean {
  return seen.length >= PREFACE.length || !isLikePreface(seen);
}

export function isLikePreface(seen: Buffer): boolean {
  const length = Math.min(seen.length, PREFACE.length);
  return seen.compare(PREFACE, 0, length, 0, length) === 0;
}

const RECORD_HEAD_BYTES = 5;
const HANDSHAKE_RECORD = 22;

/**
 * Whether a client has said as much as makes it worth a TLS handshake, whose state is ten times what a silent connection
 * costs: one whole record (RFC 8446 section 5.1), in which a ClientHello has its place, or something else altogether.
 */
export function isWholeHello(seen: Buffer, bytesMax: number): boolean {
  if (seen.length >= bytesMax || seen[0] !== HANDSHAKE_RECORD) return true;
  return seen.length >= RECORD_HEAD_BYTES && seen.length >= RECORD_HEAD_BYTES + seen.readUInt16BE(3);
}
