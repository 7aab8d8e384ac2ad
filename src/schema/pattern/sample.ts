import { type CharSet, contains, rangesOf } from "./char-set.ts";
import { parsePattern } from "./parse.ts";
import { lengthsOf, type Node, walk } from "./tree.ts";

/** Texts that are made of one pattern: other options, other characters, other counts each time. */
const VARIANTS = 8;
/** In characters, with counts written out. */
const LENGTH_MAX = 4_096;
const FILLINGS = ["a", "0", "A"];
/** What a reader expects to see, the likeliest first; each variant begins with another. */
const USUAL = ["a", "A", "0", "x", "1", "b", "Z", "-", "_", ".", "/", " ", "é"].map((char) => char.codePointAt(0) ?? 0);

/**
 * Texts that likely match a pattern and have at least so many characters. Whoever takes one holds it against the pattern
 * first: what looks to the side is only guessed at.
 */
export function* samplesOf(source: string, unicode: boolean, lengthMin: number): Generator<string> {
  const parsed = parsePattern(source, unicode);
  if (!parsed.ok) return;
  const tree = parsed.value;
  const { min } = lengthsOf(tree);
  if (Math.max(min, lengthMin) > LENGTH_MAX) return;
  const looked = [...walk(tree)].flatMap((node) => (node.kind === "look" && !node.negated ? [node.body] : []));
  for (let variant = 0; variant < VARIANTS; variant++) {
    const text = new Sampler(variant, unicode, lengthMin - min).textOf(tree);
    yield text;
    // Where the text ends is open, or where it begins.
    for (const char of FILLINGS) {
      const filling = char.repeat(Math.max(0, lengthMin - text.length));
      if (filling !== "") yield* [text + filling, filling + text];
    }
    if (looked.length === 0) continue;
    const seen = looked.map((body) => new Sampler(variant, unicode, 0).textOf(body)).join("");
    yield* [seen + text.slice(seen.length), text + seen];
  }
}

class Sampler {
  readonly #variant: number;
  readonly #unicode: boolean;
  /** Characters that repetitions have yet to bring. */
  #missing: number;

  constructor(variant: number, unicode: boolean, missing: number) {
    this.#variant = variant;
    this.#unicode = unicode;
    this.#missing = missing;
  }

  textOf(node: Node): string {
    switch (node.kind) {
      case "set":
        return this.#charOf(node.set);
      case "sequence":
        return node.parts.map((part) => this.textOf(part)).join("");
      case "choice": {
        const { options } = node;
        const option = options[this.#variant % options.length];
        return option === undefined ? "" : this.textOf(option);
      }
      case "repeat":
        return this.#repeated(node);
      default:
        return "";
    }
  }

  #repeated({ body, min, max }: Extract<Node, { kind: "repeat" }>): string {
    const most = Math.min(max, LENGTH_MAX);
    const extra = this.#variant % 2 === 1 && min < most ? 1 : 0;
    const parts: string[] = [];
    let length = 0;
    while (parts.length < most && length < LENGTH_MAX) {
      if (parts.length >= min + extra && this.#missing <= 0) break;
      const isExtra = parts.length >= min;
      const part = this.textOf(body);
      parts.push(part);
      length += part.length;
      if (isExtra) this.#missing -= part.length;
      if (isExtra && part === "") break;
    }
    return parts.join("");
  }

  #charOf(set: CharSet): string {
    const write = this.#unicode ? String.fromCodePoint : String.fromCharCode;
    const usual = USUAL.filter((char) => contains(set, char));
    const [only] = usual;
    if (only !== undefined) return write(usual[(this.#variant >> 1) % usual.length] ?? only);
    const [whole] = rangesOf(set).filter(([first, last]) => first > 0x20 && (last < 0xd800 || first > 0xdfff));
    const first = whole?.[0] ?? set[0];
    return first === undefined ? "" : write(first);
  }
}
