import type { ResponsePart } from "../part.ts";
import { LocationRule } from "./evaluate.ts";
import { type LocationSettings, locationSchema } from "./schema.ts";

/** `location`: where answers lead clients. */
export const locationPart: ResponsePart<LocationSettings> = {
  schema: locationSchema,
  compile(settings, context) {
    const rule = new LocationRule(context.place(), settings, context.targetRewrite());
    context.addResponseCheck({
      name: "response.location",
      place: context.place(),
      enforcePercent: settings.mode ?? 100,
      judgesBody: false,
      judgeHead: (exchange, answer) => rule.judgeHead(exchange, answer),
    });
  },
};
