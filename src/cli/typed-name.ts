import { relative } from "node:path";

/** A file name as one would type it in the folder `cwd`. */
export function typedName(cwd: string, name: string): string {
  const fromHere = relative(cwd, name) || ".";
  return fromHere.startsWith("..") ? name : fromHere;
}
