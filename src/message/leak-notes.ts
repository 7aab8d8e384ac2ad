import { DEFAULTS } from "../support/defaults.ts";

/** Where something was found: on the way of the request, or of its answer. */
export type LeakWay = "request" | "response";

/** What became of it. */
export type LeakNoteAction = "observe" | "mask" | "block";

/** Of finds that are alike in all but their field. Never what was found. */
export interface LeakCount {
  readonly way: LeakWay;
  readonly kind: string;
  readonly action: LeakNoteAction;
  count: number;
}

/** One find, for the log. */
export interface LeakNote {
  readonly way: LeakWay;
  readonly kind: string;
  readonly action: LeakNoteAction;
  /** JSON Pointer, column, name of a header or parameter; empty where it is in no field. */
  readonly field: string;
}

/** What was found on the way of one request and its answer: all of it counted, the first of it named. */
export class LeakNotes {
  readonly counts: LeakCount[] = [];
  readonly first: LeakNote[] = [];

  add(note: LeakNote): void {
    const { way, kind, action } = note;
    const same = this.counts.find((one) => one.kind === kind && one.way === way && one.action === action);
    if (same === undefined) this.counts.push({ way, kind, action, count: 1 });
    else same.count++;
    if (this.first.length < DEFAULTS.leakNotedMax) this.first.push(note);
  }
}
