/**
 * The life of a request, in the order in which it is lived. The pipeline, the metrics, `explain` and the
 * documentation read this list; no phase exists elsewhere.
 */
export const PHASES = [
  "accept", // connection limits, TLS handshake, the peer's identity: once a connection, before any byte is believed
  "admit", // one valid reading or 400; address rules and limits by address, before anything costs a signature
  "match", // the route decides what is asked for; nothing is allowed that no route names
  "authenticate", // who asks: one of the route's authenticators yields a principal
  "authorize", // may they: scopes, roles, claims, SPIFFE IDs
  "limit", // how much: rates by principal, so after authentication
  "validate", // is it well formed: parameters and body, the costliest look, so after the cheap refusals
  "rewrite", // credentials and hop-by-hop headers off, identity headers on
  "forward", // to the service, only with a Permit
  "respond", // checks of the answer, on its head and on its body, response rules, then one telemetry event, whatever happened
] as const;

export type Phase = (typeof PHASES)[number];

/** Lived again by a stream that lasts, when the policy changes: what else there is was asked once, of one request. */
export const LASTING_PHASES: ReadonlySet<Phase> = new Set(["admit", "match", "authenticate", "authorize"]);
