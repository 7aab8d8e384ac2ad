import { DEFAULTS } from "../../support/defaults.ts";
import { type JsonObject, parseJsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";

/** A compact JWS, read but not verified: nothing here is to be believed. */
export interface Token {
  readonly text: string;
  readonly algorithm: string;
  readonly kid: string | null;
  readonly typ: string | null;
  readonly claims: JsonObject;
  readonly signed: boolean;
}

/** Only Bearer and DPoP are ours; anything else may be for another authenticator. */
export const OTHER_SCHEME = null;

/** `Authorization` value → the token's text after one blank, or what is wrong with it. */
export function bearerToken(value: string): Result<string, string> | typeof OTHER_SCHEME {
  const scheme = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]*/.exec(value)?.[0] ?? "";
  if (!/^(?:bearer|dpop)$/i.test(scheme)) return OTHER_SCHEME;
  if (value[scheme.length] !== " ")
    return err(scheme === value ? `${scheme} without a token` : `no blank after ${scheme}`);
  return ok(value.slice(scheme.length + 1));
}

/**
 * Text → token (RFC 7515 section 5.2), or what is wrong with its form. Stricter than most readers: no padding, no
 * blanks, no stray bits at the end of a part, no member twice; so one token has one text and one reading.
 */
export function parseToken(text: string, bytesMax: number): Result<Token, string> {
  if (text.length > bytesMax) return err(`a token of ${text.length} bytes; 'maxTokenBytes' is ${bytesMax}`);
  const parts = text.split(".");
  if (parts.length !== 3) return err(partsFault(parts.length));
  const [header = "", payload = "", signature = ""] = parts;
  const headerJson = readPart(header);
  if (!headerJson.ok) return err(`a token whose header is ${headerJson.error}`);
  const claims = readPart(payload);
  if (!claims.ok) return err(`a token whose payload is ${claims.error}`);
  if (signature !== "" && decode(signature) === null) return err("a token whose signature is not base64url");
  const { alg, kid, typ, crit } = headerJson.value;
  if (typeof alg !== "string") return err("a token without alg");
  if (kid !== undefined && typeof kid !== "string") return err("a token whose kid is not text");
  if (typ !== undefined && typeof typ !== "string") return err("a token whose typ is not text");
  // RFC 7515 section 4.1.11: what is critical has to be understood, and postern understands no extension.
  if (crit !== undefined) return err("a token with critical extensions");
  const signed = signature !== "";
  return ok({ text, algorithm: alg, kid: kid ?? null, typ: typ ?? null, claims: claims.value, signed });
}

/** What clients get who ask their provider for a token without saying for which service. */
function partsFault(parts: number): string {
  if (parts === 1) return "an opaque token (1 part), as providers give where the client names no audience";
  if (parts === 5) return "an encrypted token (5 parts), as Auth0 gives where the client names no audience";
  return `a token of ${parts} parts`;
}

function readPart(part: string): Result<JsonObject, string> {
  const bytes = decode(part);
  return bytes === null ? err("not base64url") : parseJsonObject(bytes, DEFAULTS.jsonDepthMax);
}

/** Null unless `part` is the one way to write these bytes in base64url (RFC 7515 section 2). */
function decode(part: string): Buffer | null {
  const bytes = Buffer.from(part, "base64url");
  return part !== "" && bytes.toString("base64url") === part ? bytes : null;
}
