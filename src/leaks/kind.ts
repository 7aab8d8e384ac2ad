import { type ByteSet, NO_WORD } from "./byte-set.ts";
import {
  type Anchor,
  anchorOf,
  type Element,
  endOfShape,
  isWordOver,
  MORE,
  NOTHING,
  parseShape,
  startOfShape,
} from "./shape.ts";
import type { LeakText } from "./text.ts";

/** What a policy can name to mean all kinds of a sort. */
export type LeakGroup =
  | "cards"
  | "iban"
  | "nationalNumbers"
  | "emails"
  | "phones"
  | "tokens"
  | "cloudKeys"
  | "vendorKeys"
  | "privateKeys"
  | "passwords"
  | "connectionStrings"
  | "entropy"
  | "stackTraces"
  | "sqlErrors"
  | "frameworkPages"
  | "patterns";

/** One kind of leak, as docs/leaks.md has it in a row. */
export interface LeakKind {
  readonly name: string;
  readonly group: LeakGroup;
  /** What it is. */
  readonly about: string;
  readonly shape: string;
  /** How it is known to be no accident; empty where it has none. */
  readonly checksum: string;
  /** Words that make it likelier where one of them names the field or stands before it. */
  readonly words: readonly string[];
  /** What each sign counts. */
  readonly scores: { readonly shape: number; readonly checksum: number; readonly word: number };
  /** Reported from this sum on. */
  readonly threshold: number;
  /** Who publishes the shape. */
  readonly source: string;
}

/** Bytes behind a find that belong to it, however long it is: as far as they are of `set`, or to the end of `until`. */
export interface Tail {
  readonly set: ByteSet;
  /** Empty for none. */
  readonly until: string;
  readonly bytesMax: number;
}

export interface Found {
  readonly kind: LeakKind;
  /** Where that begins by which it is known, as the name of a field. */
  readonly from: number;
  /** What must not be seen. */
  readonly start: number;
  readonly end: number;
  readonly tail: Tail | null;
}

/** Judges what was found in one text: only kinds that somebody asks for, and only from their threshold on. */
export interface Judge {
  /** Whether the policy asks for the kind. */
  wants(kind: LeakKind): boolean;
  /** Whether the field's name, or the word before it, says that it is an identifier. */
  isIdentifier(start: number): boolean;
  /** `shape`: what the shape counts here, for kinds that have several. */
  isReported(kind: LeakKind, start: number, isChecked: boolean, shape?: number): boolean;
}

/** Knows some kinds. Anchors lead to it; it looks at what is around one, forward and a bounded way back. */
export interface Detector {
  readonly kinds: readonly LeakKind[];
  readonly anchors: readonly Anchor[];
  /** Most bytes before an anchor that may belong to a find. */
  readonly bytesBefore: number;
  /** An anchor ends before `at`. Null: nothing. MORE: what follows tells. */
  find(text: LeakText, at: number, judge: Judge): Found | readonly Found[] | typeof MORE | null;
}

export interface TokenOptions {
  readonly about: string;
  /** Shapes, as `parseShape` has them; what stands before `~~` is looked for backwards. */
  readonly shapes: readonly string[];
  readonly source: string;
  readonly words?: readonly string[];
  readonly checksum?: string;
  isChecked?(token: string): boolean;
  readonly scores?: Partial<LeakKind["scores"]>;
  readonly threshold?: number;
  readonly ignoresCase?: boolean;
  readonly tail?: Tail;
  /** It may be a part of a longer word. */
  readonly isOpen?: boolean;
  /** Bytes of sets that the first pass looks at; more where the first are usual. */
  readonly anchorBytes?: number;
}

/** A kind that is known by its shape. */
export function token(name: string, group: LeakGroup, options: TokenOptions): Detector {
  const { about, shapes, source, words = [], checksum = "", scores, threshold = 60 } = options;
  const kind: LeakKind = {
    name,
    group,
    about,
    shape: shapes.map((shape) => shape.replace("~~", "")).join(" or "),
    checksum,
    words,
    scores: {
      shape: scores?.shape ?? 60,
      checksum: checksum === "" ? 0 : (scores?.checksum ?? 30),
      word: words.length === 0 ? 0 : (scores?.word ?? 30),
    },
    threshold,
    source,
  };
  const parsed = shapes.map((shape) => partsOf(shape, options));
  const isOpen = options.isOpen === true;
  return {
    kinds: [kind],
    anchors: parsed.map(({ anchor }) => anchor),
    bytesBefore: Math.max(...parsed.map(({ before }) => before.reduce((sum, { max }) => sum + max, 0))),
    find(text, at, judge) {
      for (const shape of parsed) {
        const found = findShape(shape, text, at, isOpen);
        if (found === MORE) return MORE;
        if (found === null) continue;
        const [start, end] = found;
        const isChecked = options.isChecked?.(text.slice(start, end)) ?? false;
        if (!judge.isReported(kind, start, isChecked)) continue;
        return { kind, from: start, start, end, tail: options.tail ?? null };
      }
      return null;
    },
  };
}

interface ShapeParts {
  readonly before: readonly Element[];
  readonly after: readonly Element[];
  /** The beginning of `after`. */
  readonly anchor: Anchor;
}

function partsOf(shape: string, { ignoresCase = false, isOpen = false, anchorBytes }: TokenOptions): ShapeParts {
  const [first = "", second] = shape.split("~~");
  const before = second === undefined ? [] : parseShape(first, ignoresCase);
  const after = parseShape(second ?? first, ignoresCase);
  return { before, after, anchor: anchorOf(after, before.length > 0 || isOpen ? null : NO_WORD, anchorBytes) };
}

function findShape(
  { before, after, anchor }: ShapeParts,
  text: LeakText,
  at: number,
  isOpen: boolean,
): [start: number, end: number] | typeof MORE | null {
  const middle = at - anchor.steps.length;
  const start = before.length === 0 ? middle : startOfShape(before, text, middle);
  if (start === NOTHING || start < text.start) return null;
  if (!isOpen && start > 0 && NO_WORD[text.bytes[start - 1] as number] !== 1) return null;
  const end = endOfShape(after, text, middle);
  if (end === NOTHING) return null;
  if (end === MORE) return MORE;
  const isOver = isOpen ? true : isWordOver(text, end);
  return isOver === MORE ? MORE : isOver ? [start, end] : null;
}
