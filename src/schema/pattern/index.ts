import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { Automaton, beginningOf } from "./automaton.ts";
import { type CharSet, LAST_CODE_UNIT, rangesOf, union } from "./char-set.ts";
import { type Check, checksOf, looksOf } from "./checks.ts";
import { isCrowdWithin } from "./crowd.ts";
import { hasLength, lengthReading } from "./lengths.ts";
import { parsePattern } from "./parse.ts";
import { type Program, sizeOf, toProgram } from "./program.ts";
import type { TextReading } from "./reader.ts";
import { samplesOf } from "./sample.ts";
import type { PatternFault } from "./source.ts";
import { isAnchored, isBeside, lengthsOf, type Node, walk } from "./tree.ts";
import { PatternTooCostly, withPatternWork } from "./work.ts";

export type { CharSet } from "./char-set.ts";
export { isPattern } from "./parse.ts";
export type { TextReading } from "./reader.ts";
export type { PatternFault } from "./source.ts";

/** What is known of each text that a pattern matches. Null where nothing is. */
export interface PatternFacts {
  /** Code points of which it consists, as ranges: first, last, first, last … */
  readonly alphabet: CharSet | null;
  /** In code points. */
  readonly lengthMin: number;
  readonly lengthMax: number | null;
}

/** What texts are held against. */
interface Test {
  /** Whether the text has a match anywhere, as `RegExp.prototype.test` tells it, in time linear to the text. */
  test(text: string): boolean;
  /** The same of ASCII that has not been made a string; null where it has to be, as for the first texts of a kind. */
  glance(bytes: Uint8Array, start: number, end: number): boolean | null;
  /** The same of a long text, in slices. */
  read(text: string): TextReading;
}

export interface Pattern extends Test {
  readonly facts: PatternFacts;
}

/** Each is a bit of what a state knows of the last character, which has 32. */
const BESIDES_MAX = 24;

const compiled = new Map<string, Result<Pattern, PatternFault>>();

/**
 * A pattern by ECMA-262, with the flag `u` or without it (Annex B). All that can be wrong is told now; its automaton is
 * made when a text first needs it. The same few patterns stand in a thousand schemas, so they are kept by their text.
 */
export function compilePattern(source: string, options: { readonly unicode: boolean }): Result<Pattern, PatternFault> {
  const key = `${options.unicode ? "u" : ""}/${source}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const result = compileAnew(source, options.unicode);
  if (compiled.size >= DEFAULTS.patternsKeptMax) compiled.clear();
  if (source.length <= DEFAULTS.patternKeptCharactersMax) compiled.set(key, result);
  return result;
}

/** What is asked of a text beside patterns. */
export interface SampleWishes {
  /** In code points. */
  readonly lengthMin: number;
  readonly lengthMax: number;
  /** Texts to try before any is made up. */
  readonly liked: readonly string[];
}

/**
 * A text that all of the patterns match; null where none is easily found. For patterns that have been compiled, and outside
 * of any judgement.
 */
export function sampleOf(sources: readonly string[], { lengthMin, lengthMax, liked }: SampleWishes): string | null {
  const patterns = sources.flatMap((source) => {
    const unicode = compilePattern(source, { unicode: true });
    const either = unicode.ok ? unicode : compilePattern(source, { unicode: false });
    return either.ok ? [{ source, unicode: unicode.ok, pattern: either.value }] : [];
  });
  const fits = (text: string): boolean =>
    hasLength(text, lengthMin, lengthMax) && patterns.every(({ pattern }) => pattern.test(text));
  return withPatternWork(DEFAULTS.patternWorkMax, () => {
    for (const text of liked) if (fits(text)) return text;
    for (const { source, unicode } of patterns)
      for (const text of samplesOf(source, unicode, lengthMin)) if (fits(text)) return text;
    return null;
  });
}

function compileAnew(source: string, unicode: boolean): Result<Pattern, PatternFault> {
  if (source.length > DEFAULTS.patternCharactersMax) {
    return err({ kind: "size", at: 0, message: `longer than ${DEFAULTS.patternCharactersMax} characters` });
  }
  const parsed = parsePattern(source, unicode);
  if (!parsed.ok) return parsed;
  const tests: Test[] = [];
  for (const check of checksOf(parsed.value)) {
    const test = compileCheck(check, unicode);
    if (!test.ok) return test;
    tests.push(test.value);
  }
  const [only] = tests;
  const { test, glance, read } = tests.length === 1 && only !== undefined ? only : everyOf(tests);
  return ok({ test, glance, read, facts: factsOf(parsed.value, unicode) });
}

function everyOf(tests: readonly Test[]): Test {
  const read = (text: string): TextReading => {
    let at = 0;
    let reading: TextReading | null = null;
    return {
      advance(work) {
        for (let test = tests[at]; test !== undefined; test = tests[++at]) {
          reading ??= test.read(text);
          const answer = reading.advance(work);
          if (answer !== true) return answer;
          reading = null;
        }
        return true;
      },
    };
  };
  const glance = (bytes: Uint8Array, start: number, end: number): boolean | null => {
    for (const each of tests) {
      const answer = each.glance(bytes, start, end);
      if (answer !== true) return answer;
    }
    return true;
  };
  return { test: (text) => tests.every((each) => each.test(text)), glance, read };
}

function compileCheck(check: Check, unicode: boolean): Result<Test, PatternFault> {
  const { tree, negated, lengthMin, lengthMax } = check;
  const { ahead, behind } = looksOf(tree);
  if (ahead && behind) {
    const message =
      "looks ahead and looks behind would each need the text read in another direction; " +
      "keep one kind, put looks ahead right behind the first ^, or write two patterns in 'allOf'";
    return err({ kind: "lookaround", at: 0, message });
  }
  if ([...walk(tree)].filter(isBeside).length > BESIDES_MAX) {
    const message = `more than ${BESIDES_MAX} looks at the character beside; write what they share as one`;
    return err({ kind: "size", at: 0, message });
  }
  const size = sizeOf(tree);
  if (size > DEFAULTS.patternStepsMax) return err(tooLarge(size));
  const make = (): Program => toProgram(tree, ahead, isAnchored(tree, ahead ? "textEnd" : "textStart"));
  const { patternStepsPerCharacterMax: most, patternProofStepsMax: workMax } = DEFAULTS;
  if (size > most && !isCrowdWithin(make(), most, workMax)) return err(tooAmbiguous(size));
  let automaton: Automaton | null = null;
  const limited = lengthMin > 0 || lengthMax < Number.POSITIVE_INFINITY;
  // Without `u`, each code unit counts.
  const canFit = (text: string): boolean =>
    unicode ? hasLength(text, lengthMin, lengthMax) : text.length >= lengthMin && text.length <= lengthMax;
  return ok({
    test(text) {
      automaton ??= new Automaton(make(), unicode);
      return ((!limited || canFit(text)) && automaton.test(text)) !== negated;
    },
    glance(bytes, start, end) {
      if (automaton === null) return null;
      const length = end - start;
      if (length < lengthMin || length > lengthMax) return negated;
      const answer = automaton.glance(bytes, start, end);
      return answer === null ? null : answer !== negated;
    },
    read(text) {
      automaton ??= new Automaton(make(), unicode);
      if (limited && !unicode && !canFit(text)) return { advance: () => negated };
      return readingOf(automaton, limited && unicode ? lengthReading(text, lengthMin, lengthMax) : null, text, negated);
    },
  });
}

/** `length`: whether the text has the length of a match; null where each has. */
function readingOf(automaton: Automaton, length: TextReading | null, text: string, negated: boolean): TextReading {
  const place = beginningOf(text);
  let asked = length;
  return {
    advance(work) {
      const canFit = asked === null ? true : asked.advance(work);
      if (canFit !== true) return canFit === null ? null : negated;
      asked = null;
      const fits = automaton.advance(place, work);
      // In turns, too, one text gets no more than a short judgement as a whole.
      if (place.spent > DEFAULTS.patternWorkMax) throw new PatternTooCostly("a text takes too long");
      return fits === null ? null : fits !== negated;
    },
  };
}

function tooLarge(size: number): PatternFault {
  const steps = Number.isSafeInteger(size) ? `${size}` : "countless";
  const message =
    `its counts multiply to ${steps} steps, more than ${DEFAULTS.patternStepsMax}; ` +
    "write * or + here and the length as 'maxLength' beside the pattern";
  return { kind: "size", at: 0, message };
}

function tooAmbiguous(size: number): PatternFault {
  const message =
    `a text can be at too many of its ${size} steps at once; begin it with ^, make its counts smaller ` +
    `(up to ${DEFAULTS.patternStepsPerCharacterMax} steps need no proof), or write * or + and the length as 'maxLength'`;
  return { kind: "size", at: 0, message };
}

function factsOf(tree: Node, unicode: boolean): PatternFacts {
  const { min, max } = lengthsOf(tree);
  const whole = isAnchored(tree, "textStart") && isAnchored(tree, "textEnd");
  const sets = whole ? setsOf(tree) : [];
  const alphabet = union(sets);
  // Without `u` two characters of the pattern may be one code point, made of two surrogates.
  const surrogates = !unicode && rangesOf(alphabet).some(([first, last]) => last >= 0xd800 && first <= 0xdfff);
  return {
    alphabet: whole ? (surrogates ? union([alphabet, [LAST_CODE_UNIT + 1, 0x10ffff]]) : alphabet) : null,
    lengthMin: unicode || (whole && !surrogates) ? min : Math.ceil(min / 2),
    lengthMax: whole && max < Number.POSITIVE_INFINITY ? max : null,
  };
}

/** Sets that take a character: those of looks only look. */
function setsOf(tree: Node): CharSet[] {
  const looked = new Set(
    [...walk(tree)].filter((node) => node.kind === "look").flatMap((look) => [...walk(look.body)]),
  );
  return [...walk(tree)].flatMap((node) => (node.kind === "set" && !looked.has(node) ? [node.set] : []));
}
