import * as z from "zod";
import type { KeyPartSettings } from "../../limits/key.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { mode, object } from "../../support/schema.ts";
import { keyShape } from "./key-schema.ts";
import { queueShape } from "./queue-schema.ts";

const adaptiveSchema = z
  .union(
    [
      z.literal(true),
      object({
        min: z
          .int()
          .min(1)
          .max(DEFAULTS.concurrencyMax)
          .default(DEFAULTS.adaptiveMin)
          .describe(`The least that it falls to. ${DEFAULTS.adaptiveMin} if absent.`),
        tolerance: z
          .number()
          .min(1.1)
          .max(DEFAULTS.adaptiveToleranceMax)
          .default(DEFAULTS.adaptiveTolerance)
          .describe("How many times as long as unhurried an answer may take before it falls. 2 if absent."),
      }),
    ],
    { error: "expected true, or { min: 4, tolerance: 2 }" },
  )
  .transform((settings) =>
    settings === true ? { min: DEFAULTS.adaptiveMin, tolerance: DEFAULTS.adaptiveTolerance } : settings,
  );

/** A value under `limits:` that has a `concurrency`. */
export const concurrencySchema = object({
  concurrency: z
    .int()
    .min(1)
    .max(DEFAULTS.concurrencyMax)
    .describe("Requests of one key that may be under way at once; with 'adaptive' the most there may ever be."),
  key: z
    .union([z.literal("none").transform((): readonly KeyPartSettings[] => []), keyShape.key])
    .default([])
    .describe(
      "What has its own places: route, upstream, principal, any attribute, or a list of them. none, if absent: all requests share them.",
    ),
  ipv6Prefix: keyShape.ipv6Prefix,
  absent: keyShape.absent,
  queue: object(queueShape)
    .optional()
    .describe("Requests that find no place wait for one, callers in turn. They are refused at once if absent."),
  adaptive: adaptiveSchema
    .optional()
    .describe("The number follows how long the service takes to answer. It is fixed if absent."),
  mode: mode.optional(),
});

export type ConcurrencySettings = z.output<typeof concurrencySchema>;
