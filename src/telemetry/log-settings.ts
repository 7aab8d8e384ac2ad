import { DEFAULTS } from "../support/defaults.ts";
import type { JsonBytes } from "../support/json-bytes.ts";
import { ALL_FIELDS, type LineFields } from "./access-line.ts";
import { type LogNames, PLAIN_NAMES } from "./log-names.ts";

/** Where lines go besides standard output. */
export interface LineTaker {
  /** Takes one line with its newline. Never throws and never waits. */
  write(line: string): void;
  /** The same, of a line whose bytes are another's afterwards. */
  writeBytes(line: JsonBytes): void;
  /** Writes what waits, into whatever stands under its name by now. */
  reopen(): void;
  /** `tell` hears how many lines had no room, once lines are written again. */
  onRecovered(tell: (linesDropped: number) => void): void;
  readonly linesDropped: number;
}

export interface LogSettings {
  /** Which requests get an access line. */
  readonly access: "all" | "denied" | "off";
  /** What few policies say of the log; absent where this one does not. */
  readonly more?: LogDetails;
}

export interface LogDetails {
  readonly names: LogNames;
  readonly fields: LineFields;
  /** Of requests that went well, the share that gets a line; 1 for all. */
  readonly sampleRatio: number;
  /** Of the process, so that no client can choose an id that is never drawn. */
  readonly sampleSeed: number;
  /** What takes as long gets a line in any case; Infinity for nothing. */
  readonly slowMs: number;
  /** Most lines a second of requests that postern refused or could not serve. */
  readonly denialsPerSecond: number;
  readonly file: LineTaker | null;
}

export const USUAL_DETAILS: LogDetails = {
  names: PLAIN_NAMES,
  fields: ALL_FIELDS,
  sampleRatio: 1,
  sampleSeed: 0,
  slowMs: Number.POSITIVE_INFINITY,
  denialsPerSecond: DEFAULTS.logDenialsPerSecond,
  file: null,
};
