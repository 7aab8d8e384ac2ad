/**
 * Foreign text, made fit for a log line: at most `charsMax` characters, and every character outside visible ASCII
 * (and the backslash) as a `\u` escape, so that a claim or a key can neither forge a line nor paint a terminal.
 */
export function excerpt(text: string, charsMax: number = 64): string {
  const short = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text;
  return short.replace(/[^\x20-\x5b\x5d-\x7e…]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
