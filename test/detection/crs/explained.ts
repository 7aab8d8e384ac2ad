/** Requests that postern refuses before any rule, though the rules have nothing against them, and why. */
const REFUSED: readonly (readonly [why: string, ...names: string[]])[] = [
  [
    "a sidecar is no forward proxy: CONNECT and OPTIONS * are for nobody behind it",
    "920100-3",
    "920100-4",
    "920100-6",
    "920300-2",
    "920300-3",
  ],
  ["a target has no fragment (RFC 9112 section 3.2)", "920100-7"],
  ["the absolute form without a path is the path / (RFC 9112 section 3.2.2), and no fault", "920100-16"],
  ["a request line of HTTP/1.1 that says HTTP/2", "920180-4", "920430-4"],
  ["two lengths of one body (RFC 9112 section 6.3)", "920181-1"],
  ["a path whose escapes are no UTF-8", "920271-6"],
  ["a Host that is no host (RFC 9112 section 3.2)", "920290-2"],
  [
    "a body of a method that has none here (RFC 9110 section 9.3)",
    "920420-9",
    "920420-10",
    "942190-43",
    "942190-45",
    "942190-46",
  ],
  [
    "a parameter that names another method, whatever it names",
    "920650-19",
    "920650-20",
    "920650-21",
    "920650-22",
    "920650-24",
  ],
  ["an escaped slash in a path, which services read in two ways", "932380-6"],
  ["XML that is not well-formed", "920240-4"],
  [
    "a form in which parsers do not see the same parts: no field name, no empty line, bare line ends",
    "920120-39",
    "920400-2",
    "922130-5",
    "922130-8",
    "932180-3",
  ],
  ["a part in another charset than UTF-8", "922110-6", "922110-13", "922110-16", "922110-22", "922110-27"],
];

/** Where the rules' own verdict is another, and why. */
const OTHERWISE: readonly (readonly [why: string, ...names: string[]])[] = [
  ["phase 5 tells logs what others have found, and is not run", "980170-1", "980170-2"],
  ["expects a server that joins two Content-Type lines; we see two, as the rule means it", "920620-1"],
  ["refused for its file's name before the file is here", "920410-1"],
  ["our recogniser of SQL against libinjection's", "942100-13", "942101-9", "942101-11"],
];

const EXPLAINED = new Map(
  [...REFUSED, ...OTHERWISE].flatMap(([why, ...names]) => names.map((name) => [name, why] as const)),
);

export function explanationOf(name: string): string | null {
  return EXPLAINED.get(name) ?? null;
}
