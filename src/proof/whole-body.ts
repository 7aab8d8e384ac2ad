import type { Hash, Hmac } from "node:crypto";
import type { Account } from "../memory/account.ts";
import { type BodyFailure, type Collected, collectBody } from "../message/body.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type Steps, Turns } from "../support/turns.ts";

/** Why there is no body to look at; `isLost`: what was read of it is gone, so that nothing can be forwarded any more. */
export interface NoBody {
  readonly reason: BodyFailure;
  readonly isLost: boolean;
}

const NO_BYTES: Buffer = Buffer.alloc(0);

/**
 * The body as the client sent it, coded and all, read whole: what is proven of it is what is forwarded. At most `bytesMax`
 * and what the route takes, and held in the client's share of `bodies`. One that announces more is not begun.
 */
export function wholeBody(
  exchange: Exchange,
  bytesMax: number,
  bodies: Account,
): Buffer | NoBody | Promise<Buffer | NoBody> {
  const { body, collectedBody } = exchange;
  if (collectedBody !== null) return collectedBody;
  if (body.announcedBytes === 0) return NO_BYTES;
  const most = Math.min(bytesMax, exchange.bodyBytesMax);
  if (body.announcedBytes > most) return { reason: "body_too_large", isLost: false };
  const take = (collected: Collected): Buffer | NoBody => {
    if (typeof collected === "string") return { reason: collected, isLost: true };
    exchange.collectedBody = collected;
    return collected;
  };
  const collected = collectBody(body, most, exchange.chargeTo(bodies));
  return collected instanceof Promise ? collected.then(take) : take(collected);
}

/** A hash or MAC over `parts`, at once where they are short; a long body is hashed in turns with what else waits. */
export function digestOf(hash: Hash | Hmac, parts: readonly Buffer[], clock: Clock): Buffer | Promise<Buffer> {
  return new Turns(clock, DEFAULTS.bodySliceMs).run(digestInSteps(hash, parts));
}

function* digestInSteps(hash: Hash | Hmac, parts: readonly Buffer[]): Steps<Buffer> {
  const stepBytes = DEFAULTS.hashAtOnceBytesMax;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += stepBytes) {
      if (at > 0) yield;
      hash.update(part.subarray(at, at + stepBytes));
    }
  }
  return hash.digest();
}
