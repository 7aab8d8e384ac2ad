import { NO_ID } from "../records/recorded-line.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { excerpt } from "../support/excerpt.ts";
import type { Change, Replayed } from "./replay.ts";

/** Changes of one kind: the same way, route, reason and caller. */
export interface ReplayRow extends Omit<Change, "kind" | "id"> {
  requests: number;
  /** Ids of a few of them; of lines that have none `file:line`. */
  readonly examples: string[];
}

export interface SkippedLine {
  /** `file:line`. */
  readonly place: string;
  readonly text: string;
}

/** What a replay has found, in bounded memory. */
export class ReplayReport {
  same = 0;
  changed = 0;
  /** Without a verdict to compare with. */
  undecided = 0;
  skipped = 0;
  /** What the record does not hold → how many requests hang on it. */
  readonly untold: Map<string, number> = new Map();
  readonly firstSkipped: SkippedLine[] = [];
  readonly #rows = new Map<string, ReplayRow>();

  note(replayed: Replayed, place: string): void {
    switch (replayed.kind) {
      case "same":
        this.same++;
        return;
      case "undecided":
        this.undecided++;
        return;
      case "malformed":
        this.skip(place, replayed.text);
        return;
      case "untold": {
        const why = this.untold.size < DEFAULTS.replayRowsMax ? replayed.why : "others";
        this.untold.set(why, (this.untold.get(why) ?? 0) + 1);
        return;
      }
      case "changed":
        this.#change(replayed, place);
    }
  }

  skip(place: string, text: string): void {
    this.skipped++;
    if (this.firstSkipped.length < DEFAULTS.replaySkippedToldMax) this.firstSkipped.push({ place, text });
  }

  /** Those with most requests first. */
  rows(): readonly ReplayRow[] {
    return [...this.#rows.values()].toSorted((a, b) => b.requests - a.requests);
  }

  get records(): number {
    return this.same + this.changed + this.undecided + [...this.untold.values()].reduce((sum, one) => sum + one, 0);
  }

  #change({ kind: _, id, ...change }: Change, place: string): void {
    this.changed++;
    const caller = this.#rows.size < DEFAULTS.replayRowsMax ? change.caller : "others";
    const key = JSON.stringify([change.change, change.route, change.reason, change.place, caller]);
    const row = this.#rows.get(key) ?? { ...change, caller, requests: 0, examples: [] };
    this.#rows.set(key, row);
    row.requests++;
    if (row.examples.length < DEFAULTS.replayExamplesMax) row.examples.push(id === NO_ID ? place : id);
  }
}

/** The report for a person: a row a change, then what was the same and what nobody can tell. */
export function replayText(report: ReplayReport): string {
  const rows = report.rows();
  const told = rows.slice(0, DEFAULTS.replayRowsToldMax);
  const cells = told.map((row) => [
    row.change,
    String(row.requests),
    excerpt(row.route, COLUMN_CHARS_MAX),
    excerpt(row.reason, COLUMN_CHARS_MAX),
    excerpt(row.caller, COLUMN_CHARS_MAX),
    excerpt(row.place ?? "-", PLACE_CHARS_MAX),
    row.examples.map((id) => excerpt(id)).join(" "),
  ]);
  const table = cells.length === 0 ? "" : `${tableText([HEAD, ...cells])}\n`;
  const more = rows.length > told.length ? `and ${rows.length - told.length} more rows; --json has them all\n\n` : "";
  return `${table}${more}${summaryText(report)}`;
}

const HEAD = ["change", "requests", "route", "reason", "caller", "line", "examples"];
const COLUMN_CHARS_MAX = 48;
const PLACE_CHARS_MAX = 128;

function tableText(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lineOf = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 1 ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join("  ");
  return rows.map((row) => `${lineOf(row).trimEnd()}\n`).join("");
}

function summaryText(report: ReplayReport): string {
  const { same, changed, undecided, skipped, untold, firstSkipped } = report;
  const left = firstSkipped.length < skipped ? [`and ${skipped - firstSkipped.length} more lines\n`] : [];
  return [
    `${report.records} requests: ${changed} would change, ${same} stay as they were\n`,
    ...[...untold]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, DEFAULTS.replayRowsToldMax)
      .map(([why, count]) => `${count} cannot be told without what the record does not hold: ${excerpt(why)}\n`),
    ...(undecided > 0 ? [`${undecided} have no verdict to compare with\n`] : []),
    ...(skipped > 0
      ? [`${skipped} ${skipped === 1 ? "line is no request" : "lines are no requests"} that can be read, skipped\n`]
      : []),
    ...firstSkipped.map(({ place, text }) => `  ${place}: ${excerpt(text, COLUMN_CHARS_MAX * 2)}\n`),
    ...left,
  ].join("");
}
