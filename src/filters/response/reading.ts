import { ANSWER_CODINGS } from "../../bodies/codings.ts";
import { Inflation } from "../../bodies/inflation.ts";
import type { Place } from "../../decision/verdict.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { AnswerReading } from "../response-check.ts";

export interface ReadingSettings {
  readonly contentEncoding?: "identity" | "inflate" | "refuse" | "pass" | undefined;
  readonly unreadable?: "refuse" | "pass" | undefined;
}

/** How answers are read, by `contentEncoding` and `unreadable`. */
export function readingOf(settings: ReadingSettings, place: Place): AnswerReading {
  const { contentEncoding = "identity", unreadable = "refuse" } = settings;
  return {
    place,
    asksForIdentity: contentEncoding === "identity" || contentEncoding === "refuse",
    compressed: contentEncoding === "identity" ? "inflate" : contentEncoding,
    unreadable,
    codingOf: (name) => ANSWER_CODINGS.get(name) ?? null,
    inflate: (coding, sink) => new Inflation(coding, DEFAULTS.inflationMax, Number.POSITIVE_INFINITY, sink),
  };
}
