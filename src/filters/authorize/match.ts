import type { Attribute } from "../../attributes/attribute.ts";
import { equality, isNothing } from "../../attributes/equal.ts";
import { shownAttribute } from "../../attributes/shown.ts";
import { CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { FAILED, type Rule, UNDECIDED, Undecided } from "./evaluate.ts";

/** Families of what says which object a request is for. */
const OBJECT_NAMES: ReadonlySet<string> = new Set(["path", "query", "body"]);

/** Of what is known of the caller. */
const CALLER_NAMES: ReadonlySet<string> = new Set(["principal", "jwt", "certificate"]);

/** Who compares attributes of these families compares the object that is asked for with its caller. */
export function tiesObject(families: ReadonlySet<string>): boolean {
  return !families.isDisjointFrom(OBJECT_NAMES) && !families.isDisjointFrom(CALLER_NAMES);
}

function familyOf({ row }: Attribute): string {
  return row.name.split(".", 1)[0] ?? row.name;
}

/** Two attributes have one value (attributes/README.md says when). Where one is not there the rule is undecided. */
export function requireMatch(left: Attribute, right: Attribute, label: string, place: Place): Rule {
  const wanted = `${left.text} equal to ${right.text}`;
  const denial = (exchange: Exchange, a: unknown, b: unknown): Denial => {
    const seen = `${shownAttribute(left, exchange)}, ${shownAttribute(right, exchange)}`;
    const isMissing = isNothing(a) || isNothing(b);
    if (isMissing) return new Undecided("attribute_missing", place, seen, wanted);
    return equality(a, b) === "unknown"
      ? new Undecided("attribute_mismatch", place, `${seen}, which cannot be compared`, wanted)
      : new Denial("attribute_mismatch", place, seen, wanted);
  };
  return {
    label,
    wanted,
    phase: left.row.from === "validate" || right.row.from === "validate" ? "validate" : "authorize",
    parts: [],
    tiesObject: tiesObject(new Set([familyOf(left), familyOf(right)])),
    judge: (exchange, quiet): Verdict => {
      const a = left.read(exchange);
      const b = right.read(exchange);
      const answer = equality(a, b);
      if (answer === "equal") return CONTINUE;
      if (quiet === true) return answer === "unknown" ? UNDECIDED : FAILED;
      return denial(exchange, a, b);
    },
  };
}
