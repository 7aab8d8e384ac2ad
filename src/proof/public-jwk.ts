import { createPublicKey, type KeyObject } from "node:crypto";
import { weakKey } from "../message/weak-key.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { thumbprint } from "./thumbprint.ts";

/** A key that a client brings itself: it proves nothing but that the client has its other half. */
export interface PublicJwk {
  readonly key: KeyObject;
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string;
}

/** RFC 7518 section 6: who sends one of these has given its key away. */
const PRIVATE: readonly string[] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const PUBLIC: readonly string[] = ["kty", "crv", "x", "y", "n", "e"];

/** JWK → key, or what is wrong with it, without its content. */
export function readPublicJwk(jwk: unknown): Result<PublicJwk, string> {
  if (typeof jwk !== "object" || jwk === null || Array.isArray(jwk)) return err("no jwk");
  const members = jwk as Readonly<Record<string, unknown>>;
  if (PRIVATE.some((name) => name in members)) return err("a jwk with a private or secret key");
  const print = thumbprint(members);
  if (print === null) return err("a jwk that is no EC, OKP or RSA key");
  // Its members by name: what else it holds is nobody's business.
  const known = Object.fromEntries(
    PUBLIC.flatMap((name) => (typeof members[name] === "string" ? [[name, members[name]]] : [])),
  );
  let key: KeyObject;
  try {
    key = createPublicKey({ key: known, format: "jwk" });
  } catch {
    return err("a jwk that cannot be read");
  }
  // One key has one thumbprint: other texts of it (zeros in front, stray bits) are other keys to whoever compares texts.
  if (thumbprint({ ...key.export({ format: "jwk" }) }) !== print)
    return err("a jwk that is not written as RFC 7518 has it");
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && (bits < DEFAULTS.rsaKeyBitsMin || bits > DEFAULTS.proofKeyBitsMax)) {
    return err(`an RSA key of ${bits} bits`);
  }
  const weakness = weakKey(key);
  return weakness === null ? ok({ key, thumbprint: print }) : err(weakness);
}
