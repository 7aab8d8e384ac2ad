import { framingOf } from "../../../bodies/items/by-type.ts";
import type { Framing, Item } from "../../../bodies/items/framing.ts";
import { lineFraming } from "../../../bodies/items/json-lines.ts";
import { ItemReader, TOO_LARGE } from "../../../bodies/items/reader.ts";
import { parseJson, parseJsonInTurns } from "../../../bodies/json.ts";
import { mediaTypeOf } from "../../../bodies/media-type.ts";
import { type BodyError, CONTINUE, Denial, type Place, type Verdict } from "../../../decision/verdict.ts";
import type { BodyWatch } from "../../../message/body-watch.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { Judgement, Validator } from "../../../schema/judge/validator.ts";
import type { Recogniser } from "../../../schema/recognise/recogniser.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { atOnce, type Steps, Turns } from "../../../support/turns.ts";
import { noBody, verdictOf } from "../evaluate.ts";
import { type HoldRules, judgeInLine } from "../held-body.ts";
import { type JsonShape, judgeShape } from "../json-shape.ts";

/** What each item of a stream has to be, compiled. */
export interface ItemRules extends HoldRules {
  /** Whether there has to be a body. */
  readonly required: boolean;
  readonly validator: Validator;
  /** Null where an item must be read to be judged. */
  readonly recogniser: Recogniser | null;
  /** How large the parts of an item may be; null where nothing says so. */
  readonly shape: JsonShape | null;
  /** Of one item with what frames it. */
  readonly itemBytesMax: number;
  readonly itemsMax: number;
  readonly showsErrors: boolean;
  placeOf(keyword: "maxBytes" | "maxCount"): Place;
}

/** An item that is to be judged, and how many bytes it has. */
type Due = Item & { readonly bytes: number };

/** What is no item, as a blank line: a body may have millions of them. */
const NO_ITEM = "no item";
type Next = Due | typeof NO_ITEM;

/** In place of a verdict on an item that could hold the thread for too long. */
const LATER = "later";

/** Who judges a stream's items as they pass; null for a type that has none. */
export function watchItems(exchange: Exchange, rules: ItemRules): ItemWatch | null {
  const text = exchange.headers.get("content-type");
  // A body that is not there has no type.
  const framing = text === undefined ? () => lineFraming : framingOf(mediaTypeOf(text)?.type ?? "");
  return framing === null ? null : new ItemWatch(rules, framing(), exchange);
}

/**
 * Judges a stream item by item. What is whole and fits goes on, the beginning of the next stays. Many items of one read, and a
 * long one, are judged in line with long bodies of others, a stretch at a time.
 */
export class ItemWatch implements BodyWatch {
  readonly #rules: ItemRules;
  readonly #framing: Framing;
  readonly #reader: ItemReader;
  readonly #exchange: Exchange;
  #hasBytes = false;
  /** Items so far: the number of the one that is being judged, counted from 1. */
  #count = 0;

  constructor(rules: ItemRules, framing: Framing, exchange: Exchange) {
    this.#rules = rules;
    this.#framing = framing;
    this.#reader = new ItemReader(framing, rules.itemBytesMax);
    this.#exchange = exchange;
  }

  get ownBytes(): number {
    return this.#reader.keptBytes;
  }

  scan(piece: Buffer): number | Denial | Promise<number | Denial> {
    this.#hasBytes ||= piece.length > 0;
    this.#reader.take(piece);
    const turns = new Turns(this.#rules.clock, DEFAULTS.bodySliceMs);
    for (;;) {
      const due = this.#next();
      if (due === null) return this.#reader.openBytes;
      if (due instanceof Denial) return due;
      const verdict = turns.due ? LATER : this.#judgeAtOnce(due);
      if (verdict === LATER) return this.#inLine(due).then((late) => late ?? this.#reader.openBytes);
      if (verdict !== CONTINUE) return verdict;
    }
  }

  end(): Verdict | Promise<Verdict> {
    const rest = this.#reader.rest();
    if (rest === null) return this.#hasBytes || !this.#rules.required ? CONTINUE : noBody(this.#rules.place);
    const due = this.#unframe(rest, true);
    if (due instanceof Denial) return due;
    const verdict = this.#judgeAtOnce(due);
    return verdict === LATER ? this.#inLine(due) : verdict;
  }

  // ---- items -----------------------------------------------------------------------------------------------------

  /** The next that is whole; null where it has not come. */
  #next(): Next | Denial | null {
    const bytes = this.#reader.next();
    if (bytes !== TOO_LARGE) return bytes === null ? null : this.#unframe(bytes, false);
    this.#count++;
    const most = `at most ${this.#rules.itemBytesMax} bytes`;
    return this.#deny("body_item_too_large", "maxBytes", "more bytes", most);
  }

  #unframe(bytes: Buffer, isCut: boolean): Next | Denial {
    const item = this.#framing.read(bytes, isCut);
    if (item.ok && item.value === null) return NO_ITEM;
    this.#count++;
    if (!item.ok)
      return this.#deny("body_not_sequence", "itemSchema", item.error, "items that all services tell apart");
    const { itemsMax } = this.#rules;
    if (this.#count <= itemsMax) return { ...item.value, bytes: bytes.length } as Due;
    return this.#deny("body_items_exceeded", "maxCount", "more items", `at most ${itemsMax} items`);
  }

  #judgeAtOnce(due: Next): Verdict | typeof LATER {
    if (due === NO_ITEM) return CONTINUE;
    const { validator, recogniser } = this.#rules;
    if (due.bytes > validator.atOnceBytesMax) return LATER;
    const excess = atOnce(this.#judgeShape(due));
    if (excess !== CONTINUE) return excess;
    if ("json" in due && recogniser?.takes(due.json) === true) return CONTINUE;
    const parsed = "json" in due ? parseJson(due.json) : due;
    if ("ok" in parsed && !parsed.ok) return this.#notJson(parsed.error);
    const judgement = validator.judge(parsed.value, DEFAULTS.patternWorkAtOnceMax);
    return validator.gaveUp(judgement) ? LATER : this.#verdict(judgement);
  }

  /** This one and all that have come behind it. */
  #inLine(due: Next): Promise<Verdict> {
    return judgeInLine(this.#exchange, this.#rules, this.#reader.keptBytes, (begin) =>
      this.#judgeInTurns(due, begin()),
    );
  }

  async #judgeInTurns(first: Next, turns: Turns): Promise<Verdict> {
    for (let due: Next | Denial | null = first; due !== null; due = this.#next()) {
      if (due instanceof Denial) return due;
      if (due !== NO_ITEM) {
        const judged = this.#judgeAtOnce(due);
        const verdict: Verdict = judged === LATER ? await this.#judgeLong(due, turns) : judged;
        if (verdict !== CONTINUE) return verdict;
      }
      if (turns.due) await turns.give();
    }
    return CONTINUE;
  }

  async #judgeLong(due: Due, turns: Turns): Promise<Verdict> {
    const excess = await turns.run(this.#judgeShape(due));
    if (excess !== CONTINUE) return excess;
    const parsed = "json" in due ? await parseJsonInTurns(due.json, turns) : due;
    if ("ok" in parsed && !parsed.ok) return this.#notJson(parsed.error);
    return this.#verdict(await this.#rules.validator.judgeInTurns(parsed.value, turns));
  }

  *#judgeShape(due: Due): Steps<Verdict> {
    const { shape } = this.#rules;
    if (shape === null || !("json" in due)) return CONTINUE;
    const excess = yield* judgeShape(due.json, shape);
    return excess === null ? CONTINUE : this.#numbered(excess);
  }

  // ---- faults ----------------------------------------------------------------------------------------------------

  #notJson(seen: string): Denial {
    return this.#deny("body_not_json", "itemSchema", seen, "JSON in UTF-8");
  }

  #deny(reason: Denial["reason"], keyword: string, seen: string, wanted: string): Denial {
    const { place, placeOf } = this.#rules;
    const at = keyword === "maxBytes" || keyword === "maxCount" ? placeOf(keyword) : place;
    const error: BodyError = { pointer: "", keyword, detail: `expected ${wanted}` };
    const body = { faults: [`/ ${keyword}`], errors: [error] };
    return this.#numbered(new Denial(reason, at, seen, wanted, [], false, [], body));
  }

  #verdict(judgement: Judgement): Verdict {
    const verdict = verdictOf(judgement, { ...this.#rules, showsErrors: true });
    return verdict === CONTINUE ? CONTINUE : this.#numbered(verdict);
  }

  /** The same, and which item it was. */
  #numbered({ reason, place, seen, wanted, headers, body }: Denial): Denial {
    const item = this.#count;
    const faults = body.faults.map((fault) => `item ${item}: ${fault}`);
    const errors = this.#rules.showsErrors ? body.errors.map((error) => ({ item, ...error })) : [];
    return new Denial(reason, place, `item ${item}: ${seen}`, wanted, headers, false, [], { faults, errors });
  }
}
