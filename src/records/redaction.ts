import { maskTokens } from "../support/mask-tokens.ts";
import { logText } from "../telemetry/log-text.ts";

/**
 * What decision facts show, and what they never do. docs/records.md has this as a table, and a test plants a secret at each of
 * these places.
 */

/**
 * Headers whose values show. All others show their names alone: a value that nobody has thought of may be a credential.
 * Of these, too, what looks like one is masked.
 */
export const SHOWN_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "access-control-request-headers",
  "access-control-request-method",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "origin",
  "sec-fetch-dest",
  "sec-fetch-mode",
  "sec-fetch-site",
  "sec-websocket-version",
  "te",
  "transfer-encoding",
  "upgrade",
  "user-agent",
]);

/** Claims whose values show without being named: who issued the credential, for whom, and how its holder logged in. */
export const SHOWN_CLAIMS: readonly string[] = ["iss", "aud", "azp", "client_id", "acr"];

/** Text from outside: masked, cut, and without what acts on a terminal. Masked first: half a token is one, too. */
export function shown(text: string, charsMax: number): string {
  return logText(maskTokens(text), charsMax);
}
