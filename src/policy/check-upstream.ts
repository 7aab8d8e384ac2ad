import type { Path } from "./path.ts";
import type { Work } from "./work.ts";

/** Reports a name that `upstreams` does not have. */
export function checkUpstream(work: Work, name: string, path: Path): boolean {
  if (work.upstreams.isDefined(name)) return true;
  work.problem(`no upstream '${name}' is defined; ${work.upstreams.hint(name)}`, path);
  return false;
}
