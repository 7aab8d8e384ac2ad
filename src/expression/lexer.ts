import { ExpressionFault } from "./syntax.ts";

export type Token =
  | { readonly kind: "name" | "op" | "end"; readonly at: number; readonly text: string }
  | { readonly kind: "value"; readonly at: number; readonly text: string; readonly value: bigint | number | string };

const SKIPPED = /(?:[ \t\r\n\f]+|\/\/[^\n]*)*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?/y;
const NAME = /[A-Za-z_]\w*/y;
const OPERATOR = /&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()[\]{}]/y;
const STRING = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y;
const RAW_STRING = /[rR](?:"[^"\n]*"|'[^'\n]*')/y;

/** Source → tokens, the last of them `end`. Throws `ExpressionFault`. */
export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = skip(source, 0); ; at = skip(source, at)) {
    const token = tokenAt(source, at);
    tokens.push(token);
    if (token.kind === "end") return tokens;
    at += token.text.length;
  }
}

function skip(source: string, at: number): number {
  return at + (match(SKIPPED, source, at)?.length ?? 0);
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

function tokenAt(source: string, at: number): Token {
  if (at >= source.length) return { kind: "end", at, text: "" };
  const raw = match(RAW_STRING, source, at);
  if (raw !== undefined) return { kind: "value", at, text: raw, value: raw.slice(2, -1) };
  if (/^[bB][rR]?["']/.test(source.slice(at, at + 3))) throw new ExpressionFault(at, "bytes are not understood here");
  const text = match(STRING, source, at);
  if (text !== undefined) return { kind: "value", at, text, value: unescaped(text.slice(1, -1), at + 1) };
  const number = match(NUMBER, source, at);
  if (number !== undefined) return numberToken(source, at, number);
  const word = match(NAME, source, at) ?? match(OPERATOR, source, at);
  if (word === undefined) {
    const isQuote = source[at] === '"' || source[at] === "'";
    throw new ExpressionFault(
      at,
      isQuote ? "a text that does not end on its line" : `'${source[at]}' means nothing here`,
    );
  }
  return { kind: /\w/.test(word) ? "name" : "op", at, text: word };
}

function numberToken(source: string, at: number, text: string): Token {
  const next = source[at + text.length] ?? "";
  if (/[uU]/.test(next)) throw new ExpressionFault(at, "unsigned numbers are not understood here");
  if (/\w/.test(next)) throw new ExpressionFault(at, "a number that runs into a name");
  const isDouble = !/^0[xX]/.test(text) && /[.eE]/.test(text);
  return { kind: "value", at, text, value: isDouble ? Number(text) : BigInt(text) };
}

const ESCAPE =
  /\\(?:([abfnrtv\\?"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]?))/g;

const SIMPLE: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

function unescaped(text: string, at: number): string {
  if (!text.includes("\\")) return text;
  return text.replace(ESCAPE, (_, simple, hex, short, long, octal, _other, offset: number) => {
    if (simple !== undefined) return SIMPLE[simple] ?? simple;
    const code = octal === undefined ? Number.parseInt(hex ?? short ?? long ?? "", 16) : Number.parseInt(octal, 8);
    if (!(code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) {
      throw new ExpressionFault(at + offset, "an escape that is none");
    }
    return String.fromCodePoint(code);
  });
}
