import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from "node:crypto";
import type { Exchange } from "../message/exchange.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { SignatureAlgorithm } from "./algorithms.ts";
import { componentValue } from "./components.ts";
import { bytesOf, type InnerList, innerListText, isInnerList, itemText, readDictionary } from "./structured.ts";

/** One signature of a request as it stands in its two fields, not verified. */
export interface MessageSignature {
  readonly label: string;
  /** Components as they are signed: `"@method"`, `"@query-param";name="id"`. */
  readonly covered: readonly string[];
  readonly input: InnerList;
  readonly signature: Buffer;
  /** Seconds since 1970; null where it does not say. */
  readonly created: number | null;
  readonly expires: number | null;
  readonly keyid: string | null;
  readonly algorithm: string | null;
  readonly nonce: string | null;
  readonly tag: string | null;
}

/** The signatures of a request; null where it has none; the error is what is wrong with the fields. */
export function readSignatures({ headers }: Exchange): Result<readonly MessageSignature[], string> | null {
  const inputs = headers.list("signature-input");
  const values = headers.list("signature");
  if (inputs === undefined && values === undefined) return null;
  if (inputs === undefined || values === undefined)
    return err("one of Signature and Signature-Input without the other");
  const listed = readDictionary(inputs);
  if (!listed.ok) return err(`Signature-Input: ${listed.error}`);
  const signed = readDictionary(values);
  if (!signed.ok) return err(`Signature: ${signed.error}`);
  if (listed.value.size === 0 || listed.value.size > DEFAULTS.signaturesMax)
    return err(`${listed.value.size} signatures`);
  const signatures: MessageSignature[] = [];
  for (const [label, input] of listed.value) {
    const signature = bytesOf(signed.value.get(label)?.[0] ?? "");
    if (signature === null) return err("a label of Signature-Input that Signature does not have as bytes");
    if (!isInnerList(input)) return err("a Signature-Input that lists no components");
    const read = readOne(label, input, signature);
    if (!read.ok) return read;
    signatures.push(read.value);
  }
  return ok(signatures);
}

function readOne(label: string, input: InnerList, signature: Buffer): Result<MessageSignature, string> {
  const [items, parameters] = input;
  if (items.length > DEFAULTS.signatureComponentsMax) return err(`${items.length} components`);
  const covered = items.map((item) => itemText(item));
  if (new Set(covered).size < covered.length) return err("a component twice");
  const text = (name: string): string | null | undefined => {
    const value = parameters.get(name);
    return value === undefined ? null : typeof value === "string" ? value : undefined;
  };
  const time = (name: string): number | null | undefined => {
    const value = parameters.get(name);
    return value === undefined
      ? null
      : typeof value === "number" && Number.isInteger(value) && value >= 0
        ? value
        : undefined;
  };
  const [created, expires] = [time("created"), time("expires")];
  const [keyid, algorithm, nonce, tag] = [text("keyid"), text("alg"), text("nonce"), text("tag")];
  if (created === undefined || expires === undefined) return err("a time that is no whole number of seconds");
  if (keyid === undefined || algorithm === undefined || nonce === undefined || tag === undefined) {
    return err("a parameter that is no text");
  }
  return ok({ label, covered, input, signature, created, expires, keyid, algorithm, nonce, tag });
}

/**
 * What is signed (RFC 9421 section 2.5), or why there is no such thing. A value with a line break would write lines of its own;
 * the codec lets none through.
 */
export function signatureBase(
  { input, covered }: MessageSignature,
  exchange: Exchange,
  target: string,
): Result<string, string> {
  const lines: string[] = [];
  for (const [at, item] of input[0].entries()) {
    const value = componentValue(item, exchange, target);
    if (!value.ok) return value;
    lines.push(`${covered[at]}: ${value.value}`);
  }
  return ok([...lines, `"@signature-params": ${innerListText(input)}`].join("\n"));
}

/** A key can verify by one algorithm alone, which the policy says and no request. */
export function isSignatureOf(base: string, signature: Buffer, key: KeyObject, algorithm: SignatureAlgorithm): boolean {
  const bytes = Buffer.from(base, "latin1");
  switch (algorithm) {
    case "hmac-sha256": {
      const mac = createHmac("sha256", key).update(bytes).digest();
      return mac.length === signature.length && timingSafeEqual(mac, signature);
    }
    case "ed25519":
      return verify(null, bytes, key, signature);
    case "ecdsa-p256-sha256":
      return verify("sha256", bytes, { key, dsaEncoding: "ieee-p1363" }, signature);
    case "ecdsa-p384-sha384":
      return verify("sha384", bytes, { key, dsaEncoding: "ieee-p1363" }, signature);
    case "rsa-pss-sha512":
      return verify("sha512", bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 }, signature);
    case "rsa-v1_5-sha256":
      return verify("sha256", bytes, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
  }
}

/** What a key can be used for: null for a key that none of them takes. */
export function algorithmsOf(key: KeyObject): readonly SignatureAlgorithm[] {
  if (key.type === "secret") return ["hmac-sha256"];
  const { namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return ["ed25519"];
    case "ec":
      if (namedCurve === "prime256v1") return ["ecdsa-p256-sha256"];
      return namedCurve === "secp384r1" ? ["ecdsa-p384-sha384"] : [];
    case "rsa":
      return ["rsa-pss-sha512", "rsa-v1_5-sha256"];
    case "rsa-pss":
      return ["rsa-pss-sha512"];
    default:
      return [];
  }
}
