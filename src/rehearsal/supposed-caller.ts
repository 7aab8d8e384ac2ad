import type { AssumedIdentity } from "../message/exchange.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type SupposedCertificate, supposedCertificate } from "./supposed-certificate.ts";

/** Who is supposed to ask: an identity, or a certificate: its file, which is judged as a real one, or what one would say. */
export interface SupposedCaller {
  readonly assumed: AssumedIdentity | null;
  readonly certificate: string | SupposedCertificate | undefined;
}

/** What an identity is to look like. */
export const IDENTITY_FORM =
  'expected { jwt: { scope: "orders:read" } }, { jwt: TOKEN }, { api-key: NAME }, { basic: USER }, { signature: CALLER }, { certificate: FILE } or { certificate: { subject: NAME, spiffeId: ID } }';

/** One entry, as `postern explain --as` and `as` of a policy's tests have it. */
export async function supposedCaller(value: unknown): Promise<Result<SupposedCaller, string>> {
  if (typeof value !== "object" || value === null) return err(IDENTITY_FORM);
  const [entry, ...rest] = Object.entries(value);
  if (entry === undefined || rest.length > 0) return err(IDENTITY_FORM);
  const [type, identity]: [string, unknown] = entry;
  if (type === "certificate" && typeof identity === "string") return ok({ assumed: null, certificate: identity });
  if (type === "certificate" && typeof identity === "object" && identity !== null && !Array.isArray(identity)) {
    const supposed = supposedCertificate(identity);
    return supposed.ok ? ok({ assumed: null, certificate: supposed.value }) : supposed;
  }
  const isToken = type === "jwt" && typeof identity === "string";
  const assumed = isToken ? await ofToken(identity) : assumedIdentity(type, identity);
  return assumed.ok ? ok({ assumed: assumed.value, certificate: undefined }) : assumed;
}

function assumedIdentity(type: string, identity: unknown): Result<AssumedIdentity, string> {
  if (type === "jwt" && typeof identity === "object" && identity !== null && !Array.isArray(identity)) {
    return ok({ type, claims: Object.fromEntries(Object.entries(identity)) });
  }
  if (typeof identity !== "string") return err(IDENTITY_FORM);
  if (type === "basic") return ok({ type, user: identity });
  return type === "api-key" || type === "signature" ? ok({ type, caller: identity }) : err(IDENTITY_FORM);
}

/** The claims of a whole token, which is taken for one with a good signature. */
async function ofToken(text: string): Promise<Result<AssumedIdentity, string>> {
  // What reads tokens is loaded by those who have some.
  const { parseToken } = await import("../filters/credentials.ts");
  const token = parseToken(text, DEFAULTS.tokenBytesMax);
  return token.ok ? ok({ type: "jwt", claims: token.value.claims }) : err(token.error);
}
