import fc from "fast-check";

/** Patterns and texts of the same few characters, so that they meet: letters with other cases, line ends, surrogates. */
const CHARS = [
  "a",
  "b",
  "A",
  "k",
  "s",
  "0",
  "9",
  "_",
  "-",
  " ",
  "\n",
  "\u2028",
  "\ufeff",
  "ß",
  "ſ",
  "\u212a",
  "é",
  "😀",
  "𐐀",
  "𐐨",
  "\ud83d",
  "\ude00",
];

const literal = fc.constantFrom(
  ...CHARS.filter((char) => char !== "-"),
  "\\.",
  "\\/",
  "\\t",
  "\\x61",
  "\\u0061",
  "\\cJ",
  "\\0",
);
const setEscape = fc.constantFrom("\\d", "\\D", "\\w", "\\W", "\\s", "\\S");
const onlyUnicode = ["\\u{1F600}", "\\p{L}", "\\P{L}", "\\p{Lu}", "\\p{Script=Greek}", "\\ud83d\\ude00"];
const onlyAnnexB = ["\\-", "\\a", "\\c", "\\101", "\\8", "]", "{", "}", "{,2}", "\\u", "\\x", "\\p", "\\k", "\\_"];

const classPart = fc.oneof(
  fc.constantFrom(...CHARS, "a-k", "A-Z", "0-9", "\\-", "\\b", "\\]", "\\^", ".", "$", "\ud83d", "😀-😂", "\\u0061-b"),
  setEscape,
);

function classOf(unicode: boolean): fc.Arbitrary<string> {
  const part = unicode
    ? fc.oneof(classPart, fc.constantFrom("\\p{Lu}", "\\u{61}", "\\P{L}"))
    : fc.oneof(classPart, fc.constantFrom("\\w-a", "\\c1", "\\c", "\\101", "\\a"));
  return fc
    .tuple(fc.constantFrom("", "", "^"), fc.array(part, { maxLength: 3 }))
    .map(([not, parts]) => `[${not}${parts.join("")}]`);
}

const quantifier = fc.constantFrom(
  "",
  "",
  "",
  "*",
  "+",
  "?",
  "*?",
  "+?",
  "{2}",
  "{0}",
  "{1,2}",
  "{2,}",
  "{0,3}?",
  "{1,4}",
);
const opening = fc.constantFrom("(", "(?:", "(?<n>", "(?i:", "(?s:", "(?m:", "(?-i:", "(?im-s:");
const looking = fc.constantFrom("(?=", "(?!", "(?<=", "(?<!");

/** Patterns of the whole grammar, most of them valid. `looks` of both directions are more than one automaton can do. */
export function patterns(unicode: boolean): fc.Arbitrary<string> {
  const { tree } = fc.letrec<{ tree: string; atom: string; term: string; sequence: string }>((tie) => ({
    atom: fc.oneof(
      { weight: 6, arbitrary: literal },
      { weight: 2, arbitrary: fc.constantFrom(...(unicode ? onlyUnicode : onlyAnnexB)) },
      { weight: 2, arbitrary: setEscape },
      { weight: 3, arbitrary: classOf(unicode) },
      { weight: 2, arbitrary: fc.constant(".") },
      { weight: 3, arbitrary: fc.tuple(opening, tie("tree")).map(([open, inner]) => `${open}${inner})`) },
    ),
    term: fc.oneof(
      { weight: 8, arbitrary: fc.tuple(tie("atom"), quantifier).map(([atom, count]) => atom + count) },
      { weight: 3, arbitrary: fc.constantFrom("^", "$", "\\b", "\\B") },
      { weight: 1, arbitrary: fc.tuple(looking, tie("tree")).map(([open, inner]) => `${open}${inner})`) },
    ),
    sequence: fc.array(tie("term"), { maxLength: 4 }).map((terms) => terms.join("")),
    tree: fc.oneof(
      { maxDepth: 4 },
      { weight: 3, arbitrary: tie("sequence") },
      { weight: 1, arbitrary: fc.tuple(tie("sequence"), tie("sequence")).map((options) => options.join("|")) },
    ),
  }));
  const anchored = fc.tuple(fc.constantFrom("", "^"), tree, fc.constantFrom("", "$")).map((parts) => parts.join(""));
  return fc.oneof(tree, anchored);
}

/** Characters and pieces of syntax in any order: most of it no pattern. */
export const soups: fc.Arbitrary<string> = fc
  .array(
    fc.constantFrom(
      ...[
        "a",
        "1",
        "-",
        "^",
        "$",
        "\\",
        ".",
        "*",
        "+",
        "?",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "|",
        "/",
        ",",
        ":",
        "=",
        "!",
      ],
      ...[
        "<",
        ">",
        "(?",
        "(?:",
        "(?<",
        "(?<n>",
        "(?<m>",
        "\\k<n>",
        "\\k",
        "\\1",
        "\\2",
        "\\u",
        "\\u{",
        "\\x",
        "\\c",
        "\\p{",
      ],
      ...[
        "{1",
        "{1}",
        "{1,}",
        "{2,1}",
        "(?i",
        "(?i:",
        "(?-",
        "(?ii:",
        "(?i-i:",
        "[^",
        "\\d",
        "\\b",
        "L}",
        "61",
        "0061",
        "é",
        "😀",
      ],
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

export const texts: fc.Arbitrary<string> = fc.string({ unit: fc.constantFrom(...CHARS), maxLength: 7 });
