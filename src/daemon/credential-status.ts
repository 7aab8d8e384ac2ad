import type { AuthenticatorFacts } from "../telemetry/telemetry.ts";

/** A credential that was used, as the admin port tells of it. */
export interface CredentialStatus {
  readonly authenticator: string;
  readonly caller: string;
  readonly credential: string;
  readonly lastUsedAt: string;
}

export function credentialStatus({ name, uses }: AuthenticatorFacts): CredentialStatus[] {
  return Array.from(uses?.() ?? [], ({ caller, credential, lastUsedMs }) => ({
    authenticator: name,
    caller,
    credential,
    lastUsedAt: new Date(lastUsedMs).toISOString(),
  }));
}
