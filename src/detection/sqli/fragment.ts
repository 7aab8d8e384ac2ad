import type { Steps } from "../../support/turns.ts";
import { isArgument, isCalled, isSearching, namesFile } from "./beside.ts";
import { isBareEnd, type Place } from "./ends.ts";
import { type End, Evidence, type QueryPlace } from "./evidence.ts";
import type { Lexer } from "./lexer.ts";
import { Statement } from "./statement.ts";
import {
  ASKING_FUNCTIONS,
  CATALOGUE,
  type Kind,
  MAKING_FUNCTIONS,
  TELLING_FUNCTIONS,
  TELLING_PREFIX,
} from "./words.ts";

/** No injection: what stands here no SQL has there, or nothing speaks for one. */
const NONE = "";
const KINDS_MAX = 12;
const NAMES_MAX = 2;
/** Some 100 ns each. */
const TOKENS_A_STEP = 512;
const BEFORE_STAR: ReadonlySet<Kind> = new Set(["S", "p", ",", "("] as const);
/** A text behind one is a value of it. */
const TYPES: ReadonlySet<string> = new Set(
  "date time timestamp interval bool boolean int integer bigint numeric text json jsonb inet cidr point box".split(" "),
);
const BEGINNINGS: ReadonlySet<string> = new Set(["where", "having", "order", "group", "limit", "into", "procedure"]);

/**
 * One reading of a text as a piece of a statement, from left to right, in constant memory: what may follow an operand, and what
 * an operator. It ends with the first token that no SQL has there, so that a sentence costs a few words.
 */
export class Fragment {
  readonly #lexer: Lexer;
  readonly #evidence: Evidence;
  readonly #place: Place;
  #kinds = "";
  /** An operand is complete: an operator follows. */
  #isAfter: boolean;
  #isStart: boolean;
  #last: Kind = ".";
  #lastWord = "";
  #depth = 0;
  #namesInLine = 0;
  #caseAt: "none" | "case" | "when" = "none";
  #statement: Statement | undefined;
  #telling = false;
  #hasOperand: boolean;

  constructor(lexer: Lexer, place: Place) {
    this.#lexer = lexer;
    this.#place = place;
    this.#isAfter = place.quote !== 0;
    this.#isStart = place.quote === 0;
    this.#hasOperand = place.quote !== 0;
    this.#evidence = new Evidence(place.quote !== 0);
    if (place.quote !== 0) this.#kinds = "s";
  }

  /** A word for the shape and the letters of the first tokens, or undefined. */
  judge(): string | undefined {
    return this.#judge(Number.POSITIVE_INFINITY) ?? undefined;
  }

  /** The same of a long text. */
  *judgeInSteps(): Steps<string | undefined> {
    for (;;) {
      const found = this.#judge(TOKENS_A_STEP);
      if (found !== null) return found;
      yield;
    }
  }

  /** Null where it is not known after so many tokens. */
  #judge(tokensMax: number): string | undefined | null {
    for (let count = 0; count < tokensMax; count++) {
      const kind = this.#lexer.next();
      const { word } = this.#lexer;
      if (this.#kinds.length < KINDS_MAX && kind !== ".") this.#kinds += kind;
      const shape = this.#take(kind, word) ?? this.#evidence.shape();
      if (shape !== undefined) return shape === NONE ? undefined : `${shape} ${this.#kinds}`;
      this.#last = kind;
      this.#lastWord = word;
      if (this.#isStart && !(kind === "(" || kind === "p" || (kind === "o" && !this.#isAfter))) this.#isStart = false;
    }
    return null;
  }

  #take(kind: Kind, word: string): string | undefined {
    if (this.#statement !== undefined) {
      const is = this.#statement.take(kind, word);
      if (is === true) return "statement";
      return is === false ? NONE : undefined;
    }
    if (this.#telling && this.#last === "(" && isArgument(this.#lexer, kind)) return "call";
    if (this.#last === "f" && kind === "(") {
      this.#depth++;
      this.#isAfter = false;
      return undefined;
    }
    this.#telling = false;
    if ((kind === "#" || kind === ".") && this.#endsInUnion(kind)) return "union";
    if (this.#last === "U" && !(kind === "S" || kind === "(" || kind === "p" || kind === "j")) return NONE;
    if (kind !== "i") this.#namesInLine = 0;
    return this.#isAfter ? this.#afterOperand(kind, word) : this.#operand(kind, word);
  }

  /** `1 union -- `, `1 union all`: the rest is somewhere else. */
  #endsInUnion(kind: Kind): boolean {
    if (!this.#evidence.startsWithValue || !this.#kinds.includes("U")) return false;
    return (this.#last === "U" && kind === "#") || (this.#last === "p" && this.#lastWord === "all");
  }

  #afterOperand(kind: Kind, word: string): string | undefined {
    const evidence = this.#evidence;
    switch (kind) {
      case "l":
        evidence.logic(this.#lexer.text.charCodeAt(this.#lexer.from) === BAR);
        return this.#expect();
      case "c":
        evidence.comparison();
        if (word === "isnull" || word === "notnull") return undefined;
        return this.#expect();
      case "o":
        evidence.arithmetic();
        return this.#expect();
      case "p":
        return word === "not" ? undefined : this.#lexer.text[this.#lexer.from] === "~" ? this.#compare() : NONE;
      case "v":
      case "?":
        return isSearching(this.#lexer) ? this.#compare() : NONE;
      case ")":
        if (--this.#depth < 0) {
          evidence.hasLeftParenthesis = true;
          this.#depth = 0;
        }
        this.#isAfter = true;
        return undefined;
      case ",":
        evidence.scoreQuery(1);
        return this.#expect();
      case ";":
        evidence.hasSemicolon = true;
        return this.#expect();
      case "}":
        return undefined;
      case "#":
        return this.#end("cut");
      case ".":
        return this.#end("plain");
      case "U":
        return this.#expect();
      case "S":
        return evidence.startsWithValue ? this.#query("parenthesis") : NONE;
      case "F":
        return this.#from();
      case "k":
        return this.#clause(word);
      case "j":
        return this.#queryWord(word);
      case "t":
        return evidence.startsWithValue ||
          evidence.hasLeftParenthesis ||
          evidence.query !== undefined ||
          word === "waitfor"
          ? this.#begin(word)
          : NONE;
      case "(":
        if (!evidence.startsWithValue) return NONE;
        this.#depth++;
        return this.#expect();
      case "w":
      case "h":
      case "e":
        return this.#case(kind);
      case "s":
        return this.#last === "s" || TYPES.has(this.#lastWord) ? this.#value(kind) : NONE;
      case "i":
        if (this.#lastWord === "boolean" && word === "mode") return undefined;
        if (this.#lastWord === "as" && evidence.hasLeftParenthesis) return undefined;
        return evidence.query !== undefined && ++this.#namesInLine < NAMES_MAX ? undefined : NONE;
      case "f":
        return evidence.query !== undefined || (this.#place.quote !== 0 && TELLING_FUNCTIONS.has(word))
          ? this.#call(word)
          : NONE;
      default:
        return NONE;
    }
  }

  #operand(kind: Kind, word: string): string | undefined {
    const isFirst = this.#isStart || this.#last === ";";
    switch (kind) {
      case "n":
      case "s":
      case "v":
        return this.#value(kind);
      case "i":
        return this.#name(word);
      case "f":
        return this.#call(word);
      case "p":
        return undefined;
      case "(":
        this.#depth++;
        return undefined;
      case "S":
        return this.#query(this.#queryPlace());
      case "C":
        this.#caseAt = "case";
        return undefined;
      case "w":
        return this.#case(kind);
      case "{":
        return undefined;
      case "o":
        return this.#operatorFirst();
      case "j":
        return this.#queryWord(word);
      case ")":
        if (this.#last === "(" && !this.#isStart) {
          this.#depth--;
          this.#isAfter = true;
          return undefined;
        }
        return isFirst ? this.#afterOperand(kind, word) : NONE;
      case "c":
        if ((word === "like" || word === "glob") && isCalled(this.#lexer))
          return this.#isStart ? this.#startsWith(kind, word) : this.#call(word);
        return this.#isStart || this.#lastWord === "sounds" ? this.#startsWith(kind, word) : NONE;
      case "l":
      case ",":
      case ";":
      case "U":
        return isFirst ? this.#startsWith(kind, word) : NONE;
      case "k":
        if (this.#isStart && (word === "where" || word === "having")) this.#hasOperand = true;
        if (this.#last === "k" || (this.#isStart && BEGINNINGS.has(word))) return this.#clause(word);
        return NONE;
      case "t":
        return isFirst || this.#last === "k" ? this.#begin(word) : NONE;
      case "#":
        return this.#evidence.query !== undefined || this.#evidence.hasSemicolon ? this.#end("cut") : NONE;
      case ".":
        return this.#last === "S" ? NONE : this.#end("plain");
      default:
        return NONE;
    }
  }

  /**
   * A text may begin with what follows an operand: `) or (…`, `union select …`. Where a word compares, the operand is the statement's:
   * "like 'this' and 'that'" is a sentence.
   */
  #startsWith(kind: Kind, word: string): string | undefined {
    if (kind === "c" && word !== "") this.#hasOperand = true;
    return this.#afterOperand(kind, word);
  }

  #compare(): undefined {
    this.#evidence.comparison();
    return this.#expect();
  }

  #expect(): undefined {
    this.#isAfter = false;
    return undefined;
  }

  #value(kind: Kind): string | undefined {
    const { text, from, isOpen } = this.#lexer;
    if (!this.#hasOperand) this.#evidence.startsWithValue = true;
    if (kind === "v" && text.startsWith("@@", from) && (this.#hasOperand || this.#evidence.query !== undefined))
      this.#evidence.hasAsked = true;
    if (isOpen && this.#place.quote !== 0 && text.charCodeAt(from) !== this.#place.quote) return NONE;
    this.#hasOperand = true;
    this.#evidence.value();
    this.#isAfter = true;
    if (kind === "s" && isOpen && text.charCodeAt(from) === this.#place.quote)
      return this.#evidence.shape() ?? this.#end("reopened");
    return undefined;
  }

  #name(word: string): string | undefined {
    if (this.#last === "{") return undefined;
    if (this.#last === ";" && !this.#isStart) return NONE;
    this.#hasOperand = true;
    this.#evidence.name(word);
    this.#isAfter = true;
    if (this.#evidence.query !== undefined && CATALOGUE.test(word)) this.#evidence.scoreQuery(2);
    return undefined;
  }

  #call(word: string): string | undefined {
    const last = word.slice(word.lastIndexOf(".") + 1);
    const isMaking = MAKING_FUNCTIONS.has(last);
    const isAsking = ASKING_FUNCTIONS.has(last);
    this.#telling = TELLING_FUNCTIONS.has(last);
    this.#hasOperand = true;
    if (TELLING_PREFIX.test(word) || (this.#telling && last.includes("_"))) return "call";
    if (isAsking) this.#evidence.hasAsked = true;
    if (isMaking) this.#evidence.hasMade = true;
    const isKnown = isMaking || isAsking || this.#telling;
    if (this.#last === ";") return isKnown ? "statement" : NONE;
    if (isKnown) this.#evidence.value();
    else this.#evidence.name("");
    return undefined;
  }

  #queryPlace(): QueryPlace {
    if (this.#last === "U" || (this.#last === "p" && this.#kinds.includes("U"))) return "union";
    if (this.#last === ";") return "stacked";
    if (this.#isStart) return "start";
    if (this.#kinds.includes("U")) return "union";
    if (this.#evidence.startsWithValue || this.#evidence.hasLogic) return "operator";
    return "parenthesis";
  }

  #query(place: QueryPlace): undefined {
    this.#evidence.beginQuery(place);
    return this.#expect();
  }

  #operatorFirst(): string | undefined {
    const { text, from } = this.#lexer;
    const code = text.charCodeAt(from);
    if (code === PLUS || code === MINUS) {
      if (this.#hasOperand || this.#evidence.hasLogic) this.#evidence.arithmetic();
      return undefined;
    }
    if (code === STAR && BEFORE_STAR.has(this.#last)) return this.#value("n");
    return this.#isStart ? this.#afterOperand("o", "") : NONE;
  }

  #from(): string | undefined {
    if (this.#evidence.query === undefined && this.#depth === 0) return NONE;
    this.#evidence.hasFrom = true;
    this.#evidence.scoreQuery(1);
    return this.#expect();
  }

  #clause(word: string): string | undefined {
    const evidence = this.#evidence;
    evidence.scoreQuery(1);
    if (word === "having" || word === "where") evidence.logic(false);
    if (word === "by" && this.#last === "k" && this.#lastWord !== "by") evidence.hasOrder = true;
    if (word === "into" && namesFile(this.#lexer)) return "clause";
    return this.#expect();
  }

  #queryWord(word: string): string | undefined {
    // `union table users`, `union values row(1)`, as MySQL has them.
    if (this.#last === "U" && (word === "table" || word === "values")) return this.#query("union");
    const isAlias = word === "as" && (this.#depth > 0 || this.#isStart || this.#evidence.hasLeftParenthesis);
    if (this.#evidence.query === undefined && !isAlias && this.#last !== "U") return NONE;
    return word === "asc" || word === "desc" ? undefined : this.#expect();
  }

  #case(kind: "w" | "h" | "e"): string | undefined {
    if (kind === "w" && this.#caseAt === "case") {
      this.#caseAt = "when";
      return this.#expect();
    }
    if (kind === "h" && this.#caseAt === "when") return "case";
    return NONE;
  }

  #begin(word: string): undefined {
    const isStacked =
      this.#evidence.startsWithValue || this.#evidence.hasSemicolon || this.#evidence.hasLeftParenthesis;
    this.#statement = new Statement(word, isStacked ? "stacked" : "alone", this.#evidence.hasSemicolon);
  }

  #end(end: End): string {
    if (end === "plain" && !this.#isAfter && this.#last !== ";") return NONE;
    const { text, from } = this.#lexer;
    return this.#evidence.shapeAtEnd(end, isBareEnd(text, from, end, this.#place, this.#kinds)) ?? NONE;
  }
}

const BAR = 0x7c;
const PLUS = 0x2b;
const MINUS = 0x2d;
const STAR = 0x2a;
