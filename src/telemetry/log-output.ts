import type { JsonBytes } from "../support/json-bytes.ts";
import { type LogNames, PLAIN_NAMES } from "./log-names.ts";
import { type LineTaker, type LogDetails, USUAL_DETAILS } from "./log-settings.ts";
import type { LogSink } from "./log-sink.ts";

/**
 * Where lines go. Those of the process always go to standard output, for some come before a file is known and some tell what is
 * wrong with it; with a file they stand there, too. Those of requests go to one of the two.
 */
export class LogOutput {
  readonly sink: LogSink;
  #names = PLAIN_NAMES;
  #file: LineTaker | null = null;
  /** Of files that are no more. */
  #droppedBefore = 0;

  constructor(sink: LogSink) {
    this.sink = sink;
  }

  get linesDropped(): number {
    return this.sink.linesDropped + this.#droppedBefore + (this.#file?.linesDropped ?? 0);
  }

  /** `tell` hears how many lines a file had no room for. */
  follow({ names, file }: LogDetails = USUAL_DETAILS, tell: (linesDropped: number) => void): void {
    this.#names = names;
    if (file === this.#file) return;
    // One that comes back has counted before.
    this.#droppedBefore += (this.#file?.linesDropped ?? 0) - (file?.linesDropped ?? 0);
    this.#file = file;
    file?.onRecovered(tell);
  }

  /** Of lines on standard output. */
  get #sinkNames(): LogNames {
    return this.sink.isForPeople === true ? PLAIN_NAMES : this.#names;
  }

  get requestNames(): LogNames {
    return this.#file === null ? this.#sinkNames : this.#names;
  }

  writeRequest(line: JsonBytes): void {
    (this.#file ?? this.sink).writeBytes(line);
  }

  /** They are few, and the last one before an end counts most. */
  writeEvent(lineOf: (names: LogNames) => string): void {
    this.#file?.write(lineOf(this.#names));
    this.sink.write(lineOf(this.#sinkNames));
    this.sink.flush();
  }

  reopen(): void {
    this.#file?.reopen();
  }
}
