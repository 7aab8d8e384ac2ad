import type { Site } from "../document.ts";
import type { Pattern } from "../pattern/index.ts";
import type { Subschema } from "../subschema.ts";
import type { Check } from "./run.ts";

/** What the checks of one schema need of the others, while all are compiled. */
export interface Compiling {
  /** For a member or item, which no other schema of the current one judges. */
  child(schema: Subschema): Check;
  /** For the value that the current schema judges. */
  inPlace(schema: Subschema): Check;
  patternOf(source: string, site: Site | null): Pattern;
  /** The same for letters of either case; null where case is told apart, or the pattern cannot be read so. */
  anyCasePatternOf(source: string): Pattern | null;
  /** A number of its own for a loop. */
  nextIndex(): number;
}
