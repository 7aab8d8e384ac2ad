import { mediaTypeOf } from "./media-type.ts";

/**
 * Media types and ranges (RFC 9110 section 12.5.1), the nearest of which a type meets: itself, `application/*+json`, `text/*`,
 * any. Parameters count for nothing; of two ranges that are one without them the first stands for both.
 */
export class MediaRanges {
  /** As they were given. */
  readonly texts: readonly string[];
  readonly #byRange = new Map<string, number>();

  constructor(texts: readonly string[]) {
    this.texts = texts;
    for (const [at, text] of texts.entries()) {
      const range = rangeOf(text);
      if (range !== null && !this.#byRange.has(range)) this.#byRange.set(range, at);
    }
  }

  /** Position of the range that a type, in lower case and without parameters, meets; null for none. */
  positionOf(type: string): number | null {
    const [main = "", sub = ""] = type.split("/", 2);
    const suffix = sub.includes("+") ? sub.slice(sub.lastIndexOf("+")) : null;
    const wide = suffix === null ? [] : [`${main}/*${suffix}`, `*/*${suffix}`];
    for (const range of [type, ...wide, `${main}/*`, "*/*"]) {
      const at = this.#byRange.get(range);
      if (at !== undefined) return at;
    }
    return null;
  }
}

/** A range in lower case without its parameters; null for what is none. */
export function rangeOf(text: string): string | null {
  const type = mediaTypeOf(text)?.type ?? null;
  // `*` is a character of names, too.
  if (type === null || !type.includes("*")) return type;
  return /^(?:\*|[^*]+)\/\*(?:\+[^*]+)?$/.test(type) ? type : null;
}
