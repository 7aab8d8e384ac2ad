import "reflect-metadata"; // @peculiar/x509 asks for this polyfill before it is loaded
import * as x509 from "@peculiar/x509";

/** Whether one of the revocation lists (PEM) is of this issuer and holds the serial number (hex). */
export function isRevoked(certificatePem: string, crlPem: string): boolean {
  const { issuer, serialNumber } = new x509.X509Certificate(certificatePem);
  const wanted = BigInt(`0x${serialNumber}`);
  return x509.PemConverter.decode(crlPem)
    .map((der) => new x509.X509Crl(der))
    .some(
      (list) => list.issuer === issuer && list.entries.some((entry) => BigInt(`0x${entry.serialNumber}`) === wanted),
    );
}
