import { loosePath, looseTemplate } from "../matching/reading.ts";
import { templateOf } from "../matching/route-pattern.ts";
import { isScriptName } from "../matching/script-names.ts";
import { shapeOf, type Template } from "../matching/template.ts";
import type { Steps } from "../support/turns.ts";
import { lineWords } from "./problems.ts";
import type { Route } from "./snapshot.ts";
import type { Work } from "./work.ts";

/** Checks without which a route is open to more callers. */
const GATES: readonly string[] = ["authenticate", "authorize"];

/**
 * Stage after the tree is built: warns where a service may take paths of a route for those of another that asks for
 * more, and the policy lets them pass, be it by templates of their own or by `paths: caseSensitive`.
 */
export function* warnPaths(work: Work): Steps<void> {
  if (work.tree === null) return;
  yield* warnTwins(work);
  if (!work.routes.some(({ isCaseSensitive }) => isCaseSensitive)) return;
  const hidden = new Map<Route, Route[]>();
  for (const route of work.routes) {
    const taker = takerOfOtherCase(work, route);
    const stricter = taker === null ? undefined : hidden.get(taker);
    if (stricter !== undefined) stricter.push(route);
    else if (taker !== null) hidden.set(taker, [route]);
    yield;
  }
  for (const [route, stricter] of hidden) {
    const others = stricter.length === 1 ? "" : ` and of ${stricter.length - 1} more`;
    const text =
      `in another case the paths of ${nameOf(stricter[0], route)}${others} come here, where less is asked for; ` +
      "expected 'paths: caseSensitive' only if the service tells upper from lower case";
    work.warnings.add("weaker_twin", route.place, text);
  }
}

/** Of one host, as some service reads paths: the routes that are one place, and those of a script and what follows it. */
interface Twins {
  readonly place: Route[];
  readonly script: Route[];
  readonly belowScript: Route[];
}

function* warnTwins(work: Work): Steps<void> {
  const groups = new Map<string, Twins>();
  const groupOf = (key: string): Twins => {
    const group = groups.get(key) ?? { place: [], script: [], belowScript: [] };
    groups.set(key, group);
    return group;
  };
  for (const route of work.routes) {
    const template = templateOf(route);
    const shape = loosePath(shapeOf(template), "fold");
    const loose = shapeOf(looseTemplate(template, "fold"));
    const isOfScript = template.segments.some((segment) => segment.kind === "static" && isScriptName(segment.text));
    for (const host of route.hosts.length === 0 ? ["*"] : route.hosts) {
      groupOf(`${host} ${shape}`).place.push(route);
      if (!isOfScript) continue;
      const script = groupOf(`${host} ${loose}`);
      (loose === `${shape}/**` ? script.script : script.belowScript).push(route);
    }
    yield;
  }
  for (const { place, script, belowScript } of groups.values()) {
    warnWeaker(work, place, place, "a service may take both for one place");
    warnWeaker(work, belowScript, script, "a service runs the script whatever follows its name");
    yield;
  }
}

function warnWeaker(work: Work, routes: readonly Route[], stricter: readonly Route[], reason: string): void {
  const gated = stricter.filter((route) => gatesOf(route).length > 0);
  const gates = new Set(gated.flatMap(gatesOf));
  for (const route of routes) {
    if (gatesOf(route).length === gates.size) continue;
    const other = gated.find((one) => one.template !== route.template && isWeaker(route, one) && meet(route, one));
    if (other === undefined) continue;
    const text = `less is asked for here than at ${nameOf(other, route)}, and ${reason}; expected the same checks`;
    work.warnings.add("weaker_twin", route.place, text);
  }
}

/** The route that takes this route's path in another case and asks for less; null where there is none. */
function takerOfOtherCase(work: Work, route: Route): Route | null {
  if (gatesOf(route).length === 0) return null;
  const path = inOtherCase(templateOf(route));
  const [host = ""] = route.hosts;
  const match = work.tree?.match(host.replace("*", "any"), route.methods[0] ?? "GET", path);
  if (match?.kind !== "found" || match.route === route || match.route.template === route.template) return null;
  return isWeaker(match.route, route) ? match.route : null;
}

/** A path of the template, but for the case of its static text. */
function inOtherCase({ segments }: Template): string {
  const texts = segments.map((segment) => (segment.kind === "static" ? segment.text : "0"));
  const path = `/${texts.join("/")}`;
  const swap = (text: string, change: (letters: string) => string): string =>
    text.replace(/%[0-9A-F]{2}|[A-Za-z]+/g, (part) => (part.startsWith("%") ? part : change(part)));
  const upper = swap(path, (letters) => letters.toUpperCase());
  return upper === path ? swap(path, (letters) => letters.toLowerCase()) : upper;
}

/** Whether `route` leaves out one of the gates of `other`, or only tries it out. */
function isWeaker(route: Route, other: Route): boolean {
  const gates = gatesOf(route);
  return gatesOf(other).some((gate) => !gates.includes(gate));
}

function gatesOf({ checks }: Route): readonly string[] {
  return GATES.filter((gate) => checks.some(({ name, enforcePercent }) => name === gate && enforcePercent === 100));
}

function meet(a: Route, b: Route): boolean {
  return a.methods.length === 0 || b.methods.length === 0 || a.methods.some((method) => b.methods.includes(method));
}

function nameOf(route: Route | undefined, from: Route): string {
  return route === undefined ? "" : `'${route.template}' (${lineWords(route.place, from.place)})`;
}
