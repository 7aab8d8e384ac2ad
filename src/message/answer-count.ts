/** What rules made of an answer: fields that were removed, values that were masked, or that it passed without a look into it. */
export const ANSWER_ACTIONS = ["removed", "masked", "unread"] as const;

export type AnswerAction = (typeof ANSWER_ACTIONS)[number];

/** How often one rule did so, as of now. */
export interface AnswerCount {
  readonly action: AnswerAction;
  count(): number;
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
