import type { Reason } from "../../../decision/reason.ts";
import { type BodyError, Denial, type Place } from "../../../decision/verdict.ts";
import type { Validator } from "../../../schema/judge/validator.ts";
import { unreadable } from "../evaluate.ts";
import type { HoldRules } from "../held-body.ts";
import type { Parameter } from "../parameters.ts";

/** What one part has to be, compiled. */
export interface PartRule {
  /** Null: any. */
  readonly name: string | null;
  readonly required: boolean;
  /** Of a part of JSON; null where nothing is asked of one. */
  readonly json: Validator | null;
  /** Of a part of plain text; null where nothing is asked of one. */
  readonly text: Parameter | null;
  /** Null: any. */
  readonly types: readonly string[] | null;
  readonly bytesMax: number;
  readonly checksContent: boolean;
  readonly headers: readonly Parameter[];
  placeOf(keyword: string): Place;
}

/** What a body whose parts are told apart by their place has to be, compiled. */
export interface PartsRules extends HoldRules {
  readonly prefix: readonly PartRule[];
  /** Of what comes behind; null where nothing may. */
  readonly items: PartRule | null;
  readonly partsMin: number;
  readonly partsMax: number;
  readonly heldBytesMax: number;
  readonly showsErrors: boolean;
  placeOf(keyword: string): Place;
}

/** What is wrong with a part, or with the body where `part` is null. */
export interface PartFault {
  readonly reason: Reason;
  /** Which one, counted from 1. */
  readonly part: number | null;
  readonly pointer?: string;
  readonly keyword: string;
  /** For the client. */
  readonly detail: string;
  /** For the log; nothing of the content. */
  readonly seen: string;
  readonly place: Place;
}

/** `faults`: of one part, the first of which gives the reason; there is at least one. */
export function partDenial(faults: readonly [PartFault, ...PartFault[]], showsErrors: boolean): Denial {
  const [{ reason, place, detail }] = faults;
  const textOf = ({ part, seen }: PartFault): string => (part === null ? seen : `part ${part}: ${seen}`);
  const errors = faults.map(({ part, pointer = "", keyword, detail: told }): BodyError => {
    return { ...(part === null ? {} : { part }), pointer, keyword, detail: told };
  });
  const lines = faults.map((fault) => {
    const { file, line, column } = fault.place;
    return `${textOf(fault)} (${file}:${line}:${column})`;
  });
  const more = faults.length > 1 ? ` and ${faults.length - 1} more` : "";
  return new Denial(reason, place, `${textOf(faults[0])}${more}`, detail, [], false, [], {
    faults: lines,
    errors: showsErrors ? errors : [],
  });
}

/** `part`: which one, counted from 1; `where`: the rule that it broke. */
export function deny(
  reason: Reason,
  part: number | null,
  where: Pick<PartRule, "placeOf">,
  keyword: string,
  detail: string,
  seen: string,
  { showsErrors }: Pick<PartsRules, "showsErrors">,
): Denial {
  return partDenial([{ reason, part, keyword, detail, seen, place: where.placeOf(keyword) }], showsErrors);
}

/** The body has not one reading. */
export function unclear(seen: string, rules: Pick<PartsRules, "place" | "showsErrors">): Denial {
  const wanted = "parts that all services read alike";
  const error = { pointer: "", keyword: "content", detail: `expected ${wanted}: ${seen}` };
  return unreadable({ reason: "body_not_multipart", seen, wanted, error }, rules);
}
