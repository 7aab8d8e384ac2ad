import { createHmac } from "node:crypto";
import type { Charset } from "../../../bodies/answer-format.ts";
import { ALL_TOLD, type AskedNames, CONTAINERS_TOLD, NONE_TOLD, type Others } from "../../../bodies/json-asked.ts";
import { OPEN_BRACE, OPEN_BRACKET, QUOTE } from "../../../bodies/json-bytes.ts";
import type { JsonPlace } from "../../../bodies/json-paths.ts";
import { type Fate, type JsonEdit, KEEP, REPLACE } from "../../../bodies/json-rewriter.ts";
import type { FieldNames } from "../../../message/answer-count.ts";

/** What stands in place of a value; null for one that nobody could read. */
export type Mask = (value: string | null) => string;

const STARS = "****";
/** So many characters before the last four must be hidden, or all are: the rest of a short one is soon guessed. */
const HIDDEN_CHARS_MIN = 4;
/** 132 bits: no two values of a service have the same. */
const HASH_CHARS = 22;

export const last4: Mask = (value) => {
  const chars = [...(value ?? "")];
  return chars.length < HIDDEN_CHARS_MIN + 4 ? STARS : STARS + chars.slice(-4).join("");
};

export function fixed(text: string): Mask {
  return () => text;
}

/** HMAC-SHA-256, shortened: the same for the same value, and nothing without the key. */
export function hash(key: Buffer): Mask {
  return (value) =>
    value === null ? STARS : createHmac("sha256", key).update(value).digest("base64url").slice(0, HASH_CHARS);
}

const LOWER_N = 0x6e;

/** Scalars at the paths of masks, or within what stands there, in one answer. null has nothing to hide. */
export class MaskEdit implements JsonEdit<JsonPlace> {
  /** Values that were masked. */
  masked = 0;
  readonly #names: FieldNames;
  #key: string | number = "";
  readonly root: JsonPlace;
  readonly asked: AskedNames;
  readonly #masks: readonly Mask[];
  readonly #active: number;
  readonly #charset: Charset;

  /** `masks` by their bits; `active`: of those that apply. `names` gets those of its fields. */
  constructor(root: JsonPlace, masks: readonly Mask[], active: number, charset: Charset, names: FieldNames) {
    this.root = root;
    this.asked = root.asked;
    this.#masks = masks;
    this.#active = active;
    this.#charset = charset;
    this.#names = names;
  }

  child(of: JsonPlace, key: string | number): JsonPlace | null {
    this.#key = key;
    const place = of.child(key);
    return place !== null && ((place.ends | place.within | place.leads) & this.#active) !== 0 ? place : null;
  }

  others({ other }: JsonPlace): Others {
    if (other === null) return NONE_TOLD;
    if (((other.ends | other.within) & this.#active) !== 0) return ALL_TOLD;
    return (other.leads & this.#active) === 0 ? NONE_TOLD : CONTAINERS_TOLD;
  }

  fate({ ends, within }: JsonPlace, byte: number): Fate {
    if (((ends | within) & this.#active) === 0 || byte === LOWER_N) return KEEP;
    if (byte !== OPEN_BRACE && byte !== OPEN_BRACKET) this.#names.add(this.#key);
    return REPLACE;
  }

  replacement({ ends, within }: JsonPlace, raw: Buffer | null): Buffer {
    this.masked++;
    const bits = (ends | within) & this.#active;
    const mask = this.#masks[31 - Math.clz32(bits & -bits)] ?? last4;
    return Buffer.from(JSON.stringify(mask(raw === null ? null : this.#valueOf(raw))));
  }

  /** A number as it is written, a string without its escapes. */
  #valueOf(raw: Buffer): string | null {
    const text = raw.toString(this.#charset);
    if (raw[0] !== QUOTE) return text;
    try {
      return String(JSON.parse(text));
    } catch {
      return null;
    }
  }
}
