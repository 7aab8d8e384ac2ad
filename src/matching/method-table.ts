import { USUAL_METHODS } from "../message/method.ts";

/** What a place says of a method that it does not take. */
export const NO_VALUE = 0;

/** What claims which methods of a place; none means the usual ones that no other claims. Of two that claim the same, the first has it. */
export interface MethodClaim {
  readonly methods: readonly string[];
  /** The caller's own number, 1 or more. */
  readonly value: number;
}

/** What places with the same methods share. */
interface MethodSet {
  readonly methods: readonly string[];
  /** By position in `methods`: which of the place's values is the method's. */
  readonly slots: readonly number[];
  /** Value of the Allow header, sorted. */
  readonly allow: string;
}

/** A place: the number of its set of methods, and a value for each of them. */
export interface MethodValues {
  readonly set: number;
  readonly values: readonly number[];
}

/**
 * Values by place and method. Many places and few sets of methods: a place keeps its values alone, wherever the caller
 * lays them down. A set's methods are so few that walking them beats hashing the one asked for.
 */
export class MethodTable {
  readonly #sets: MethodSet[] = [];
  readonly #numbers = new Map<string, number>();

  /** HEAD is GET where no claim names it (RFC 9110 section 9.3.2). At least one claim. */
  add(claims: readonly MethodClaim[]): MethodValues {
    const byMethod = new Map<string, number>();
    for (const { methods, value } of claims) {
      for (const method of methods) if (!byMethod.has(method)) byMethod.set(method, value);
    }
    const usual = claims.find((claim) => claim.methods.length === 0)?.value;
    const named = [...byMethod].sort(([a], [b]) => (a < b ? -1 : 1));
    const values = [...named.map(([, value]) => value), ...(usual === undefined ? [] : [usual])];
    return {
      set: this.#setOf(
        named.map(([method]) => method),
        usual !== undefined,
      ),
      values,
    };
  }

  /** The value for `method` at the place with this set, whose values begin at `words[values]`, or NO_VALUE. */
  get(set: number, words: Int32Array, values: number, method: string): number {
    const { methods, slots } = this.#sets[set] as MethodSet;
    for (let at = 0; at < methods.length; at++) {
      if (methods[at] === method) return words[values + (slots[at] as number)] as number;
    }
    return NO_VALUE;
  }

  allow(set: number): string {
    return this.#sets[set]?.allow ?? "";
  }

  #setOf(named: readonly string[], takesUsual: boolean): number {
    // No method's name holds a blank, so none can stand for what is behind the last one.
    const key = `${named.join(" ")} ${takesUsual ? " " : ""}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const methods = [...named];
    const slots = named.map((_, slot) => slot);
    const get = named.indexOf("GET");
    if (get >= 0 && !named.includes("HEAD")) {
      methods.push("HEAD");
      slots.push(get);
    }
    for (const method of takesUsual ? USUAL_METHODS : []) {
      if (methods.includes(method)) continue;
      methods.push(method);
      slots.push(named.length);
    }
    const allow = [...methods].sort().join(", ");
    const number = this.#sets.push({ methods, slots, allow }) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}
