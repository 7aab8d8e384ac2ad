import { type ByteSet, byteSet, isIn } from "./byte-set.ts";
import type { Detector, LeakGroup, LeakKind } from "./kind.ts";
import { type Anchor, anchorOf, MORE, parseShape } from "./shape.ts";
import type { LeakText } from "./text.ts";

/** Most bytes of a line that are looked at. */
const LINE_BYTES_MAX = 400;
const LINE_END: ByteSet = byteSet("\\n\\r");
const INDENT: ByteSet = byteSet(" \\t");
const INDENT_BYTES_MAX = 32;

/** One way in which software writes a thing. */
export interface Phrase {
  /** What every such text begins with, in `parseShape`'s words; of one length. */
  readonly begins: readonly string[];
  /** Held against the rest of the line from there. */
  readonly line: RegExp;
  /** It is the first thing of its line, or of all. */
  readonly isFirst?: boolean;
}

/** A beginning, and what of the line it takes. */
export const says = (begin: string, line: RegExp): Phrase => ({ begins: [begin], line });

/** A text that is always the same. */
export const literal = (text: string): Phrase =>
  says(text.replace(/[[\]\\{}?+*]/g, "\\$&"), new RegExp(`^${text.replace(/[[\]\\{}?+*().|^$]/g, "\\$&")}`));

const CLASS = "[\\w$.]{1,80}";
/** The class of an exception, by the package that it is of. */
export const exception = (of: string): Phrase =>
  says(of, new RegExp(`^${of.replaceAll(".", "\\.")}${CLASS}(?:Exception|Error)`));

export interface PhraseOptions {
  readonly about: string;
  readonly source: string;
  readonly phrases: readonly Phrase[];
  readonly ignoresCase?: boolean;
}

interface Begin {
  readonly phrase: Phrase;
  readonly anchor: Anchor;
  /** Bytes of the anchor that are none of the phrase. */
  readonly lead: number;
}

const SCORE = 60;
/** Their first words are usual in any text and in heads: `connection to server at` is no `connection: keep-alive`. */
const ANCHOR_BYTES_MAX = 12;

/** A kind that is known by what software writes: the line from there, as far as the expression goes. */
export function phrase(
  name: string,
  group: LeakGroup,
  { about, source, phrases, ignoresCase }: PhraseOptions,
): Detector {
  const kind: LeakKind = {
    name,
    group,
    about,
    shape: phrases.flatMap(({ begins }) => begins).join(" or "),
    checksum: "",
    words: [],
    scores: { shape: SCORE, checksum: 0, word: 0 },
    threshold: SCORE,
    source,
  };
  const begins = phrases.flatMap((each) =>
    each.begins.flatMap((begin) => {
      const elements = parseShape(begin, ignoresCase === true);
      return beginsOf(each, anchorOf(elements, null, ANCHOR_BYTES_MAX, ANCHOR_BYTES_MAX));
    }),
  );
  return {
    kinds: [kind],
    anchors: begins.map(({ anchor }) => anchor),
    bytesBefore: 0,
    find(text, at, judge) {
      if (!judge.wants(kind)) return null;
      for (const begin of begins) {
        const start = at - begin.anchor.steps.length + begin.lead;
        if (start < text.start || !isThere(begin, text, start)) continue;
        const end = endOfLine(text, start);
        if (end === MORE) return MORE;
        const found = begin.phrase.line.exec(text.slice(start, end));
        if (found !== null) return { kind, from: start, start, end: start + found[0].length, tail: null };
      }
      return null;
    },
  };
}

/** `n` and `t`: a line end and a tab of JSON that stands in a string of JSON. */
const BEFORE_FIRST: ByteSet = byteSet("\\t\\n\\r\"'>nt");
const SPACE: ByteSet = byteSet(" ");

/** The first thing of a line stands behind its beginning, a tab, or two spaces: behind one stands any word. */
function beginsOf(phrase: Phrase, anchor: Anchor): Begin[] {
  if (phrase.isFirst !== true) return [{ phrase, anchor, lead: 0 }];
  const spaced = [{ set: SPACE, isOptional: false }, ...anchor.steps];
  return [
    { phrase, anchor: { before: BEFORE_FIRST, steps: anchor.steps }, lead: 0 },
    { phrase, anchor: { before: SPACE, steps: spaced }, lead: 1 },
  ];
}

function isThere({ anchor, phrase, lead }: Begin, text: LeakText, start: number): boolean {
  const isPhrase = anchor.steps.every(({ set }, at) => isIn(set, text.bytes[start + at - lead]));
  return isPhrase && (phrase.isFirst !== true || isFirst(text, start));
}

/** Only blanks before it in its line. */
function isFirst({ bytes }: LeakText, start: number): boolean {
  let at = start;
  while (at > 0 && start - at < INDENT_BYTES_MAX && isIn(INDENT, bytes[at - 1])) at--;
  if (at === 0 || isIn(BEFORE_LINE, bytes[at - 1])) return true;
  return isIn(ESCAPED, bytes[at - 1]) && bytes[at - 2] === BACKSLASH;
}

const BEFORE_LINE: ByteSet = byteSet("\\n\\r\"'>");
const ESCAPED: ByteSet = byteSet("nrt");
const BACKSLASH = 0x5c;

function endOfLine({ bytes, length, isWhole }: LeakText, start: number): number | typeof MORE {
  const most = start + LINE_BYTES_MAX;
  let end = start;
  while (end < length && end < most && !isIn(LINE_END, bytes[end])) end++;
  return end === length && end < most && !isWhole ? MORE : end;
}
