import * as z from "zod";
import { JsonStream } from "../../../bodies/json-stream.ts";
import type { JsonVisitor } from "../../../bodies/json-visitor.ts";
import { Denial, type Place } from "../../../decision/verdict.ts";
import { sizeBytes } from "../../../support/schema.ts";
import type { StreamRule } from "../../response-check.ts";
import { JsonRule } from "../json-rule.ts";
import type { PartContext, ResponsePart } from "../part.ts";
import type { TextsReader } from "../texts-reader.ts";

const NOTHING: Buffer = Buffer.alloc(0);
const count = z
  .number({ error: "expected a whole number from 1 on" })
  .int({ error: "expected a whole number from 1 on" })
  .min(1, { error: "expected a whole number from 1 on" });

/** `maxBytes`: most bytes of an answer's body, inflated where it was compressed. */
export const maxBytesPart: ResponsePart<number> = {
  schema: sizeBytes.describe("Largest body of an answer, as in 10MiB; a larger one is refused, or cut. Any if absent."),
  compile(bytesMax, context) {
    const place = context.place();
    const denial = new Denial("response_denied", place, `more than ${bytesMax} bytes`, `at most ${bytesMax} bytes`);
    add("maxBytes", context, () => {
      let bytes = 0;
      return {
        kind: "stream",
        changes: false,
        heldBytesMax: 0,
        take: (piece) => {
          bytes += piece.length;
          return bytes > bytesMax ? denial : piece;
        },
        end: () => NOTHING,
      };
    });
  },
};

/** `maxItems`: most items of one list, or texts of a stream of them. */
export const maxItemsPart: ResponsePart<number> = {
  schema: count.describe(
    "Most items of one list in a JSON answer, or texts of an NDJSON answer. Any number if absent.",
  ),
  compile: (most, context) => addJson("maxItems", context, (place) => new Counting(place, most, null)),
};

/** `maxDepth`: lists and objects within each other. */
export const maxDepthPart: ResponsePart<number> = {
  schema: count.describe("Most objects and lists within each other in a JSON answer. 256 if absent, where it is read."),
  compile: (most, context) => addJson("maxDepth", context, (place) => new Counting(place, null, most)),
};

function add(name: string, context: PartContext, rule: () => StreamRule): void {
  const judgeBody = (): StreamRule => rule();
  context.addResponseCheck({ name, place: context.place(), enforcePercent: 100, judgesBody: true, judgeBody });
}

function addJson(name: string, context: PartContext, open: (place: Place) => TextsReader): void {
  const place = context.place();
  const { reading } = context;
  context.addResponseCheck({
    name,
    place,
    enforcePercent: 100,
    judgesBody: true,
    judgeBody: (_exchange, answer) =>
      new JsonRule(answer, { reading, place, changes: false, isListOfAll: false, open: () => open(place) }),
  });
}

/** Counts what a JSON text has, and changes nothing. */
class Counting implements TextsReader {
  denial: Denial | null = null;
  readonly rest = NOTHING;
  readonly #place: Place;
  readonly #itemsMax: number;
  readonly #depthMax: number;
  readonly #stream: JsonStream<true>;

  constructor(place: Place, itemsMax: number | null, depthMax: number | null) {
    this.#place = place;
    this.#itemsMax = itemsMax ?? Number.POSITIVE_INFINITY;
    this.#depthMax = depthMax ?? Number.POSITIVE_INFINITY;
    const visitor: JsonVisitor<true> = {
      beginText: (byte) => this.#begun(byte, this.#stream.texts),
      endText: () => {},
      begin: (_of, key, byte) => this.#begun(byte, typeof key === "number" ? key + 1 : 0),
      endValue: () => {},
      close: () => {},
    };
    this.#stream = new JsonStream(visitor, { readsNames: false });
  }

  get fault(): string | null {
    return this.#stream.fault;
  }

  take(piece: Buffer): Buffer {
    this.#stream.feed(piece, 0);
    this.#stream.shift(piece.length);
    return piece;
  }

  end(): Buffer {
    this.#stream.end(0);
    return NOTHING;
  }

  #begun(byte: number, items: number): true {
    const depth = this.#stream.depth + (byte === 0x7b || byte === 0x5b ? 1 : 0);
    if (items > this.#itemsMax) this.#deny(`more than ${this.#itemsMax} items`, `at most ${this.#itemsMax}`);
    else if (depth > this.#depthMax) this.#deny(`nested deeper than ${this.#depthMax}`, "a flatter answer");
    return true;
  }

  #deny(seen: string, wanted: string): void {
    this.denial ??= new Denial("response_denied", this.#place, seen, wanted);
  }
}
