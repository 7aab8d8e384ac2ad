import { constants, type KeyObject, verify } from "node:crypto";
import { DEFAULTS } from "../support/defaults.ts";
import { type JsonObject, parseJsonObject } from "../support/json.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { PROOF_ALGORITHMS } from "./algorithms.ts";

export type ProofAlgorithm = (typeof PROOF_ALGORITHMS)[number];

/** A compact JWS, read but not verified. */
export interface Jws {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  readonly signature: Buffer;
  /** What is signed. */
  readonly input: Buffer;
}

/** RFC 7515 section 5.2; one text, one reading: no padding, no stray bits, no member twice. */
export function readJws(text: string): Result<Jws, string> {
  if (text.length > DEFAULTS.proofBytesMax) return err(`${text.length} bytes`);
  const parts = text.split(".");
  const [header, payload, signature] = parts.map(decode);
  if (parts.length !== 3 || !header || !payload || !signature) return err("not three parts of base64url");
  const headerJson = parseJsonObject(header, DEFAULTS.jsonDepthMax);
  if (!headerJson.ok) return err(`a header that is ${headerJson.error}`);
  const payloadJson = parseJsonObject(payload, DEFAULTS.jsonDepthMax);
  if (!payloadJson.ok) return err(`a payload that is ${payloadJson.error}`);
  const input = Buffer.from(text.slice(0, text.lastIndexOf(".")), "latin1");
  return ok({ header: headerJson.value, payload: payloadJson.value, signature, input });
}

function decode(part: string): Buffer | null {
  const bytes = Buffer.from(part, "base64url");
  return part !== "" && bytes.toString("base64url") === part ? bytes : null;
}

interface Scheme {
  readonly type: string;
  readonly curve?: string;
  readonly digest: string | null;
  readonly padding?: number;
}

const SCHEMES: Readonly<Record<ProofAlgorithm, Scheme>> = {
  ES256: { type: "ec", curve: "prime256v1", digest: "sha256" },
  ES384: { type: "ec", curve: "secp384r1", digest: "sha384" },
  ES512: { type: "ec", curve: "secp521r1", digest: "sha512" },
  EdDSA: { type: "ed25519", digest: null },
  Ed25519: { type: "ed25519", digest: null },
  RS256: { type: "rsa", digest: "sha256" },
  PS256: { type: "rsa", digest: "sha256", padding: constants.RSA_PKCS1_PSS_PADDING },
};

/** False also for a key of another type or curve than the algorithm's. */
export function isSignedBy(jws: Jws, algorithm: ProofAlgorithm, key: KeyObject): boolean {
  const { type, curve, digest, padding } = SCHEMES[algorithm];
  if (key.asymmetricKeyType !== type) return false;
  if (curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== curve) return false;
  const pss = padding === undefined ? {} : { padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return verify(digest, jws.input, { key, dsaEncoding: "ieee-p1363", ...pss }, jws.signature);
}
