import { Later } from "../filters/lazy.ts";
import { hasKey } from "../support/has-key.ts";
import type { Work } from "./work.ts";

/** What reads the sections that few policies have, and of listeners and upstreams the settings that few have. */
export const sections = new Later("sections", () => import("./sections.ts"));

const SECTIONS = [
  "identity",
  "resourceMetadata",
  "plans",
  "bans",
  "revoked",
  "requestId",
  "geo",
  "versions",
  "ladder",
  "candidate",
  "guard",
];
const SETTINGS = ["spiffe", "trustBundles", "crl", "forwardedClientCertificate", "healthCheck"];

/** Loads it where the policy has one of them; undefined where it does not, or all is loaded. */
export function prepareSections({ reader }: Work): Promise<void> | undefined {
  const ends = [reader.raw(["listeners"]), reader.raw(["upstreams"])];
  const isUsed =
    SECTIONS.some((name) => reader.raw([name]) !== undefined) ||
    hasKey(ends, ...SETTINGS) ||
    reader.raw(["admin", "serviceProbes"]) !== undefined;
  return isUsed ? sections.prepare() : undefined;
}
