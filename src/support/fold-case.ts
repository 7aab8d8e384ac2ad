/**
 * Names as decoders that do not tell cases apart see them: Go's encoding/json by Unicode's simple case folding, in which
 * the Kelvin sign is a k and the long s an s; Java's equalsIgnoreCase, for which the Turkish i's are one, too. As many
 * UTF-16 units as the name has.
 */
export function foldCase(name: string): string {
  if (ASCII.test(name)) return name.toLowerCase();
  let folded = "";
  for (const char of name) folded += foldOne(char);
  return folded;
}

const ASCII = /^[\0-\x7f]*$/;

function foldOne(char: string): string {
  if (char === "İ") return "i";
  const upper = char.toUpperCase();
  const lower = (upper.length === char.length ? upper : char).toLowerCase();
  return lower.length === char.length ? lower : char;
}
