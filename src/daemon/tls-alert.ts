import { createCipheriv, createHmac } from "node:crypto";
import type { TLSSocket } from "node:tls";

const FATAL = 2;
const ALERT = 21;
const APPLICATION_DATA = 23;
/** Protocol version of records, which no longer changes (RFC 8446 section 5.1). */
const RECORD_VERSION = [3, 3] as const;

/** AlertDescription (RFC 8446 section 6), as OpenSSL chooses it for its verdict on a certificate. */
const ALERTS: Readonly<Record<string, number>> = {
  CERT_HAS_EXPIRED: 45,
  CRL_HAS_EXPIRED: 45,
  CERT_REVOKED: 44,
  INVALID_PURPOSE: 43,
  CERT_NOT_YET_VALID: 42,
  CRL_NOT_YET_VALID: 42,
  CERT_SIGNATURE_FAILURE: 42,
  CERT_UNTRUSTED: 42,
  CERT_REJECTED: 42,
  CERT_CHAIN_TOO_LONG: 48,
  INVALID_CA: 48,
  DEPTH_ZERO_SELF_SIGNED_CERT: 48,
  SELF_SIGNED_CERT_IN_CHAIN: 48,
  UNABLE_TO_GET_CRL: 48,
  UNABLE_TO_GET_ISSUER_CERT: 48,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 48,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 48,
};
const HANDSHAKE_FAILURE = 40;
const CERTIFICATE_UNKNOWN = 46;
const CERTIFICATE_REQUIRED = 116;

interface Suite {
  readonly hash: "sha256" | "sha384";
  readonly cipher: "aes-128-gcm" | "aes-256-gcm" | "chacha20-poly1305";
  readonly keyBytes: 16 | 32;
}

const SUITES: Readonly<Record<string, Suite>> = {
  TLS_AES_128_GCM_SHA256: { hash: "sha256", cipher: "aes-128-gcm", keyBytes: 16 },
  TLS_AES_256_GCM_SHA384: { hash: "sha384", cipher: "aes-256-gcm", keyBytes: 32 },
  TLS_CHACHA20_POLY1305_SHA256: { hash: "sha256", cipher: "chacha20-poly1305", keyBytes: 32 },
};

/**
 * The record that tells a client why its certificate is refused: Node verifies it when OpenSSL has finished with the
 * handshake and then only closes, so that the client would see a connection that broke. It has to be the first record
 * after the client's last flight, before anything that OpenSSL has still to write. `verification` is null where the
 * client showed no certificate; `secret` is SERVER_TRAFFIC_SECRET_0 of TLS 1.3. Null where there is no way to tell.
 */
export function refusalAlert(socket: TLSSocket, verification: string | null, secret: Buffer | null): Buffer | null {
  // With TLS 1.2 the server has not changed to its new keys yet: nobody can read the client's certificate from an alert.
  if (socket.getProtocol() !== "TLSv1.3") {
    const description = verification === null ? HANDSHAKE_FAILURE : (ALERTS[verification] ?? CERTIFICATE_UNKNOWN);
    return Buffer.from([ALERT, ...RECORD_VERSION, 0, 2, FATAL, description]);
  }
  const suite = SUITES[socket.getCipher().name];
  if (suite === undefined || secret === null) return null;
  const description = verification === null ? CERTIFICATE_REQUIRED : (ALERTS[verification] ?? CERTIFICATE_UNKNOWN);
  return sealed(Buffer.from([FATAL, description, ALERT]), suite, secret);
}

const TAG_BYTES = 16;
const NONCE_BYTES = 12;

/** TLSInnerPlaintext → the first record under a traffic secret (RFC 8446 section 5.2). */
function sealed(plain: Buffer, { hash, cipher, keyBytes }: Suite, secret: Buffer): Buffer {
  const head = Buffer.from([APPLICATION_DATA, ...RECORD_VERSION, 0, plain.length + TAG_BYTES]);
  const key = expandLabel(hash, secret, "key", keyBytes);
  // The sequence number is 0, so the nonce is the IV as it is (section 5.3).
  const nonce = expandLabel(hash, secret, "iv", NONCE_BYTES);
  // Node's types know each cipher by a literal; the options are the same for the three.
  const options = { authTagLength: TAG_BYTES };
  const sealing =
    cipher === "chacha20-poly1305"
      ? createCipheriv(cipher, key, nonce, options)
      : createCipheriv(cipher, key, nonce, options);
  sealing.setAAD(head, { plaintextLength: plain.length });
  return Buffer.concat([head, sealing.update(plain), sealing.final(), sealing.getAuthTag()]);
}

/** HKDF-Expand-Label with an empty context, for no more than one block of the hash (RFC 8446 section 7.1). */
function expandLabel(hash: string, secret: Buffer, label: string, bytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, bytes, name.length]), name, Buffer.from([0, 1])]);
  return createHmac(hash, secret).update(info).digest().subarray(0, bytes);
}

const SECRET_LINE = /^SERVER_TRAFFIC_SECRET_0 [0-9a-f]+ ([0-9a-f]+)\s*$/i;

/** A line of OpenSSL's key log → the secret that `refusalAlert` asks for, or null where it is another's. */
export function trafficSecret(line: Buffer): Buffer | null {
  const [, digits] = SECRET_LINE.exec(line.toString("latin1")) ?? [];
  return digits === undefined ? null : Buffer.from(digits, "hex");
}
