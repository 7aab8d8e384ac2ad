import { frameOf } from "../../../bodies/message-frames.ts";
import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { Steps } from "../../../support/turns.ts";
import { headersOfChangedBody } from "../changed-headers.ts";
import { judgeAtOnceOrInLine, judgeHeld, type Part } from "../held-body.ts";
import { judgeBare } from "./bare.ts";
import { type MessageHandler, OneByOne } from "./one-by-one.ts";
import { type Call, type GrpcRules, invalid, type Judged, keepValue, MessageSequence, mayChange } from "./rules.ts";

/** One spelling of the bytes: padded, and nothing behind the padding. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Judges a call whose body is read whole before anything of it goes on. */
export function judgeWholeCall(rules: GrpcRules, call: Call): Part {
  return judgeHeld(rules.hold, (bytes, exchange) => {
    if (!call.shape.isFramed) return judgeBare(bytes, exchange, rules, call);
    if (!call.shape.isText) return judgeFrames(bytes, exchange, rules, call);
    const text = bytes.toString("latin1");
    if (!BASE64.test(text)) return invalid(rules, "a body that is not base64", "file");
    return judgeFrames(Buffer.from(text, "base64"), exchange, rules, call);
  });
}

function judgeFrames(bytes: Buffer, exchange: Exchange, rules: GrpcRules, call: Call): Verdict | Promise<Verdict> {
  return judgeAtOnceOrInLine(exchange, rules.hold, bytes.length, new WholeFrames(rules, call).judge(bytes, exchange));
}

/** The messages of a body that is here whole, and what goes on in their place. */
class WholeFrames implements MessageHandler<Denial> {
  readonly #rules: GrpcRules;
  readonly #sequence: MessageSequence;
  #last: Judged | null = null;
  readonly #isText: boolean;
  /** Messages may go on as others than came. */
  readonly #mayChange: boolean;
  readonly #reader: OneByOne<Denial> = new OneByOne(this);
  readonly #frames: Buffer[] = [];
  #isChanged = false;

  constructor(rules: GrpcRules, call: Call) {
    this.#rules = rules;
    this.#sequence = new MessageSequence(rules, call);
    this.#isText = call.shape.isText;
    this.#mayChange = mayChange(rules, call);
  }

  *judge(bytes: Buffer, exchange: Exchange): Steps<Verdict> {
    const stopped = yield* this.#reader.take(bytes);
    return stopped?.stop ?? this.#end(exchange);
  }

  onFrame(flags: number, bytes: number): Denial | boolean {
    return this.#sequence.prefixFault(flags, bytes) ?? true;
  }

  *onMessage(flags: number, message: Buffer): Steps<Denial | null> {
    const found = yield* this.#sequence.judge(flags, message);
    if (found instanceof Denial) return found;
    this.#last = found;
    this.#isChanged ||= found.isChanged;
    if (this.#mayChange) this.#frames.push(frameOf(found.isChanged ? 0 : flags, found.message));
    return null;
  }

  #end(exchange: Exchange): Verdict {
    const fault = this.#sequence.endFault(this.#reader.openBytes);
    if (fault === CONTINUE && this.#last !== null) keepValue(this.#rules, this.#last, exchange);
    if (fault !== CONTINUE || !this.#isChanged) return fault;
    const body = Buffer.concat(this.#frames);
    exchange.collectedBody = this.#isText ? Buffer.from(body.toString("base64"), "latin1") : body;
    exchange.headers = headersOfChangedBody(exchange.headers);
    return CONTINUE;
  }
}
