import { certificateFault } from "../message/certificate-fault.ts";
import type { ClientCertificate } from "../message/connection.ts";
import type { HandshakeFailure } from "../telemetry/telemetry.ts";

/** Why a handshake failed: OpenSSL's error, or the certificate that the client showed and that is not trusted. */
export interface HandshakeFault {
  readonly error: NodeJS.ErrnoException;
  readonly certificate: ClientCertificate | null;
}

const BY_ERROR_CODE: Readonly<Record<string, HandshakeFailure>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "certificate_missing",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "protocol_version",
  ERR_SSL_VERSION_TOO_LOW: "protocol_version",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "protocol_version",
  ERR_SSL_NO_SHARED_CIPHER: "no_shared_cipher",
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: "no_shared_cipher",
  ERR_SSL_NO_SHARED_GROUP: "no_shared_cipher",
  ERR_SSL_NO_APPLICATION_PROTOCOL: "no_shared_protocol",
  ERR_SSL_WRONG_VERSION_NUMBER: "not_tls",
  ERR_SSL_HTTP_REQUEST: "not_tls",
  ERR_SSL_HTTPS_PROXY_REQUEST: "not_tls",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "not_tls",
  ERR_SSL_BAD_RECORD_TYPE: "not_tls",
  ERR_SSL_UNEXPECTED_MESSAGE: "not_tls",
  ERR_TLS_HANDSHAKE_TIMEOUT: "timeout",
  ENOMEM: "memory_handshakes",
  ECONNRESET: "closed",
  EPIPE: "closed",
};

/** What ends a handshake before TLS has begun. */
export const HELLO_TIMEOUT: HandshakeFault = faultOf("ERR_TLS_HANDSHAKE_TIMEOUT", "no whole hello in time");
export const HELLO_CLOSED: HandshakeFault = faultOf("ECONNRESET", "closed before the hello");
/** It was the oldest of the client that had the most of them, and the memory was needed for a newer one. */
export const GAVE_WAY: HandshakeFault = faultOf("ENOMEM", "gave way to a newer handshake");

function faultOf(code: string, message: string): HandshakeFault {
  return { error: Object.assign(new Error(message), { code }), certificate: null };
}

/** Fault → metric label. */
export function classifyHandshake({ error, certificate }: HandshakeFault): HandshakeFailure {
  if (certificate !== null) return certificateFault(certificate.untrusted ?? "").fault;
  return BY_ERROR_CODE[error.code ?? ""] ?? "other";
}

/**
 * Fault → one line for the log. OpenSSL's texts name protocol states and never data; what the client wrote into its
 * certificate is cut.
 */
export function describeHandshake({ error, certificate }: HandshakeFault): string {
  if (certificate === null)
    return error.code === "ECONNRESET" ? "the client closed the connection" : error.message.trim();
  const { untrusted, subject, issuer, serialNumber } = certificate;
  const names = `subject ${quoted(subject)}, issuer ${quoted(issuer)}, serial ${serialNumber.slice(0, 64)}`;
  return `client certificate: ${untrusted}, ${names}`;
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 256));
}
