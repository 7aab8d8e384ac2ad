/** A text with places in it that are filled at run time: `%{tx.score}`, `%{MATCHED_VAR}`. */
export interface Macro {
  readonly parts: readonly (string | MacroName)[];
  /** The text, where there is nothing to fill. */
  readonly constant: string | null;
}

export interface MacroName {
  /** In capitals. */
  readonly collection: string;
  /** In small letters; "" where there is none. */
  readonly member: string;
}

const PLACE = /%\{([A-Za-z_]+)(?:[.:]([^}]*))?\}/g;

export function macroOf(text: string): Macro {
  const parts: (string | MacroName)[] = [];
  let begin = 0;
  for (const found of text.matchAll(PLACE)) {
    if (found.index > begin) parts.push(text.slice(begin, found.index));
    parts.push({ collection: (found[1] ?? "").toUpperCase(), member: (found[2] ?? "").toLowerCase() });
    begin = found.index + found[0].length;
  }
  if (begin < text.length) parts.push(text.slice(begin));
  return { parts, constant: parts.every((part) => typeof part === "string") ? text : null };
}

/** The text with its places filled: by "" where nothing has such a name. */
export function filled(macro: Macro, read: (name: MacroName) => string | undefined): string {
  if (macro.constant !== null) return macro.constant;
  let text = "";
  for (const part of macro.parts) text += typeof part === "string" ? part : (read(part) ?? "");
  return text;
}

/** The macro with those places filled of which something is known already. */
export function partlyFilled(macro: Macro, read: (name: MacroName) => string | undefined): Macro {
  if (macro.constant !== null) return macro;
  const parts: (string | MacroName)[] = [];
  for (const part of macro.parts) {
    const known = typeof part === "string" ? part : read(part);
    const last = parts.at(-1);
    if (known === undefined) parts.push(part);
    else if (typeof last === "string") parts[parts.length - 1] = last + known;
    else parts.push(known);
  }
  const [only = ""] = parts;
  return { parts, constant: parts.length <= 1 && typeof only === "string" ? only : null };
}
