/** Where a text ends: in a comment, in a text that it has opened anew, or neither. */
export type End = "cut" | "reopened" | "plain";

/** What of a query must be there before it is one and no sentence with "select" in it. */
const QUERY_SCORE = { union: 2, stacked: 2, operator: 2, parenthesis: 3, start: 4 } as const;

export type QueryPlace = keyof typeof QUERY_SCORE;

/**
 * What speaks for an injection so far. A single sign is none: ordinary texts have apostrophes, "or", "=", parentheses. Each of
 * the shapes below says which of them together are one.
 */
export class Evidence {
  /** The text has ended a text of the statement that it stands in. */
  readonly isClosed: boolean;
  /** The first operand is a value: what stands where a number was asked for. */
  startsWithValue: boolean;
  hasLogic = false;
  /** Behind an `or`, a value stands alone. */
  hasLogicValue = false;
  hasComparison = false;
  /** Two values are compared with each other. */
  hasValueComparison = false;
  hasArithmetic = false;
  hasConcatenation = false;
  /** A parenthesis is closed that the text has not opened. */
  hasLeftParenthesis = false;
  hasOrder = false;
  hasAsked = false;
  hasMade = false;
  hasSemicolon = false;
  query: QueryPlace | undefined;
  queryScore = 0;
  hasFrom = false;
  /** What the last operand was: a value, or the name that it is. */
  #left = "";
  #isComparing = false;

  constructor(isClosed: boolean) {
    this.isClosed = isClosed;
    this.startsWithValue = isClosed;
  }

  logic(isConcatenation: boolean): void {
    this.hasLogic = true;
    if (isConcatenation) this.hasConcatenation = true;
    this.#isComparing = false;
  }

  comparison(): void {
    this.hasComparison = true;
    this.#isComparing = true;
  }

  arithmetic(): void {
    this.hasArithmetic = true;
  }

  beginQuery(place: QueryPlace): void {
    if (this.query === undefined || QUERY_SCORE[place] < QUERY_SCORE[this.query]) this.query = place;
    this.#isComparing = false;
  }

  /** An operand that is a value, a name or the answer of a function. */
  value(): void {
    this.#operand(VALUE);
    if (this.hasLogic) this.hasLogicValue = true;
    this.scoreQuery(2);
  }

  name(word: string): void {
    this.#operand(word);
  }

  /** Two values, or a name and itself. */
  #operand(word: string): void {
    if (this.#isComparing && word !== "" && word === this.#left) this.hasValueComparison = true;
    this.#left = word;
  }

  scoreQuery(points: number): void {
    if (this.query !== undefined) this.queryScore += points;
  }

  /** What is one whatever follows. */
  shape(): string | undefined {
    const { query } = this;
    if (query === "union" && this.startsWithValue) return "union";
    if (query !== undefined && this.queryScore >= QUERY_SCORE[query] && (query !== "start" || this.hasFrom)) {
      return query === "union" || query === "stacked" ? query : "query";
    }
    if (this.hasLogic && this.hasValueComparison) return "tautology";
    if (this.hasAsked && (this.#hasOperator() || this.hasMade || this.isClosed || query !== undefined)) return "call";
    if (this.hasMade && this.startsWithValue && this.#hasOperator()) return "call";
    if (this.hasMade && (this.hasLogic ? this.hasComparison : this.hasValueComparison)) return "call";
    if (this.startsWithValue && this.hasLogicValue && this.hasComparison) return "tautology";
    return undefined;
  }

  /**
   * What is one because the text ends here, and so. `isBare`: nothing of a sentence is about it, as about the quotes and the
   * signs in "use '--help'" or "'=' is missing".
   */
  shapeAtEnd(end: End, isBare: boolean): string | undefined {
    const { query } = this;
    if (query === "union" && (this.queryScore > 0 || end === "cut")) return "union";
    if (query !== undefined && ((this.queryScore >= 3 && this.hasFrom) || this.hasMade || this.hasAsked))
      return "query";
    if (query !== undefined && query !== "start" && end === "cut") return "query";
    if (this.isClosed) return this.#closedAtEnd(end, isBare);
    if (this.hasOrder && this.startsWithValue) return "clause";
    if (this.hasLeftParenthesis && this.startsWithValue && this.hasLogicValue) return "logic";
    if (end !== "cut") return undefined;
    if (this.startsWithValue && (isBare || this.hasLogicValue)) return "comment";
    return this.hasValueComparison || this.hasMade || this.hasAsked || this.hasOrder ? "comment" : undefined;
  }

  #closedAtEnd(end: End, isBare: boolean): string | undefined {
    if (this.hasOrder) return "clause";
    if (this.hasLogicValue && !this.hasConcatenation && (end !== "reopened" || isBare)) return "logic";
    if (!isBare) return undefined;
    if (end === "cut") return "comment";
    if (end === "plain") return undefined;
    if (this.hasComparison) return "comparison";
    return this.hasConcatenation || this.hasArithmetic ? "concatenation" : undefined;
  }

  #hasOperator(): boolean {
    return this.hasLogic || this.hasComparison || this.hasArithmetic;
  }
}

/** Stands for every value: no name has it. */
const VALUE = "=";
