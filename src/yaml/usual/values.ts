import type { Reading } from "../plain-value.ts";

/** Characters of a key: YAML allows 1,024. */
const KEY_CHARS_MAX = 1_000;

const NUMBER = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/;
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...["~", "null", "Null", "NULL"].map((word) => [word, null] as const),
  ...["true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["false", "False", "FALSE"].map((word) => [word, false] as const),
]);
/** Octal and hexadecimal numbers, infinite ones and none. */
const RARE = /^(?:0[ox]|[-+]?\.(?:inf|nan)$)/i;

/** Plain values as they come into being: their number, their levels, and where they stand. */
export class UsualValues {
  readonly #reading: Reading;
  #depth = 0;
  #count = 0;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** Into a list or mapping; false beyond what may be. */
  enter(): boolean {
    return ++this.#depth < this.#reading.depthMax && this.#count < this.#reading.nodesMax;
  }

  leave(): void {
    this.#depth--;
  }

  item(list: unknown[], at: number, value: unknown): void {
    this.#count++;
    this.#reading.member?.(list, list.length, at);
    list.push(value);
  }

  member(mapping: Record<string, unknown>, key: string, at: number, value: unknown): void {
    this.#count += 2;
    this.#reading.member?.(mapping, key, at);
    mapping[key] = value;
  }

  /** Whether a mapping may have the key, `chars` long as it is written. */
  isFree(mapping: object, key: string, chars: number): boolean {
    return key !== "<<" && key !== "__proto__" && chars <= KEY_CHARS_MAX && !Object.hasOwn(mapping, key);
  }

  /** What a plain text stands for (YAML 1.2 section 10.3.2); not known where that is rare. */
  plain(text: string): { readonly value: unknown; readonly isKnown: boolean } {
    const first = text.charCodeAt(0);
    // Only digits, signs, a point, ~ and the first letters of the words begin anything else than a text.
    if (first > 0x39 && !WORD_STARTS.has(first)) return { value: text, isKnown: true };
    const word = WORDS.get(text);
    if (word !== undefined) return { value: word, isKnown: true };
    if (!NUMBER.test(text)) return { value: text, isKnown: !RARE.test(text) };
    const value = Number(text);
    if (!Number.isFinite(value)) return { value: null, isKnown: false };
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return { value, isKnown: true };
    const { longNumber } = this.#reading;
    return longNumber === undefined ? { value: null, isKnown: false } : { value: longNumber(text), isKnown: true };
  }
}

const WORD_STARTS: ReadonlySet<number> = new Set([..."~nNtTfF"].map((char) => char.charCodeAt(0)));
