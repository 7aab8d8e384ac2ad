import { prepareKeys } from "../filters/limit/key-language.ts";
import type { Work } from "./work.ts";

/** Loads what bans are made of, where the policy has one. */
export async function prepareBans({ reader, registry }: Work): Promise<void> {
  if (reader.names(["bans"]).length === 0) return;
  await registry.bans.prepare();
  await prepareKeys(reader.raw(["bans"]));
}
