import { compileVersions } from "../filters/versions/compile.ts";
import { Versions } from "../filters/versions/evaluate.ts";
import { versionsSchema } from "../filters/versions/schema.ts";
import { type RouteTree, routeTreeSteps } from "../matching/route-tree.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { nearestHint } from "../support/schema.ts";
import type { Steps } from "../support/turns.ts";
import type { Path } from "./path.ts";
import { salvageContext } from "./salvage.ts";
import type { Route } from "./snapshot.ts";
import { routeSets, withOthersPlaces } from "./version-sets.ts";
import type { Work } from "./work.ts";

const SECTION: Path = ["versions"];

/** Section `versions`, before the routes. */
export function readVersions(work: Work): void {
  const value = work.reader.raw(SECTION);
  if (value === undefined) return;
  const read = work.reader.readParts(versionsSchema, value, SECTION);
  if (read === null || read.lost.length > 0) return;
  const context = salvageContext(
    work.context((inner) => [...SECTION, ...inner]),
    read,
  );
  work.versionRules = compileVersions(read.settings, context, work.requestIds?.header ?? null);
}

/** A tree for each version: which one a request is matched with is known before the match. */
export function* buildVersions(work: Work): Steps<void> {
  const { versionRules, routes } = work;
  if (versionRules === null) return;
  const sets = routeSets(work);
  const names = sets.flatMap(({ version }) => (version === null ? [] : [version]));
  if (names.length === 0) work.warning("no_effect", "no route has a 'version', so nothing goes by it", SECTION);
  if (names.length > DEFAULTS.versionsMax) {
    work.problem(`${names.length} versions; expected at most ${DEFAULTS.versionsMax}`, SECTION);
    return;
  }
  if (versionRules.default !== null && names.length > 0 && !names.includes(versionRules.default)) {
    const hint = nearestHint(versionRules.default, names);
    work.problem(`no route has version '${versionRules.default}'; ${hint}`, [...SECTION, "default"]);
  }
  if (!work.isWhole) return;
  const trees = new Map<string, RouteTree<Route>>();
  for (const set of sets) {
    const tree = yield* routeTreeSteps(withOthersPlaces(set, routes));
    if (set.version === null) work.tree = tree;
    else trees.set(set.version, tree);
  }
  if (work.tree !== null) work.versions = new Versions(versionRules, trees, work.tree);
}
