import { DEFAULTS } from "../support/defaults.ts";

/** A rule that matched, for the log. */
export interface DetectNote {
  readonly way: "request" | "response";
  /** Its name in the policy. */
  readonly detector: string;
  /** Of the rule. */
  readonly id: number;
  readonly message: string;
  /** What it adds to the score; 0 where it is only noted. */
  readonly score: number;
  /** Collection and name, as in `ARGS:json.name`. */
  readonly field: string;
  /** What matched, masked but for its edges. */
  readonly matched: string;
  readonly file: string;
  readonly line: number;
}

/** Of hits that are alike in all but their field. */
export interface DetectCount {
  readonly way: DetectNote["way"];
  readonly id: number;
  /** As in `attack-sqli`; empty where the rule has no such tag. */
  readonly category: string;
  count: number;
}

/** What rules found in one request and its answer: all of it counted, the first of it named. */
export class DetectNotes {
  readonly counts: DetectCount[] = [];
  readonly first: DetectNote[] = [];
  /** The highest of all detectors. */
  score = 0;
  answerScore = 0;

  add(note: DetectNote, category: string): void {
    const { way, id } = note;
    const same = this.counts.find((one) => one.id === id && one.way === way);
    if (same === undefined) this.counts.push({ way, id, category, count: 1 });
    else same.count++;
    if (this.first.length < DEFAULTS.detectNotedMax) this.first.push(note);
  }
}
