import { EVENT_STREAM_TYPE, isJsonSequence, isLines } from "../media-type.ts";
import { eventFraming } from "./events.ts";
import type { Framing } from "./framing.ts";
import { lineFraming } from "./json-lines.ts";
import { sequenceFraming } from "./json-sequence.ts";

/** Of a media type in lower case: what a body of it is read by; null where it has no items. */
export function framingOf(type: string): (() => Framing) | null {
  if (isLines(type)) return () => lineFraming;
  if (isJsonSequence(type)) return sequenceFraming;
  return type === EVENT_STREAM_TYPE ? eventFraming : null;
}
