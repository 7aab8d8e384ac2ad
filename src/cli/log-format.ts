import { isatty } from "node:tty";
import { isColourful } from "../support/paint.ts";
import { createLogSink, fileOf, type LogSink } from "../telemetry/log-sink.ts";
import { createWordSink } from "../telemetry/log-words.ts";
import type { Options } from "./command.ts";

const STDOUT_FD = 1;

export const LOG_FORMAT_OPTION = {
  "log-format": {
    type: "string",
    value: "auto|text|json",
    text: "words for people or lines for machines; auto, as if absent: text on a terminal, else json",
  },
} as const satisfies Options;

/** The log on standard output. Null for a format that does not exist. Colour is for terminals alone (no-color.org). */
export function openLog(format: string | undefined): LogSink | null {
  const isTerminal = isatty(STDOUT_FD);
  const chosen = format === undefined || format === "auto" ? (isTerminal ? "text" : "json") : format;
  const sink = createLogSink(fileOf(STDOUT_FD));
  if (chosen === "json") return sink;
  return chosen === "text" ? createWordSink(sink, isColourful(isTerminal, process.env)) : null;
}
