import { type FrameHandler, FrameReader } from "../../../bodies/message-frames.ts";
import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import type { BodyWatch } from "../../../message/body-watch.ts";
import { type Call, type GrpcRules, MessageSequence } from "./rules.ts";

/** Judges a stream of messages on its way: each goes on once all of it was judged. */
export class CallWatch implements BodyWatch, FrameHandler<Denial> {
  readonly #sequence: MessageSequence;
  readonly #reader: FrameReader<Denial> = new FrameReader(this);

  constructor(rules: GrpcRules, call: Call) {
    this.#sequence = new MessageSequence(rules, call);
  }

  get ownBytes(): number {
    return this.#reader.heldBytes;
  }

  scan(piece: Buffer): number | Denial {
    return this.#reader.take(piece) ?? this.#reader.openBytes;
  }

  end(): Verdict {
    return this.#sequence.endFault(this.#reader.openBytes);
  }

  onFrame(flags: number, bytes: number): Denial | boolean {
    return this.#sequence.prefixFault(flags, bytes) ?? true;
  }

  onMessage(flags: number, message: Buffer): Denial | null {
    const found = this.#sequence.judge(flags, message);
    return found instanceof Denial ? found : CONTINUE;
  }
}
