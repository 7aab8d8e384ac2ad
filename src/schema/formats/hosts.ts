import { isIPv4, isIPv6 } from "node:net";
import { isName } from "./idna.ts";

const DOT = /\./;
/** RFC 3490 section 3.1: the dots that people type. */
const ANY_DOT = /[.\u3002\uff0e\uff61]/;

/** RFC 1123 section 2.1, with A-labels of RFC 5890 that stand for a label; no dot at the end. */
export function isHostname(text: string): boolean {
  return isName(text, DOT, false);
}

/** RFC 5890 section 2.3.2.3: the same with U-labels. */
export function isIdnHostname(text: string): boolean {
  return isName(text, ANY_DOT, true);
}

/** `dotted-quad` of RFC 2673 section 3.2: four decimal numbers, no zero before another digit. */
export function isIpv4(text: string): boolean {
  return isIPv4(text);
}

/** RFC 4291 section 2.2, without a zone. */
export function isIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}
