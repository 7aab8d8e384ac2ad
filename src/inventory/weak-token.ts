import type { Principal } from "../message/principal.ts";
import { DEFAULTS } from "../support/defaults.ts";

/** Why a token is weak; closed. The place in the list is the bit in which it is kept. */
export const TOKEN_WEAKNESSES = ["long_life", "no_expiry", "no_audience"] as const;

export type TokenWeakness = (typeof TOKEN_WEAKNESSES)[number];

/** What is wrong with a caller's token, as bits; 0 for nothing, and for who shows no token. */
export function weaknessOf({ type, claims, expiresAtMs }: Principal, nowMs: number): number {
  if (type !== "jwt" && type !== "introspection") return 0;
  const audience = claims["aud"];
  const hasAudience = typeof audience === "string" || (Array.isArray(audience) && audience.length > 0);
  return lifeWeakness(claims["iat"], expiresAtMs, nowMs) | (hasAudience ? 0 : 4);
}

/** Where it does not say when it was given, what is left of its life is known at least. */
function lifeWeakness(issuedAt: unknown, expiresAtMs: number, nowMs: number): number {
  if (expiresAtMs === Number.POSITIVE_INFINITY) return 2;
  const fromMs = typeof issuedAt === "number" ? issuedAt * 1000 : nowMs;
  return expiresAtMs - fromMs > DEFAULTS.inventoryTokenMsMax ? 1 : 0;
}

export function weaknessWords(bits: number): readonly TokenWeakness[] {
  return TOKEN_WEAKNESSES.filter((_, at) => (bits & (1 << at)) !== 0);
}
