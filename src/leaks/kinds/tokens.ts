import { byteSet } from "../byte-set.ts";
import { entropyOf } from "../checksums.ts";
import { type Detector, token } from "../kind.ts";

const BASE64URL_AND_DOT = byteSet("A-Za-z0-9_.-");
const TOKEN68 = byteSet("A-Za-z0-9._~+/=-");
/** Bits a character that a random text has at least, of whatever signs. */
const BITS_MIN = 3;
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
  token("bearer-token", "tokens", {
    about: "Bearer token of no known form, as it stands in a line of a head",
    shapes: ["Bearer [A-Za-z0-9._~+/-]{20,512}"],
    ignoresCase: true,
    checksum: `letters and digits, entropy of ${BITS_MIN} bits a character; no JWT`,
    isChecked: (found) => isOpaque(found.slice("bearer ".length)),
    scores: { shape: 20, checksum: 40 },
    source: "RFC 6750 section 2.1",
    isOpen: true,
    tail: { set: TOKEN68, until: "", bytesMax: TAIL_BYTES_MAX },
  }),
  token("basic-credentials", "passwords", {
    about: "Credentials of HTTP Basic",
    shapes: ["Basic [A-Za-z0-9+/]{8,512}={0,2}"],
    ignoresCase: true,
    checksum: "decodes to name:password",
    isChecked: (found) => isPair(found.slice("basic ".length)),
    scores: { shape: 20, checksum: 40 },
    source: "RFC 7617 section 2",
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

function isOpaque(value: string): boolean {
  if (/^eyJ[\w-]+\./.test(value) || !/\d/.test(value) || !/[A-Za-z]/.test(value)) return false;
  return entropyOf(value) >= BITS_MIN;
}

/** One half may be empty, as where an API key is the name. */
function isPair(base64: string): boolean {
  return /^[^\u0000-\u001f\u007f\ufffd]+$/.test(pairIn(base64)) && pairIn(base64).includes(":");
}

const pairIn = (base64: string): string => Buffer.from(base64, "base64").toString("utf8");

function isJoseHeader(part: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof header === "object" && header !== null && "alg" in header;
  } catch {
    return false;
  }
}
