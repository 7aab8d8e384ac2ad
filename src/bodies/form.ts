/**
 * The text of application/x-www-form-urlencoded, of a body or a query (WHATWG URL section 5.1): `+` is a blank, escapes
 * are bytes of UTF-8. Null where they are none.
 */
export function decodeStrictly(text: string): string | null {
  if (!text.includes("%") && !text.includes("+")) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
}

/**
 * The same as the most lenient service reads it, as latin1: what is no escape stays as it is, and `%u005f` is a
 * character, as with ASP.NET. For names whose letters are ASCII.
 */
export function decodeLeniently(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  return text
    .replaceAll("+", " ")
    .replace(/%(?:u([\dA-Fa-f]{4})|([\dA-Fa-f]{2}))/g, (_, wide?: string, byte?: string) =>
      String.fromCharCode(Number.parseInt(wide ?? byte ?? "", 16)),
    );
}
