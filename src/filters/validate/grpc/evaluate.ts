import { MediaRanges } from "../../../bodies/media-ranges.ts";
import { CONTINUE } from "../../../decision/verdict.ts";
import { Charge } from "../../../memory/account.ts";
import { clientOf } from "../../../message/address.ts";
import type { BodyWatch } from "../../../message/body-watch.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { headersOfChangedBody } from "../changed-headers.ts";
import { judgeContentEncoding, judgeContentType } from "../evaluate.ts";
import type { Part } from "../held-body.ts";
import { ChangedMessages } from "./changed-messages.ts";
import { judgeGet } from "./get.ts";
import { callOf, type GrpcRules, mayChange } from "./rules.ts";
import { typesOf } from "./shapes.ts";
import { CallWatch } from "./watch.ts";
import { judgeWholeCall } from "./whole.ts";

/** The part of the check that judges a call: whole where it has one message, else only its head. */
export function judgeCall(rules: GrpcRules): Part {
  const types = typesOf(rules.method, rules.protocols);
  const judgeType = judgeContentType(new MediaRanges(types), [], false, rules.placeOf("protocols"));
  const judgeEncoding = judgeContentEncoding(rules.placeOf("compression"));
  const takesGet = rules.protocols.includes("connect") && rules.method.hasNoSideEffects;
  return (exchange) => {
    if (exchange.method === "GET" && takesGet) return judgeGet(exchange, rules);
    const early = judgeType(exchange);
    if (early !== CONTINUE) return early;
    const call = callOf(exchange, rules);
    if (!call.ok) return call.error;
    if (call.value.shape.isFramed) {
      const coded = judgeEncoding(exchange);
      if (coded !== CONTINUE) return coded;
    }
    if (!streams(exchange, rules)) return judgeWholeCall(rules, call.value)(exchange);
    if (mayChange(rules, call.value)) changeOnTheWay(exchange, rules);
    return CONTINUE;
  };
}

/** Base64 is read whole: where it is cut, bytes are. */
function streams({ collectedBody, headers, body }: Exchange, { method }: GrpcRules): boolean {
  const isText = headers.get("content-type")?.toLowerCase().startsWith("application/grpc-web-text") === true;
  return method.clientStreaming && collectedBody === null && !isText && body.announcedBytes !== 0;
}

function changeOnTheWay(exchange: Exchange, rules: GrpcRules): void {
  const call = callOf(exchange, rules);
  if (!call.ok) return;
  const charge = new Charge(rules.hold.bodies, clientOf(exchange.clientAddress));
  const body = new ChangedMessages(exchange, rules, call.value, charge);
  const stop = (): void => body.stop();
  exchange.take({ giveBack: stop, onEnd: stop });
  exchange.body = body;
  exchange.headers = headersOfChangedBody(exchange.headers);
}

/** Who judges a stream of messages on its way; null where the call was judged whole. */
export function watchCall(exchange: Exchange, rules: GrpcRules): BodyWatch | null {
  if (!streams(exchange, rules)) return null;
  const call = callOf(exchange, rules);
  return call.ok ? new CallWatch(rules, call.value, exchange) : null;
}
