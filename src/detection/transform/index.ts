import type { Steps } from "../../support/turns.ts";
import { type Begin, madeAtOnce, madeInSteps } from "./bytes.ts";
import { cmdLine } from "./command-line.ts";
import * as decode from "./decode.ts";
import * as encode from "./encode.ts";
import { normalizePath, normalizePathWin } from "./path.ts";
import * as simplify from "./simplify.ts";
import { TRIGGER } from "./triggers.ts";

export { triggersOf, triggersOfAlphabet } from "./triggers.ts";

/** From byte text to byte text; the very same string where nothing changes. */
export type Transform = (text: string) => string;

/** The same of a long text, in steps. */
export type TransformInSteps = (text: string) => Steps<string>;

interface Transformation {
  readonly transform: Transform;
  readonly inSteps?: TransformInSteps;
  /** False where a text with these kinds of characters surely stays as it is. */
  readonly mayChange: (triggers: number) => boolean;
}

const always = (): boolean => true;
const withAny = (mask: number) => (triggers: number) => (triggers & mask) !== 0;
const has = (triggers: number, mask: number): boolean => (triggers & mask) === mask;

const SPACES = TRIGGER.space | TRIGGER.control;
const HIGH = TRIGGER.high | TRIGGER.noBreak;
const COMMENT = TRIGGER.slash | TRIGGER.star;

function mayBeShorterPath(triggers: number): boolean {
  if ((triggers & TRIGGER.slashTwice) !== 0 || triggers === TRIGGER.dot) return true;
  return has(triggers, TRIGGER.dot | TRIGGER.slash);
}

/** One that can stop on its way. */
function inPieces(begin: Begin, mayChange: Transformation["mayChange"]): Transformation {
  return { transform: (text) => madeAtOnce(begin, text), inSteps: (text) => madeInSteps(begin, text), mayChange };
}

const path = inPieces(normalizePath, mayBeShorterPath);
const pathWin = inPieces(
  normalizePathWin,
  (triggers) => (triggers & TRIGGER.backslash) !== 0 || mayBeShorterPath(triggers),
);

/** By their names in small letters. */
const TRANSFORMATIONS = new Map<string, Transformation>([
  ["none", { transform: (text) => text, mayChange: () => false }],
  ["urldecode", inPieces(decode.urlDecode, withAny(TRIGGER.percent | TRIGGER.plus))],
  ["urldecodeuni", inPieces(decode.urlDecodeUni, withAny(TRIGGER.percent | TRIGGER.plus))],
  ["htmlentitydecode", inPieces(decode.htmlEntityDecode, withAny(TRIGGER.ampersand))],
  ["jsdecode", inPieces(decode.jsDecode, withAny(TRIGGER.backslash))],
  ["cssdecode", inPieces(decode.cssDecode, withAny(TRIGGER.backslash))],
  ["escapeseqdecode", inPieces(decode.escapeSeqDecode, withAny(TRIGGER.backslash))],
  ["sqlhexdecode", { transform: decode.sqlHexDecode, mayChange: mayHaveHex }],
  ["hexdecode", { transform: decode.hexDecode, mayChange: always }],
  ["base64decode", { transform: decode.base64Decode, mayChange: always }],
  ["base64decodeext", { transform: decode.base64DecodeExt, mayChange: always }],
  ["base64encode", { transform: encode.base64Encode, mayChange: always }],
  ["hexencode", { transform: encode.hexEncode, mayChange: always }],
  [
    "urlencode",
    {
      transform: encode.urlEncode,
      mayChange: withAny(~(TRIGGER.lower | TRIGGER.upper | TRIGGER.digit | TRIGGER.star)),
    },
  ],
  ["utf8tounicode", { transform: encode.utf8toUnicode, mayChange: withAny(HIGH) }],
  ["sha1", { transform: encode.sha1, mayChange: always }],
  ["md5", { transform: encode.md5, mayChange: always }],
  ["length", { transform: encode.length, mayChange: always }],
  ["lowercase", inPieces(simplify.lowercase, withAny(TRIGGER.upper))],
  ["uppercase", inPieces(simplify.uppercase, withAny(TRIGGER.lower))],
  ["removenulls", { transform: simplify.removeNulls, mayChange: withAny(TRIGGER.null) }],
  ["replacenulls", { transform: simplify.replaceNulls, mayChange: withAny(TRIGGER.null) }],
  ["removewhitespace", { transform: simplify.removeWhitespace, mayChange: withAny(SPACES | TRIGGER.noBreak) }],
  [
    "compresswhitespace",
    { transform: simplify.compressWhitespace, mayChange: withAny(TRIGGER.control | TRIGGER.spaceTwice) },
  ],
  ["trim", { transform: simplify.trim, mayChange: withAny(SPACES) }],
  ["trimleft", { transform: simplify.trimLeft, mayChange: withAny(SPACES) }],
  ["trimright", { transform: simplify.trimRight, mayChange: withAny(SPACES) }],
  ["cmdline", inPieces(cmdLine, mayBeSimplerCommand)],
  ["replacecomments", { transform: simplify.replaceComments, mayChange: (triggers) => has(triggers, COMMENT) }],
  ["removecomments", { transform: simplify.removeComments, mayChange: mayHaveComments }],
  ["removecommentschar", { transform: simplify.removeCommentsChar, mayChange: mayHaveComments }],
  ["normalizepath", path],
  ["normalisepath", path],
  ["normalizepathwin", pathWin],
  ["normalisepathwin", pathWin],
]);

function mayHaveHex(triggers: number): boolean {
  return (triggers & TRIGGER.digit) !== 0 && (triggers & (TRIGGER.lower | TRIGGER.upper)) !== 0;
}

function mayHaveComments(triggers: number): boolean {
  return (triggers & (TRIGGER.hash | TRIGGER.dashTwice)) !== 0 || has(triggers, COMMENT);
}

const COMMAND_PARTS = TRIGGER.quote | TRIGGER.backslash | TRIGGER.separator | TRIGGER.control | TRIGGER.upper;

/** Single spaces stay, but before a slash or a parenthesis. */
function mayBeSimplerCommand(triggers: number): boolean {
  if ((triggers & (COMMAND_PARTS | TRIGGER.spaceTwice)) !== 0) return true;
  return (triggers & TRIGGER.space) !== 0 && (triggers & (TRIGGER.slash | TRIGGER.parenthesis)) !== 0;
}

/** A transformation by the name that ModSecurity gives it, in any case; undefined where there is none. */
export function transformOf(name: string): Transform | undefined {
  return TRANSFORMATIONS.get(name.toLowerCase())?.transform;
}

/** The same in steps; undefined where it takes little time, or there is none. */
export function transformInStepsOf(name: string): TransformInSteps | undefined {
  return TRANSFORMATIONS.get(name.toLowerCase())?.inSteps;
}

/** Whether it may change a text that has these kinds of characters (`triggersOf`); false only where it surely does not. */
export function mayChange(name: string, triggers: number): boolean {
  return TRANSFORMATIONS.get(name.toLowerCase())?.mayChange(triggers) ?? true;
}

/** All names, in small letters. */
export const TRANSFORM_NAMES: readonly string[] = [...TRANSFORMATIONS.keys()];
