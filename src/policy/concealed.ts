import { isIP } from "node:net";

/** A shorter text is a word, a port or true: to hide it would hide other texts that have it. */
const SECRET_CHARS_MIN = 8;
/** Of one that has letters and digits. */
const MIXED_SECRET_CHARS_MIN = 6;

function mayBeSecret(value: string): boolean {
  if (isIP(value) !== 0 || value === "localhost") return false;
  const isMixed = /[A-Za-z]/.test(value) && /\d/.test(value);
  return value.length >= (isMixed ? MIXED_SECRET_CHARS_MIN : SECRET_CHARS_MIN);
}

/** Values that came from elsewhere than the policy, and the references that are shown in their place. */
export class Concealed {
  /** The longest first: one may be the beginning of another. */
  readonly #values: (readonly [value: string, reference: string])[] = [];

  add(value: string, reference: string): void {
    if (!mayBeSecret(value)) return;
    // Texts that show JSON or a URL have it as those write it.
    const written = [JSON.stringify(value).slice(1, -1), encodeURIComponent(value.toWellFormed())];
    for (const one of new Set([value, ...written])) this.#values.push([one, reference]);
    this.#values.sort(([a], [b]) => b.length - a.length);
  }

  /** The text as it may be shown. */
  in(text: string): string {
    let left = text;
    for (const [value, reference] of this.#values) left = left.replaceAll(value, () => reference);
    return left;
  }
}
