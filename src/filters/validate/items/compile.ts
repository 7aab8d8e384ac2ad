import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { CompiledSchema } from "../../../schema/compile.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import type { RouteContext } from "../../filter.ts";
import type { MediaRules } from "../evaluate.ts";
import { type HoldRules, type Part, tooLarge } from "../held-body.ts";
import { shapeOf } from "../json-shape.ts";
import type { ValidateSettings } from "../schema.ts";
import { type ItemRules, watchItems } from "./watch.ts";

/** How streams of a media type are judged, whose items have this schema at `path`. */
export function compileItems(
  { validator, recogniser }: CompiledSchema,
  path: readonly (string | number)[],
  { body, errors }: ValidateSettings,
  hold: Omit<HoldRules, "place">,
  context: RouteContext,
): MediaRules {
  const { maxBytes = DEFAULTS.itemBytesMax, maxCount = DEFAULTS.itemsMax } = body?.items ?? {};
  const place = context.place(...path);
  const keys = new Map(Object.keys(body?.items ?? {}).map((key) => [key, context.place("body", "items", key)]));
  const rules: ItemRules = {
    ...hold,
    place,
    required: body?.required ?? true,
    validator,
    recogniser,
    shape: shapeOf(body, errors !== "hidden", context),
    itemBytesMax: maxBytes,
    itemsMax: maxCount,
    showsErrors: errors !== "hidden",
    placeOf: (keyword) => keys.get(keyword) ?? place,
  };
  const part = judgeItems(rules);
  return {
    isJudged: true,
    takes: (kind) => kind === "items",
    judge: () => part,
    watch: (exchange) => watchItems(exchange, rules),
  };
}

/** The part of the check that judges a stream which is here whole; others are watched on their way. */
function judgeItems(rules: ItemRules): Part {
  return (exchange: Exchange): Verdict | Promise<Verdict> => {
    const { collectedBody, body } = exchange;
    if (collectedBody === null && body.announcedBytes !== 0) return CONTINUE;
    const bytes = collectedBody ?? Buffer.alloc(0);
    if (bytes.length > rules.bytesMax) return tooLarge(`${bytes.length} bytes`, rules.bytesMax, rules.place, false);
    const watch = watchItems(exchange, rules);
    const scanned = watch?.scan(bytes) ?? 0;
    const settle = (judged: number | Denial): Verdict | Promise<Verdict> =>
      judged instanceof Denial ? judged : (watch?.end() ?? CONTINUE);
    return scanned instanceof Promise ? scanned.then(settle) : settle(scanned);
  };
}
