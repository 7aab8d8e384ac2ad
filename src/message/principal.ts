/** Who is asking, as one authenticator established it. Immutable and shared by all requests of a verified token. */
export interface Principal {
  /** The authenticator's name in the policy. */
  readonly authenticator: string;
  readonly type: "client-certificate" | "api-key" | "basic" | "jwt" | "introspection" | "signature" | "anonymous";
  /** `sub` or client id of a token, name of an API key's caller, SPIFFE ID or subject of a certificate. */
  readonly id: string;
  /** `authenticator/id`: what counters are keyed by, so that two authenticators' equal ids stay apart. */
  readonly key: string;
  readonly scopes: ReadonlySet<string>;
  /** As the authenticator reads them from its credentials; absent where it leaves that to the claims `roles` and `groups`. */
  readonly roles?: ReadonlySet<string>;
  readonly groups?: ReadonlySet<string>;
  /** Claims of the token, or attributes of the key; empty for certificates. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Unix milliseconds after which the credential is void; Infinity where it has no end. */
  readonly expiresAtMs: number;
  /** How much longer new requests are let in with it, for clocks differ; 0 if absent. */
  readonly graceMs?: number;
  /** The policy's limit that the caller's own entry in a file names. */
  readonly limit?: string;
  /** The policy's plan that it names. */
  readonly plan?: string;
}
