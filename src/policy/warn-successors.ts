import type { Steps } from "../support/turns.ts";
import { DEFAULTS_KEY } from "./compile-defaults.ts";
import { memberOf } from "./issues.ts";
import type { Path } from "./path.ts";
import type { Work } from "./work.ts";

/** Warns where clients of what ends are led to a path that nothing of the policy serves. */
export function* warnSuccessors(work: Work): Steps<void> {
  const { reader } = work;
  const routes = reader.raw(["routes"]);
  const owners: readonly unknown[] = [reader.raw([DEFAULTS_KEY]), ...(Array.isArray(routes) ? routes : [])];
  if (owners.every((owner) => memberOf(owner, "deprecated") === undefined)) return;
  const beginnings = work.routes.map(({ template }) => template.replace(/[{*].*$/, ""));
  const count = reader.listLength(["routes"]);
  for (let at = -1; at < count; at++) {
    const path: Path = [...(at < 0 ? [DEFAULTS_KEY] : ["routes", at]), "deprecated", "successor"];
    const successor = reader.raw(path);
    if (typeof successor !== "string" || !successor.startsWith("/")) continue;
    const [place = ""] = successor.split(/[?#]/);
    if (beginnings.some((beginning) => beginning.startsWith(place) || place.startsWith(beginning))) continue;
    work.warning(
      "successor_unserved",
      "no route of the policy serves the successor; expected a path of this policy, or a whole URL",
      path,
    );
    yield;
  }
}
