import type { Place } from "../seclang/directive.ts";
import { COLLECTION_NAMES, NOT_COLLECTED } from "./collections.ts";
import type { DraftRule } from "./draft.ts";
import { NOT_OPERATED, OPERATOR_NAMES } from "./operators.ts";

/** Why a rule does not run: it is known and not done, or it is a problem. */
export interface Reason {
  readonly message: string;
  readonly isProblem: boolean;
  readonly place: Place;
}

/** Null where the rule can run. */
export function leftOutReason({ links, phase }: DraftRule): Reason | null {
  const [{ place: head }] = links;
  if (phase === 5)
    return { message: "rules of phase 5 only write to the log; postern writes its own", isProblem: false, place: head };
  for (const { variables, operator, place } of links) {
    const operatorReason = NOT_OPERATED.get(operator.name);
    if (operatorReason !== undefined)
      return { message: `@${operator.name}: ${operatorReason}`, isProblem: false, place };
    if (!OPERATOR_NAMES.has(operator.name))
      return { message: `'@${operator.name}' is no operator that is known`, isProblem: true, place };
    for (const { collection, member } of variables) {
      const reason = NOT_COLLECTED.get(collection);
      if (reason !== undefined) return { message: `${collection}: ${reason}`, isProblem: false, place };
      if (!COLLECTION_NAMES.has(collection))
        return { message: `'${collection}' is no variable that is known`, isProblem: true, place };
      if (collection === "XML" && (member.kind !== "name" || !XPATHS.has(member.name)))
        return {
          message: "of XML the texts (XML:/*) and the attributes (XML://@*) are known",
          isProblem: false,
          place,
        };
    }
  }
  return null;
}

const XPATHS = new Set(["/*", "//@*"]);
