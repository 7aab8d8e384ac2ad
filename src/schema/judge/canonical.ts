import { JsonNumber } from "../../bodies/json-number.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Hears of each bit of work; it may throw to break it off. */
export type Step = () => void;

/** Texts of containers that took long, so that work that was broken off is not done again. */
export type Texts = Map<object, string>;

const KEPT_CHARS_MIN = 4 * 1024;

/**
 * One text for each value of JSON: numbers by value, members in the order of their names. Null where it would be longer
 * than `charsMax`.
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
    if (known !== undefined) return known;
    const text = Array.isArray(value) ? this.#writeList(value) : this.#writeObject(value as JsonObject);
    if (text.length >= KEPT_CHARS_MIN) this.#texts?.set(value, text);
    return text;
  }

  #writeList(list: readonly unknown[]): string {
    let text = "[";
    for (const item of list) text += `${this.#write(item)},`;
    return text + this.#count("]");
  }

  #writeObject(object: JsonObject): string {
    let text = "{";
    for (const name of sortedNames(Object.keys(object), this.#step)) {
      text += `${this.#count(JSON.stringify(name))}:${this.#write(object[name])},`;
      if (this.#chars > this.#charsMax) return "";
    }
    return text + this.#count("}");
  }

  #count(text: string): string {
    this.#chars += text.length;
    return text;
  }
}

function plainText(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Sorted at a stretch. */
const RUN_LENGTH = 1_024;

/** The platform's sort, but for objects of so many members that it would take too long at a stretch: those are merged. */
function sortedNames(names: string[], step: Step): readonly string[] {
  if (names.length <= RUN_LENGTH) return names.sort();
  let runs: (readonly string[])[] = [];
  for (let at = 0; at < names.length; at += RUN_LENGTH) {
    runs.push(names.slice(at, at + RUN_LENGTH).sort());
    step();
  }
  while (runs.length > 1) {
    const merged: (readonly string[])[] = [];
    for (let at = 0; at < runs.length; at += 2) merged.push(merge(runs[at] ?? [], runs[at + 1] ?? [], step));
    runs = merged;
  }
  return runs[0] ?? [];
}

function merge(a: readonly string[], b: readonly string[], step: Step): readonly string[] {
  const merged: string[] = [];
  let at = 0;
  for (const name of b) {
    for (let left = a[at]; left !== undefined && left <= name; left = a[++at]) merged.push(left);
    merged.push(name);
    step();
  }
  return merged.concat(a.slice(at));
}
