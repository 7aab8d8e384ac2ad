import type { Hit } from "../../detection/rules/hit.ts";
import type { Transaction } from "../../detection/rules/transaction.ts";
import { type DetectNote, DetectNotes } from "../../message/detect-notes.ts";
import type { Exchange } from "../../message/exchange.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { excerpt } from "../../support/excerpt.ts";

/** A request under search, and how many of its hits were written down. */
export interface Search {
  readonly transaction: Transaction;
  noted: number;
}

/** Writes down what was found since the last time. */
export function noteHits(exchange: Exchange, search: Search, detector: string, way: DetectNote["way"]): void {
  const { transaction } = search;
  const { hits } = transaction;
  if (hits.length === 0) return;
  exchange.detected ??= new DetectNotes();
  const { detected } = exchange;
  if (way === "request") detected.score = Math.max(detected.score, transaction.score);
  else detected.answerScore = Math.max(detected.answerScore, transaction.answerScore);
  for (let at = search.noted; at < hits.length; at++) {
    const hit = hits[at];
    if (hit !== undefined) detected.add(noteOf(hit, detector, way), categoryOf(hit));
  }
  search.noted = hits.length;
}

function noteOf(hit: Hit, detector: string, way: DetectNote["way"]): DetectNote {
  const { id, message, score, target, matched, place } = hit;
  return {
    way,
    detector,
    id,
    message,
    score,
    field: excerpt(target, 100),
    matched: masked(matched),
    file: place.file,
    line: place.line,
  };
}

/** A password may stand in what looks like an attack: letters and digits in the middle are not told. */
function masked(matched: string): string {
  const shown = matched.slice(0, DEFAULTS.detectMatchCharactersMax);
  const inside = shown.slice(EDGE_CHARS, -EDGE_CHARS).replace(/[\p{L}\p{N}]/gu, "*");
  return excerpt(
    shown.length <= 2 * EDGE_CHARS
      ? shown.replace(/[\p{L}\p{N}]/gu, "*")
      : `${shown.slice(0, EDGE_CHARS)}${inside}${shown.slice(-EDGE_CHARS)}`,
    DEFAULTS.detectMatchCharactersMax,
  );
}

const EDGE_CHARS = 2;

/** `attack-sqli` and the like, as the rule set tags its rules. */
function categoryOf({ tags }: Hit): string {
  return tags.find((tag) => tag.startsWith("attack-")) ?? "";
}
