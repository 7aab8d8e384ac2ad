import * as z from "zod";
import { ReplicaCount } from "../../limits/replica-count.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { object } from "../../support/schema.ts";
import type { LimitContext } from "../filter.ts";

export interface ReplicasSettings {
  readonly count: number | { readonly dns: string };
  /** Of the whole limit's n-th part, 0 to 1: what a replica may have beyond it. */
  readonly margin: number;
}

const margin = z
  .string()
  .regex(/^(?:100|[1-9]?\d)%$/, { error: "expected a share, as in 10%" })
  .transform((text) => Number(text.slice(0, -1)) / 100)
  .optional()
  .describe("What a replica may have beyond its part, as load is never even. 0% if absent.");
const number = z.int().min(1).max(DEFAULTS.replicasMax);

/** `replicas` of a limit. */
export const replicasSchema: z.ZodType<ReplicasSettings> = z
  .union(
    [
      number.transform((count) => ({ count, margin: 0 })),
      object({ count: number.describe("How many there are."), margin }).transform((settings) => ({
        count: settings.count,
        margin: settings.margin ?? 0,
      })),
      object({
        dns: z
          .string()
          .regex(
            /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/,
            {
              error: "expected a name of DNS, as in orders-headless.shop.svc.cluster.local",
            },
          )
          .describe("Name that has one address for each replica, as a headless service of Kubernetes has."),
        margin,
      }).transform((settings) => ({ count: { dns: settings.dns }, margin: settings.margin ?? 0 })),
    ],
    { error: "expected a number of replicas, or { dns: NAME, margin: 10% }" },
  )
  .describe("Each of so many replicas has its part of the limit, without a store. Each has the whole limit if absent.");

/** A replica's part of a limit. */
export interface Share {
  /** Times the whole limit; at most 1. */
  readonly factor: number;
  /** Behind what the whole limit is: how many replicas there are, and what each has. */
  readonly text: string;
}

/** Settings → part; null for the whole limit. */
export function compileShare(settings: ReplicasSettings | undefined, context: LimitContext): Share | null {
  if (settings === undefined) return null;
  const { count, margin: more } = settings;
  const found = typeof count === "number" ? count : countByName(count.dns, context);
  const factor = Math.min(1, (1 + more) / (found ?? 1));
  const name = typeof count === "number" ? "" : ` (${count.dns})`;
  if (found === null)
    return { factor: 1, text: `, of which each replica has all until it is known how many there are${name}` };
  const percent = Math.round(factor * 1000) / 10;
  return { factor, text: `, of which each of ${found} replica${found === 1 ? "" : "s"}${name} has ${percent} %` };
}

/** Compiling asks nobody: the policy compiles again when the count is another. */
function countByName(name: string, context: LimitContext): number | null {
  const replicas = context.resource("replica count", [name], (world) => new ReplicaCount(name, world));
  context.include(`replicas ${name}`, String(replicas.count ?? 0));
  return replicas.count;
}
