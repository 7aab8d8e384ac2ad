import type { Kind } from "./words.ts";
import { SECOND_WORDS, TELLING_PREFIX } from "./words.ts";

/** How a statement stands: behind a semicolon or a text that is closed, or alone in the text. */
type Place = "stacked" | "alone";

/**
 * The first words of a statement that is no query: `drop table`, `exec xp_…`, `declare @`. Behind a semicolon two that fit are
 * enough; alone, as "drop table reservations" is a sentence, it takes what only a statement goes on with.
 */
export class Statement {
  readonly #head: string;
  readonly #place: Place;
  readonly #isBehindSemicolon: boolean;
  #tokens = 0;
  #hasTarget = false;

  constructor(head: string, place: Place, isBehindSemicolon: boolean) {
    this.#head = head;
    this.#place = place;
    this.#isBehindSemicolon = isBehindSemicolon;
  }

  /** With each token behind the first: whether it is a statement; undefined while it may become one. */
  take(kind: Kind, word: string): boolean | undefined {
    this.#tokens++;
    if (this.#tokens > TOKENS_MAX) return false;
    if (this.#tokens === 1) return this.#second(kind, word);
    return this.#later(kind, word);
  }

  #second(kind: Kind, word: string): boolean | undefined {
    const isStacked = this.#place === "stacked";
    if (SECOND_WORDS.get(this.#head)?.has(word) === true) return isStacked ? true : undefined;
    if (isStacked && kind === "i" && SECOND_WORDS.get(this.#head)?.has("table") === true) return undefined;
    if (TELLING_PREFIX.test(word)) return true;
    switch (this.#head) {
      case "exec":
      case "execute":
        this.#hasTarget = true;
        if (word.startsWith("sp_")) return true;
        return kind === "(" || kind === "v" ? true : kind === "i" ? undefined : false;
      case "declare":
        return kind === "v" ? true : kind === "i" && isStacked ? undefined : false;
      case "set":
        return kind === "v" ? true : kind === "i" && this.#isBehindSemicolon ? undefined : false;
      case "if":
      case "while":
        return isStacked && kind === "n" ? undefined : isStacked && (kind === "f" || kind === "(");
      case "call":
      case "do":
        return isStacked && (kind === "f" || kind === "(");
      case "goto":
        return isStacked && kind === "i";
      case "print":
      case "kill":
      case "raiserror":
        return isStacked && (kind === "n" || kind === "s" || kind === "v" || kind === "(");
      case "shutdown":
      case "commit":
      case "rollback":
      case "vacuum":
      case "reconfigure":
        return isStacked && (kind === "#" || kind === "." || kind === ";");
      case "update":
      case "copy":
      case "handler":
      case "pragma":
      case "attach":
      case "use":
      case "prepare":
      case "truncate":
        return kind === "i" || kind === "(" || kind === "s" ? undefined : false;
      default:
        return false;
    }
  }

  #later(kind: Kind, word: string): boolean | undefined {
    if (kind === "S" || kind === "#" || kind === ";") return true;
    if (word === "where" || word === "values" || word === "set") return true;
    if (this.#head === "waitfor" || (kind === "t" && GOES_ON.has(this.#head) && this.#place === "stacked")) return true;
    if (this.#hasTarget && (kind === "s" || kind === "v")) return true;
    if (kind === "c" || kind === "F") return this.#place === "stacked";
    return kind === "i" || kind === "f" || kind === "," || kind === "(" || kind === ")" ? undefined : false;
  }
}

const TOKENS_MAX = 40;
/** A statement follows these at once. */
const GOES_ON: ReadonlySet<string> = new Set(["if", "while", "use"]);
