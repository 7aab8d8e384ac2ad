import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { DEFAULTS } from "../support/defaults.ts";
import { endsInBegin } from "../support/pem.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { CertificateFacts } from "../telemetry/telemetry.ts";

const PEM_CERTIFICATE =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

const PEM_BEGIN = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** All certificates of a PEM file, in its order. Errors never quote the file: it may be a key, or /etc/shadow. */
export function readCertificates(pem: Buffer): Result<readonly X509Certificate[], string> {
  const text = pem.toString("latin1");
  const blocks = text.match(PEM_CERTIFICATE) ?? [];
  const certificates: X509Certificate[] = [];
  for (const [at, block] of blocks.entries()) {
    try {
      certificates.push(new X509Certificate(block));
    } catch {
      return err(`certificate ${at + 1} of the file cannot be read`);
    }
  }
  // OpenSSL would take what is whole and say nothing of the rest: an authority less, or a chain without its end.
  if ((text.match(PEM_BEGIN)?.length ?? 0) > blocks.length || endsInBegin(pem)) {
    return err(`certificate ${blocks.length + 1} of the file is cut off: it has no END line`);
  }
  return certificates.length === 0 ? err("the file holds no certificate; expected PEM") : ok(certificates);
}

/** The private key of a PEM file, without a passphrase. */
export function readPrivateKey(pem: Buffer): Result<KeyObject, string> {
  const text = pem.toString("latin1");
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    return err("the private key is encrypted; expected one without a passphrase");
  }
  try {
    return ok(createPrivateKey(pem));
  } catch {
    return err("the file holds no private key; expected PEM");
  }
}

/** Why a certificate is of no use at `nowMs`, or null. */
export function validityFault(certificate: X509Certificate, nowMs: number): string | null {
  const { from, until } = validityMs(certificate);
  if (nowMs > until) return `the certificate of ${subjectOf(certificate)} expired at ${timeText(until)}`;
  if (nowMs < from) return `the certificate of ${subjectOf(certificate)} is not valid before ${timeText(from)}`;
  return null;
}

/** What to say of a certificate that ends soon, or null. One that lives for days only is late in its last third. */
export function expiryWarning(certificate: X509Certificate, nowMs: number): string | null {
  const { from, until } = validityMs(certificate);
  const leftMs = until - nowMs;
  const days = Math.floor(leftMs / 86_400_000);
  if (days < 0 || days >= DEFAULTS.certificateWarningDays || leftMs > (until - from) / 3) return null;
  return `the certificate of ${subjectOf(certificate)} expires at ${timeText(until)}, in ${days} days`;
}

export function certificateFacts(
  certificate: X509Certificate,
  file: string,
  use: string,
  isShown: boolean,
): CertificateFacts {
  return { file, use, subject: subjectOf(certificate), notAfterMs: validityMs(certificate).until, isShown };
}

function validityMs(certificate: X509Certificate): { readonly from: number; readonly until: number } {
  return { from: certificate.validFromDate.getTime(), until: certificate.validToDate.getTime() };
}

/** Subject on one line, most specific part first. */
export function subjectOf(certificate: X509Certificate): string {
  const parts = (certificate.subject ?? "").split("\n").filter((part) => part !== "");
  return parts.length === 0 ? "(no subject)" : parts.reverse().join(",");
}

export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
