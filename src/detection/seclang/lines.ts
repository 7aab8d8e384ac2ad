/** A line as it is meant: what ends with a backslash goes on in the next. */
export interface LogicalLine {
  readonly text: string;
  /** Of its beginning, from 1. */
  readonly line: number;
}

/** Text of a file → its lines, without comments and empty ones. A comment goes on behind a backslash, too, as in ModSecurity. */
export function* logicalLines(text: string): Generator<LogicalLine> {
  let line = 0;
  for (let at = 0; at < text.length; ) {
    const begun = line + 1;
    let joined = "";
    for (;;) {
      const end = text.indexOf("\n", at);
      const raw = text.slice(at, end < 0 ? text.length : end).replace(/\r$/, "");
      at = end < 0 ? text.length : end + 1;
      line++;
      const goesOn = raw.endsWith("\\");
      joined += goesOn ? raw.slice(0, -1) : raw;
      if (!goesOn || at >= text.length) break;
    }
    const trimmed = joined.trim();
    if (trimmed !== "" && !trimmed.startsWith("#")) yield { text: trimmed, line: begun };
  }
}

/**
 * A line → its words. A word may stand in quotes of either kind, in which a quote is written `\"`; another backslash is
 * itself, since patterns are full of them. Null where a quote is not closed.
 */
export function wordsOf(text: string): string[] | null {
  const words: string[] = [];
  for (let at = 0; at < text.length; ) {
    const char = text.charAt(at);
    if (char === " " || char === "\t") {
      at++;
      continue;
    }
    if (char !== '"' && char !== "'") {
      const end = text.slice(at).search(/[ \t]/);
      words.push(end < 0 ? text.slice(at) : text.slice(at, at + end));
      at = end < 0 ? text.length : at + end;
      continue;
    }
    const end = closingQuote(text, at + 1, char);
    if (end < 0) return null;
    words.push(text.slice(at + 1, end).replaceAll(`\\${char}`, char));
    at = end + 1;
  }
  return words;
}

/** Where the next of some signs stands; the text's length where none does. */
export function nextOf(signs: RegExp, text: string, from: number): number {
  signs.lastIndex = from;
  return signs.exec(text)?.index ?? text.length;
}

/** Where the quote stands that ends what begins at `from`; -1 where none does. */
export function closingQuote(text: string, from: number, quote: string): number {
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) {
    let before = at;
    while (before > from && text.charAt(before - 1) === "\\") before--;
    // Each backslash of them takes the next along.
    if ((at - before) % 2 === 0) return at;
  }
  return -1;
}
