import * as z from "zod";
import { JsonStream } from "../../../bodies/json-stream.ts";
import type { JsonVisitor } from "../../../bodies/json-visitor.ts";
import { Denial, type Place } from "../../../decision/verdict.ts";
import { mode, object, sizeBytes } from "../../../support/schema.ts";
import type { StreamRule } from "../../response-check.ts";
import { JsonRule } from "../json-rule.ts";
import type { PartContext, ResponsePart } from "../part.ts";
import type { TextsReader } from "../texts-reader.ts";

const NOTHING: Buffer = Buffer.alloc(0);
const count = z
  .number({ error: "expected a whole number from 1 on" })
  .int({ error: "expected a whole number from 1 on" })
  .min(1, { error: "expected a whole number from 1 on" });

/** The most there may be: the number alone, or with its step of the ladder. */
export type Cap = number | { readonly max: number; readonly mode?: number | undefined };

function cap(max: z.ZodType<number>, example: string, text: string): z.ZodType<Cap> {
  const whole = object({ max: max.describe("The most there may be."), mode: mode.optional() });
  const error = `expected the most there may be, as in ${example}, or { max: ${example}, mode: audit }`;
  return z.union([max, whole], { error }).describe(text);
}

function capOf(settings: Cap): { readonly max: number; readonly enforcePercent: number } {
  if (typeof settings === "number") return { max: settings, enforcePercent: 100 };
  return { max: settings.max, enforcePercent: settings.mode ?? 100 };
}

/** `maxBytes`: most bytes of an answer's body, inflated where it was compressed. */
export const maxBytesPart: ResponsePart<Cap> = {
  schema: cap(
    sizeBytes,
    "10MiB",
    "Largest body of an answer, as in 10MiB; a larger one is refused, or cut. Any if absent.",
  ),
  compile(settings, context) {
    const { max: bytesMax, enforcePercent } = capOf(settings);
    const place = context.place();
    const denial = new Denial("response_denied", place, `more than ${bytesMax} bytes`, `at most ${bytesMax} bytes`);
    add("maxBytes", enforcePercent, context, () => {
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
export const maxItemsPart: ResponsePart<Cap> = {
  schema: cap(
    count,
    "500",
    "Most items of one list in a JSON answer, or texts of an NDJSON answer. Any number if absent.",
  ),
  compile: (settings, context) =>
    addJson("maxItems", settings, context, (place, max) => new Counting(place, max, null)),
};

/** `maxDepth`: lists and objects within each other. */
export const maxDepthPart: ResponsePart<Cap> = {
  schema: cap(
    count,
    "20",
    "Most objects and lists within each other in a JSON answer. 256 if absent, where it is read.",
  ),
  compile: (settings, context) =>
    addJson("maxDepth", settings, context, (place, max) => new Counting(place, null, max)),
};

function add(name: string, enforcePercent: number, context: PartContext, rule: () => StreamRule): void {
  const judgeBody = (): StreamRule => rule();
  context.addResponseCheck({ name, place: context.place(), enforcePercent, judgesBody: true, judgeBody });
}

function addJson(
  name: string,
  settings: Cap,
  context: PartContext,
  open: (place: Place, max: number) => TextsReader,
): void {
  const place = context.place();
  const { max, enforcePercent } = capOf(settings);
  const { reading } = context;
  context.addResponseCheck({
    name,
    place,
    enforcePercent,
    judgesBody: true,
    judgeBody: (_exchange, answer) =>
      new JsonRule(answer, { reading, place, changes: false, isListOfAll: false, open: () => open(place, max) }),
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
