import * as z from "zod";
import { DistinctBook } from "../../limits/distinct/distinct-book.ts";
import { compileKey, type KeyPartSettings } from "../../limits/key.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, mode, object, sizeBytes } from "../../support/schema.ts";
import { defineLimit, type Limit, type LimitContext } from "../filter.ts";
import { DistinctLimit } from "./distinct-limit.ts";
import { type Absent, compileLimitKey } from "./key.ts";
import { keyShape } from "./key-schema.ts";
import { storeName } from "./schema.ts";
import { countedBy, limitPolicy } from "./told.ts";

interface DistinctSettings {
  readonly distinct: {
    readonly of: string;
    readonly per: readonly KeyPartSettings[];
    readonly limit: number;
    readonly window: number;
  };
  readonly ipv6Prefix?: number | undefined;
  readonly absent?: Absent | undefined;
  readonly maxBytes?: number | undefined;
  readonly store?: string | undefined;
  readonly mode?: number | undefined;
}

const { distinctLimitMax, distinctWindowMsMin, distinctWindowMsMax, distinctBytesMin, distinctBytesMax } = DEFAULTS;

const distinctSchema: z.ZodType<DistinctSettings> = object({
  distinct: object({
    of: z
      .string()
      .min(1)
      .max(DEFAULTS.attributeCharsMax)
      .describe("The attribute whose different values are counted, as path.orderId or query.id."),
    per: keyShape.key.describe("For whom they are counted: as the key of other limits, mostly principal."),
    limit: z
      .int()
      .min(1)
      .max(distinctLimitMax)
      .describe(`How many different values one may ask for within the window. At most ${distinctLimitMax}.`),
    window: durationMs
      .refine((ms) => ms >= distinctWindowMsMin && ms <= distinctWindowMsMax, { error: "expected from 1s to 7d" })
      .describe("How long a value counts after it was asked for last, as 10m."),
  }).describe("A guard against enumeration: how many different things a caller may ask for."),
  ipv6Prefix: keyShape.ipv6Prefix,
  absent: keyShape.absent,
  maxBytes: sizeBytes
    .refine((bytes) => bytes >= distinctBytesMin && bytes <= distinctBytesMax, {
      error: "expected from 64KiB to 256MiB",
    })
    .optional()
    .describe(
      `What all keys of the guard and their values may take up. ${DEFAULTS.distinctBytes / 2 ** 20}MiB if absent.`,
    ),
  store: storeName,
  mode: mode.optional(),
});

/** `distinct`: how many different things a caller may ask for. */
export const distinctKind = defineLimit<DistinctSettings>({
  word: "distinct",
  schema: distinctSchema,
  compile: compileDistinct,
});

function compileDistinct(name: string, settings: DistinctSettings, context: LimitContext): Limit | null {
  const { of, per, limit, window } = settings.distinct;
  const { maxBytes: bytesMax = DEFAULTS.distinctBytes, ipv6Prefix = DEFAULTS.limitIpv6Prefix } = settings;
  const key = compileLimitKey(name, { ...settings, key: per }, inPer(context));
  const member = compileKey([of], {
    ipv6Prefix,
    world: context,
    expressions: null,
  });
  if ("length" in member) {
    for (const { text } of member) context.problem(text, "distinct", "of");
    return null;
  }
  const windowSeconds = Math.ceil(window / 1000);
  const { scope, by } = countedBy(settings.store !== undefined, null);
  const policy = limitPolicy({ name, quota: limit, windowSeconds, unit: "distinct-values", scope }, context);
  const store = settings.store === undefined ? undefined : context.store(settings.store);
  if (key === null || policy === null || store === null) return null;
  const book = context.resource("distinct", [], (world) => new DistinctBook(world));
  const sets = book.share(JSON.stringify([name, key.reader.identity, member.identity]), { windowMs: window, bytesMax });
  const guard = new DistinctLimit(
    {
      policy,
      tellsPartition: context.tellsPartition,
      place: context.place(),
      enforcePercent: settings.mode ?? 100,
      key,
      of: member,
      limit,
      windowMs: window,
      countedBy: by,
      description: `${limit} different ${of} in ${window / 1000} s`,
      hasOthers: context.hasOthers,
      clock: context.clock,
    },
    sets,
  );
  return store === undefined ? guard : store.share(guard, 0);
}

/** The key of a guard stands in `distinct.per`, where other limits have `key`. */
function inPer(context: LimitContext): LimitContext {
  const place = (path: readonly (string | number)[]): readonly (string | number)[] =>
    path[0] === "key" ? ["distinct", "per", ...path.slice(1)] : path;
  return {
    ...context,
    place: (...path) => context.place(...place(path)),
    problem: (text, ...path) => context.problem(text, ...place(path)),
    problemWithin: (offset, text, ...path) => context.problemWithin(offset, text, ...place(path)),
  };
}
