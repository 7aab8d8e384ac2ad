import { framingOf } from "../../../bodies/items/by-type.ts";
import type { Framing, Item } from "../../../bodies/items/framing.ts";
import { ItemReader, TOO_LARGE } from "../../../bodies/items/reader.ts";
import { parseJson, parseJsonInTurns } from "../../../bodies/json.ts";
import { Denial, type Place } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { CompiledSchema } from "../../../schema/compile.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import type { AnswerReading, StreamRule } from "../../response-check.ts";
import { judgeInLine, type LineRules } from "../../validate/held-body.ts";
import { schemaDenial } from "./body.ts";
import { invalid, unreadable } from "./verdicts.ts";

/** What each item of a stream has to be, compiled. */
export interface ItemContract {
  readonly schema: CompiledSchema;
  /** Where long ones wait for their turn. */
  readonly line: LineRules;
  readonly place: Place;
}

const NOTHING: Buffer = Buffer.alloc(0);

/** Judges a stream item by item: what is whole and fits goes on, the beginning of the next stays. Null for what has none. */
export function judgeItems(
  contract: ItemContract,
  type: string,
  reading: AnswerReading,
  exchange: Exchange,
): StreamRule | null {
  const framing = framingOf(type);
  if (framing === null) return null;
  const items = new JudgedItems(contract, framing(), reading, exchange);
  return {
    kind: "stream",
    changes: false,
    heldBytesMax: DEFAULTS.answerEventBytesMax,
    take: (piece) => items.take(piece),
    end: () => items.end(),
  };
}

type Judged = Buffer | Denial;

class JudgedItems {
  readonly #contract: ItemContract;
  readonly #exchange: Exchange;
  readonly #framing: Framing;
  readonly #reader: ItemReader;
  readonly #reading: AnswerReading;
  #count = 0;
  /** The rest passes as it comes. */
  #isPassing = false;

  constructor(contract: ItemContract, framing: Framing, reading: AnswerReading, exchange: Exchange) {
    this.#contract = contract;
    this.#exchange = exchange;
    this.#framing = framing;
    this.#reader = new ItemReader(framing, DEFAULTS.answerEventBytesMax);
    this.#reading = reading;
  }

  take(piece: Buffer): Judged | Promise<Judged> {
    if (this.#isPassing) return piece;
    this.#reader.take(piece);
    return this.#takeItems(piece, []);
  }

  /** `out`: what goes on of the piece so far. */
  #takeItems(piece: Buffer, out: Buffer[]): Judged | Promise<Judged> {
    while (!this.#isPassing) {
      const item = this.#reader.next();
      if (item === null) break;
      const denial = item === TOO_LARGE ? this.#unreadable("of too many bytes") : this.#judge(item, false);
      if (denial instanceof Promise) {
        return denial.then((late) => {
          if (late !== null) return late;
          if (item !== TOO_LARGE) out.push(item);
          return this.#takeItems(piece, out);
        });
      }
      if (denial !== null) return denial;
      if (item !== TOO_LARGE) out.push(item);
    }
    if (this.#isPassing) out.push(...this.#open(piece));
    return out.length === 1 ? (out[0] ?? NOTHING) : Buffer.concat(out);
  }

  end(): Judged | Promise<Judged> {
    const rest = this.#isPassing ? null : this.#reader.rest();
    if (rest === null) return NOTHING;
    const denial = this.#judge(rest, true);
    return denial instanceof Promise ? denial.then((late) => late ?? rest) : (denial ?? rest);
  }

  /** What came and belongs to no item that went on. */
  #open(piece: Buffer): readonly Buffer[] {
    const bytes = this.#reader.openBytes;
    const kept = this.#reader.rest() ?? NOTHING;
    return [kept, piece.subarray(piece.length - (bytes - kept.length))];
  }

  #judge(bytes: Buffer, isCut: boolean): Denial | null | Promise<Denial | null> {
    const item = this.#framing.read(bytes, isCut);
    if (item.ok && item.value === null) return null;
    this.#count++;
    if (!item.ok) return this.#unreadable(`with ${item.error}`);
    if (item.value === null) return null;
    const { schema, place } = this.#contract;
    const { validator, recogniser } = schema;
    if (bytes.length > validator.atOnceBytesMax) return this.#judgeInLine(item.value, bytes.length);
    if ("json" in item.value && recogniser?.takes(item.value.json) === true) return null;
    const parsed = "json" in item.value ? parseJson(item.value.json) : { ok: true as const, value: item.value.value };
    if (!parsed.ok) return this.#notJson(parsed.error);
    const judgement = validator.judge(parsed.value, DEFAULTS.patternWorkAtOnceMax);
    return validator.gaveUp(judgement)
      ? this.#judgeInLine(item.value, bytes.length)
      : this.#numbered(schemaDenial(judgement, place));
  }

  /** What could hold the thread for too long is read and judged a stretch at a time, in line with the bodies of requests. */
  #judgeInLine(item: Item, bytes: number): Promise<Denial | null> {
    const { schema, place, line } = this.#contract;
    return judgeInLine(this.#exchange, line, bytes, async (begin) => {
      const turns = begin();
      const parsed =
        "json" in item ? await parseJsonInTurns(item.json, turns) : { ok: true as const, value: item.value };
      if (!parsed.ok) return this.#notJson(parsed.error);
      return this.#numbered(schemaDenial(await schema.validator.judgeInTurns(parsed.value, turns), place));
    });
  }

  #notJson(fault: string): Denial | null {
    return this.#numbered(invalid(this.#contract.place, `body: ${fault}`, "JSON with one reading"));
  }

  #numbered(denial: Denial | null): Denial | null {
    if (denial === null) return null;
    const { reason, place, seen, wanted, body } = denial;
    return new Denial(reason, place, `item ${this.#count}: ${seen}`, wanted, [], false, [], body);
  }

  #unreadable(what: string): Denial | null {
    const { place } = this.#contract;
    const verdict = unreadable(place, `an item ${what}`, "items that can be looked into", this.#reading);
    this.#isPassing = verdict === null;
    return verdict;
  }
}
