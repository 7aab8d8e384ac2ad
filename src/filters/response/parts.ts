import { Later } from "../lazy.ts";
import type { LeakSettings } from "../leak-schema.ts";
import type { Cap } from "./caps/compile.ts";
import type { CookiesSettings } from "./cookies/schema.ts";
import type { ErrorsSettings } from "./errors/schema.ts";
import type { FieldsSettings } from "./fields/schema.ts";
import type { LocationSettings } from "./location/schema.ts";
import type { MaskSettings } from "./mask/schema.ts";
import { LaterPart } from "./part.ts";
import type { ContractSettings } from "./validate/schema.ts";

/** Only policies with a condition load what it takes. */
export const CONDITIONS = new Later("response conditions", async () => {
  const { language } = await import("../authorize/when.ts");
  await language.prepare();
});

export const READING = new Later("response.reading", () => import("./reading.ts"));

/** What the policy says under each of the keys that judge answers. */
export interface SettingsOfParts {
  readonly maxBytes: Cap;
  readonly maxItems: Cap;
  readonly maxDepth: Cap;
  readonly validate: ContractSettings;
  readonly errors: ErrorsSettings;
  readonly fields: FieldsSettings;
  readonly mask: MaskSettings;
  readonly cookies: CookiesSettings;
  readonly location: LocationSettings;
  readonly leaks: LeakSettings;
}

export type PartName = keyof SettingsOfParts;

export type PartSettings = { readonly [Name in PartName]?: SettingsOfParts[Name] | undefined };

/**
 * The keys in the order in which they judge, whatever the order in the policy: what the service promised is judged on what
 * it sent, leaks on what would leave. A new one is a line here and its settings above.
 */
export const PARTS: { readonly [Name in PartName]: LaterPart<SettingsOfParts[Name]> } = {
  maxBytes: new LaterPart("maxBytes", async () => (await import("./caps/compile.ts")).maxBytesPart),
  maxItems: new LaterPart("maxItems", async () => (await import("./caps/compile.ts")).maxItemsPart),
  maxDepth: new LaterPart("maxDepth", async () => (await import("./caps/compile.ts")).maxDepthPart),
  validate: new LaterPart("validate", async () => (await import("./validate/compile.ts")).contractPart),
  errors: new LaterPart("errors", async () => (await import("./errors/compile.ts")).errorsPart),
  fields: new LaterPart("fields", async () => (await import("./fields/compile.ts")).fieldsPart),
  mask: new LaterPart("mask", async () => (await import("./mask/compile.ts")).maskPart),
  cookies: new LaterPart("cookies", async () => (await import("./cookies/compile.ts")).cookiesPart),
  location: new LaterPart("location", async () => (await import("./location/compile.ts")).locationPart),
  leaks: new LaterPart("leaks", async () => (await import("./leaks/compile.ts")).leaksPart),
};

export const PART_NAMES = Object.keys(PARTS) as PartName[];

/** What each of the keys loads. */
export const PART_LOADERS: Readonly<Record<string, () => Promise<void> | undefined>> = Object.fromEntries(
  PART_NAMES.map((name) => [name, () => both(READING.prepare(), PARTS[name].prepare())]),
);

/** Waits for both where one has to be waited for. */
export function both(one: Promise<void> | undefined, other: Promise<void> | undefined): Promise<void> | undefined {
  return one === undefined ? other : one.then(() => other);
}
