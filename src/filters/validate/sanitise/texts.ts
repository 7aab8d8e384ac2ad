import type { JsonEdits } from "../../../bodies/json-editor.ts";
import type { BodyEdits } from "../../../message/body-edits.ts";
import { pointerOf } from "../../../schema/sanitise/sanitiser.ts";

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

/** Null where no text is changed. `onEndless` is told of a text that cannot be composed, which stays as it is. */
export function textEdits(
  { trims, normalizes }: TextRules,
  edits: BodyEdits,
  onEndless: () => void,
): Pick<JsonEdits, "text" | "name"> | null {
  if (!trims && !normalizes) return null;
  const composed = (text: string): string => {
    if (!MAY_COMPOSE.test(text)) return text;
    if (!ENDLESS_MARKS.test(text)) return text.normalize("NFC");
    onEndless();
    return text;
  };
  return {
    text: (text, path) => {
      const trimmed = trims ? text.trim() : text;
      if (trimmed.length !== text.length) edits.add("trim", () => pointerOf(path.keys()));
      const written = normalizes ? composed(trimmed) : trimmed;
      if (written !== trimmed) edits.add("normalize", () => pointerOf(path.keys()));
      return written;
    },
    name: normalizes
      ? (name, path) => {
          const written = composed(name);
          if (written !== name) edits.add("normalize", () => pointerOf(path.keys()));
          return written;
        }
      : null,
  };
}
