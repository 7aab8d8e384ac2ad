import type { JsonEdits, JsonPath } from "../../../bodies/json-editor.ts";
import type { BodyEdits } from "../../../message/body-edits.ts";
import { pointerOf } from "../../../schema/sanitise/sanitiser.ts";
import type { Steps } from "../../../support/turns.ts";

/** What texts of a body become before anything judges them. */
export interface TextRules {
  /** Blanks at both ends of a value come off. */
  readonly trims: boolean;
  /** Values and names become Unicode's composed form (NFC). */
  readonly normalizes: boolean;
}

/** All characters below it are their own composed form, and follow no other that they could be composed with. */
const MAY_COMPOSE = /[\u0300-\uffff]/;

/**
 * More marks in a row than any language has (Unicode Standard Annex 15, section 13): they are put in order by comparing each
 * with all before it, so that half a megabyte of them would hold the thread for two minutes.
 */
const ENDLESS_MARKS = /\p{M}{31}/u;

/** Characters that are composed in one go: with many marks among them, a millisecond. */
const STRETCH_CHARS = 4096;

/**
 * What is composed with nothing before it: no mark, no vowel or final of Hangul, no vowel of Kirat Rai; nor half of a
 * surrogate pair.
 */
const BEGINS_ANEW = /[^\p{M}\u1160-\u11ff\u{16d63}-\u{16d6a}\udc00-\udfff]/gu;

/** Null where no text is changed. `onEndless` is told of a text that cannot be composed, which stays as it is. */
export function textEdits(
  { trims, normalizes }: TextRules,
  edits: BodyEdits,
  onEndless: () => void,
): Pick<JsonEdits, "text" | "name"> | null {
  if (!trims && !normalizes) return null;
  const stretch = (text: string): string => {
    if (!ENDLESS_MARKS.test(text)) return text.normalize("NFC");
    onEndless();
    return text;
  };
  const told = (text: string, written: string, path: JsonPath): string => {
    if (written !== text) edits.add("normalize", () => pointerOf(path.keys()));
    return written;
  };
  function* inStretches(text: string, path: JsonPath): Steps<string> {
    const written: string[] = [];
    for (const piece of stretchesOf(text)) {
      written.push(stretch(piece));
      yield;
    }
    return told(text, written.join(""), path);
  }
  const composed = (text: string, path: JsonPath): string | Steps<string> => {
    if (!MAY_COMPOSE.test(text)) return text;
    return text.length > STRETCH_CHARS ? inStretches(text, path) : told(text, stretch(text), path);
  };
  return {
    text: (text, path) => {
      const trimmed = trims ? text.trim() : text;
      if (trimmed.length !== text.length) edits.add("trim", () => pointerOf(path.keys()));
      return normalizes ? composed(trimmed, path) : trimmed;
    },
    name: normalizes ? composed : null,
  };
}

/** Pieces that can be composed each by itself. */
function* stretchesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    BEGINS_ANEW.lastIndex = at + STRETCH_CHARS;
    const end = BEGINS_ANEW.exec(text)?.index ?? text.length;
    yield text.slice(at, end);
    at = end;
  }
}
