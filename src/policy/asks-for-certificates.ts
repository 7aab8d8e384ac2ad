import type { Work } from "./work.ts";

/** Whether clients have any way to show a certificate. */
export function asksForCertificates({ listeners }: Work): boolean {
  return listeners.some(
    ({ tls, forwardedCertificates }) =>
      forwardedCertificates !== null || (tls !== null && tls.clientCertificate !== "off"),
  );
}
