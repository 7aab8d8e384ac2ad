import { DEFAULTS } from "../support/defaults.ts";
import { decodeLeniently } from "./form.ts";
import { type MethodParameters, methodOf } from "./method-parameters.ts";
import { type MethodScanner, UNREADABLE } from "./method-scanner.ts";

/** What goes from the front of a name, as sent. */
const LEADING = /^(?:[+\s[\]]|%(?:20|0[9a-d]|5[bd]))+/i;

/** Methods in application/x-www-form-urlencoded. Pairs part at `;` too, where some services part them. */
export class FormMethodScanner implements MethodScanner {
  readonly #parameters: MethodParameters;
  /** The name of the pair that the last piece ended in, as far as it came; null behind its `=`. */
  #name: string | null = "";
  /** The value, as far as it came, of a pair that names a method; null in any other. */
  #value: string | null = null;
  #traces = 0;
  /** Where in the piece the value begins that is held. */
  #heldFrom = 0;

  constructor(parameters: MethodParameters) {
    this.#parameters = parameters;
  }

  scan(piece: Buffer, found: string[]): number {
    const text = piece.toString("latin1");
    let at = this.#finish(text, found);
    if (at < 0) return this.#value === null ? text.length : this.#heldFrom;
    // Only pairs with a trace of a name are looked at; a pair at a time, so that each character is looked at but once.
    for (let trace = this.#parameters.traceIn(text, at); trace >= 0; trace = this.#parameters.traceIn(text, at)) {
      const start = startOfPair(text, at, trace);
      const end = endOfPair(text, trace);
      const equals = text.indexOf("=", start);
      at = end + 1;
      if (end === text.length) break;
      if (++this.#traces > DEFAULTS.methodFieldsMax) {
        found.push(UNREADABLE);
        break;
      }
      if (equals < 0 || equals > end || equals < trace) continue;
      if (!this.#isMethod(text.slice(start, equals))) continue;
      this.#tell(text.slice(equals + 1, end), found);
    }
    return this.#begin(text, found);
  }

  end(found: string[]): void {
    if (this.#value !== null) this.#tell(this.#value, found);
    this.#value = null;
  }

  /** Ends the pair that the last piece ended in. Index of the next pair, or -1 where the piece holds none. */
  #finish(text: string, found: string[]): number {
    const end = firstOf(text);
    if (this.#name !== null) {
      const equals = text.indexOf("=");
      if (equals < 0 || equals > end) {
        this.#name = shortened(this.#name + text.slice(0, end));
        if (end === text.length) return -1;
        this.#name = null;
        return end + 1;
      }
      const isMethod = this.#isMethod(this.#name + text.slice(0, equals));
      this.#name = null;
      if (isMethod) return this.#continue("", text, equals + 1, end, found);
    } else if (this.#value !== null) return this.#continue(this.#value, text, 0, end, found);
    return end === text.length ? -1 : end + 1;
  }

  #continue(value: string, text: string, start: number, end: number, found: string[]): number {
    const whole = value + text.slice(start, end);
    this.#value = null;
    if (end === text.length && whole.length <= DEFAULTS.methodValueCharactersMax) {
      this.#value = whole;
      this.#heldFrom = start;
      return -1;
    }
    this.#tell(whole, found);
    return end === text.length ? -1 : end + 1;
  }

  /** Notes the pair that the piece ends in; where it names a method, its value is held. */
  #begin(text: string, found: string[]): number {
    const start = Math.max(text.lastIndexOf("&"), text.lastIndexOf(";")) + 1;
    const equals = text.indexOf("=", start);
    this.#value = null;
    this.#name = null;
    if (equals < 0) this.#name = shortened(text.slice(start));
    else if (this.#isMethod(text.slice(start, equals))) {
      const value = text.slice(equals + 1);
      if (value.length > DEFAULTS.methodValueCharactersMax) this.#tell(value, found);
      else {
        this.#value = value;
        return equals + 1;
      }
    }
    return text.length;
  }

  #isMethod(name: string): boolean {
    if (!this.#parameters.mayBeIn(name)) return false;
    return this.#parameters.has(decodeLeniently(shortened(name)));
  }

  #tell(value: string, found: string[]): void {
    const method = value.length > DEFAULTS.methodValueCharactersMax ? UNREADABLE : methodOf(decodeLeniently(value));
    if (method !== null) found.push(method);
  }
}

function shortened(name: string): string {
  return name.length <= DEFAULTS.methodNameCharactersMax
    ? name
    : name.replace(LEADING, "").slice(0, DEFAULTS.methodNameCharactersMax);
}

/** Where the first pair ends. */
function firstOf(text: string): number {
  const ends = [text.indexOf("&"), text.indexOf(";")].filter((end) => end >= 0);
  return ends.length === 0 ? text.length : Math.min(...ends);
}

/** Where the pair that `at` is in begins; not before `from`. */
function startOfPair(text: string, from: number, at: number): number {
  for (let index = at - 1; index >= from; index--) {
    const code = text.charCodeAt(index);
    if (code === AMPERSAND || code === SEMICOLON) return index + 1;
  }
  return from;
}

function endOfPair(text: string, from: number): number {
  for (let index = from; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === AMPERSAND || code === SEMICOLON) return index;
  }
  return text.length;
}

const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;
