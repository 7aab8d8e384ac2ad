import { anyCase, type ByteSet, byteSet, isIn, NO_WORD, WORD } from "./byte-set.ts";
import type { LeakText } from "./text.ts";

/** What a look at a text says where it found nothing: there is nothing, or the text ends before that can be told. */
export const NOTHING = -1;
export const MORE = -2;

/** So many bytes of a set, one behind the other. */
export interface Element {
  readonly set: ByteSet;
  readonly min: number;
  readonly max: number;
}

/** Most bytes of one `+` or `*`. */
const RUN_MAX = 512;
const TOLD_BYTES_MAX = 8;
const BYTES_MIN = 4;
/** A letter in both cases, or a few that begin one prefix each. */
const TOLD_MAX = 4;

/**
 * A shape is literal characters, `[sets]` and `\d` with counts `{n}`, `{n,m}`, `?`, `+`, `*`; each takes as many bytes as it
 * can and never gives one back, so that a text takes linear time. Such shapes are written so that this is no loss.
 */
export function parseShape(text: string, ignoresCase: boolean): Element[] {
  const elements: Element[] = [];
  const token = /\[((?:\\.|[^\]\\])+)\]|\\(.)|([^\\])/sy;
  const count = /\{(\d+)(?:,(\d+))?\}|[?+*]/y;
  for (let at = 0; at < text.length; ) {
    token.lastIndex = at;
    const found = token.exec(text);
    if (found === null) throw new Error(`no shape: ${text}`);
    const [whole, ranges, escaped, literal] = found;
    at += whole.length;
    const plain = ranges ?? (escaped === "d" ? "0-9" : `\\${escaped ?? literal}`);
    const set = byteSet(
      escaped === undefined && ranges === undefined && /[nrt]/.test(literal ?? "") ? plain.slice(1) : plain,
    );
    count.lastIndex = at;
    const counted = count.exec(text);
    at += counted?.[0].length ?? 0;
    elements.push({ set: ignoresCase ? anyCase(set) : set, ...countsOf(counted) });
  }
  return elements;
}

function countsOf(found: RegExpExecArray | null): { min: number; max: number } {
  if (found === null) return { min: 1, max: 1 };
  const [sign, min, max] = found;
  if (sign === "?") return { min: 0, max: 1 };
  if (sign === "+") return { min: 1, max: RUN_MAX };
  if (sign === "*") return { min: 0, max: RUN_MAX };
  return { min: Number(min), max: Number(max ?? min) };
}

/** Where the elements end that begin at `from`; NOTHING, or MORE. */
export function endOfShape(elements: readonly Element[], text: LeakText, from: number): number {
  const { bytes, length } = text;
  let at = from;
  for (const { set, min, max } of elements) {
    const most = at + max;
    const least = at + min;
    while (at < most && at < length && set[bytes[at] as number] === 1) at++;
    if (at === length && at < most && !text.isWhole) return MORE;
    if (at < least) return NOTHING;
  }
  return at;
}

/** Where the elements begin that end before `end`; NOTHING where they are not there. */
export function startOfShape(elements: readonly Element[], text: LeakText, end: number): number {
  const { bytes } = text;
  let at = end;
  for (let index = elements.length - 1; index >= 0; index--) {
    const { set, min, max } = elements[index] as Element;
    const most = at - max;
    const least = at - min;
    while (at > most && at > text.start && set[bytes[at - 1] as number] === 1) at--;
    if (at > least) return NOTHING;
  }
  return at;
}

/** Whether no byte of a word stands at `at`; MORE where it is not known yet. */
export function isWordOver(text: LeakText, at: number): boolean | typeof MORE {
  if (at < text.length) return !isIn(WORD, text.bytes[at]);
  return text.isWhole ? true : MORE;
}

/** What has to be found in the first pass; where `besides` is there, behind one byte of it, or at the beginning of all. */
export interface Anchor {
  readonly before: ByteSet | null;
  /** One byte each. */
  readonly steps: readonly { readonly set: ByteSet; readonly isOptional: boolean }[];
}

/**
 * The beginning of the elements, as far as its length is one alone: up to `toldBytesMax` bytes that are told, and of others
 * only as many as make `bytesMin`. The table of the first pass is the smaller the less is open in it.
 */
export function anchorOf(
  elements: readonly Element[],
  before: ByteSet | null = NO_WORD,
  bytesMin = BYTES_MIN,
  toldBytesMax = TOLD_BYTES_MAX,
): Anchor {
  const steps: { set: ByteSet; isOptional: boolean }[] = [];
  for (const { set, min, max } of elements) {
    const most = sizeOf(set) <= TOLD_MAX ? toldBytesMax : bytesMin;
    for (let step = 0; step < min && steps.length < most; step++) steps.push({ set, isOptional: false });
    if (min !== max || steps.length >= most) break;
  }
  return { before, steps };
}

function sizeOf(set: ByteSet): number {
  return set.reduce((sum, cell) => sum + cell, 0);
}
