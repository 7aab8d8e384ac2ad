import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";
import {
  type Argument,
  type Document,
  Members,
  type Operation,
  type OperationType,
  type Selection,
  type Selections,
  type Value,
  Variable,
} from "./document.ts";
import { BLOCK_STRING, END, FLOAT, INT, NAME, placeIn, SPREAD, STRING, type Tokens, tokensOf } from "./lexer.ts";

/**
 * Text → the document that it is (GraphQL, September 2025, section 2): operations and fragments alone, no name twice where
 * services would take the first or the last of them. The error says what is wrong and where, and nothing of the text.
 */
export function* parseDocument(text: string): Steps<Result<Document, string>> {
  const tokens = yield* tokensOf(text);
  if (!tokens.ok) return tokens;
  const parser = new Parser(tokens.value);
  try {
    while (!parser.isAtEnd) {
      parser.definition();
      yield;
    }
    return ok(parser.document());
  } catch (fault) {
    if (fault instanceof SyntaxFault) return err(fault.message);
    throw fault;
  }
}

class SyntaxFault extends Error {}

const BANG = 0x21;
const DOLLAR = 0x24;
const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
const COLON = 0x3a;
const EQUALS = 0x3d;
const AT = 0x40;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPERATION_TYPES: ReadonlySet<string> = new Set(["query", "mutation", "subscription"] satisfies OperationType[]);

class Parser {
  readonly #tokens: Tokens;
  readonly #operations: Operation[] = [];
  readonly #fragments = new Map<string, Selections>();
  #directives = 0;
  #at = 0;
  #depth = 0;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#kind === END;
  }

  document(): Document {
    const names = this.#operations.map(({ name }) => name);
    if (names.length === 0) this.#fail("expected an operation");
    if (names.length > 1 && names.includes(null)) this.#fail("an operation without a name beside others");
    if (new Set(names).size < names.length) this.#fail("two operations of one name");
    return { operations: this.#operations, fragments: this.#fragments, directives: this.#directives };
  }

  definition(): void {
    if (this.#operations.length > DEFAULTS.graphqlOperationsMax) this.#fail("too many operations");
    if (this.#kind === OPEN_BRACE) {
      this.#operations.push({ type: "query", name: null, variables: new Map(), selections: this.#selectionSet() });
      return;
    }
    this.#description();
    const word = this.#name();
    if (word === "fragment") this.#fragment();
    else if (isOperationType(word)) this.#operation(word);
    else this.#fail("expected query, mutation, subscription or fragment");
  }

  #operation(type: OperationType): void {
    const name = this.#kind === NAME ? this.#name() : null;
    const variables = this.#kind === OPEN_PAREN ? this.#variableDefinitions() : new Map();
    this.#skipDirectives(false);
    this.#operations.push({ type, name, variables, selections: this.#selectionSet() });
  }

  #fragment(): void {
    const name = this.#name();
    if (name === "on") this.#fail("expected a fragment's name");
    if (this.#fragments.has(name)) this.#fail("two fragments of one name");
    if (this.#fragments.size === DEFAULTS.graphqlFragmentsMax) this.#fail("too many fragments");
    if (this.#name() !== "on") this.#fail("expected 'on'");
    this.#name();
    this.#skipDirectives(false);
    this.#fragments.set(name, this.#selectionSet());
  }

  #variableDefinitions(): Map<string, Value | undefined> {
    const variables = new Map<string, Value | undefined>();
    this.#take(OPEN_PAREN);
    do {
      this.#description();
      this.#take(DOLLAR);
      const name = this.#name();
      if (variables.has(name)) this.#fail("a variable twice");
      this.#take(COLON);
      this.#type();
      variables.set(name, this.#takes(EQUALS) ? this.#value(true) : undefined);
      this.#skipDirectives(true);
    } while (!this.#takes(CLOSE_PAREN));
    return variables;
  }

  #type(): void {
    let open = 0;
    while (this.#takes(OPEN_BRACKET)) if (++open > DEFAULTS.graphqlNestingMax) this.#fail(TOO_DEEP);
    this.#name();
    this.#takes(BANG);
    for (; open > 0; open--) {
      this.#take(CLOSE_BRACKET);
      this.#takes(BANG);
    }
  }

  #selectionSet(): Selections {
    this.#descend();
    const selections: Selection[] = [];
    this.#take(OPEN_BRACE);
    if (this.#kind === CLOSE_BRACE) this.#fail("an empty selection");
    do selections.push(this.#kind === SPREAD ? this.#spread() : this.#field());
    while (!this.#takes(CLOSE_BRACE));
    this.#depth--;
    return selections;
  }

  #field(): Selection {
    const first = this.#name();
    const hasAlias = this.#takes(COLON);
    const name = hasAlias ? this.#name() : first;
    const args = this.#arguments(false);
    this.#skipDirectives(false);
    const selections = this.#kind === OPEN_BRACE ? this.#selectionSet() : null;
    return { kind: "field", field: { name, hasAlias, arguments: args, selections } };
  }

  #spread(): Selection {
    this.#take(SPREAD);
    const word = this.#kind === NAME ? this.#name() : null;
    if (word !== null && word !== "on") {
      this.#skipDirectives(false);
      return { kind: "spread", name: word };
    }
    if (word === "on") this.#name();
    this.#skipDirectives(false);
    return { kind: "inline", selections: this.#selectionSet() };
  }

  #arguments(isConstant: boolean): readonly Argument[] {
    if (!this.#takes(OPEN_PAREN)) return NO_ARGUMENTS;
    const args: Argument[] = [];
    do args.push(this.#member(isConstant, args));
    while (!this.#takes(CLOSE_PAREN));
    return args;
  }

  /** Of one name twice, services take the first, the last, or neither. */
  #member(isConstant: boolean, before: readonly Argument[]): Argument {
    const name = this.#name();
    if (before.length === DEFAULTS.graphqlMembersMax) this.#fail("too many arguments in one place");
    for (const other of before) if (other.name === name) this.#fail("an argument twice");
    this.#take(COLON);
    return { name, value: this.#value(isConstant) };
  }

  #value(isConstant: boolean): Value {
    const kind = this.#kind;
    if (kind === OPEN_BRACKET || kind === OPEN_BRACE) return this.#container(kind, isConstant);
    if (kind === DOLLAR && !isConstant) {
      this.#at++;
      return new Variable(this.#name());
    }
    const text = this.#text();
    if (kind !== INT && kind !== FLOAT && kind !== STRING && kind !== BLOCK_STRING && kind !== NAME) this.#expected();
    this.#at++;
    if (kind === NAME) return null;
    return kind === INT || kind === FLOAT ? Number(text) : stringOf(text, kind === BLOCK_STRING);
  }

  #container(kind: number, isConstant: boolean): Value {
    this.#descend();
    this.#at++;
    const items: Value[] = [];
    const members: Argument[] = [];
    const isList = kind === OPEN_BRACKET;
    while (!this.#takes(isList ? CLOSE_BRACKET : CLOSE_BRACE)) {
      if (isList) items.push(this.#value(isConstant));
      else members.push(this.#member(isConstant, members));
    }
    this.#depth--;
    return isList ? items : new Members(members);
  }

  #skipDirectives(isConstant: boolean): void {
    while (this.#takes(AT)) {
      this.#directives++;
      this.#name();
      this.#arguments(isConstant);
    }
  }

  #description(): void {
    if (this.#kind === STRING || this.#kind === BLOCK_STRING) this.#at++;
  }

  get #kind(): number {
    return this.#tokens.kinds[this.#at] ?? END;
  }

  #text(): string {
    const { text, starts, ends } = this.#tokens;
    return text.slice(starts[this.#at], ends[this.#at]);
  }

  #name(): string {
    if (this.#kind !== NAME) this.#expected();
    const text = this.#text();
    this.#at++;
    return text;
  }

  #take(kind: number): void {
    if (!this.#takes(kind)) this.#expected();
  }

  #takes(kind: number): boolean {
    if (this.#kind !== kind) return false;
    this.#at++;
    return true;
  }

  #descend(): void {
    if (++this.#depth > DEFAULTS.graphqlNestingMax) this.#fail(TOO_DEEP);
  }

  #expected(): never {
    this.#fail("another token was expected");
  }

  #fail(what: string): never {
    const { text, starts } = this.#tokens;
    throw new SyntaxFault(`${what} ${placeIn(text, starts[this.#at] ?? text.length)}`);
  }
}

const TOO_DEEP = `nested deeper than ${DEFAULTS.graphqlNestingMax}`;
const NO_ARGUMENTS: readonly Argument[] = [];

function isOperationType(word: string): word is OperationType {
  return OPERATION_TYPES.has(word);
}

const AMOUNT_CHARS_MAX = 128;
const ESCAPE = /\\(?:u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]+)\}|.)/g;

/** What a string means, as far as it may be an amount: a scalar of the service's own may take `"1000"` for a number. */
function stringOf(text: string, isBlock: boolean): Value {
  // No list has so long a length; where one is asked for by such a text, it is taken to be without end.
  if (text.length > AMOUNT_CHARS_MAX) return Number.POSITIVE_INFINITY;
  if (isBlock) return text.slice(3, -3).trim();
  // An escaped backslash comes first: what stands behind it is no escape.
  return text.slice(1, -1).replace(ESCAPE, (whole: string, four?: string, more?: string) => {
    const digits = four ?? more;
    return digits === undefined ? whole.slice(1) : String.fromCodePoint(Number.parseInt(digits, 16));
  });
}
