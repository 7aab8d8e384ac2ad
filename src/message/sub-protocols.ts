import { err, ok, type Result } from "../support/result.ts";
import type { HeaderBlock } from "./headers.ts";

const HEADER = "sec-websocket-protocol";
/** The entry before the token; it is what the client is answered where it offers nothing else. */
export const TOKEN_PROTOCOL = "bearer";
/** As the API server of Kubernetes reads it: the token behind it once more in base64url, without padding. */
const ENCODED_PREFIX = "base64url.bearer.authorization.k8s.io.";

/** What a WebSocket's client offers (RFC 6455 section 11.3.4), parted into tokens and protocols. */
export interface Offer {
  /** Each token that stands there, or what is wrong with it. */
  readonly tokens: readonly Result<string, string>[];
  /** What is left for the service. */
  readonly protocols: readonly string[];
  /** Whether a protocol that is no secret came with a token. */
  readonly namesToken: boolean;
}

/**
 * Browsers can set no header of a WebSocket's handshake but its sub-protocols: `bearer, TOKEN`, or one entry as Kubernetes has
 * it. The lines of the header are one list. Null where there is no token.
 */
export function readOffer({ names, values }: HeaderBlock): Offer | null {
  if (!names.includes(HEADER)) return null;
  const entries = values
    .flatMap((value, at) => (names[at] === HEADER ? value.split(",") : []))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const tokens: Result<string, string>[] = [];
  const protocols: string[] = [];
  let namesToken = false;
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at] ?? "";
    if (entry.toLowerCase() === TOKEN_PROTOCOL) {
      const token = entries[++at];
      namesToken ||= entry === TOKEN_PROTOCOL;
      tokens.push(token === undefined ? err("the sub-protocol 'bearer' without a token behind it") : ok(token));
    } else if (entry.toLowerCase().startsWith(ENCODED_PREFIX)) tokens.push(decoded(entry.slice(ENCODED_PREFIX.length)));
    else protocols.push(entry);
  }
  return tokens.length === 0 ? null : { tokens, protocols, namesToken };
}

function decoded(text: string): Result<string, string> {
  const bytes = Buffer.from(text, "base64url");
  if (text === "" || bytes.toString("base64url") !== text)
    return err("a sub-protocol with a token that is not base64url");
  return ok(bytes.toString("latin1"));
}
