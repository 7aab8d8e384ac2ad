import { err, ok, type Result } from "./result.ts";

const DURATION_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_BYTES = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const RATE_SECONDS = { second: 1, minute: 60, hour: 3600, day: 86_400 } as const;

export const DURATION_PATTERN = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;
export const SIZE_PATTERN = /^(\d{1,12}(?:\.\d{1,3})?)(B|KB|MB|GB|KiB|MiB|GiB)$/;
export const BYTE_RATE_PATTERN = /^\d{1,12}(?:\.\d{1,3})?(?:B|KB|MB|GB|KiB|MiB|GiB)\/s(?:econd)?$/;
export const RATE_PATTERN = /^([1-9]\d{0,8})\/(second|minute|hour|day)$/;

/** '250ms', '1s', '1.5m', '2h', '1d' → milliseconds. */
export function parseDurationMs(text: string): Result<number, string> {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) return err(`'${text}' is not a duration; expected a number and one of ms, s, m, h, d, as in 30s`);
  return ok(Number(match[1]) * DURATION_MS[match[2] as keyof typeof DURATION_MS]);
}

/** '64B', '256KiB', '10MB' → bytes. */
export function parseSizeBytes(text: string): Result<number, string> {
  const match = SIZE_PATTERN.exec(text);
  if (match === null) {
    return err(`'${text}' is not a size; expected a number and one of B, KB, MB, GB, KiB, MiB, GiB, as in 256KiB`);
  }
  return ok(Math.floor(Number(match[1]) * SIZE_BYTES[match[2] as keyof typeof SIZE_BYTES]));
}

export interface Rate {
  /** Requests allowed per window. */
  readonly count: number;
  readonly windowSeconds: number;
}

/** '50/second', '1000/hour' → count and window. */
export function parseRate(text: string): Result<Rate, string> {
  const match = RATE_PATTERN.exec(text);
  if (match === null) {
    return err(`'${text}' is not a rate; expected COUNT/second, /minute, /hour or /day, as in 50/second`);
  }
  return ok({ count: Number(match[1]), windowSeconds: RATE_SECONDS[match[2] as keyof typeof RATE_SECONDS] });
}
