import { boundaryOf } from "../../../bodies/boundary.ts";
import { mediaTypeOf } from "../../../bodies/media-type.ts";
import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import type { BodyWatch } from "../../../message/body-watch.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { type Part, tooLarge } from "../held-body.ts";
import { type PartsRules, unclear } from "./rules.ts";
import { PartsWatch } from "./watch.ts";

/** The part of the check that judges a body which is here whole; others are watched on their way. */
export function judgeParts(rules: PartsRules): Part {
  return (exchange: Exchange): Verdict | Promise<Verdict> => {
    if (boundaryOf(exchange.headers.get("content-type") ?? "") === null)
      return unclear("no boundary, or one of many readings", rules);
    const { collectedBody, body } = exchange;
    if (collectedBody === null && body.announcedBytes !== 0) return CONTINUE;
    const bytes = collectedBody ?? Buffer.alloc(0);
    if (bytes.length > rules.bytesMax) return tooLarge(`${bytes.length} bytes`, rules.bytesMax, rules.place, false);
    const watch = watchParts(exchange, rules);
    const scanned = watch?.scan(bytes) ?? 0;
    const settle = (judged: number | Denial): Verdict | Promise<Verdict> =>
      judged instanceof Denial ? judged : (watch?.end() ?? CONTINUE);
    return scanned instanceof Promise ? scanned.then(settle) : settle(scanned);
  };
}

/** Who judges the parts as they pass; null where there is no boundary between them. */
export function watchParts(exchange: Exchange, rules: PartsRules): BodyWatch | null {
  const text = exchange.headers.get("content-type") ?? "";
  const boundary = boundaryOf(text);
  return boundary === null ? null : new PartsWatch(rules, boundary, mediaTypeOf(text), exchange);
}
