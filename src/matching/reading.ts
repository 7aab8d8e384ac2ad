import { controllerWithin, isScriptName, scriptWithin } from "./script-names.ts";
import type { Template, TemplateSegment } from "./template.ts";

/**
 * How a service may read a path besides as it is. `exact` services tell upper from lower case; those that `fold` do not.
 * Both may decode all escapes before they route, leave a slash at the end out, and run a script whatever stands behind its
 * name.
 */
export type Reading = "exact" | "fold";

/** Of `!$&'()*+,=:@`, which may stand in a path as they are: `/a%3Ab` is `/a:b` to whoever decodes first. */
const RESERVED_ESCAPES = /%(?:2[146789ABC]|3[AD]|40)/g;
const ESCAPES = /(?:%[89A-F][0-9A-F])+/g;
const BEYOND_ASCII = /[^\0-\x7f]+/g;

/** Whether `foldPath` may give another path. Nearly no path is, and these are the quickest ways to know. */
export function isFoldable(path: string): boolean {
  return path.toLowerCase() !== path || path.includes("%") || path.endsWith(".") || path.includes("./");
}

/**
 * Paths that any known service takes for one when it is told not to look at case, as one text of ASCII. Wider than each:
 * regular expressions with `i` fold by simple case folding, some with `ſ` as s, the Kelvin sign as k, `İ` and `ı` as i
 * (Python's re, Go's ToLower); others compare in upper or in lower case; file systems that fold also take composed and
 * decomposed letters for one, and Windows drops dots and spaces at the end of a name. docs/paths.md has who does what.
 */
export function foldPath(path: string): string {
  if (!path.includes("%")) return dropEnds(path.toLowerCase());
  const text = decodeReserved(path).replace(ESCAPES, decodeURIComponent).normalize();
  // Lower case first, for the capital ẞ and the Kelvin sign have no upper case of their own.
  const folded = text.toLowerCase().toUpperCase().replaceAll("I\u0307", "I");
  return dropEnds(folded.replace(BEYOND_ASCII, encodeURIComponent).toLowerCase());
}

/** A canonical path as services see it that decode escapes before they route. */
export function decodeReserved(path: string): string {
  return path.includes("%") ? path.replace(RESERVED_ESCAPES, decodeURIComponent) : path;
}

/** Without the dots and spaces at the end of each segment, as Windows reads names; none becomes empty. */
function dropEnds(path: string): string {
  if (!path.includes(".") && !path.includes("%20")) return path;
  return path.split("/").map(dropEnd).join("/");
}

/** By hand: a regular expression takes a time that grows with the square of a long row of dots. */
function dropEnd(segment: string): string {
  let end = segment.length;
  for (;;) {
    if (end > 1 && segment[end - 1] === ".") end--;
    else if (end > 3 && segment.endsWith("%20", end)) end -= 3;
    else return segment.slice(0, end);
  }
}

/** A canonical path as a service with this reading may see it, to look up among templates from `looseTemplate`. */
export function loosePath(path: string, reading: Reading): string {
  const text = reading === "fold" && isFoldable(path) ? foldPath(path) : decodeReserved(path);
  return text.endsWith("/") && text.length > 1 ? text.slice(0, -1) : text;
}

/** What a server or its script may serve for a path on which a script stands. */
export interface InnerPath {
  readonly path: string;
  /** Segments that stand before the script and are part of the path. */
  readonly before: number;
  /** `exact`: the script itself, whatever follows its name. `inner`: what the script routes by itself. */
  readonly reading: "exact" | "inner";
}

/**
 * The script, which servers run whatever follows; and what front controllers make of `/shop/index.php/admin`: `/shop/admin`,
 * with the folder as their base, or `/admin`, which they get as PATH_INFO.
 */
export function innerPaths(path: string): readonly InnerPath[] {
  const script = scriptWithin(path);
  if (script === null) return [];
  const own: InnerPath = { ...partsAt(path, script), reading: "exact" };
  // Behind another script, for that may be but a folder: `/setup.py/index.php/admin`.
  const controller = controllerWithin(path);
  if (controller === null) return [own];
  const { path: whole, before } = partsAt(path, controller);
  const folder = path.slice(0, controller.index);
  const inner = path.slice(whole.length);
  const outer: InnerPath = { path: `${folder}${inner}`, before, reading: "inner" };
  return folder === "" ? [own, outer] : [own, outer, { path: inner, before: 0, reading: "inner" }];
}

/** The path up to the script, and how many segments stand before it. */
function partsAt(path: string, script: RegExpExecArray): Pick<InnerPath, "path" | "before"> {
  const { index } = script;
  return { path: path.slice(0, index + script[0].length), before: path.slice(0, index).split("/").length - 1 };
}

/** All that a service with this reading may take for the template's paths; the template itself where that is all. */
export function looseTemplate(template: Template, reading: Reading): Template {
  const { segments } = template;
  const script = segments.findIndex((segment) => segment.kind === "static" && isScriptName(segment.text));
  const hasSlashEnd = segments.length > 1 && isEmpty(segments.at(-1));
  const length = script >= 0 ? script + 1 : segments.length - (hasSlashEnd ? 1 : 0);
  const kept = segments.slice(0, length).map((segment) => foldSegment(segment, reading));
  const isSame = length === segments.length && kept.every((segment, at) => segment === segments[at]);
  const hasRest = template.hasRest || script >= 0;
  return isSame && hasRest === template.hasRest ? template : { segments: kept, hasRest };
}

function isEmpty(segment: TemplateSegment | undefined): boolean {
  return segment?.kind === "static" && segment.text === "";
}

function foldSegment(segment: TemplateSegment, reading: Reading): TemplateSegment {
  if (segment.kind !== "static" || !isFoldable(segment.text)) return segment;
  const text = reading === "fold" ? foldPath(`/${segment.text}`).slice(1) : decodeReserved(segment.text);
  return text === segment.text ? segment : { kind: "static", text };
}
