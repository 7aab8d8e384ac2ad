import type { MultipartReader } from "../../bodies/multipart.ts";
import type { MimeHead } from "../../bodies/part-head.ts";
import { CONTINUE, Denial, type Verdict } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { Turns } from "../../support/turns.ts";
import { judgeInLine, type LineRules } from "./held-body.ts";

/** What is left to do of a part before the next one is read, where it could hold the thread. */
export type Later = (turns: Turns) => Promise<Verdict>;

/** What interrupts the reading of parts, or ends it. */
export type Stop = Denial | Later;

const PAUSE: Later = async (turns) => {
  await turns.give();
  return CONTINUE;
};

/** Parts of one body as they come: what takes long, one of them or many of one read, goes on in line with long bodies of others. */
export class PartReading<Head extends MimeHead> {
  readonly #reader: MultipartReader<Stop, Head>;
  readonly #exchange: Exchange;
  readonly #rules: LineRules;
  readonly #held: Turns | null;
  #turns: Turns;

  /** `held`: of whoever is in that line already. */
  constructor(reader: MultipartReader<Stop, Head>, exchange: Exchange, rules: LineRules, held: Turns | null) {
    this.#reader = reader;
    this.#exchange = exchange;
    this.#rules = rules;
    this.#held = held;
    this.#turns = held ?? new Turns(rules.clock, DEFAULTS.bodySliceMs);
  }

  /** Behind a part that is good: null, or that others have to have their turn first. */
  get pause(): Later | null {
    return this.#turns.due ? PAUSE : null;
  }

  /** As a `BodyWatch` has it. */
  scan(piece: Buffer): number | Denial | Promise<number | Denial> {
    this.#turns = this.#held ?? new Turns(this.#rules.clock, DEFAULTS.bodySliceMs);
    const stop = this.#reader.take(piece);
    if (typeof stop === "function") return this.#goOn(stop);
    return stop ?? this.#reader.stayingBytes;
  }

  /** The body is over. */
  end(): Denial | null {
    const fault = this.#reader.end();
    return fault instanceof Denial ? fault : null;
  }

  async #goOn(first: Later): Promise<number | Denial> {
    const work = async (turns: Turns): Promise<Verdict> => {
      this.#turns = turns;
      for (let stop: Stop | null = first; stop !== null; stop = this.#reader.take(NO_BYTES)) {
        const verdict = stop instanceof Denial ? stop : await stop(turns);
        if (verdict !== CONTINUE) return verdict;
      }
      return CONTINUE;
    };
    const verdict =
      this.#held === null
        ? await judgeInLine(this.#exchange, this.#rules, this.#reader.stayingBytes, (begin) => work(begin()))
        : await work(this.#held);
    return verdict ?? this.#reader.stayingBytes;
  }
}

const NO_BYTES: Buffer = Buffer.alloc(0);
