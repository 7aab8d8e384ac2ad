import { attributeOf, bindAttribute } from "../attributes/attribute.ts";
import { readerOf, typeOf } from "../expression/attribute-variable.ts";
import { compileExpression } from "../expression/index.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Clock } from "../support/clock.ts";
import { err, ok, type Result } from "../support/result.ts";

/**
 * A condition in CEL over what is known of any request once it is judged. One that cannot be answered, as about a claim that
 * a caller does not have, is not met.
 */
export function traceCondition(
  source: string,
  clock: Pick<Clock, "wallMs">,
): Result<(exchange: Exchange) => boolean, string> {
  const scope = { phase: "respond", parameters: null, route: null, clock } as const;
  const compiled = compileExpression<Exchange>(source, {
    variable: (names) => {
      const name = attributeOf(names);
      if (!name.ok) return name;
      // Whoever may arm a trace must not find out, by asking again and again, what may be shown nowhere.
      if (name.value.shown === "nowhere") return err(`'${name.value.text}' may be a secret, which no trace goes by`);
      const bound = bindAttribute(name.value, scope);
      if (!bound.ok) return bound;
      return ok({ text: bound.value.text, type: typeOf(bound.value.type), read: readerOf(bound.value) });
    },
  });
  if (!compiled.ok) return err(`column ${compiled.error.at + 1}: ${compiled.error.text}`);
  const { evaluate } = compiled.value;
  return ok((exchange) => evaluate(exchange) === true);
}
