import { DEFAULTS } from "../support/defaults.ts";

/**
 * What rules made of an answer: fields that a rule removed, those that its schema does not declare or calls writeOnly and
 * that came off, values that were masked, or that it passed without a look into it.
 */
export const ANSWER_ACTIONS = ["removed", "undeclared", "writeOnly", "masked", "unread"] as const;

export type AnswerAction = (typeof ANSWER_ACTIONS)[number];

/** How often one rule did so, as of now. */
export interface AnswerCount {
  readonly action: AnswerAction;
  count(): number;
  /** The first few of their fields, each once. */
  fields?(): readonly string[];
}

export const UNREAD: AnswerCount = { action: "unread", count: () => 1 };

/** By action; those that did not happen are left out. */
export function answerTotals(counts: readonly AnswerCount[]): Partial<Record<AnswerAction, number>> {
  const totals: Partial<Record<AnswerAction, number>> = {};
  for (const one of counts) {
    const times = one.count();
    if (times > 0) totals[one.action] = (totals[one.action] ?? 0) + times;
  }
  return totals;
}

/** For the log, over all rules: each field once, as many as one rule shows. */
export function answerFields(counts: readonly AnswerCount[]): readonly string[] {
  const all = new Set(counts.flatMap((one) => one.fields?.() ?? []));
  return [...all].slice(0, DEFAULTS.logAnswerFieldsMax);
}

/** What a schema calls a field; keys of maps are data as often as not, as an address or an id is, or a token. */
const NAME = /^[A-Za-z_$][A-Za-z_$0-9-]{0,63}$/;
const DIGITS_MAX = 3;

const KNOWN_MAX = 256;
/** Some that are: answers have the same fields again and again. What is data is not kept. */
const known = new Set<string>();

function isName(key: string): boolean {
  if (known.has(key)) return true;
  const isOne = NAME.test(key) && key.replace(/\D+/g, "").length <= DIGITS_MAX;
  if (isOne && known.size < KNOWN_MAX) known.add(key);
  return isOne;
}

/** Names of fields that a rule has changed, as they come. */
export class FieldNames {
  readonly #names: string[] = [];
  /** Items of a list have the same fields, one after the other. */
  #last: string | number | null = null;

  /** `key`: of a member, or the index of an item; what is no name of a schema is `*`. */
  add(key: string | number): void {
    if (key === this.#last || this.#names.length >= DEFAULTS.logAnswerFieldsMax) return;
    this.#last = key;
    const told = typeof key === "number" ? "[*]" : isName(key) ? key : "*";
    if (!this.#names.includes(told)) this.#names.push(told);
  }

  get shown(): readonly string[] {
    return [...this.#names];
  }
}
