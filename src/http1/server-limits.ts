import type { BodyPaceLimits } from "./body-pace.ts";
import type { QuotaLimits } from "./request-quota.ts";

/** What a client may take of one connection, whatever it speaks. */
export interface ServerLimits extends BodyPaceLimits, QuotaLimits {
  readonly headBytesMax: number;
  readonly headersCountMax: number;
  readonly headTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly writeTimeoutMs: number;
}
