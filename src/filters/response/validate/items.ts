import { framingOf } from "../../../bodies/items/by-type.ts";
import type { Framing } from "../../../bodies/items/framing.ts";
import { ItemReader, TOO_LARGE } from "../../../bodies/items/reader.ts";
import { parseJson } from "../../../bodies/json.ts";
import { Denial, type Place } from "../../../decision/verdict.ts";
import type { CompiledSchema } from "../../../schema/compile.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import type { AnswerReading, StreamRule } from "../../response-check.ts";
import { schemaDenial } from "./body.ts";
import { invalid, unreadable } from "./verdicts.ts";

/** What each item of a stream has to be, compiled. */
export interface ItemContract {
  readonly schema: CompiledSchema;
  readonly place: Place;
}

const NOTHING: Buffer = Buffer.alloc(0);

/** Judges a stream item by item: what is whole and fits goes on, the beginning of the next stays. Null for what has none. */
export function judgeItems(contract: ItemContract, type: string, reading: AnswerReading): StreamRule | null {
  const framing = framingOf(type);
  if (framing === null) return null;
  const items = new JudgedItems(contract, framing(), reading);
  return {
    kind: "stream",
    changes: false,
    heldBytesMax: DEFAULTS.answerEventBytesMax,
    take: (piece) => items.take(piece),
    end: () => items.end(),
  };
}

class JudgedItems {
  readonly #contract: ItemContract;
  readonly #framing: Framing;
  readonly #reader: ItemReader;
  readonly #reading: AnswerReading;
  #count = 0;
  /** The rest passes as it comes. */
  #isPassing = false;

  constructor(contract: ItemContract, framing: Framing, reading: AnswerReading) {
    this.#contract = contract;
    this.#framing = framing;
    this.#reader = new ItemReader(framing, DEFAULTS.answerEventBytesMax);
    this.#reading = reading;
  }

  take(piece: Buffer): Buffer | Denial {
    if (this.#isPassing) return piece;
    this.#reader.take(piece);
    const out: Buffer[] = [];
    while (!this.#isPassing) {
      const item = this.#reader.next();
      if (item === null) break;
      const denial = item === TOO_LARGE ? this.#unreadable("of too many bytes") : this.#judge(item, false);
      if (denial !== null) return denial;
      if (item !== TOO_LARGE) out.push(item);
    }
    if (this.#isPassing) out.push(...this.#open(piece));
    return out.length === 1 ? (out[0] ?? NOTHING) : Buffer.concat(out);
  }

  end(): Buffer | Denial {
    const rest = this.#isPassing ? null : this.#reader.rest();
    return rest === null ? NOTHING : (this.#judge(rest, true) ?? rest);
  }

  /** What came and belongs to no item that went on. */
  #open(piece: Buffer): readonly Buffer[] {
    const bytes = this.#reader.openBytes;
    const kept = this.#reader.rest() ?? NOTHING;
    return [kept, piece.subarray(piece.length - (bytes - kept.length))];
  }

  #judge(bytes: Buffer, isCut: boolean): Denial | null {
    const { schema, place } = this.#contract;
    const item = this.#framing.read(bytes, isCut);
    if (item.ok && item.value === null) return null;
    this.#count++;
    if (!item.ok) return this.#unreadable(`with ${item.error}`);
    if (item.value === null) return null;
    if ("value" in item.value) return this.#numbered(schemaDenial(schema.validator.judge(item.value.value), place));
    if (schema.recogniser?.takes(item.value.json) === true) return null;
    const parsed = parseJson(item.value.json);
    if (!parsed.ok) return this.#numbered(invalid(place, `body: ${parsed.error}`, "JSON with one reading"));
    return this.#numbered(schemaDenial(schema.validator.judge(parsed.value), place));
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
