import type { X509Certificate } from "node:crypto";
import type { Address } from "./address.ts";

/** A client's certificate, read once at the handshake. */
export interface ClientCertificate {
  /** RFC 2253 subject, as in `CN=billing,O=Example`. */
  readonly subject: string;
  readonly issuer: string;
  /** Hex, in decimal-free upper case as OpenSSL prints it. */
  readonly serialNumber: string;
  /** SHA-256 over the DER, as 64 lower-case hex digits. */
  readonly fingerprint: string;
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly emails: readonly string[];
  /** IP addresses (RFC 5280 section 4.2.1.6), in canonical text. */
  readonly addresses: readonly string[];
  /** The one `spiffe://` URI, or null where there is none or more than one (SPIFFE X509-SVID section 2). */
  readonly spiffeId: string | null;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Why the chain is not trusted (OpenSSL's code, as CERT_HAS_EXPIRED), or null where it is verified. */
  readonly untrusted: string | null;
  /**
   * The certificate itself, for what only some policies ask: its key, its bytes, those that came with it. Null where a proxy
   * tells names alone: issuer, serial number and what else it does not tell are then empty, and the times without end.
   */
  readonly x509: X509Certificate | null;
}

/** What a connection speaks, by its ALPN name (RFC 7301); HTTP/2 without TLS is `h2` too. */
export type HttpProtocol = "http/1.1" | "h2";

/** What is true for every request of one connection. */
export interface ConnectionFacts {
  readonly listener: string;
  /**
   * The socket's peer, or whom its PROXY header names; behind a trusted proxy the client's address is the exchange's
   * `clientAddress`.
   */
  readonly peer: Address;
  /** The socket's peer where a PROXY header gave another as `peer`. */
  readonly proxyPeer: Address | null;
  readonly protocol: HttpProtocol;
  /** Whether TLS protects the connection, so that the scheme the client used is https. */
  readonly secure: boolean;
  readonly certificate: ClientCertificate | null;
  /** JA4 of the client's TLS hello; absent where the listener is not asked for it, or the hello came in pieces. */
  readonly ja4?: string | null;
}
