import { defineFilter } from "../filter.ts";
import { undeclaredDenial } from "./evaluate.ts";
import { undeclaredSchema } from "./schema.ts";

/** `undeclared`: the route is for what an API's description does not have. */
export const undeclaredFilter = defineFilter<number>({
  name: "undeclared",
  defaults: "override",
  schema: undeclaredSchema,
  compile(enforcePercent, context) {
    const place = context.place();
    context.addCheck({
      name: "undeclared",
      phase: "match",
      place,
      enforcePercent,
      evaluate: (exchange) => undeclaredDenial(place, exchange),
      explain: () => "no operation of the description takes this request",
    });
  },
});
