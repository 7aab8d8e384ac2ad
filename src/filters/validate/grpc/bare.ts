import { MessageInflater } from "../../../bodies/inflated-message.ts";
import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { judgeBinary, judgeJson } from "../../../protobuf/message-judge.ts";
import type { Steps } from "../../../support/turns.ts";
import { headersOfChangedBody } from "../changed-headers.ts";
import { judgeAtOnceOrInLine } from "../held-body.ts";
import { type Call, type GrpcRules, inflateDenial, type Judged, judged, keepValue, tooLong } from "./rules.ts";

/** A body that is one message without a prefix, as Connect has it where nothing streams. */
export function judgeBare(
  bytes: Buffer,
  exchange: Exchange,
  rules: GrpcRules,
  { shape, coding }: Call,
): Verdict | Promise<Verdict> {
  let message = bytes;
  if (coding !== null && bytes.length > 0) {
    const inflated = new MessageInflater(coding, rules.messageBytesMax, rules.ratioMax).inflate(bytes);
    if (!inflated.ok) return inflateDenial(rules, inflated.error);
    message = inflated.value;
  }
  if (message.length > rules.messageBytesMax) return tooLong(rules, `a message of ${message.length} bytes`);
  return judgeAtOnceOrInLine(
    exchange,
    rules.hold,
    message.length,
    judgeMessage(message, message !== bytes, shape.isJson, exchange, rules),
  );
}

function* judgeMessage(
  message: Buffer,
  isInflated: boolean,
  isJson: boolean,
  exchange: Exchange,
  rules: GrpcRules,
): Steps<Verdict> {
  const found = yield* isJson ? judgeJson(message, rules.message) : judgeBinary(message, rules.message);
  return settle(judged(found, message, isInflated, rules), rules, exchange);
}

function settle(found: Judged | Denial, rules: GrpcRules, exchange: Exchange): Verdict {
  if (found instanceof Denial) return found;
  keepValue(rules, found, exchange);
  if (found.isChanged) {
    exchange.collectedBody = found.message;
    exchange.headers = headersOfChangedBody(exchange.headers, ["content-encoding"]);
  }
  return CONTINUE;
}
