import { Composer, type Document, Lexer, LineCounter, Parser } from "yaml";
import type { Place } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Turns } from "../support/turns.ts";
import { NodeIndex } from "./node-index.ts";
import { type Path, pathText } from "./path.ts";
import { type AliasTargets, plainValue } from "./plain-value.ts";
import type { Problem } from "./snapshot.ts";

/** A policy's text with the way back from every value to its line. */
export interface PolicyDocument {
  /** Name of the file as its user wrote it. */
  readonly file: string;
  /** Lists, objects without prototype, strings, finite numbers, booleans, null. */
  readonly value: unknown;
  /** Where the value at `path` stands; for a path that leads nowhere, its nearest parent. */
  place(path: Path): Place;
  /** Where the key at the end of `path` stands. */
  keyPlace(path: Path): Place;
}

/** Strange tags leave a tree that can be searched for more problems; broken syntax does not. */
const SURVIVABLE: ReadonlySet<string> = new Set(["TAG_RESOLVE_FAILED"]);

/** Bytes of a policy → document, or null where there is nothing to read in it. Never throws. */
export async function parseDocument(
  file: string,
  bytes: Buffer,
  turns: Turns,
  report: (problem: Problem) => void,
): Promise<PolicyDocument | null> {
  const fault = (text: string, place = { line: 1, column: 1 }): null => {
    report({ place: { file, ...place, path: "" }, text });
    return null;
  };
  if (bytes.length > DEFAULTS.policyBytesMax)
    return fault(`the policy is larger than ${DEFAULTS.policyBytesMax} bytes`);
  const text = decodeUtf8(bytes);
  if (text === null) return fault("the policy is not UTF-8 text");
  const at = lineFinder(text);
  const tokens = await shallowTokens(text, turns);
  if (typeof tokens === "number") return fault(`nested deeper than ${DEFAULTS.policyDepthMax} levels`, at(tokens));
  if (turns.due) await turns.give();
  const documents = compose(tokens, text.length);
  if (turns.due) await turns.give();
  const document = documents?.[0];
  if (document === undefined) return fault("the policy is not valid YAML");

  let isBroken = false;
  for (const error of [...document.errors, ...document.warnings]) {
    const isSurvivable = SURVIVABLE.has(error.code);
    // Behind a first fault of the syntax the parser stumbles over its own steps; those are no news.
    if (isSurvivable || !isBroken) fault(syntaxText(error.code, error.message, text, error.pos[0]), at(error.pos[0]));
    isBroken ||= !isSurvivable;
  }
  const { yaml } = document.directives;
  if (yaml.explicit === true && yaml.version !== "1.2") return fault("a policy is YAML 1.2; take the %YAML line out");
  const second = documents?.[1];
  // Whoever reads only the first document would not see what the second one says.
  if (second !== undefined) return fault("a second document begins here; expected one", at(second.range[0]));
  if (isBroken) return null;
  if (document.contents === null) return fault("the policy is empty; expected 'version: 1' and what follows");

  const aliases: AliasTargets = new Map();
  const value = plainValue(document.contents, aliases, (problem, offset) => fault(problem, at(offset)));
  if (value === undefined) return null;
  const nodes = new NodeIndex(document.contents, aliases);
  const placeOf = (offset: number, path: Path): Place => ({ file, ...at(offset), path: pathText(path) });
  return {
    file,
    value,
    // A block that begins below its key is known by the key's line: that is what a reader looks for.
    place: (path) => {
      const { key, value: start } = nodes.find(path);
      return placeOf(key !== null && at(key).line !== at(start).line ? key : start, path);
    },
    keyPlace: (path) => {
      const { key, value: start } = nodes.find(path);
      return placeOf(key ?? start, path);
    },
  };
}

function decodeUtf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Offset → line and column, both from 1; columns count UTF-16 units, as editors do. */
function lineFinder(text: string): (offset: number) => { line: number; column: number } {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  return (offset) => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line, column: col };
  };
}

/** Between two looks at the clock. */
const LOOK_EVERY_CHARS = 1_000;

type Tokens = Parameters<Composer["compose"]>[0];

/** The tokens of `text`, or the offset where it is nested so deep that composing, which recurses, cannot be trusted. */
async function shallowTokens(text: string, turns: Turns): Promise<Tokens | number> {
  const parser = new Parser();
  // Each level takes at most two entries of the parser's stack, a document and its scalar one each.
  const stackMax = 2 * DEFAULTS.policyDepthMax + 2;
  const tokens = [];
  let nextLook = LOOK_EVERY_CHARS;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > stackMax) return parser.offset;
    if (parser.offset >= nextLook) {
      nextLook = parser.offset + LOOK_EVERY_CHARS;
      if (turns.due) await turns.give();
    }
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

function compose(tokens: Tokens, length: number): readonly Document.Parsed[] | null {
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    strict: true,
    uniqueKeys: false,
    stringKeys: true,
    merge: false,
    resolveKnownTags: false,
    logLevel: "silent",
  });
  try {
    return [...composer.compose(tokens, true, length)];
  } catch {
    return null;
  }
}

function syntaxText(code: string, message: string, text: string, offset: number): string {
  if (code === "TAG_RESOLVE_FAILED") return "a tag has no meaning in a policy; expected a value without it";
  const sentence = message.charAt(0).toLowerCase() + message.slice(1);
  return `not valid YAML: ${sentence}${unquotedTemplate(text, offset)}`;
}

/** The likeliest slip: `{ path: /orders/{id} }`, whose inner braces YAML takes for its own. */
function unquotedTemplate(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1).split("\n", 1)[0] ?? "";
  return /\{.*path: *\/[^'",]*\{/.test(line)
    ? "; in braces a path with a parameter needs quotes, as in path: '/orders/{id}'"
    : "";
}
