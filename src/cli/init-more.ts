import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "../support/result.ts";
import { openDevelopmentCa } from "./development-ca.ts";
import { signToken } from "./development-token.ts";
import { CERTIFICATE_DAYS, clientFiles, FILES, FIRST_CALLER, type NewFile, spiffeIdOf } from "./first-files.ts";

/** Also the name of a folder, and a segment of a SPIFFE ID. */
const CLIENT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** A further client certificate by the CA that `init` left in `folder` → its files. */
export async function initClient(
  folder: string,
  name: string,
  nowMs: number,
): Promise<Result<readonly NewFile[], string>> {
  if (!CLIENT_NAME.test(name)) return err(`'${name}' is no name of a client; expected letters, digits, - and _`);
  const certificate = read(folder, FILES.ca);
  if (!certificate.ok) return certificate;
  const key = read(folder, FILES.caKey);
  if (!key.ok) return key;
  const ca = await openDevelopmentCa(certificate.value, key.value, nowMs, CERTIFICATE_DAYS);
  if (!ca.ok) return err(`${join(folder, FILES.ca)} ${ca.error}`);
  return ok(clientFiles(name, await ca.value.issue({ commonName: name, usage: "client", uris: [spiffeIdOf(name)] })));
}

export interface WantedToken {
  readonly subject?: string | undefined;
  /** Names parted by blanks (RFC 8693 section 4.2). */
  readonly scope?: string | undefined;
}

/** A token by the issuer that `init` left in `folder`. */
export function initToken(
  folder: string,
  { subject = FIRST_CALLER, scope }: WantedToken,
  nowMs: number,
): Result<string, string> {
  const key = read(folder, FILES.issuerKey);
  if (!key.ok) return key;
  const claims = read(folder, FILES.claims);
  if (!claims.ok) return claims;
  try {
    const own: unknown = JSON.parse(claims.value);
    return ok(signToken(createPrivateKey(key.value), { ...Object(own), sub: subject, scope }, nowMs));
  } catch {
    // Without the error's text, which may quote the key.
    return err(`${join(folder, FILES.issuerKey)} is no private key of PEM, or ${FILES.claims} is no JSON`);
  }
}

function read(folder: string, name: string): Result<string, string> {
  const file = join(folder, name);
  try {
    return ok(readFileSync(file, "utf8"));
  } catch {
    return err(`${file} cannot be read; expected a folder that 'postern init' made`);
  }
}
