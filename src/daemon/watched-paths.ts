import { lstatSync, readlinkSync } from "node:fs";
import { dirname, join, parse, sep } from "node:path";
import { DEFAULTS } from "../support/defaults.ts";

/**
 * The directory entries on which the content of `file` depends: the file where it really is, and every symbolic link
 * on the way. Kubernetes swaps a link called `..data` two steps away from the name in the policy, and the file itself
 * never changes.
 */
export function watchedPaths(file: string): readonly string[] {
  const found = new Set<string>();
  let current = parse(file).root;
  let rest = segments(file);
  let links = 0;
  while (rest.length > 0 && links <= DEFAULTS.watchedLinksMax) {
    const [segment = "", ...after] = rest;
    rest = after;
    if (segment === "..") {
      current = dirname(current);
      continue;
    }
    const entry = join(current, segment);
    const link = linkTarget(entry);
    if (link === null || after.length === 0) found.add(entry);
    // Nothing there yet: its coming is what there is to see.
    if (link === null) break;
    if (link === "") {
      current = entry;
      continue;
    }
    found.add(entry);
    links++;
    if (link.startsWith(sep)) current = parse(link).root;
    rest = [...segments(link), ...after];
  }
  return [...found];
}

/** Target of a symbolic link, empty for anything else, null where there is nothing. */
function linkTarget(entry: string): string | null {
  try {
    return lstatSync(entry).isSymbolicLink() ? readlinkSync(entry) : "";
  } catch {
    return null;
  }
}

function segments(path: string): string[] {
  return path.split(sep).filter((segment) => segment !== "" && segment !== ".");
}
