import type { Place } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { decodeText } from "../support/text.ts";
import type { Steps } from "../support/turns.ts";
import { breaksSyntax, composeDocument } from "../yaml/compose.ts";
import { lineFinder } from "../yaml/lines.ts";
import type { AliasTargets } from "../yaml/merge-keys.ts";
import { POLICY_READING, plainValue } from "../yaml/plain-value.ts";
import { syntaxText } from "../yaml/syntax-text.ts";
import { readTokens } from "../yaml/tokens.ts";
import { NodeIndex } from "./node-index.ts";
import { type Path, pathText } from "./path.ts";
import type { Problem } from "./snapshot.ts";

/** A policy's text with the way back from every value to its line. */
export interface PolicyDocument {
  /** Name of the file as its user wrote it. */
  readonly file: string;
  /** Lists, objects without prototype, strings, finite numbers, booleans, null. */
  readonly value: unknown;
  /** Where the value at `path` stands; for a path that leads nowhere, its nearest parent. */
  place(path: Path): Place;
  /** Where the `offset`th character of the text at `path` stands; where that text begins if it is written in a way that hides it. */
  placeWithin(path: Path, offset: number): Place;
  /** Where the key at the end of `path` stands. */
  keyPlace(path: Path): Place;
}

const TAG_WITHOUT_MEANING = "a tag has no meaning in a policy; expected a value without it";

/** What a text of a policy stands for; `place` says where it stands. */
export type TextResolver = (text: string, place: () => Place) => string;

/** What problems call a text, and what they say of one with nothing in it. */
export interface TextWords {
  readonly what: string;
  readonly isEmpty: string;
}

const POLICY: TextWords = {
  what: "the policy",
  isEmpty: "the policy is empty; expected 'version: 1' and what follows",
};

/**
 * Bytes of a policy → document, `resolve` giving what its texts stand for; or null where there is nothing to read in it.
 * Never throws.
 */
export function* parseDocument(
  file: string,
  bytes: Buffer,
  report: (problem: Problem) => void,
  words: TextWords = POLICY,
  resolve: TextResolver | null = null,
): Steps<PolicyDocument | null> {
  const fault = (text: string, place = { line: 1, column: 1 }): null => {
    report({ place: { file, ...place, path: "" }, text });
    return null;
  };
  if (bytes.length > DEFAULTS.policyBytesMax)
    return fault(`${words.what} is larger than ${DEFAULTS.policyBytesMax} bytes`);
  const decoded = decodeText(bytes);
  if (!decoded.ok) return fault(`${words.what} is ${decoded.error}`);
  const text = decoded.value;
  const at = lineFinder(text);
  const tokens = yield* readTokens(text);
  if (typeof tokens === "number") return fault(`nested deeper than ${DEFAULTS.policyDepthMax} levels`, at(tokens));
  const composed = yield* composeDocument(tokens, text.length);
  if (composed === null) return fault(`${words.what} is not valid YAML`);
  const { document, faults, secondAt } = composed;

  let isBroken = false;
  for (const error of faults) {
    // Behind a first fault of the syntax the parser stumbles over its own steps; those are no news.
    if (isBroken) break;
    fault(breaksSyntax(error) ? syntaxText(error, text) : TAG_WITHOUT_MEANING, at(error.pos[0]));
    isBroken = breaksSyntax(error);
  }
  const { yaml } = document.directives;
  if (yaml.explicit === true && yaml.version !== "1.2") return fault("a policy is YAML 1.2; take the %YAML line out");
  // Whoever reads only the first document would not see what the second one says.
  if (secondAt !== null) return fault("a second document begins here; expected one", at(secondAt));
  if (isBroken) return null;
  if (document.contents === null) return fault(words.isEmpty);

  const aliases: AliasTargets = new Map();
  const told: Parameters<typeof plainValue>[2] = ({ text: problem }, offset) => fault(problem, at(offset));
  const reading =
    resolve === null
      ? POLICY_READING
      : {
          ...POLICY_READING,
          text: (text: string, offset: number) => resolve(text, () => ({ file, ...at(offset), path: "" })),
        };
  const value = yield* plainValue(document.contents, aliases, told, reading);
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
    placeWithin: (path, offset) => {
      const { key, value: start } = nodes.find(path);
      const inside = offsetWithin(text, start, offset);
      return placeOf(inside ?? key ?? start, path);
    },
    keyPlace: (path) => {
      const { key, value: start } = nodes.find(path);
      return placeOf(key ?? start, path);
    },
  };
}

/**
 * Offset in the file of a character of a scalar that begins at `start`: plain or in quotes on one line and without escapes before
 * it, or a literal block. Null for other ways to write one.
 */
function offsetWithin(text: string, start: number, offset: number): number | null {
  const style = text[start];
  if (style === "|") return offsetInBlock(text, start, offset);
  if (style === ">") return null;
  let at = style === "'" || style === '"' ? start + 1 : start;
  for (let left = offset; left > 0; left--, at++) {
    const char = text[at];
    if (char === "\n" || char === undefined || (style === '"' && char === "\\")) return null;
    if (style === "'" && char === "'") at++;
  }
  return at;
}

/** The lines of a literal block are those of its text, each behind the indentation of the first that is not empty. */
function offsetInBlock(text: string, start: number, offset: number): number | null {
  let at = text.indexOf("\n", start) + 1;
  const indent = /^(?: *\n)*( +)/.exec(text.slice(at, at + BLOCK_LOOK_MAX))?.[1]?.length;
  if (at === 0 || indent === undefined) return null;
  for (let left = offset; ; ) {
    const end = text.indexOf("\n", at);
    const length = Math.max(0, (end < 0 ? text.length : end) - at - indent);
    if (left <= length) return at + indent + left;
    if (end < 0) return null;
    left -= length + 1;
    at = end + 1;
  }
}

const BLOCK_LOOK_MAX = 1024;
