import { Later } from "../lazy.ts";
import { LaterPart } from "./part.ts";

export const READING = new Later("response.reading", () => import("./reading.ts"));

/**
 * Keys of `response` that judge answers, in the order in which they do, whatever the order in the policy: what the service
 * promised is judged on what it sent, leaks on what would leave. A new one is a line here.
 */
export const PARTS = {
  maxBytes: new LaterPart<number>("maxBytes", async () => (await import("./caps/compile.ts")).maxBytesPart),
  maxItems: new LaterPart<number>("maxItems", async () => (await import("./caps/compile.ts")).maxItemsPart),
  maxDepth: new LaterPart<number>("maxDepth", async () => (await import("./caps/compile.ts")).maxDepthPart),
} as const;

export type PartName = keyof typeof PARTS;

/** What the policy says under each of the keys. */
export type PartSettings = {
  readonly [Name in PartName]?: ((typeof PARTS)[Name] extends LaterPart<infer Settings> ? Settings : never) | undefined;
};

export const PART_NAMES = Object.keys(PARTS) as PartName[];

/** What each of the keys loads. */
export const PART_LOADERS: Readonly<Record<string, () => Promise<void> | undefined>> = Object.fromEntries(
  PART_NAMES.map((name) => [name, () => both(READING.prepare(), PARTS[name].prepare())]),
);

function both(one: Promise<void> | undefined, other: Promise<void> | undefined): Promise<void> | undefined {
  return one === undefined ? other : one.then(() => other);
}
