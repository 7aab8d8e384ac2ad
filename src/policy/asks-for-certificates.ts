import type { Work } from "./work.ts";

/** Whether clients have any way to show a certificate; a listener whose own files are not here may be one. */
export function asksForCertificates({ listeners, reader }: Work): boolean {
  return listeners.some(
    ({ tls, forwardedCertificates }, at) =>
      (tls === null && reader.raw(["listeners", at, "tls"]) !== undefined) ||
      forwardedCertificates !== null ||
      (tls !== null && tls.clientCertificate !== "off"),
  );
}
