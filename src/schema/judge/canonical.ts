import { createHash, type Hash } from "node:crypto";
import { JsonNumber } from "../../bodies/json-number.ts";
import { memberNames } from "../../bodies/json-parser.ts";
import { NameSorter } from "./name-sorter.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Hears of each bit of work; it may throw to break it off. */
export type Step = () => void;

/** Containers that took long, or are in the middle, so that work that was broken off is not done again. */
export type Texts = Map<object, string | Partial>;

/** A container of which the first children are written. */
interface Partial {
  text: string;
  /** Of what was written before `text`, where that is much. */
  hash: Hash | null;
  at: number;
  readonly sorter: NameSorter | null;
}

const KEPT_CHARS_MIN = 4 * 1024;
const HASHED_CHARS_MIN = 16 * 1024;

/**
 * One text for each value of JSON: numbers by value, members in the order of their names; a digest stands for that of a large
 * container, for a set takes a megabyte at a stretch. Null where the text would be longer than `charsMax`.
 */
export class Canonical {
  readonly #step: Step;
  readonly #texts: Texts | null;
  readonly #charsMax: number;
  #chars = 0;

  constructor(step: Step, texts: Texts | null, charsMax: number = Number.POSITIVE_INFINITY) {
    this.#step = step;
    this.#texts = texts;
    this.#charsMax = charsMax;
  }

  textOf(value: unknown): string | null {
    const text = this.#write(value);
    return this.#chars > this.#charsMax ? null : text;
  }

  #write(value: unknown): string {
    if (this.#chars > this.#charsMax) return "";
    this.#step();
    if (typeof value !== "object" || value === null) return this.#count(plainText(value));
    if (value instanceof JsonNumber) return this.#count(`#${value.canonical}`);
    const known = this.#texts?.get(value);
    if (typeof known === "string") return known;
    const isList = Array.isArray(value);
    const partial = known ?? {
      text: "",
      hash: null,
      at: 0,
      sorter: isList ? null : new NameSorter(memberNames(value)),
    };
    if (known === undefined) this.#texts?.set(value, partial);
    const text = isList ? this.#writeList(value, partial) : this.#writeObject(value as JsonObject, partial);
    if (partial.hash !== null || text.length >= KEPT_CHARS_MIN) this.#texts?.set(value, text);
    else this.#texts?.delete(value);
    return text;
  }

  #add(partial: Partial, text: string): void {
    partial.text += text;
    if (partial.text.length < HASHED_CHARS_MIN) return;
    partial.hash ??= createHash("sha256");
    partial.hash.update(partial.text);
    partial.text = "";
  }

  /** No other value's text begins with `@`. */
  #end(open: string, { text, hash }: Partial, close: string): string {
    if (hash === null) return `${open}${text}${this.#count(close)}`;
    return `@${open}${hash.update(text).digest("base64")}${this.#count(close)}`;
  }

  #writeList(list: readonly unknown[], partial: Partial): string {
    for (; partial.at < list.length; partial.at++) this.#add(partial, `${this.#write(list[partial.at])},`);
    return this.#end("[", partial, "]");
  }

  #writeObject(object: JsonObject, partial: Partial): string {
    const names = partial.sorter?.run(this.#step) ?? [];
    for (; partial.at < names.length; partial.at++) {
      const name = names[partial.at] ?? "";
      this.#add(partial, `${this.#count(JSON.stringify(name))}:${this.#write(object[name])},`);
      if (this.#chars > this.#charsMax) return "";
    }
    return this.#end("{", partial, "}");
  }

  #count(text: string): string {
    this.#chars += text.length;
    return text;
  }
}

function plainText(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
