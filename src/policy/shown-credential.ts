import type { Work } from "./work.ts";

/**
 * Which authenticator takes its credential from there, whatever the name says; null where none does. Who asks for the value to be shown
 * is told so.
 */
export function credentialFrom(work: Work, where: "header" | "query", name: string): string | null {
  for (const [authenticator, { credentialHeaders, credentialParameters = [] }] of work.authenticators) {
    const isThere =
      where === "header" ? credentialHeaders.includes(name.toLowerCase()) : credentialParameters.includes(name);
    if (isThere) return authenticator;
  }
  return null;
}
