import { type Constancy, constancies, type Known } from "../../expression/constancy.ts";
import { ANYTHING, narrow } from "../../expression/domain.ts";
import { templateOf } from "../../matching/route-pattern.ts";
import type { Steps } from "../../support/turns.ts";
import type { Path } from "../path.ts";
import type { Route } from "../snapshot.ts";
import type { Work } from "../work.ts";
import { type LintedRoute, lintedRoutes, settingsOf } from "./routes.ts";
import { type PlacedRule, rulesWithin } from "./rules.ts";

/** A condition on the routes that have it: what is constant on each, by place and value. */
interface Judged {
  readonly path: Path;
  readonly all: ReadonlySet<string>[];
  readonly found: Map<string, Constancy>;
}

/**
 * Conditions that are the same whatever comes, or a part of them. One of a role or of the defaults is judged on each route
 * that has it, and told only where it is so on all of them.
 */
export function* lintConditions(work: Work): Steps<void> {
  const byPlace = new Map<string, Judged>();
  for (const linted of lintedRoutes(work)) {
    const known = knownOn(work, linted);
    for (const settings of settingsOf(work, linted, "authorize")) {
      for (const rule of rulesWithin(work, settings)) {
        yield;
        look(rule, known, byPlace);
      }
    }
  }
  for (const { path, all, found } of byPlace.values()) {
    yield;
    for (const [key, one] of found) if (all.every((keys) => keys.has(key))) tell(work, path, one);
  }
}

function look({ path, rule }: PlacedRule, known: Known, byPlace: Map<string, Judged>): void {
  const { when } = rule;
  if (typeof when !== "string") return;
  const at = [...path, "when"];
  const place: Judged = byPlace.get(at.join("\n")) ?? { path: at, all: [], found: new Map() };
  byPlace.set(at.join("\n"), place);
  const keyOf = ({ at: column, value }: Constancy): string => `${column} ${value}`;
  const timeless = new Set(constancies(when, (name) => (name === "now" ? null : known(name))).map(keyOf));
  // What a clock has made true is no mistake beside an end that is still to come: the first line of a window.
  const isBegun = (one: Constancy): boolean => one.value && !one.isWhole && !timeless.has(keyOf(one));
  const told = constancies(when, known).filter((one) => !isBegun(one));
  const here = new Map(told.map((one) => [keyOf(one), one]));
  for (const [key, one] of here) place.found.set(key, one);
  place.all.push(new Set(here.keys()));
}

function tell(work: Work, path: Path, { at, value, isWhole }: Constancy): void {
  const what = isWhole
    ? `the condition is ${value} whatever comes`
    : `this part of the condition is ${value} whatever comes`;
  const effect = !isWhole ? "it decides nothing" : value ? "it asks for nothing" : "nobody ever meets it";
  const place = work.reader.document.placeWithin(path, at);
  const rule = value ? "condition_always_true" : "condition_always_false";
  work.warnings.add(rule, place, `${what}, so ${effect}`);
}

/** What a route says of its requests by itself. */
function knownOn(work: Work, { route, path }: LintedRoute): Known {
  const nowMs = work.inputs.clock.wallMs();
  return (name) => {
    if (name === "now") return narrow(ANYTHING, { is: ">=", bound: nowMs, kind: "time" });
    if (name === "route") return narrow(ANYTHING, { is: "among", values: [route.template], kind: "text" });
    if (name === "request.method" && route.methods.length > 0) {
      const methods = route.methods.includes("GET") ? [...route.methods, "HEAD"] : route.methods;
      return narrow(ANYTHING, { is: "among", values: methods, kind: "text" });
    }
    if (name === "request.path") return narrow(ANYTHING, { is: "prefix", text: beginning(route) });
    const parameter = /^(path|query)\.(\w+)$/.exec(name);
    const values: unknown =
      parameter === null ? null : work.reader.raw([...path, "validate", ...parameter.slice(1), "enum"]);
    if (!Array.isArray(values) || !values.every((value) => typeof value === "string")) return null;
    return narrow(ANYTHING, { is: "among", values, kind: "text" });
  };
}

/** What every path of the template begins with; `/a/**` takes `/a` as well. */
function beginning(route: Route): string {
  const { segments } = templateOf(route);
  const parameter = segments.findIndex(({ kind }) => kind === "param");
  const texts = (parameter < 0 ? segments : segments.slice(0, parameter)).map((segment) =>
    segment.kind === "static" ? segment.text : "",
  );
  const text = `/${texts.join("/")}`;
  return parameter > 0 ? `${text}/` : text;
}
