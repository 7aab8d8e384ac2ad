import { compileLeaks } from "../../leak-rules.ts";
import { type LeakSettings, leakSchema } from "../../leak-schema.ts";
import type { ResponsePart } from "../part.ts";
import { judgeAnswerHead, LeakRule } from "./evaluate.ts";

/** `leaks`: values that no answer may have, in its body, its headers or its trailers. */
export const leaksPart: ResponsePart<LeakSettings> = {
  schema: leakSchema,
  compile(settings, context) {
    const rules = compileLeaks(settings, ["mask", "observe", "block"], context);
    if (rules === null) return;
    const { reading } = context;
    context.addResponseCheck({
      name: "leaks",
      place: rules.place,
      enforcePercent: settings.mode ?? 100,
      judgesBody: rules.acts,
      observesBody: !rules.acts,
      explain: () => rules.describe(),
      judgeHead: (exchange, answer) => judgeAnswerHead(exchange, answer, rules),
      judgeBody: (exchange, answer) => new LeakRule(exchange, answer, rules, reading),
    });
  },
};
