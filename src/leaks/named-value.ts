import { byteSet, isIn } from "./byte-set.ts";
import { MORE } from "./shape.ts";
import type { LeakText } from "./text.ts";

/** `"name": "value"`, `name=value`, `name: value`, `<name>value<`: what stands under a name. */
export interface NamedValue {
  readonly from: number;
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** Behind a colon or a blank, without quotes: a line of YAML or of a head, or prose. */
  readonly isBare: boolean;
  /** It goes on. */
  readonly isCut: boolean;
}

const NAME = byteSet("A-Za-z0-9_.-");
const BLANK = byteSet(" \\t");
const NAME_BYTES_MAX = 48;
const SIGN_BYTES_MAX = 16;
export const VALUE_BYTES_MAX = 512;

/** Ends of values: in quotes the same quote, in an element the next, elsewhere whatever parts parameters. */
const IN_QUOTES: Readonly<Record<string, ReturnType<typeof byteSet>>> = {
  '"': byteSet('"\\n\\r'),
  "'": byteSet("'\"\\n\\r"),
  ">": byteSet('<"\\n\\r'),
};
const IN_PARAMETER = byteSet(" \\t\\n\\r&;,\"'<>)}]");

/** The value whose name has an anchor that ends before `at`. */
export function namedValueAt(text: LeakText, at: number): NamedValue | typeof MORE | null {
  const { bytes, length } = text;
  let from = at;
  while (from > text.start && at - from < NAME_BYTES_MAX && isIn(NAME, bytes[from - 1])) from--;
  let nameEnd = at;
  while (nameEnd < length && nameEnd - from < NAME_BYTES_MAX && isIn(NAME, bytes[nameEnd])) nameEnd++;
  const sign = readSign(text, nameEnd);
  if (sign === MORE || sign === null) return sign;
  const ends = IN_QUOTES[sign.quote] ?? IN_PARAMETER;
  let end = sign.end;
  while (end < length && end - sign.end < VALUE_BYTES_MAX && !isIn(ends, bytes[end])) end++;
  if (end === length && !text.isWhole && end - sign.end < VALUE_BYTES_MAX) return MORE;
  const isCut = end < length && !isIn(ends, bytes[end]);
  while (end > sign.end && bytes[end - 1] === BACKSLASH) end--;
  return { from, name: text.slice(from, nameEnd), start: sign.end, end, isBare: sign.isBare === true, isCut };
}

const BACKSLASH = 0x5c;

/** `quote`: what the value stands in; empty for none. */
interface Sign {
  readonly quote: string;
  readonly end: number;
  readonly isBare?: boolean;
}

/** What parts a name from its value. Quotes may be escaped again, as in JSON within a string. */
function readSign(text: LeakText, from: number): Sign | typeof MORE | null {
  const most = Math.min(text.length, from + SIGN_BYTES_MAX);
  let at = from;
  const take = (char: number): boolean => {
    const isThere = at < most && text.bytes[at] === char;
    if (isThere) at++;
    return isThere;
  };
  const skip = (): void => {
    while (at < most && (isIn(BLANK, text.bytes[at]) || text.bytes[at] === BACKSLASH)) at++;
  };
  const over = (): typeof MORE | null => (at === text.length && !text.isWhole ? MORE : null);
  skip();
  const isClosed = take(0x22) || take(0x27);
  skip();
  if (take(0x3e)) return isClosed ? null : at === text.length && !text.isWhole ? MORE : { quote: ">", end: at };
  const isColon = take(0x3a);
  if (!isColon && !take(0x3d)) return over();
  const behind = at;
  take(0x3e);
  skip();
  if (at === text.length) return over();
  if (take(0x22)) return { quote: '"', end: at };
  if (take(0x27)) return { quote: "'", end: at };
  return { quote: "", end: at, isBare: isColon || at !== behind };
}

/** What stands in a value's place. */
export function isPlaceholder(value: string): boolean {
  return (
    value.length < 4 ||
    /^(.)\1*$/.test(value) ||
    /^(?:string|null|true|false|none|undefined|required|optional|redacted|hidden|masked|secret|password|passwort)$/i.test(
      value,
    ) ||
    /^(?:\[.*\]|<.*>|\$\{.*\}|\{\{.*\}\}|%.*%|\*+.*|.*\*{3,}.*|.*\.{3})$/.test(value)
  );
}

/** `clientSecretKey2` → `client`, `secret`, `key`. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== "");
}
