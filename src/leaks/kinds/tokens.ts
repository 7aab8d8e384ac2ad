import { byteSet } from "../byte-set.ts";
import { type Detector, token } from "../kind.ts";

const BASE64URL_AND_DOT = byteSet("A-Za-z0-9_.-");
const TAIL_BYTES_MAX = 16 * 1024;

/** Tokens that speak for somebody, whoever made them. */
export const TOKENS: readonly Detector[] = [
  token("jwt", "tokens", {
    about: "JSON Web Token, signed or encrypted",
    shapes: ["eyJ[A-Za-z0-9_-]{10,512}.[A-Za-z0-9_-]{10}"],
    checksum: "the first part is a JSON object with `alg`",
    isChecked: (found) => isJoseHeader(found.split(".")[0] ?? ""),
    scores: { shape: 20, checksum: 50, word: 0 },
    source: "RFC 7519, RFC 7515 section 3",
    isOpen: true,
    tail: { set: BASE64URL_AND_DOT, until: "", bytesMax: TAIL_BYTES_MAX },
  }),
  token("paseto", "tokens", {
    about: "Platform-agnostic security token",
    shapes: ["v[1-4].local.[A-Za-z0-9_-]{40}", "v[1-4].public.[A-Za-z0-9_-]{40}"],
    source: "draft-paragon-paseto-rfc",
    isOpen: true,
    tail: { set: BASE64URL_AND_DOT, until: "", bytesMax: TAIL_BYTES_MAX },
  }),
  token("secret-token", "tokens", {
    about: "Secret as a URI",
    shapes: ["secret-token:[A-Za-z0-9%._~!$&*+,;=:@/-]{8,512}"],
    source: "RFC 8959",
  }),
  token("otp-secret", "tokens", {
    about: "Secret of one-time passwords, as authenticator apps scan it",
    shapes: [
      "otpauth://totp/[A-Za-z0-9%._~!$&*+,;=:@/?-]{8,512}",
      "otpauth://hotp/[A-Za-z0-9%._~!$&*+,;=:@/?-]{8,512}",
    ],
    source: "github.com/google/google-authenticator: Key URI format",
  }),
];

function isJoseHeader(part: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof header === "object" && header !== null && "alg" in header;
  } catch {
    return false;
  }
}
