import type { Detector, Found, Judge, LeakKind } from "../kind.ts";
import { MORE } from "../shape.ts";
import type { LeakText } from "../text.ts";
import { CARD_NUMBERS } from "./cards.ts";
import { canBegin, canEnd, DIGIT_RUNS, type DigitRun, digitRunAt } from "./digit-runs.ts";
import { EUROPEAN_NUMBERS } from "./european-numbers.ts";
import { NATIONAL_NUMBERS } from "./national-numbers.ts";
import type { NumberKind } from "./number-kind.ts";

const THRESHOLD = 70;

interface Row {
  readonly number: NumberKind;
  readonly kind: LeakKind;
}

const rows: readonly Row[] = [...CARD_NUMBERS, ...EUROPEAN_NUMBERS, ...NATIONAL_NUMBERS].map((number) => ({
  number,
  kind: kindOf(number),
}));

function kindOf({ name, group, about, layouts, checksum, words, scores, source }: NumberKind): LeakKind {
  const shape = Math.max(...Object.values(layouts));
  const written = `digits grouped ${Object.keys(layouts).join(", ")}`;
  return {
    name,
    group,
    about,
    shape: written,
    checksum,
    words,
    scores: { shape, ...scores },
    threshold: THRESHOLD,
    source,
  };
}

/** By layout: what a run of another shape need not be held against. */
const byLayout = new Map<string, Row[]>();
for (const row of rows) {
  for (const layout of Object.keys(row.number.layouts)) byLayout.set(layout, [...(byLayout.get(layout) ?? []), row]);
}

/** Cards and national numbers: all that are digits, found by one look at a run of them. */
export const NUMBERS: Detector = {
  kinds: rows.map(({ kind }) => kind),
  anchors: DIGIT_RUNS,
  bytesBefore: 32,
  find(text, at, judge) {
    const run = digitRunAt(text, at);
    return run === MORE ? MORE : findIn(run, text, judge);
  },
};

/** Each number, the longest first: groups that stand behind a space may belong to something else. */
function findIn({ groups }: DigitRun, text: LeakText, judge: Judge): Found[] {
  const found: Found[] = [];
  for (let first = 0; first < groups.length; first++) {
    const start = groups[first]?.[0] ?? 0;
    if (start < text.start || !canBegin(text, start)) continue;
    for (let last = groups.length - 1; last >= first; last--) {
      if (!canEnd(text, groups[last]?.[1] ?? 0)) continue;
      const one = findNumber(groups.slice(first, last + 1), text, judge);
      if (one === null) continue;
      found.push(one);
      first = last;
      break;
    }
  }
  return found;
}

function findNumber(groups: DigitRun["groups"], text: LeakText, judge: Judge): Found | null {
  const start = groups[0]?.[0] ?? 0;
  const end = groups.at(-1)?.[1] ?? 0;
  const layout = groups
    .map(([from, to], at) => `${to - from}${at === groups.length - 1 ? "" : text.slice(to, to + 1)}`)
    .join("");
  const candidates = byLayout.get(layout);
  if (candidates === undefined) return null;
  const digits = groups.map(([from, to]) => text.slice(from, to)).join("");
  for (const { number, kind } of candidates) {
    if (!judge.wants(kind) || !number.isValid(digits)) continue;
    // Long numbers without a grouping are mostly keys of tables.
    const isKey = groups.length === 1 && number.group === "cards" && judge.isIdentifier(start);
    const shape = isKey ? 0 : (number.layouts[layout] ?? 0);
    if (judge.isReported(kind, start, number.checksum !== "", shape))
      return { kind, from: start, start, end, tail: null };
  }
  return null;
}
