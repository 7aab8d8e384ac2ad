import { constants, type X509Certificate } from "node:crypto";
import { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { readClientCertificate } from "../message/certificate.ts";
import { withTrust } from "../message/client-trust.ts";
import type { ClientCertificate, HttpProtocol } from "../message/connection.ts";
import { weakKeyOf } from "../message/weak-key.ts";
import type { TlsSettings } from "../policy/snapshot.ts";
import { systemClock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { CRL_LABEL, pemBlocks } from "../support/pem.ts";
import { err, ok, type Result } from "../support/result.ts";
import { TLS_CIPHERS } from "../support/tls-ciphers.ts";
import type { HandshakeFault } from "./handshake-failure.ts";
import { refusalAlert, trafficSecret } from "./tls-alert.ts";

/**
 * Tickets would let a client come back without showing its certificate again, past a new CA or revocation list;
 * renegotiation would let it change certificates in mid-connection, after they were judged.
 */
const SECURE_OPTIONS = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION;

export interface TlsHandlers {
  /** `certificate` is null where the client showed none. */
  onSecure(socket: TLSSocket, certificate: ClientCertificate | null): void;
  onFailure(fault: HandshakeFault, socket: TLSSocket): void;
}

/**
 * A TLS server that never listens: a listener gives it accepted sockets, so that certificates, CAs and modes swap by
 * replacing this object while the port stays open. Gives OpenSSL's text where it refuses the settings.
 */
export function createTlsServer(
  tls: TlsSettings,
  protocols: readonly HttpProtocol[],
  timeoutMs: number,
  handlers: TlsHandlers,
): Result<Server, string> {
  const asks = tls.clientCertificate !== "off";
  let server: Server;
  try {
    server = createServer({
      ...(tls.certificate === null || tls.key === null ? {} : { cert: tls.certificate, key: tls.key }),
      ...(asks && tls.clientCa !== null ? { ca: tls.clientCa } : {}),
      ...(asks && tls.clientCrl !== null ? { crl: [...pemBlocks(tls.clientCrl, CRL_LABEL)] } : {}),
      requestCert: asks,
      // Node would close without a word. With `optional`, the request is denied with a reason that helps.
      rejectUnauthorized: false,
      minVersion: tls.minVersion,
      maxVersion: "TLSv1.3",
      ciphers: TLS_CIPHERS,
      honorCipherOrder: true,
      secureOptions: SECURE_OPTIONS,
      // A client that knows only HTTP/1.0 is served by the codec of HTTP/1.1, and may say so.
      ALPNProtocols: protocols.includes("http/1.1") ? [...protocols, "http/1.0"] : [...protocols],
      handshakeTimeout: timeoutMs,
    });
    if (tls.hasPartialChains) trustPartialChains(server);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  const isRequired = tls.clientCertificate === "required";
  const secrets = new WeakMap<TLSSocket, Buffer>();
  if (isRequired) server.on("keylog", (line, socket) => noteSecret(secrets, line, socket));
  server.on("secureConnection", (socket) => {
    const secret = secrets.get(socket) ?? null;
    secrets.delete(socket);
    const x509 = asks ? socket.getPeerX509Certificate() : undefined;
    const read = x509 === undefined ? null : readClientCertificate(x509, whyUntrusted(socket, x509));
    // By the clock that OpenSSL judged by.
    const certificate = read === null || tls.trust === null ? read : withTrust(read, tls.trust, systemClock.wallMs());
    if (!isRequired || (certificate !== null && certificate.untrusted === null)) {
      handlers.onSecure(socket, certificate);
      return;
    }
    handlers.onFailure({ error: REFUSED, certificate }, socket);
    refuse(socket, refusalAlert(socket, certificate?.untrusted ?? null, secret));
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    handlers.onFailure({ error, certificate: null }, socket);
    socket.destroy();
  });
  return ok(server);
}

/** As OpenSSL says it where it asks for the certificate itself. */
const REFUSED: NodeJS.ErrnoException = Object.assign(new Error("the client shows no certificate"), {
  code: "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
});

function noteSecret(secrets: WeakMap<TLSSocket, Buffer>, line: Buffer, socket: TLSSocket): void {
  const secret = trafficSecret(line);
  if (secret !== null) secrets.set(socket, secret);
}

/** In OpenSSL's codes, and one of our own for what OpenSSL lets pass. */
function whyUntrusted(socket: TLSSocket, x509: X509Certificate): string | null {
  if (!socket.authorized) return verificationOf(socket) ?? "UNVERIFIED";
  return weakKeyOf(x509) === null ? null : "WEAK_KEY";
}

/**
 * Sends the alert and closes, and lets the client read it: with bytes of the client unread, the system would send a
 * reset, which throws away what the client has not read yet.
 */
function refuse(socket: TLSSocket, alert: Buffer | null): void {
  const below = socketBelow(socket);
  socket.on("error", () => socket.destroy());
  if (alert === null || below === socket) {
    socket.destroy();
    return;
  }
  below.end(alert);
  const timer = setTimeout(() => socket.destroy(), DEFAULTS.alertLingerMs);
  socket.once("close", () => clearTimeout(timer));
  socket.once("end", () => socket.destroy());
  socket.resume();
}

/** The TCP socket of a TLS socket, which still knows its peer when the TLS one is destroyed; Node does not document it. */
export function socketBelow(socket: Socket): Socket {
  return "_parent" in socket && socket._parent instanceof Socket ? socket._parent : socket;
}

/**
 * An authority whose own issuer is not in the file is an anchor by itself. Servers of Node 26 do not pass this setting on
 * to the context that they make, and Node does not document where that is; where it stands elsewhere, clients of such an
 * authority are refused.
 */
function trustPartialChains(server: Server): void {
  const shared: unknown = "_sharedCreds" in server ? server._sharedCreds : null;
  const context: unknown = typeof shared === "object" && shared !== null && "context" in shared ? shared.context : null;
  if (typeof context !== "object" || context === null || !("setAllowPartialTrustChain" in context)) return;
  if (typeof context.setAllowPartialTrustChain === "function") context.setAllowPartialTrustChain();
}

/** OpenSSL's code for why the client's chain is not trusted, or null: Node's types say Error, Node gives the code. */
function verificationOf(socket: TLSSocket): string | null {
  const code: unknown = socket.authorizationError;
  return typeof code === "string" ? code : null;
}
