import type { Reason } from "../../decision/reason.ts";
import { CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { excerpt } from "../../support/excerpt.ts";

/** Keys that lead to a rule inside its settings. */
export type Path = readonly (string | number)[];

/** `any[0].scopes` */
export function labelOf(path: Path): string {
  return path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? key : `${text}.${key}`),
    "",
  );
}

/** One compiled part of a rule. */
export interface Rule {
  /** The keys that lead to it inside its settings, as in `any[0].scopes`. */
  readonly label: string;
  /** What would do, for logs. */
  readonly wanted: string;
  /** `validate` where it looks at the body's content. */
  readonly phase: "authorize" | "validate";
  /** At once. `quiet`: only whether is asked and not why, so that nothing is made for a denial either. */
  judge(exchange: Exchange, quiet?: boolean): Verdict;
  /** What it is made of; none for a leaf. */
  readonly parts: readonly Rule[];
  /** It, or a part of it, compares what the request is for with who asks. */
  readonly tiesObject?: boolean;
}

/**
 * Neither does the rule hold nor does it fail: there is no caller, a value that it looks at is not there, a condition came to
 * no answer. It denies, and it denies below `not` as well: what is not known is no proof of the contrary.
 */
export class Undecided extends Denial {}

/** What a rule that is asked quietly answers where it denies. */
export const FAILED: Denial = new Denial("not_authorized", null, "", "");
export const UNDECIDED: Denial = new Undecided("not_authorized", null, "", "");

type Parts = Pick<Rule, "label" | "parts" | "phase" | "tiesObject">;

function partsOf(label: string, parts: readonly Rule[]): Parts {
  return {
    label,
    parts,
    phase: parts.some(({ phase }) => phase === "validate") ? "validate" : "authorize",
    tiesObject: parts.some(({ tiesObject }) => tiesObject === true),
  };
}

/**
 * Every one of `rules`, in order; the first that fails says why. One that is undecided does not hide that another fails, so
 * that the order is of no account to what `not` makes of it.
 */
export function allOf(rules: readonly Rule[], label: string): Rule {
  const [only] = rules;
  if (only !== undefined && rules.length === 1) return only;
  const judges = rules.map((rule) => rule.judge.bind(rule));
  return {
    ...partsOf(label, rules),
    wanted: excerpt(rules.map(({ wanted }) => wanted).join("; and "), WANTED_MAX),
    judge: (exchange, quiet) => {
      let undecided: Verdict = CONTINUE;
      for (const judge of judges) {
        const verdict = judge(exchange, quiet);
        if (verdict === CONTINUE) continue;
        if (!(verdict instanceof Undecided)) return verdict;
        undecided ??= verdict;
      }
      return undecided;
    },
  };
}

const WANTED_MAX = 400;

/** One of `rules`; where none holds, the reason that they share, else `not_authorized`. */
export function anyOf(rules: readonly Rule[], label: string, place: Place): Rule {
  const judges = rules.map((rule) => rule.judge.bind(rule));
  const wanted = excerpt(rules.map((rule) => rule.wanted).join("; or "), WANTED_MAX);
  return {
    ...partsOf(label, rules),
    wanted,
    judge: (exchange, quiet) => {
      let failed = FAILED;
      for (const judge of judges) {
        const verdict = judge(exchange, true);
        if (verdict === CONTINUE) return CONTINUE;
        if (verdict instanceof Undecided) failed = UNDECIDED;
      }
      if (quiet === true) return failed;
      const denials = judges.flatMap((judge) => judge(exchange) ?? []);
      return joined(denials, rules, place, wanted);
    },
  };
}

function joined(denials: readonly Denial[], rules: readonly Rule[], place: Place, wanted: string): Denial {
  const first = denials[0];
  const shared = first !== undefined && denials.every((denial) => denial.reason === first.reason);
  const reason: Reason = shared ? first.reason : "not_authorized";
  const seen = [...new Set(denials.map((denial) => denial.seen))].join("; ");
  const Kind = denials.some((denial) => denial instanceof Undecided) ? Undecided : Denial;
  const parts = denials.map((denial, at) => ({ name: rules[at]?.label ?? "", denial }));
  return new Kind(reason, place, excerpt(seen, WANTED_MAX), wanted, shared ? first.headers : [], false, parts);
}

/** Holds where `rule` fails. */
export function noneOf(rule: Rule, label: string, place: Place): Rule {
  const wanted = `not (${rule.wanted})`;
  return {
    ...partsOf(label, [rule]),
    wanted,
    judge: (exchange, quiet) => {
      const verdict = rule.judge(exchange, true);
      if (verdict === CONTINUE)
        return quiet === true ? FAILED : new Denial("not_authorized", place, rule.wanted, wanted);
      if (!(verdict instanceof Undecided)) return CONTINUE;
      return quiet === true ? UNDECIDED : rule.judge(exchange);
    },
  };
}

/** For `explain`: what each leaf came to. */
export function explainRule(rule: Rule, exchange: Exchange): readonly string[] {
  if (rule.parts.length > 0) return rule.parts.flatMap((part) => explainRule(part, exchange));
  const verdict = rule.judge(exchange);
  const outcome = verdict === CONTINUE ? "holds" : `does not hold: ${verdict.seen}`;
  return [`${rule.label} (${excerpt(rule.wanted, LEAF_MAX)}) ${outcome}`];
}

const LEAF_MAX = 160;
