import type { Authenticator } from "../filters/authenticator-port.ts";

/**
 * Which authenticator takes its credential from there, whatever the name says; null where none does. Who asks for the value to be shown
 * is told so.
 */
export function credentialFrom(
  authenticators: Iterable<readonly [string, Pick<Authenticator, "credentialHeaders" | "credentialParameters">]>,
  where: "header" | "query",
  name: string,
): string | null {
  for (const [authenticator, { credentialHeaders, credentialParameters = [] }] of authenticators) {
    const isThere =
      where === "header" ? credentialHeaders.includes(name.toLowerCase()) : credentialParameters.includes(name);
    if (isThere) return authenticator;
  }
  return null;
}
