import { Denial, type Place } from "../../decision/verdict.ts";
import { excerpt } from "../../support/excerpt.ts";

/** A caller that `explain` supposes, and of whom no key here is. */
export function unknownSigner(caller: string, place: Place): Denial {
  const seen = `nobody named ${JSON.stringify(excerpt(caller))}`;
  return new Denial("proof_key_unknown", place, seen, "the caller of a key of this authenticator");
}
