import { withoutDefaultPort } from "../origin.ts";
import type { OriginRule } from "./schema.ts";

/** Whose pages; of an Origin that is not among them nothing is ever repeated. */
export class OriginList {
  #any = false;
  readonly #exact = new Set<string>();
  /** By what they say, so that many routes with one rule are one. */
  readonly #patterns = new Map<string, OriginRule>();

  constructor(rules: readonly OriginRule[] = []) {
    for (const rule of rules) {
      if (rule.kind === "any") this.#any = true;
      else if (rule.kind === "exact") this.#exact.add(withoutDefaultPort(rule.origin));
      else this.#patterns.set(JSON.stringify(rule), rule);
    }
  }

  get hasAny(): boolean {
    return this.#any;
  }

  addAll(other: OriginList): void {
    this.#any ||= other.#any;
    for (const origin of other.#exact) this.#exact.add(origin);
    for (const [text, rule] of other.#patterns) this.#patterns.set(text, rule);
  }

  /** What an answer to `origin` repeats, or null. */
  allows(origin: string): string | null {
    return this.#any ? "*" : this.names(origin) ? origin : null;
  }

  /** Whether it is listed as more than one of anybody's. */
  names(origin: string): boolean {
    const text = withoutDefaultPort(origin);
    if (this.#exact.has(text)) return true;
    for (const rule of this.#patterns.values()) if (fits(rule, text)) return true;
    return false;
  }
}

/** One or more labels of letters, digits and dashes: what stands for * is never a part of another host's name. */
const LABELS = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/;
const DIGITS = /^\d{1,5}$/;

function fits(rule: OriginRule, text: string): boolean {
  if (rule.kind === "below") {
    if (!text.startsWith(rule.scheme) || !text.endsWith(rule.suffix)) return false;
    return LABELS.test(text.slice(rule.scheme.length, -rule.suffix.length));
  }
  return rule.kind === "ports" && text.startsWith(rule.beginning) && DIGITS.test(text.slice(rule.beginning.length));
}
