import { Automaton, beginningOf } from "../../schema/pattern/automaton.ts";
import { type Check, checksOf } from "../../schema/pattern/checks.ts";
import { sizeOf, toProgram } from "../../schema/pattern/program.ts";
import type { PatternFault } from "../../schema/pattern/source.ts";
import { isAnchored, isBeside, type Node, walk } from "../../schema/pattern/tree.ts";
import { beginPatternWork, PatternTooCostly, patternWorkLeft } from "../../schema/pattern/work.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";
import type { Work } from "./work.ts";

/** Each is a bit of what a state knows of the last character, which has 32. */
const BESIDES_MAX = 24;
/** A character that stands in the table costs an eighth of an instruction beyond it. */
const CHARACTERS_PER_STEP = 8;

/**
 * Whether a text has a match of one pattern, each character read once. Its automata are made when a text first needs them,
 * and can be given up at any time.
 */
export class Matcher {
  readonly #checks: readonly DirectedCheck[];
  #automata: (Automaton | undefined)[] = [];

  private constructor(checks: readonly DirectedCheck[]) {
    this.#checks = checks;
  }

  static of(tree: Node): Result<Matcher, PatternFault> {
    const checks: DirectedCheck[] = [];
    for (const check of checksOf(tree)) {
      const directed = directedOf(check);
      if (!directed.ok) return directed;
      checks.push(directed.value);
    }
    return ok(new Matcher(checks));
  }

  /** What its tables take, in fours of bytes. */
  get cells(): number {
    return this.#automata.reduce((sum, automaton) => sum + (automaton?.size ?? 0), 0);
  }

  /** Makes the automata, though no text has asked for them yet. */
  *prepare(): Steps<void> {
    for (const [index, check] of this.#checks.entries()) {
      this.#automaton(index, check);
      yield;
    }
  }

  release(): void {
    this.#automata = [];
  }

  /** False, too, where the work is spent before the answer is there: `work.isSpent`. */
  test(text: string, work: Work): boolean {
    work.left -= text.length / CHARACTERS_PER_STEP;
    if (work.isSpent) return false;
    beginPatternWork(work.left);
    try {
      for (const [index, check] of this.#checks.entries()) {
        const found = hasLength(check, text) && this.#automaton(index, check).test(text);
        if (found === check.negated) return false;
      }
      return true;
    } catch (error) {
      if (!(error instanceof PatternTooCostly)) throw error;
      return false;
    } finally {
      work.left = patternWorkLeft();
    }
  }

  /** The same in slices of some tenths of a millisecond. */
  *testInSteps(text: string, work: Work): Steps<boolean> {
    for (const [index, check] of this.#checks.entries()) {
      if (!hasLength(check, text)) {
        if (check.negated) continue;
        return false;
      }
      const place = beginningOf(text);
      for (;;) {
        const { done, spent } = place;
        beginPatternWork(Number.POSITIVE_INFINITY);
        const answer = this.#automaton(index, check).advance(place, DEFAULTS.searchSliceSteps);
        work.left -= place.spent - spent + (place.done - done) / CHARACTERS_PER_STEP;
        if (answer === check.negated || work.isSpent) return false;
        if (answer !== null) break;
        yield;
      }
    }
    return true;
  }

  #automaton(index: number, { tree, backward }: DirectedCheck): Automaton {
    const known = this.#automata[index];
    if (known !== undefined) return known;
    const program = toProgram(tree, backward, isAnchored(tree, backward ? "textEnd" : "textStart"));
    const automaton = new Automaton(program, false, DEFAULTS.searchTableCellsMax);
    this.#automata[index] = automaton;
    return automaton;
  }
}

/** Looks ahead hold by what a text read from its end has had. */
interface DirectedCheck extends Check {
  readonly backward: boolean;
}

function hasLength({ lengthMin, lengthMax }: Check, text: string): boolean {
  return text.length >= lengthMin && text.length <= lengthMax;
}

function directedOf(check: Check): Result<DirectedCheck, PatternFault> {
  const looks = [...walk(check.tree)].flatMap((node) => (node.kind === "look" ? [node] : []));
  const long = looks.filter((look) => !isBeside(look));
  const ahead = long.filter((look) => look.ahead).length;
  if (ahead > 0 && ahead < long.length) {
    const message =
      "looks ahead and looks behind of more than one character would each need the text read in another way";
    return err({ kind: "lookaround", at: 0, message });
  }
  if (looks.length - long.length > BESIDES_MAX) {
    return err({ kind: "size", at: 0, message: `more than ${BESIDES_MAX} looks at the character beside` });
  }
  const size = sizeOf(check.tree);
  if (size > DEFAULTS.searchPatternStepsMax) {
    const message = `its counts multiply to ${size} steps, more than ${DEFAULTS.searchPatternStepsMax}`;
    return err({ kind: "size", at: 0, message });
  }
  return ok({ ...check, backward: ahead > 0 });
}
