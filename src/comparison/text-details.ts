import { routeName } from "../policy/route-name.ts";
import { excerpt } from "../support/excerpt.ts";
import { parseDurationMs, parseRate, parseSizeBytes } from "../support/units.ts";
import { flowText } from "./flow-text.ts";
import { type Settings, settingsOf, textsOf } from "./settings.ts";
import type { PlacedRoute, Side } from "./sides.ts";
import type { Direction, TextChange, TextChanges } from "./text-changes.ts";

/** A change of the text, with what it says before and after as far as values are kept. */
export interface DetailedChange extends TextChange {
  /** `rate: 50/second → 100/second`. */
  readonly details: readonly string[];
}

/** Keys of a route whose effect requests show; where they show one, the text says it no better. */
const SHOWN: ReadonlySet<string> = new Set(["public", "authenticate", "authorize", "address", "validate"]);

/** Of routes in both policies what requests have not shown, and of what is no route everything. */
export function detailed(
  { routes, sections }: TextChanges,
  [before, after]: readonly Side[],
  shownOn: ReadonlySet<string>,
  show: (text: string) => string,
): readonly DetailedChange[] {
  const detailsOf = (was: Settings, is: Settings): readonly string[] => detailLines(was, is, show);
  if (before === undefined || after === undefined) return [];
  const ofSections = sections.map((change): DetailedChange => {
    const [was, is] = [before.section(change.what), after.section(change.what)];
    const direction = change.direction === "changed" ? directionOf(was, is) : change.direction;
    return { what: change.what, direction, details: detailsOf(asSettings(was), asSettings(is)) };
  });
  const ofRoutes = routes.flatMap((change): DetailedChange[] => {
    if (change.direction === "opened" || change.direction === "closed") return [];
    const [was, is] = [findRoute(before, change.what), findRoute(after, change.what)];
    if (was === null || is === null) return [];
    const leaves = ([key]: readonly [string, unknown]): boolean => !(SHOWN.has(key) && shownOn.has(is.route.template));
    const left = (settings: Settings): Settings => Object.fromEntries(Object.entries(settings).filter(leaves));
    const details = detailsOf(left(was.settings), left(is.settings));
    return details.length === 0 ? [] : [{ what: change.what, direction: change.direction, details }];
  });
  return [...ofRoutes, ...ofSections];
}

/** By its place; methods that only one of the two policies has are of no account. */
function findRoute({ routes }: Side, what: string): PlacedRoute | null {
  const [methods = "", ...place] = what.startsWith("usual methods ")
    ? ["", ...what.split(" ").slice(2)]
    : what.split(" ");
  const [first = ""] = methods.split("|");
  const isIt = ({ route }: PlacedRoute): boolean => {
    const name = routeName(route);
    const isPlace = name.endsWith(` ${place.join(" ")}`);
    return isPlace && (route.methods.length === 0 || first === "" || route.methods.includes(first));
  };
  return routes.find(isIt) ?? null;
}

function asSettings(value: unknown): Settings {
  const settings = settingsOf(value);
  return Object.keys(settings).length > 0 || value === undefined ? settings : { "": value };
}

const SHOWN_CHARACTERS = 200;

function detailLines(was: Settings, is: Settings, show: (text: string) => string): readonly string[] {
  const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return keys.flatMap((key) => {
    const [old, now] = [textOf(was[key]), textOf(is[key])];
    if (old === now) return [];
    const name = key === "" ? "" : `${key}: `;
    const [from, to] = [old, now].map((text) => excerpt(show(text), SHOWN_CHARACTERS));
    return [`${name}${from} → ${to}`];
  });
}

function textOf(value: unknown): string {
  if (value === undefined) return "none";
  return typeof value === "string" ? value : flowText(value);
}

/** Amounts of which more lets more through. */
const AMOUNTS: readonly string[] = ["rate", "burst", "quota", "concurrency", "budget", "bandwidth"];

/** Where amounts alone differ, and all of them to one side. */
function directionOf(was: unknown, is: unknown): Direction {
  const [old, now] = [asSettings(was), asSettings(is)];
  if (Object.keys(old).join() === "" && Object.keys(now).join() === "") return listDirection(old[""], now[""]);
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
    (key) => textOf(old[key]) !== textOf(now[key]),
  );
  const signs = new Set(keys.map((key) => (AMOUNTS.includes(key) ? signOf(old[key], now[key]) : null)));
  const [sign] = signs;
  if (signs.size !== 1 || sign == null || sign === 0) return "changed";
  return sign > 0 ? "loosened" : "tightened";
}

/** Names of limits, each of which has to let a request pass. */
function listDirection(was: unknown, is: unknown): Direction {
  const [old, now] = [new Set(textsOf(was)), new Set(textsOf(is))];
  if (!Array.isArray(was) || !Array.isArray(is) || old.size !== was.length || now.size !== is.length) return "changed";
  if (old.isSupersetOf(now)) return "loosened";
  return now.isSupersetOf(old) ? "tightened" : "changed";
}

function signOf(was: unknown, is: unknown): number | null {
  const [old, now] = [amountOf(was), amountOf(is)];
  return old === null || now === null ? null : Math.sign(now - old);
}

/** Per second where it is a rate. */
function amountOf(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return null;
  const rate = parseRate(value);
  if (rate.ok) return rate.value.count / rate.value.windowSeconds;
  const [amount = "", window = ""] = value.split("/");
  const bytes = parseSizeBytes(amount);
  const count = /^\d+$/.test(amount) ? Number(amount) : bytes.ok ? bytes.value : null;
  if (count === null || window === "") return count;
  const ms = parseDurationMs(window);
  const seconds = UNITS[window] ?? (ms.ok ? ms.value / 1000 : null);
  return seconds === null ? null : count / seconds;
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1,
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
  month: 2_592_000,
};
