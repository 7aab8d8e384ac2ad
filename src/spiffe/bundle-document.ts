import { X509Certificate } from "node:crypto";
import { DEFAULTS } from "../support/defaults.ts";
import { parseJsonObject } from "../support/json.ts";
import { pemBlock } from "../support/pem.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { TrustBundle } from "./x509-svid.ts";

/** What a bundle endpoint says of its trust domain. */
export interface BundleDocument {
  readonly bundle: TrustBundle;
  /** How long until it wants to be asked again, within our bounds. */
  readonly refreshMs: number;
  /** Entries that nobody can use, in words. */
  readonly leftOut: readonly string[];
}

/**
 * A SPIFFE bundle (SPIFFE Trust Domain and Bundle section 4): a JWK set whose keys of use `x509-svid` each have an authority in
 * `x5c`. Those of other uses, as `jwt-svid`, are passed over. A document without any authority is an error: it would end the
 * trust in everybody.
 */
export function readBundleDocument(body: Buffer): Result<BundleDocument, string> {
  const document = parseJsonObject(body, DEFAULTS.jsonDepthMax);
  if (!document.ok) return err(`an answer that is ${document.error}`);
  const { keys, spiffe_refresh_hint: hint } = document.value;
  if (!Array.isArray(keys)) return err("no 'keys'");
  if (keys.length > DEFAULTS.bundleCertificatesMax) return err(`${keys.length} keys`);
  const certificates: X509Certificate[] = [];
  const leftOut: string[] = [];
  for (const [at, key] of keys.entries()) {
    if (typeof key !== "object" || key === null || Reflect.get(key, "use") !== "x509-svid") continue;
    const certificate = authorityOf(Reflect.get(key, "x5c"));
    if (certificate === null) leftOut.push(`key ${at + 1} has no certificate of an authority in 'x5c'`);
    else certificates.push(certificate);
  }
  if (certificates.length === 0) return err([`no authority of use x509-svid`, ...leftOut.slice(0, 1)].join("; "));
  const pem = Buffer.from(certificates.map(({ raw }) => pemBlock(raw, "CERTIFICATE")).join(""));
  const seconds = typeof hint === "number" && Number.isFinite(hint) ? hint : DEFAULTS.bundleRefreshMs / 1000;
  const refreshMs = Math.min(Math.max(seconds * 1000, DEFAULTS.bundleRefreshMsMin), DEFAULTS.bundleRefreshMsMax);
  return ok({ bundle: { pem, certificates }, refreshMs, leftOut });
}

/** One certificate, of an authority (section 4.1.2). */
function authorityOf(x5c: unknown): X509Certificate | null {
  const [only, more]: readonly unknown[] = Array.isArray(x5c) ? x5c : [];
  if (typeof only !== "string" || more !== undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(only)) return null;
  try {
    const certificate = new X509Certificate(Buffer.from(only, "base64"));
    return certificate.ca ? certificate : null;
  } catch {
    return null;
  }
}
