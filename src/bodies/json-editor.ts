import type { Steps } from "../support/turns.ts";
import {
  BACKSLASH,
  CARRIAGE_RETURN,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  LINE_FEED,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  TAB,
} from "./json-bytes.ts";
import { JsonNumber } from "./json-number.ts";

/** What becomes of the members of one object, or of the items of one list. */
export interface ContainerRules {
  /** Whether the member comes off. `path` leads to it, and is not kept. */
  removes(name: string, path: JsonPath): boolean;
  /** For what is inside a member or an item; null where nothing in it is changed. */
  inside(key: string | number, value: object): ContainerRules | null;
  /** Members that it is to have besides, as JSON: `"limit":20`. `path` leads to one of those that it has. */
  added(path: JsonPath): readonly string[];
}

export interface JsonEdits {
  /** Of the whole value; null where only texts change. */
  readonly rules: ContainerRules | null;
  /** What stands for the text of a value, in steps where that takes long; null where all stay. */
  readonly text: ((text: string, path: JsonPath) => string | Steps<string>) | null;
  /** The same of a member's name. */
  readonly name: ((name: string, path: JsonPath) => string | Steps<string>) | null;
  /** A longer text is given up. */
  readonly charsMax: number;
}

/** Keys from the outermost value on. */
export interface JsonPath {
  keys(): readonly (string | number)[];
}

export type Edited = { readonly text: string } | "unchanged" | "too long";

/** Members or items between two looks at the clock. */
const KEYS_PER_STEP = 256;

interface Frame {
  readonly container: Readonly<Record<string, unknown>> | readonly unknown[];
  readonly rules: ContainerRules | null;
  /** The member or item that is gone through. */
  key: string | number;
  count: number;
  /** Members that stay. */
  kept: number;
  /** Of the last comma, and behind the last member. */
  commaAt: number;
  endAt: number;
}

/**
 * Writes a text of JSON with some of it changed; every byte that no rule concerns stays as it came. `text` has been read
 * as `value`, so that it has one reading, and is no longer asked whether it is JSON.
 */
export function* editJson(text: string, value: unknown, edits: JsonEdits): Steps<Edited> {
  return yield* new JsonEditor(text, edits).run(value);
}

class JsonEditor implements JsonPath {
  readonly #text: string;
  readonly #edits: JsonEdits;
  readonly #frames: Frame[] = [];
  readonly #pieces: string[] = [];
  #at = 0;
  /** So far the text has been taken over. */
  #copiedTo = 0;
  /** By how much what is written is longer than what it stands for. */
  #grown = 0;

  constructor(text: string, edits: JsonEdits) {
    this.#text = text;
    this.#edits = edits;
  }

  keys(): readonly (string | number)[] {
    return this.#frames.map(({ key }) => key);
  }

  *run(value: unknown): Steps<Edited> {
    const text = this.#text;
    const { rules, charsMax } = this.#edits;
    this.#skipBlanks();
    yield* this.#value(value, rules);
    for (let frame = this.#frames.at(-1), steps = 0; frame !== undefined; frame = this.#frames.at(-1)) {
      if (++steps % KEYS_PER_STEP === 0) yield;
      const code = this.#skipBlanks();
      if (code === CLOSE_BRACE || code === CLOSE_BRACKET) this.#close(frame);
      else if (code === COMMA) {
        frame.commaAt = this.#at++;
        this.#skipBlanks();
      } else yield* this.#child(frame);
      if (text.length + this.#grown > charsMax) return "too long";
    }
    if (this.#pieces.length === 0) return "unchanged";
    this.#pieces.push(text.slice(this.#copiedTo));
    return { text: this.#pieces.join("") };
  }

  /** A member or an item. */
  *#child(frame: Frame): Steps<void> {
    const { container, rules } = frame;
    const start = this.#at;
    if (Array.isArray(container)) {
      const at = frame.count++;
      frame.key = at;
      frame.kept++;
      const item: unknown = container[at];
      yield* this.#value(item, insideOf(rules, at, item));
      frame.endAt = this.#at;
      return;
    }
    const name = this.#string();
    const nameEnd = this.#at;
    frame.key = name;
    if (this.#skipBlanks() === COLON) this.#at++;
    this.#skipBlanks();
    if (rules?.removes(name, this) === true) {
      yield* this.#skipValue();
      this.#remove(frame, start);
      return;
    }
    const edited = this.#edits.name?.(name, this) ?? name;
    const written = typeof edited === "string" ? edited : yield* edited;
    if (written !== name) this.#replace(start, nameEnd, JSON.stringify(written));
    frame.kept++;
    const member = (container as Readonly<Record<string, unknown>>)[name];
    yield* this.#value(member, insideOf(rules, name, member));
    frame.endAt = this.#at;
  }

  *#value(value: unknown, rules: ContainerRules | null): Steps<void> {
    const code = this.#text.charCodeAt(this.#at);
    const { text, name } = this.#edits;
    if (code === QUOTE && text !== null && typeof value === "string") {
      const start = this.#at;
      this.#at = stringEnd(this.#text, start);
      const edited = text(value, this);
      const written = typeof edited === "string" ? edited : yield* edited;
      if (written !== value) this.#replace(start, this.#at, JSON.stringify(written));
    } else if ((code === OPEN_BRACE || code === OPEN_BRACKET) && (rules ?? text ?? name) !== null) {
      const container = value as Frame["container"];
      this.#at++;
      this.#frames.push({ container, rules, key: "", count: 0, kept: 0, commaAt: 0, endAt: this.#at });
    } else yield* this.#skipValue();
  }

  #close(frame: Frame): void {
    const added = frame.rules?.added(this) ?? [];
    if (added.length > 0) this.#replace(frame.endAt, frame.endAt, (frame.kept > 0 ? "," : "") + added.join(","));
    this.#at++;
    this.#frames.pop();
    const outer = this.#frames.at(-1);
    if (outer !== undefined) outer.endAt = this.#at;
  }

  /** Takes off the member that begins at `start` and ends here, with a comma that parts it from another. */
  #remove(frame: Frame, start: number): void {
    if (frame.kept > 0) this.#replace(frame.commaAt, this.#at, "");
    else {
      const end = this.#at;
      const isFollowed = this.#skipBlanks() === COMMA;
      if (isFollowed) {
        this.#at++;
        this.#skipBlanks();
      } else this.#at = end;
      this.#replace(start, this.#at, "");
    }
    frame.endAt = this.#at;
  }

  #replace(from: number, to: number, written: string): void {
    this.#pieces.push(this.#text.slice(this.#copiedTo, from), written);
    this.#copiedTo = to;
    this.#grown += written.length - (to - from);
  }

  #string(): string {
    const start = this.#at;
    this.#at = stringEnd(this.#text, start);
    const quoted = this.#text.slice(start, this.#at);
    if (!quoted.includes("\\")) return quoted.slice(1, -1);
    const name: unknown = JSON.parse(quoted);
    return typeof name === "string" ? name : "";
  }

  *#skipValue(): Steps<void> {
    const text = this.#text;
    let open = 0;
    let steps = 0;
    do {
      const code = this.#skipBlanks();
      if (code === QUOTE) this.#at = stringEnd(text, this.#at);
      else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
        open++;
        this.#at++;
      } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        open--;
        this.#at++;
      } else if (open > 0 && (code === COMMA || code === COLON)) this.#at++;
      else this.#skipWord();
      if (++steps % (KEYS_PER_STEP * 4) === 0) yield;
    } while (open > 0);
  }

  /** A number, `true`, `false` or `null`. */
  #skipWord(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (!(code > SPACE) || code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET) return;
      this.#at++;
    }
  }

  #skipBlanks(): number {
    let code = this.#text.charCodeAt(this.#at);
    while (code === SPACE || code === LINE_FEED || code === CARRIAGE_RETURN || code === TAB) {
      code = this.#text.charCodeAt(++this.#at);
    }
    return code;
  }
}

function insideOf(rules: ContainerRules | null, key: string | number, value: unknown): ContainerRules | null {
  if (rules === null || typeof value !== "object" || value === null || value instanceof JsonNumber) return null;
  return rules.inside(key, value);
}

/** Behind the quote that ends the string which begins here. */
export function stringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((end - before) % 2 === 0 || end < 0) return end < 0 ? text.length : end + 1;
  }
}
