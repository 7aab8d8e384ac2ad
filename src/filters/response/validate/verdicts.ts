import { CONTINUE, Denial, type Place, type Verdict } from "../../../decision/verdict.ts";
import type { AnswerReading } from "../../response-check.ts";

/** An answer that its contract refuses; nothing of its values. */
export function invalid(place: Place, seen: string, wanted: string): Denial {
  return new Denial("response_invalid", place, seen, wanted);
}

/** What cannot be looked into passes where the policy says so. */
export function unreadable(place: Place, seen: string, wanted: string, { unreadable: rule }: AnswerReading): Verdict {
  return rule === "pass" ? CONTINUE : new Denial("response_unreadable", place, seen, wanted);
}
