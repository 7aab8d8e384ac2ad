import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, mode, object, sizeBytes } from "../../support/schema.ts";
import { systemTimers } from "../../support/timers.ts";
import { BYTE_RATE_PATTERN, parseSizeBytes } from "../../support/units.ts";
import { defineLimit, type Limit, type LimitContext } from "../filter.ts";
import { BandwidthLimit } from "./bandwidth.ts";
import { compileLimitKey, type KeySettings } from "./key.ts";
import { keyShape } from "./key-schema.ts";
import { limitPolicy } from "./told.ts";

interface BandwidthSettings extends KeySettings {
  readonly bandwidth: ByteRate;
  readonly of?: "request" | "response" | "both" | undefined;
  readonly burst?: number | undefined;
  readonly maxDelay?: number | undefined;
  readonly maxKeys?: number | undefined;
  readonly mode?: number | undefined;
}

interface ByteRate {
  readonly bytesPerSecond: number;
  readonly text: string;
}

const EXPECTED = "expected bytes a second, as in 1MiB/s";

const bandwidth: z.ZodType<ByteRate, string> = z
  .string({ error: EXPECTED })
  .regex(BYTE_RATE_PATTERN, { error: EXPECTED })
  .transform((text) => {
    const parsed = parseSizeBytes(text.replace(/\/s(?:econd)?$/, ""));
    return { bytesPerSecond: parsed.ok ? parsed.value : 0, text };
  })
  .refine(({ bytesPerSecond }) => bytesPerSecond >= DEFAULTS.bandwidthBytesMin, {
    error: `expected at least ${DEFAULTS.bandwidthBytesMin}B/s`,
  });

/** A value under `limits:` that has a `bandwidth`. */
const bandwidthSchema: z.ZodType<BandwidthSettings> = object({
  bandwidth: bandwidth.describe("Bytes of bodies that each key may move, as in 1MiB/s. What is too fast waits."),
  of: z
    .enum(["request", "response", "both"], { error: "expected request, response or both" })
    .optional()
    .describe("Whose bytes: of what clients send, of what they get, or of both together. response if absent."),
  burst: sizeBytes.optional().describe("Bytes that may come at once. Those of one second if absent."),
  maxDelay: durationMs
    .refine((ms) => ms >= 1_000 && ms <= DEFAULTS.bandwidthDelayMsMax, { error: "expected a time of 1s to 1h" })
    .optional()
    .describe("Requests of a key that would have to wait for longer are refused. 30s if absent."),
  ...keyShape,
  maxKeys: z
    .int()
    .min(DEFAULTS.rateKeysMin)
    .max(DEFAULTS.rateKeysMax)
    .optional()
    .describe(`How many keys are counted at once, rounded up to a power of two. Default ${DEFAULTS.rateKeys}.`),
  mode: mode.optional(),
});

/** `bandwidth`: so many bytes a second, of all requests of a key together; what is too fast waits. */
export const bandwidthKind = defineLimit<BandwidthSettings>({
  word: "bandwidth",
  schema: bandwidthSchema,
  compile: compileBandwidth,
});

function compileBandwidth(name: string, settings: BandwidthSettings, context: LimitContext): Limit | null {
  const { bytesPerSecond, text } = settings.bandwidth;
  const { of = "response", burst = bytesPerSecond, maxDelay = DEFAULTS.bandwidthDelayMs } = settings;
  const key = compileLimitKey(name, settings, context);
  const windowSeconds = Math.max(1, Math.ceil(burst / bytesPerSecond));
  const policy = limitPolicy({ name, quota: burst, windowSeconds, unit: "content-bytes", scope: "process" }, context);
  if (key === null || policy === null) return null;
  const keys = 2 ** Math.ceil(Math.log2(settings.maxKeys ?? context.usualKeys));
  const byteMs = 1000 / bytesPerSecond;
  const bytes = of === "both" ? "requests and responses" : `${of}s`;
  return new BandwidthLimit(
    {
      policy,
      tellsPartition: context.tellsPartition,
      place: context.place(),
      enforcePercent: settings.mode ?? 100,
      key,
      keys,
      way: of === "both" ? null : of,
      byteMs,
      toleranceMs: burst * byteMs,
      delayMaxMs: maxDelay,
      countedBy: "this process",
      description: `${text} of ${bytes}, burst ${burst} bytes`,
      timers: systemTimers,
    },
    context.tables.share(JSON.stringify(["bandwidth", name, key.reader.identity]), keys),
  );
}
