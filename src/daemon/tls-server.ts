import { constants } from "node:crypto";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { HttpProtocol } from "../message/connection.ts";
import type { TlsSettings } from "../policy/snapshot.ts";
import { CRL_LABEL, pemBlocks } from "../support/pem.ts";
import { err, ok, type Result } from "../support/result.ts";
import { TLS_CIPHERS } from "../support/tls-ciphers.ts";
import type { HandshakeFault } from "./handshake-failure.ts";

/**
 * Tickets would let a client come back without showing its certificate again, past a new CA or revocation list;
 * renegotiation would let it change certificates in mid-connection, after they were judged.
 */
const SECURE_OPTIONS = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION;

export interface TlsHandlers {
  onSecure(socket: TLSSocket): void;
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
      cert: tls.certificate,
      key: tls.key,
      ...(asks && tls.clientCa !== null ? { ca: tls.clientCa } : {}),
      ...(asks && tls.clientCrl !== null ? { crl: [...pemBlocks(tls.clientCrl, CRL_LABEL)] } : {}),
      requestCert: asks,
      // With `optional` an untrusted certificate passes here, and the request is denied with a reason that helps.
      rejectUnauthorized: tls.clientCertificate === "required",
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
  server.on("secureConnection", (socket) => handlers.onSecure(socket));
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    handlers.onFailure({ error, verification: verificationOf(socket) }, socket);
    socket.destroy();
  });
  return ok(server);
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
export function verificationOf(socket: TLSSocket): string | null {
  const code: unknown = socket.authorizationError;
  return typeof code === "string" ? code : null;
}
