import type { RequestRules, ResponseRules } from "../filters/filter.ts";
import type { RouteParts } from "./route-parts.ts";

/** Those of other filters win: what ends is not to be hidden by a line of `response`. */
export function withHeaders(
  rules: ResponseRules,
  { setHeaders, addHeaders, dropHeaders, headEdits }: RouteParts,
): ResponseRules {
  if (setHeaders.length + addHeaders.length + dropHeaders.length + headEdits.length === 0) return rules;
  const names = new Set(setHeaders.map(([name]) => name));
  const others = rules.setHeaders.filter(([name]) => !names.has(name));
  const removeHeaders = new Set([...rules.removeHeaders, ...dropHeaders]);
  return {
    ...rules,
    edits: [...rules.edits, ...headEdits],
    removeHeaders,
    setHeaders: [...others, ...setHeaders],
    addHeaders: [...rules.addHeaders, ...addHeaders],
  };
}

/**
 * A part of a body cannot be judged, and need not say what it cost: where answers' bodies are read, the service is asked for
 * whole ones (RFC 9110 section 14.2), and for such as are not compressed where the policy says so. What only audits changes
 * nothing that the service sees.
 */
export function forWholeAnswers(
  rules: RequestRules,
  { responseChecks, readsAnswers, answerReading }: RouteParts,
): RequestRules {
  const judgesBodies = responseChecks.some(({ judgesBody, enforcePercent }) => judgesBody && enforcePercent > 0);
  if (!readsAnswers && !judgesBodies) return rules;
  const names = ["range", "if-range"];
  if (judgesBodies && answerReading?.asksForIdentity === true) names.push("accept-encoding");
  return { ...rules, removeHeaders: [...new Set([...rules.removeHeaders, ...names])] };
}
