import type { Reason } from "../../decision/reason.ts";
import { Denial, type HeaderLine, type Place } from "../../decision/verdict.ts";

/** Of the rules of a language that bodies are in. */
interface LanguageRules {
  readonly showsErrors: boolean;
  placeOf(key: string): Place;
}

const NO_LINES: readonly HeaderLine[] = [];

/** What is wrong with a body in a language of its own, in the words of the log and of the client. `at`: JSON Pointer in the body. */
export function languageDenial(
  rules: LanguageRules,
  reason: Reason,
  key: string,
  seen: string,
  wanted: string,
  at: string,
  detail = `expected ${wanted}`,
): Denial {
  const errors = rules.showsErrors ? [{ pointer: at, keyword: key, detail }] : [];
  const faults = [`${at || "/"} ${key}: ${seen}`];
  return new Denial(reason, rules.placeOf(key), seen, wanted, NO_LINES, false, [], { faults, errors });
}

/** The body has not one reading: the client hears why. */
export function unclear(
  rules: LanguageRules,
  reason: Reason,
  key: string,
  seen: string,
  wanted: string,
  at: string,
): Denial {
  return languageDenial(rules, reason, key, seen, wanted, at, `expected ${wanted}: ${seen}`);
}
