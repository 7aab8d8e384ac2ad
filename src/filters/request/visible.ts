/**
 * Percent-encodes (as UTF-8) whatever is not visible ASCII, and `%` itself, so that `sub` can neither inject a line
 * nor be mistaken for another.
 */
export function visible(text: string): string {
  return text.replace(/[^\x21-\x24\x26-\x7e]+/g, (run) => {
    let encoded = "";
    for (const byte of Buffer.from(run, "utf8")) encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    return encoded;
  });
}
