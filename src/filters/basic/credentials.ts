import { isUtf8 } from "node:buffer";
import { err, ok, type Result } from "../../support/result.ts";

/** What Authorization says behind Basic (RFC 7617): nothing of it is verified. */
export interface BasicCredentials {
  readonly user: string;
  /** UTF-8 in Unicode's form NFC, so that one password is one text from whatever keyboard. */
  readonly password: Buffer;
}

/** Another scheme is for another authenticator. */
export const OTHER_SCHEME = null;

/** `Authorization` value → user and password, or what is wrong with its form; nothing of either is in the text. */
export function basicCredentials(value: string): Result<BasicCredentials, string> | typeof OTHER_SCHEME {
  if (!/^basic(?: |$)/i.test(value)) return OTHER_SCHEME;
  const encoded = value.slice("basic ".length);
  if (encoded.length > ENCODED_CHARS_MAX) return err("credentials that are too long");
  const bytes = Buffer.from(encoded, "base64");
  // One text for one pair: no blanks, no stray bits, padding as RFC 4648 has it.
  if (encoded === "" || bytes.toString("base64") !== encoded) return err("credentials that are not base64");
  if (!isUtf8(bytes)) return err("credentials that are not UTF-8");
  const text = bytes.toString("utf8");
  // RFC 7617 section 2: neither may have control characters.
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) return err("credentials with control characters");
  const colon = text.indexOf(":");
  if (colon < 0) return err("credentials without a colon");
  return ok({ user: text.slice(0, colon), password: passwordBytes(text.slice(colon + 1)) });
}

export function passwordBytes(password: string): Buffer {
  return Buffer.from(password.normalize("NFC"), "utf8");
}

const ENCODED_CHARS_MAX = 1_024;
