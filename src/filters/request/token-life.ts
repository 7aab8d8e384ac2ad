import type { Principal } from "../../message/principal.ts";

/**
 * When a token ends that is made now, seconds since 1970: the credential ends when it ends, and what is said of it lives no longer,
 * but for what its grace lets in.
 */
export function endSeconds({ expiresAtMs, graceMs = 0 }: Principal, nowMs: number, lifetimeMs: number): number {
  const endMs = Math.min(nowMs + lifetimeMs, Math.max(expiresAtMs, nowMs) + graceMs);
  return Math.max(Math.ceil(endMs / 1000), Math.floor(nowMs / 1000) + 1);
}
