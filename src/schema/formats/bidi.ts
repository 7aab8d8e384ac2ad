/**
 * Bidi_Class as far as characters of a label can have it; the engine knows scripts, not this property. Right-to-left scripts
 * are R or AL, which the rules below treat alike.
 */
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Samaritan}\p{Script=Mandaic}\p{Script=Adlam}\p{Script=Mende_Kikakui}\p{Script=Hanifi_Rohingya}\p{Script=Yezidi}\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const ARABIC_NUMBER = /[\u0660-\u0669\u066b\u066c]/;
const EUROPEAN_NUMBER = /[0-9\u06f0-\u06f9]/;
const NONSPACING = /[\p{Mn}\p{Me}]/u;
const NEUTRAL = /[-\u00b7\u0375\u30fb\u200c\u200d]/;

type Direction = "L" | "R" | "AN" | "EN" | "NSM" | "ON";

function directionOf(char: string): Direction {
  if (NONSPACING.test(char)) return "NSM";
  if (ARABIC_NUMBER.test(char)) return "AN";
  if (EUROPEAN_NUMBER.test(char)) return "EN";
  if (NEUTRAL.test(char)) return "ON";
  return RIGHT_TO_LEFT.test(char) ? "R" : "L";
}

/** RFC 5893 section 2: where one label of a name is written from the right, each must be readable in one way beside it. */
export function fitsBidi(labels: readonly string[]): boolean {
  const all = labels.map((label) => [...label].map(directionOf));
  const mixes = all.some((directions) => directions.includes("R") || directions.includes("AN"));
  return !mixes || all.every(fitsRule);
}

function fitsRule(directions: readonly Direction[]): boolean {
  const last = directions.findLast((direction) => direction !== "NSM");
  if (directions[0] === "L") {
    return !directions.includes("R") && !directions.includes("AN") && (last === "L" || last === "EN");
  }
  if (directions[0] !== "R" || directions.includes("L")) return false;
  return last !== "ON" && !(directions.includes("EN") && directions.includes("AN"));
}
