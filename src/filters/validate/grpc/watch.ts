import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import type { BodyWatch } from "../../../message/body-watch.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { Steps } from "../../../support/turns.ts";
import { judgeAtOnceOrInLine } from "../held-body.ts";
import { type MessageHandler, OneByOne } from "./one-by-one.ts";
import { type Call, type GrpcRules, MessageSequence } from "./rules.ts";

/** Judges a stream of messages on its way: each goes on once all of it was judged. */
export class CallWatch implements BodyWatch, MessageHandler<Denial> {
  readonly #rules: GrpcRules;
  readonly #exchange: Exchange;
  readonly #sequence: MessageSequence;
  readonly #reader: OneByOne<Denial> = new OneByOne(this);

  constructor(rules: GrpcRules, call: Call, exchange: Exchange) {
    this.#rules = rules;
    this.#exchange = exchange;
    this.#sequence = new MessageSequence(rules, call);
  }

  get ownBytes(): number {
    return this.#reader.heldBytes;
  }

  scan(piece: Buffer): number | Denial | Promise<number | Denial> {
    const verdict = judgeAtOnceOrInLine(this.#exchange, this.#rules.hold, piece.length, this.#judge(piece));
    const staying = (settled: Verdict): number | Denial => settled ?? this.#reader.openBytes;
    return verdict instanceof Promise ? verdict.then(staying) : staying(verdict);
  }

  end(): Verdict {
    return this.#sequence.endFault(this.#reader.openBytes);
  }

  *#judge(piece: Buffer): Steps<Verdict> {
    const stopped = yield* this.#reader.take(piece);
    return stopped?.stop ?? CONTINUE;
  }

  onFrame(flags: number, bytes: number): Denial | boolean {
    return this.#sequence.prefixFault(flags, bytes) ?? true;
  }

  *onMessage(flags: number, message: Buffer): Steps<Denial | null> {
    const found = yield* this.#sequence.judge(flags, message);
    return found instanceof Denial ? found : CONTINUE;
  }
}
