import { type EntryPath, type JsonPlace, parseJsonPath, placesOf } from "../bodies/json-paths.ts";
import type { Place } from "../decision/verdict.ts";
import { kindsNamed, LEAK_GROUPS, LEAK_KINDS } from "../leaks/catalogue.ts";
import type { LeakKind } from "../leaks/kind.ts";
import { LeakStream } from "../leaks/leak-stream.ts";
import { type OwnPattern, ownKind } from "../leaks/own-pattern.ts";
import type { LeakPath } from "../leaks/places.ts";
import { Scanner } from "../leaks/scanner.ts";
import { compileFinder } from "../schema/pattern/find.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { nearestHint } from "../support/schema.ts";
import { atOnce } from "../support/turns.ts";
import type { LeakActionWord, LeakSettings } from "./leak-schema.ts";

/** Reports a problem at a path within the settings. */
export interface LeakContext {
  problem(text: string, ...path: (string | number)[]): void;
  place(...path: (string | number)[]): Place;
}

/** What a route looks for, and what becomes of it. */
export class LeakRules {
  readonly scanner: Scanner;
  /** Something may be taken off, or refused. */
  readonly acts: boolean;
  readonly masks: boolean;
  readonly #actions: ReadonlyMap<LeakKind, LeakActionWord>;
  readonly #places: ReadonlyMap<LeakKind, Place>;
  readonly #allowed: JsonPlace | null;
  readonly #names: ReadonlySet<string>;
  readonly place: Place;

  constructor(rows: readonly LeakRow[], own: readonly OwnPattern[], allowed: Allowed, place: Place) {
    this.scanner = scannerOf(rows, own);
    this.#actions = new Map(rows.map(({ kind, action }) => [kind, action]));
    this.#places = new Map(rows.map((row) => [row.kind, row.place]));
    this.acts = rows.some(({ action }) => action !== "observe");
    this.masks = rows.some(({ action }) => action === "mask");
    this.#allowed = allowed.paths.length === 0 ? null : atOnce(placesOf(allowed.paths));
    this.#names = allowed.names;
    this.place = place;
  }

  /** What becomes of a find in a body; null where the field may have it. */
  actionIn(kind: LeakKind, path: LeakPath): LeakActionWord | null {
    return this.#isAllowed(path) ? null : this.#actionOf(kind);
  }

  /** The same of a header, or a parameter, of that name. */
  actionUnder(kind: LeakKind, name: string): LeakActionWord | null {
    return this.#names.has(name.toLowerCase()) ? null : this.#actionOf(kind);
  }

  #actionOf(kind: LeakKind): LeakActionWord {
    return this.#actions.get(kind) ?? "observe";
  }

  placeOf(kind: LeakKind): Place {
    return this.#places.get(kind) ?? this.place;
  }

  /** What is looked for, in a line. */
  describe(): string {
    const counts = new Map<LeakActionWord, number>();
    for (const action of this.#actions.values()) counts.set(action, (counts.get(action) ?? 0) + 1);
    return `looks for leaks: ${[...counts].map(([action, count]) => `${count} ${count === 1 ? "kind" : "kinds"} to ${action}`).join(", ")}`;
  }

  #isAllowed(path: LeakPath): boolean {
    const [first] = path;
    if (path.length === 1 && typeof first === "string" && this.#names.has(first.toLowerCase())) return true;
    let at: JsonPlace | null = this.#allowed;
    for (const key of path) {
      at = at?.child(key) ?? null;
      if (at === null) return false;
      if ((at.ends | at.within) !== 0) return true;
    }
    return false;
  }

  /** JSON Pointer (RFC 6901) of a place; a name that is a find itself is not told. */
  pointerOf(path: LeakPath): string {
    const keys = path.map((key) => (typeof key === "number" ? `${key}` : this.nameTold(key)));
    return keys.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  }

  /** A name for the log. */
  nameTold(name: string): string {
    const told = new LeakStream(this.scanner, "text", () => "mask").takeAll(Buffer.from(name, "utf8"));
    return told instanceof Buffer ? told.toString("utf8") : "";
  }
}

interface LeakRow {
  readonly kind: LeakKind;
  readonly action: LeakActionWord;
  readonly place: Place;
}

interface Allowed {
  readonly paths: readonly EntryPath[];
  /** In lower case. */
  readonly names: ReadonlySet<string>;
}

const WORDS = new Set(["mode", "allow", "patterns"]);

/** Null where nothing is looked for, or a problem was reported. `takes`: what may become of a find here, the usual one first. */
export function compileLeaks(
  settings: LeakSettings,
  takes: readonly LeakActionWord[],
  context: LeakContext,
): LeakRules | null {
  const rows = new Map<LeakKind, LeakRow>();
  let isSound = true;
  const problem = (text: string, ...path: (string | number)[]): void => {
    isSound = false;
    context.problem(text, ...path);
  };
  const words = Object.keys(settings).filter((word) => !WORDS.has(word) && settings[word] !== undefined);
  // What a policy says of a kind counts more than what it says of the kind's group.
  words.sort((a, b) => Number(LEAK_GROUPS.includes(b)) - Number(LEAK_GROUPS.includes(a)));
  for (const word of words) {
    const kinds = kindsNamed(word);
    const action = takes.find((one) => one === settings[word]);
    if (kinds.length === 0) problem(`no detector '${word}'; ${nearestHint(word, KNOWN)}`, word);
    else if (action === undefined) problem(notTaken(takes), word);
    else for (const kind of kinds) rows.set(kind, { kind, action, place: context.place(word) });
  }
  const own = compileOwn(settings, takes, context, problem);
  const allowed = compileAllowed(settings.allow ?? [], problem);
  if (rows.size + own.length === 0 && isSound) problem("nothing is looked for; expected a detector, as in cards: mask");
  if (!isSound) return null;
  const patterns = own.map(({ pattern }) => pattern);
  return new LeakRules([...rows.values(), ...own.map(({ row }) => row)], patterns, allowed, context.place());
}

const KNOWN: readonly string[] = [...LEAK_GROUPS, ...LEAK_KINDS.map(({ name }) => name), ...WORDS];

function notTaken(takes: readonly LeakActionWord[]): string {
  return takes.includes("mask")
    ? `expected ${takes.join(", ")}`
    : "the service gets a request as it came or not at all; expected observe or block";
}

type Problem = (text: string, ...path: (string | number)[]) => void;

function compileOwn(
  { patterns = {} }: LeakSettings,
  takes: readonly LeakActionWord[],
  context: LeakContext,
  problem: Problem,
): { pattern: OwnPattern; row: LeakRow }[] {
  const names = Object.keys(patterns);
  if (names.length > DEFAULTS.leakPatternsMax)
    problem(`expected at most ${DEFAULTS.leakPatternsMax} patterns`, "patterns");
  return Object.entries(patterns).flatMap(([name, { match, near = [], action: wanted }]) => {
    const action = takes.find((one) => one === (wanted ?? takes[0]));
    if (action === undefined) problem(notTaken(takes), "patterns", name, "action");
    if (kindsNamed(name).length > 0)
      problem(`'${name}' is a detector already; expected another name`, "patterns", name);
    const finder = compileFinder(match);
    if (!finder.ok) problem(finder.error.message, "patterns", name, "match");
    if (!finder.ok || action === undefined) return [];
    const kind = ownKind(
      name,
      match,
      near.map((word) => word.toLowerCase()),
    );
    const row = { kind, action, place: context.place("patterns", name) };
    return [{ pattern: { kind, finder: finder.value }, row }];
  });
}

function compileAllowed(texts: readonly string[], problem: Problem): Allowed {
  const names = new Set<string>();
  const paths = texts.flatMap((text, at) => {
    if (!/^[$/]/.test(text)) {
      names.add(text.toLowerCase());
      return [];
    }
    const path = parseJsonPath(text);
    if (path.ok && path.value.length > 0) return [{ path: path.value, entry: 0 }];
    problem(path.ok ? "'$' is the whole body; expected a path to a field" : path.error, "allow", at);
    return [];
  });
  return { paths, names };
}

/** Routes that look for the same share the table of the first pass. */
const made = new Map<string, Scanner>();
const MADE_MAX = 64;

function scannerOf(rows: readonly LeakRow[], own: readonly OwnPattern[]): Scanner {
  const kinds = new Set(rows.map(({ kind }) => kind).filter(({ group }) => group !== "patterns"));
  if (own.length > 0) return new Scanner(kinds, own);
  const key = [...kinds]
    .map(({ name }) => name)
    .sort()
    .join();
  let scanner = made.get(key);
  if (scanner === undefined) {
    scanner = new Scanner(kinds);
    if (made.size >= MADE_MAX) made.clear();
    made.set(key, scanner);
  }
  return scanner;
}
