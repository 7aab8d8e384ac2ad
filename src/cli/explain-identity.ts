import { parse as parseYaml } from "yaml";
import type { AssumedIdentity } from "../message/exchange.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";

/** Who is supposed to ask: an identity, or the file of a certificate that is judged as a real one. */
export interface SupposedCaller {
  readonly assumed: AssumedIdentity | null;
  readonly certificate: string | undefined;
}

const FORM = `expected --as '{ jwt: { scope: "orders:read" } }', '{ jwt: TOKEN }', '{ api-key: NAME }', '{ basic: USER }', '{ signature: CALLER }' or '{ certificate: FILE }'`;

/** What `--as` says, one entry in YAML; null for nothing. */
export async function readIdentity(text: string | null): Promise<Result<SupposedCaller, string>> {
  if (text === null) return ok({ assumed: null, certificate: undefined });
  let value: unknown;
  try {
    value = parseYaml(text, { maxAliasCount: 0 });
  } catch {
    return err(FORM);
  }
  if (typeof value !== "object" || value === null) return err(FORM);
  const [entry, ...rest] = Object.entries(value);
  if (entry === undefined || rest.length > 0) return err(FORM);
  const [type, identity]: [string, unknown] = entry;
  if (type === "certificate" && typeof identity === "string") return ok({ assumed: null, certificate: identity });
  const isToken = type === "jwt" && typeof identity === "string";
  const assumed = isToken ? await ofToken(identity) : assumedIdentity(type, identity);
  return assumed.ok ? ok({ assumed: assumed.value, certificate: undefined }) : assumed;
}

function assumedIdentity(type: string, identity: unknown): Result<AssumedIdentity, string> {
  if (type === "jwt" && typeof identity === "object" && identity !== null && !Array.isArray(identity)) {
    return ok({ type, claims: Object.fromEntries(Object.entries(identity)) });
  }
  if (typeof identity !== "string") return err(FORM);
  if (type === "basic") return ok({ type, user: identity });
  return type === "api-key" || type === "signature" ? ok({ type, caller: identity }) : err(FORM);
}

/** The claims of a whole token, which is taken for one with a good signature. */
async function ofToken(text: string): Promise<Result<AssumedIdentity, string>> {
  // What reads tokens is loaded by those who have some.
  const { parseToken } = await import("../filters/credentials.ts");
  const token = parseToken(text, DEFAULTS.tokenBytesMax);
  return token.ok ? ok({ type: "jwt", claims: token.value.claims }) : err(`--as: ${token.error}`);
}
