import { getCACertificates } from "node:tls";

/** The authorities of the system, PEM (SSL_CERT_FILE and SSL_CERT_DIR count); in an image without any, those of Node. */
export function systemAuthorities(): readonly string[] {
  const system = getCACertificates("system");
  return system.length > 0 ? system : getCACertificates("default");
}
