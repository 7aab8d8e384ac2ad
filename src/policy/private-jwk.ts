const KEY_TYPE = '"kty"';
const PRIVATE_MEMBERS = ["d", "k"] as const;

/**
 * Whether JSON is a JWK or a JWKS with a private key (RFC 7518 section 6: `d` of EC, OKP and RSA) or a secret one (`k`
 * of oct). What has no trace of one is not parsed, for schemas and policies are looked at, too.
 */
export function holdsPrivateJwk(content: Buffer): boolean {
  if (!content.includes(KEY_TYPE) || !PRIVATE_MEMBERS.some((name) => content.includes(`"${name}"`))) return false;
  let value: unknown;
  try {
    value = JSON.parse(content.toString());
  } catch {
    return false;
  }
  const keys = isObject(value) && Array.isArray(value["keys"]) ? value["keys"] : [value];
  return keys.some(
    (key) => isObject(key) && "kty" in key && PRIVATE_MEMBERS.some((name) => typeof key[name] === "string"),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
