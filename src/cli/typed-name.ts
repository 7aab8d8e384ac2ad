import { relative } from "node:path";

/** A file name as one would type it in the folder `cwd`. */
export function typedName(cwd: string, name: string): string {
  const fromHere = relative(cwd, name) || ".";
  return fromHere.startsWith("..") ? name : fromHere;
}

/** What to type for `postern`: who came by npx or npm run has no link of that name. */
export function typedCommand(environment: NodeJS.ProcessEnv): string {
  return environment["npm_command"] === undefined ? "postern" : "npx postern";
}
