import { mode as modeSchema } from "../support/schema.ts";
import type { Steps } from "../support/turns.ts";
import { DEFAULTS_KEY } from "./compile-defaults.ts";
import type { PolicyDocument } from "./document.ts";
import { valueAt } from "./issues.ts";
import { isMapping } from "./joined.ts";
import { type CheckTarget, type LadderStep, type LaidStep, modeOf } from "./ladder-step.ts";
import { type Path, pathText } from "./path.ts";
import { routeName } from "./route-name.ts";
import type { Work } from "./work.ts";

/** Settings with another mode, and where they stand. */
interface Edit {
  readonly path: Path;
  readonly value: unknown;
  /** Key of the long form, where the policy has the short one. */
  readonly longKey: string | null;
}

/** Each step becomes the `mode` of its check, as if somebody had written it there. What has none, or is not there, is left out. */
export function* laySteps(work: Work, steps: readonly LadderStep[]): Steps<void> {
  const laid: LaidStep[] = [];
  const { reader } = work;
  for (const step of steps) {
    yield;
    const path = pathOf(work, step.target);
    if (path === null) continue;
    const edit = editAt(work, path, modeOf(step.percent));
    if (edit === null) continue;
    const was = percentOf(settingsAt({ reader, registry: work.registry }, edit.path));
    work.open(edited(work.reader.document, edit));
    const isOfRoute = edit.path[0] === "routes";
    const at = { route: isOfRoute ? step.target.route : null, path: pathText(edit.path.slice(isOfRoute ? 2 : 0)) };
    laid.push({ step, at, was });
  }
  work.laidSteps = laid;
}

/** Where the settings stand that have the check's mode; null where there are none. */
function pathOf(work: Work, { route, path: text }: CheckTarget): Path | null {
  const keys = keysOf(text, route === null);
  if (route === null) return namedBy(work, keys);
  const at = routesOf(work).findIndex((one) => isMapping(one) && nameOf(one) === route);
  return at < 0 ? null : namedBy(work, ["routes", at, ...keys]);
}

/** `response.fields[0]` → its keys; a name of a section may have dots. */
function keysOf(text: string, isOfPolicy: boolean): Path {
  const [section = "", ...rest] = text.split(".");
  if (isOfPolicy && section !== DEFAULTS_KEY) return rest.length === 0 ? [section] : [section, rest.join(".")];
  const keys = text.match(/[^.[\]]+|\[\d+\]/g) ?? [];
  return keys.map((key) => (key.startsWith("[") ? Number(key.slice(1, -1)) : key));
}

/** A check may stand where a list names what it is: limits have their own mode, and of others the list has it. */
function namedBy({ reader }: Work, path: Path): Path {
  const value = reader.raw(path);
  if (typeof value !== "string" || typeof path.at(-1) !== "number") return path;
  const list = path.slice(0, -1);
  if (list.at(-1) === "limit") return ["limits", value];
  return list.at(-1) === "by" ? list.slice(0, -1) : list;
}

function routesOf({ reader }: Work): readonly unknown[] {
  const routes = reader.raw(["routes"]);
  return Array.isArray(routes) ? routes : [];
}

function nameOf({ path, methods, hosts, version }: Readonly<Record<string, unknown>>): string {
  const texts = (value: unknown): string[] => (Array.isArray(value) ? [...new Set(value.map(String))] : []);
  const versions = typeof version === "string" ? [version] : texts(version);
  return routeName({ template: String(path), methods: texts(methods), hosts: texts(hosts), versions });
}

/** A route that says nothing itself has what `defaults` say. */
function settingsAt({ reader, registry }: Pick<Work, "reader" | "registry">, path: Path): unknown {
  const own = reader.raw(path);
  const [section, , key, ...inner] = path;
  if (own !== undefined || section !== "routes" || typeof key !== "string" || inner.length > 0) return own;
  const isInherited = registry.filters.some(({ name, defaults }) => name === key && defaults === "override");
  return isInherited ? reader.raw([DEFAULTS_KEY, key]) : undefined;
}

/** The `mode` that settings have; the lowest, where each of their entries has its own. */
function percentOf(settings: unknown): number {
  const own = modeSchema.safeParse(isMapping(settings) ? settings["mode"] : settings);
  if (own.success) return own.data;
  const entries: readonly unknown[] = Array.isArray(settings)
    ? settings
    : Object.values(isMapping(settings) ? settings : {});
  const modes = entries.flatMap((entry) => {
    const mode = modeSchema.safeParse(isMapping(entry) ? entry["mode"] : undefined);
    return mode.success ? [mode.data] : [];
  });
  return Math.min(ENFORCED, ...modes);
}

const ENFORCED = 100;

/** Where a check may be written short: what its settings are called in the long form. */
const LONG_KEYS: ReadonlyMap<string, string> = new Map([
  ["authenticate", "any"],
  ["decide", "by"],
  ["detect", "by"],
  ["maxBytes", "max"],
  ["maxItems", "max"],
  ["maxDepth", "max"],
]);

/** A check may stand at a part of its settings, as `websocket.origins`. */
function editAt(work: Work, path: Path, mode: unknown): Edit | null {
  const value = settingsAt(work, path);
  const edit = editOf(path, value, mode);
  if (edit !== null || value === undefined || path.length <= ROUTE_KEY_LENGTH) return edit;
  return editAt(work, path.slice(0, -1), mode);
}

/** Of `routes[2].authorize`. */
const ROUTE_KEY_LENGTH = 3;

function editOf(path: Path, value: unknown, mode: unknown): Edit | null {
  const key = String(path.findLast((step) => typeof step === "string"));
  const whole = (settings: unknown): Edit => ({ path, value: settings, longKey: null });
  if (value === undefined) return null;
  if (key === "undeclared") return whole(mode);
  const longKey = LONG_KEYS.get(key);
  if (longKey !== undefined && !isMapping(value)) return { path, value: { [longKey]: value, mode }, longKey };
  // Each entry has its own.
  if (key === "mask" && isMapping(value)) {
    return whole(mapped(value, (rule) => ({ ...(isMapping(rule) ? rule : { with: rule }), mode })));
  }
  if (key === "fields" && Array.isArray(value)) return whole(value.map((rule) => ({ ...rule, mode })));
  if (isMapping(value)) return whole({ ...value, mode });
  // `websocket: true` and `errors: problem` are what their long forms are without a key.
  return value === true || value === "problem" ? whole({ mode }) : null;
}

function mapped(
  value: Readonly<Record<string, unknown>>,
  change: (member: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, change(member)]));
}

/** The document with one value changed; whatever stands in it has the place that it had. */
function edited(document: PolicyDocument, { path, value, longKey }: Edit): PolicyDocument {
  const lead = (of: Path): Path => {
    const isInside = longKey !== null && of[path.length] === longKey && path.every((step, at) => of[at] === step);
    return isInside ? [...path, ...of.slice(path.length + 1)] : of;
  };
  return {
    file: document.file,
    value: withValue(document.value, path, value),
    place: (of) => document.place(lead(of)),
    placeWithin: (of, offset) => document.placeWithin(lead(of), offset),
    keyPlace: (of) => document.keyPlace(lead(of)),
  };
}

function withValue(owner: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  const inner = withValue(valueAt(owner, [step]), rest, value);
  if (Array.isArray(owner)) return owner.with(Number(step), inner);
  return Object.assign(Object.create(null), owner, { [step]: inner });
}
