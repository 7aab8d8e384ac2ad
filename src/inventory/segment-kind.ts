import { DEFAULTS } from "../support/defaults.ts";

/** What a step of a path is, where it is no name. Closed: they stand in templates. */
export const SEGMENT_KINDS = [
  "number",
  "uuid",
  "hash",
  "date",
  "ulid",
  "email",
  "token", // long, and no word
  "slug", // one of many texts at one place
  "text", // anything else that is no plain name
  "rest", // behind the steps that are looked at
  "", // a slash at the end
] as const;

export type SegmentKind = (typeof SEGMENT_KINDS)[number];

const NUMBER = /^-?\d{1,20}(?:\.\d{1,10})?$/;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const HASH = /^(?=[^g-z]*\d)[0-9a-f]{12,128}$/i;
const DATE = /^(?:19|20)\d\d-(?:0\d|1[0-2])(?:-[0-3]\d(?:T[\d:.%A-Z+-]{2,24})?)?$/;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i;
const EMAIL = /^[^@%]{1,64}(?:@|%40)[^@%]{1,128}\.[A-Za-z]{2,24}$/i;
const VERSION = /^v\d{1,3}(?:\.\d{1,3})?$/i;
/** `orders`, `order-items`, `.well-known`, `index.php`, `listOrders`, `oauth2`. */
const NAME = /^[._@~-]?[A-Za-z]+(?:[-_.][A-Za-z]+)*\d{0,2}$/;
const HUMP = /[a-z][A-Z]/g;
const WORD_CHARS_MAX = 20;
const HUMPS_MAX = 4;

/** Stands for all steps behind those that are looked at; no path has it. */
const REST = "\0";

/**
 * What kind of value a step is; null for a name, which alone is kept as it stands. In doubt it is a value: a path may hold what
 * nobody else is to read, and a name that is taken for a value costs a line of a list.
 */
export function kindOf(segment: string): SegmentKind | null {
  const { length } = segment;
  if (length === 0) return "";
  if (length <= 20 && isDigits(segment)) return "number";
  if (isName(segment)) return null;
  if (segment === REST) return "rest";
  if (length > 192) return "token";
  if (length === 36 && UUID.test(segment)) return "uuid";
  if (DATE.test(segment)) return "date";
  if (NUMBER.test(segment)) return "number";
  if (length === 26 && ULID.test(segment)) return "ulid";
  if (length >= 12 && HASH.test(segment)) return "hash";
  if (EMAIL.test(segment)) return "email";
  return length > WORD_CHARS_MAX ? "token" : "text";
}

function isDigits(segment: string): boolean {
  for (let at = 0; at < segment.length; at++) {
    const code = segment.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

function isName(segment: string): boolean {
  if (segment.length > DEFAULTS.inventoryWordCharsMax) return false;
  if (!NAME.test(segment)) return VERSION.test(segment);
  if ((segment.match(HUMP)?.length ?? 0) > HUMPS_MAX) return false;
  return segment.length <= WORD_CHARS_MAX || segment.split(/[-_.]/).every((word) => word.length <= WORD_CHARS_MAX);
}

/** A template's steps as OpenAPI wants them: each parameter another name. `{number}`, `{number2}`. */
export function templateOf(prefix: string, steps: readonly string[]): string {
  const taken = new Map<string, number>();
  for (const [, name = ""] of prefix.matchAll(/\{([^}]*)\}/g)) taken.set(name, 1);
  const texts = steps.map((step) => {
    if (!step.startsWith("{")) return step;
    const name = step.slice(1, -1);
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count === 1 ? step : `{${name}${count}}`;
  });
  return texts.length === 0 ? prefix || "/" : `${prefix}/${texts.join("/")}`;
}

/** A kind as a step of a template. */
export function stepOf(kind: SegmentKind): string {
  return kind === "" ? "" : `{${kind}}`;
}

/** A path between its slashes, from the empty text before the first: at most `stepsMax` behind that. Bounded, whatever the path is. */
export function segmentsOf(path: string, stepsMax: number): readonly string[] {
  if (path === "/") return ROOT;
  const { inventoryPathCharsMax } = DEFAULTS;
  const cut = path.length > inventoryPathCharsMax ? path.slice(0, inventoryPathCharsMax) : path;
  const segments = cut.split("/", stepsMax + 2);
  return segments.length < stepsMax + 2 ? segments : [...segments.slice(0, -1), REST];
}

const ROOT: readonly string[] = [""];

/** A name, or a kind in braces: what of a step may be kept. */
export function stepOfSegment(segment: string): string {
  const kind = kindOf(segment);
  // A copy: a piece of a text would hold all of the request's head in memory.
  return kind === null ? Buffer.from(segment, "latin1").toString("latin1") : stepOf(kind);
}
