import type { CallFault } from "./call.ts";
import { ADDRESS_REFUSED } from "./lookup.ts";

/** Code of the error for a certificate that is good and of somebody else. */
export const WRONG_SERVER = "ERR_POSTERN_WRONG_SERVER";

const KINDS: ReadonlyMap<string, CallFault["kind"]> = new Map([
  [ADDRESS_REFUSED, "address_refused"],
  [WRONG_SERVER, "tls_untrusted"],
  ["ENOTFOUND", "name_unknown"],
  ["EAI_AGAIN", "name_unknown"],
  ["UND_ERR_CONNECT_TIMEOUT", "connect_timeout"],
  ["UND_ERR_HEADERS_TIMEOUT", "timeout"],
  ["UND_ERR_BODY_TIMEOUT", "timeout"],
  ["UND_ERR_HEADERS_OVERFLOW", "answer_too_large"],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "answer_malformed"],
  ["UND_ERR_CLOSED", "closed"],
]);

const WORDS: ReadonlyMap<string, string> = new Map([
  [ADDRESS_REFUSED, "the name leads to a link-local or metadata address"],
  [WRONG_SERVER, "its certificate is not that of the server that the policy names"],
  ["ENOTFOUND", "no address by that name"],
  ["EAI_AGAIN", "no answer of DNS"],
  ["ECONNREFUSED", "nobody listens there"],
  ["ECONNRESET", "the connection was cut"],
  ["UND_ERR_SOCKET", "the connection was cut"],
  ["UND_ERR_CONNECT_TIMEOUT", "no connection in time"],
  ["UND_ERR_HEADERS_TIMEOUT", "no answer in time"],
  ["UND_ERR_BODY_TIMEOUT", "the answer stopped"],
  ["UND_ERR_HEADERS_OVERFLOW", "an answer with too long a head"],
]);

/** Codes of OpenSSL and Node for a certificate that is not believed. */
const UNTRUSTED = /^(?:CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_|ERR_SSL_)/;

/** What undici, Node or OpenSSL threw → why there is no answer. The message is left out: it may quote what was sent. */
export function callFault(error: unknown): CallFault {
  if (error instanceof Error && error.name === "HTTPParserError") {
    return { kind: "answer_malformed", text: "an answer that is no HTTP" };
  }
  const code = codeOf(error);
  const kind = KINDS.get(code) ?? (UNTRUSTED.test(code) ? "tls_untrusted" : otherKind(code));
  return { kind, text: WORDS.get(code) ?? (code === "" ? "the call failed" : `the call failed: ${code}`) };
}

function otherKind(code: string): CallFault["kind"] {
  return code.startsWith("UND_ERR_RES") ? "answer_malformed" : "connect_failed";
}

/** The code of the error, or of what caused it: happy eyeballs wrap one error for each address. */
function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  if ("errors" in error && Array.isArray(error.errors)) return codeOf(error.errors[0]);
  return "cause" in error ? codeOf(error.cause) : "";
}
