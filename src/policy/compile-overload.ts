import { compileOverload } from "../filters/overload/compile.ts";
import { overloadSchema } from "../filters/overload/schema.ts";
import type { Path } from "./path.ts";
import { salvageContext } from "./salvage.ts";
import type { Work } from "./work.ts";

/** Section `overload`. */
export function readOverload(work: Work): void {
  const path: Path = ["overload"];
  const value = work.reader.raw(path);
  if (value === undefined) return;
  const parts = work.reader.readParts(overloadSchema, value, path);
  if (parts === null) return;
  const context = salvageContext(
    work.context((inner) => [...path, ...inner]),
    parts,
  );
  work.overload = compileOverload(parts.settings, context);
}
