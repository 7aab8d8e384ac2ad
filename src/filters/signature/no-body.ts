import { Denial, type HeaderLine, type Place } from "../../decision/verdict.ts";
import type { NoBody } from "../../proof/whole-body.ts";

const RETRY: readonly HeaderLine[] = [["retry-after", "1"]];

/** Why a body cannot be checked; where what was read of it is lost, nothing can be forwarded any more. */
export function noBodyDenial({ reason, isLost }: NoBody, bytesMax: number, place: Place): Denial {
  const wanted = reason === "body_too_large" ? `at most ${bytesMax} bytes, and what the route takes` : "a whole body";
  const headers = reason === "memory_bodies" ? RETRY : [];
  return new Denial(reason, place, "a body that cannot be checked", wanted, headers, isLost);
}
