import { parseTemplate } from "../matching/route-tree.ts";
import type { CurrentRoute } from "./current-routes.ts";

/**
 * Routes of the current policy that stay whole beside what was learnt: a learnt `/v1/{slug}/{number}` would take the paths of a
 * `/v1/admin/**` that is gone, and with other rules than that had. None of these lets in more than it does today.
 */
export function keptWhole(
  routes: readonly CurrentRoute[],
  learnt: readonly { readonly path: string; readonly route: CurrentRoute }[],
): readonly CurrentRoute[] {
  const open = learnt.filter(({ path }) => /\{|\*\*$/.test(path));
  return routes.filter((route) => {
    if (route.kind !== "narrowed") return false;
    // A place with one method left is still its own: it takes all others, and refuses them.
    if (route.prefix === null && learnt.some((one) => one.route === route)) return false;
    return open.some((one) => one.route !== route && isNarrower(route, one.route) && overlap(one.path, route.template));
  });
}

/** Whether paths that both would take are the first one's. */
function isNarrower(first: CurrentRoute, second: CurrentRoute): boolean {
  if (JSON.stringify(first.settings["hosts"]) !== JSON.stringify(second.settings["hosts"])) return true;
  if (JSON.stringify(first.settings["version"]) !== JSON.stringify(second.settings["version"])) return true;
  return first.template.length > 0 && first.template !== second.template && !covers(first.template, second.template);
}

/** Whether each path of the second is one of the first's. */
function covers(first: string, second: string): boolean {
  const rest = first.endsWith("/**") ? first.slice(0, -3) : null;
  return rest !== null && (second === rest || second.startsWith(`${rest}/`));
}

/** Whether there is a path that both templates match. */
export function overlap(first: string, second: string): boolean {
  const [one, two] = [parseTemplate(first), parseTemplate(second)];
  if (!one.ok || !two.ok) return true;
  const { segments: left, hasRest: leftGoesOn } = one.value;
  const { segments: right, hasRest: rightGoesOn } = two.value;
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at++) {
    const [a, b] = [left[at], right[at]];
    if (a?.kind === "static" && b?.kind === "static" && a.text !== b.text) return false;
  }
  if (left.length === right.length) return true;
  return left.length < right.length ? leftGoesOn : rightGoesOn;
}
