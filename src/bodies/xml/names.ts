/** Characters of names (XML 1.0, fifth edition, section 2.3), without the colon, which parts prefix and local name. */
const START =
  "A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F" +
  "\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}";
const PART = `${START}\\-.0-9\\u00B7\\u0300-\\u036F\\u203F\\u2040`;

/** At `lastIndex`: an NCName, or two with a colon between them (Namespaces in XML 1.0 section 4). */
export const QUALIFIED_NAME: RegExp = new RegExp(`(?:([${START}][${PART}]*):)?([${START}][${PART}]*)(?!:)`, "uy");

/** What is no character of XML (section 2.2); halves of surrogate pairs are not there in UTF-8. */
export const NO_CHARACTER: RegExp = /[\0-\x08\x0b\x0c\x0e-\x1f\uFFFE\uFFFF]/;

export function isCharacter(code: number): boolean {
  return (
    code === 0x9 ||
    code === 0xa ||
    code === 0xd ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  );
}
