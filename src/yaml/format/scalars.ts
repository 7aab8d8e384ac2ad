/** Words that YAML 1.1, which other tools still read, takes for true, false or nothing. */
const WORDS = new Set(["true", "false", "yes", "no", "on", "off", "y", "n", "null"]);
/** YAML 1.1 takes these for numbers. */
const EXPONENT = /^e[-+]?\d+$/i;

/** Hashes and the like: whether one would be a number without quotes is left to chance. */
const HEX = /^(?=.*\d)[\da-f]+$/i;

/** What is text in every YAML and begins as nothing else does. In braces and brackets less is. */
const PLAIN_IN_BLOCK = /^[a-z_/][\w ./:@+=~%?&*()-]*$/i;
const PLAIN_IN_FLOW = /^[a-z_/][\w ./@+=~%*()-]*$/i;

/**
 * A text in quotes with no more of them than it needs: none where it is plain text to every reader, single ones where it has
 * no escapes. What takes more than a line stays as it is.
 */
export function requote(source: string, isInFlow: boolean): string {
  const quote = source[0];
  const inner = source.slice(1, -1);
  if (inner.includes("\n") || (quote === "'" ? inner.includes("''") : inner.includes("\\"))) return source;
  if (isPlainText(inner, isInFlow)) return inner;
  return inner.includes("'") ? source : `'${inner}'`;
}

function isPlainText(text: string, isInFlow: boolean): boolean {
  if (!(isInFlow ? PLAIN_IN_FLOW : PLAIN_IN_BLOCK).test(text)) return false;
  if (text.endsWith(" ") || text.endsWith(":") || text.includes(": ")) return false;
  return !WORDS.has(text.toLowerCase()) && !EXPONENT.test(text) && !HEX.test(text);
}

/** A plain or quoted text over several lines, those after the first behind `indent` blanks: YAML joins them without these. */
export function reindentLines(source: string, indent: number): string {
  if (!source.includes("\n")) return source;
  const [first = "", ...rest] = source.split("\n");
  const lines = rest.map((line) => line.replace(/^[ \t]+/, ""));
  return [first, ...lines.map((line) => (line === "" ? "" : " ".repeat(indent) + line))].join("\n");
}

/** A block text as it is laid out anew: its lines without the last line break, and how many empty lines stand behind it. */
export interface BlockLines {
  readonly text: string;
  readonly emptyBehind: number;
}

/**
 * The lines below a `|` or `>`, moved as one. `header`: what follows the key, as `|2-`. `parent`: blanks before the line of the
 * header's own block, as it was and as it will be; a digit in the header counts from there.
 */
export function reindentBlock(
  source: string,
  header: string,
  parent: { readonly was: number; readonly is: number },
): BlockLines {
  const digit = /[1-9]/.exec(header)?.[0];
  const lines = source.replace(/\n$/, "").split("\n");
  const first = lines.find((line) => /[^ ]/.test(line));
  const found = first === undefined ? Number.POSITIVE_INFINITY : first.search(/[^ ]/);
  const was = digit === undefined ? found : parent.was + Number(digit);
  const is = digit === undefined ? parent.is + 2 : Math.max(parent.is, 0) + Number(digit);
  let kept = lines.length;
  // With a + all line breaks count. Blanks beyond the indentation are the text's own.
  if (!header.includes("+")) while (kept > 1 && isEmpty(lines[kept - 1] ?? "", was)) kept--;
  const moved = lines.slice(0, kept).map((line) => (isEmpty(line, was) ? "" : " ".repeat(is) + line.slice(was)));
  return { text: moved.join("\n"), emptyBehind: lines.length - kept };
}

function isEmpty(line: string, indent: number): boolean {
  return line.length <= indent && /^ *$/.test(line);
}
