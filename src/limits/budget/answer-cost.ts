import type { Account } from "../../memory/account.ts";
import type { Answer, AnswerObserver } from "../../message/answer.ts";
import type { HeaderBlock } from "../../message/headers.ts";
import type { Decimal } from "../../support/decimal.ts";
import { AMOUNT_MAX, amountOf } from "./amount.ts";
import { EventLines, type EventSink, TextLines } from "./event-lines.ts";
import { Inflating } from "./inflating.ts";
import type { JsonPath } from "./json-path.ts";
import { JsonWatch } from "./json-watch.ts";

/** A figure of a body: where it stands, and what one of it costs. */
export interface Figure {
  readonly path: JsonPath;
  readonly times: Decimal;
}

/** Where an answer says what its request cost. Of several figures the sum is meant. */
export type CostSource =
  | { readonly kind: "figures"; readonly figures: readonly Figure[]; readonly eventsOnly: boolean }
  | { readonly kind: "header" | "trailer"; readonly name: string; readonly times: Decimal }
  | { readonly kind: "bytes"; readonly of: "request" | "response" | "both" };

const JSON_TYPE = /^(?:application|text)\/(?:json|[^;\s]+\+json)\s*(?:;|$)/i;
const EVENT_TYPE = /^text\/event-stream\s*(?:;|$)/i;
const LINES_TYPE = /^application\/(?:x-)?(?:ndjson|jsonl|json-lines|jsonlines)\s*(?:;|$)/i;

/** What one answer says of its cost, as it goes by. */
export class AnswerCost implements AnswerObserver {
  readonly #source: CostSource;
  readonly #scale: number;
  readonly #account: Account;
  /** Null where the body tells nothing. */
  #reader: FigureReader | null = null;
  #inflating: Inflating | null = null;
  #stated: number | null = null;
  #isEnded = false;
  /** All of it has been seen. */
  isWhole = false;
  /** Called when a compressed body has been looked at to its end, behind the end of the answer. */
  onSeen: (() => void) | null = null;

  /** `account`: for what compressed bodies hold. */
  constructor(source: CostSource, scale: number, account: Account) {
    this.#source = source;
    this.#scale = scale;
    this.#account = account;
  }

  /** What is known now, in 1/scale; null for nothing. */
  get amount(): number | null {
    return this.#reader?.amount ?? this.#stated;
  }

  /** The answer is here whole and compressed, and some of it is still to be looked at. */
  get isPending(): boolean {
    return this.#isEnded && this.#inflating?.isOver === false;
  }

  /** The head is here. Null where nothing behind it says more. */
  watch(answer: Answer): AnswerObserver | null {
    const { kind } = this.#source;
    if (kind === "header") this.#state(answer.headers, this.#source.name, this.#source.times);
    if (kind === "header" || kind === "bytes") this.isWhole = true;
    if (kind === "trailer") return this;
    if (kind !== "figures" || !answer.hasBody || answer.status === 206) return null;
    this.#reader = readerFor(answer.headers, this.#source.figures, this.#source.eventsOnly, this.#scale);
    const coding = (answer.headers.list("content-encoding") ?? "identity").trim().toLowerCase();
    if (this.#reader === null || coding === "" || coding === "identity") return this.#reader === null ? null : this;
    const reader = this.#reader;
    this.#inflating = Inflating.open(
      coding,
      this.#account,
      (bytes) => reader.feed(bytes),
      (isWhole) => this.#onInflated(isWhole),
    );
    if (this.#inflating === null) this.#reader = null;
    return this.#inflating === null ? null : this;
  }

  onChunk(chunk: Buffer): void {
    if (this.#inflating !== null) this.#inflating.feed(chunk);
    else this.#reader?.feed(chunk);
  }

  onEnd(trailers: HeaderBlock | null): void {
    this.#isEnded = true;
    if (this.#inflating !== null) {
      this.#inflating.end();
      return;
    }
    this.isWhole = true;
    this.#reader?.end();
    if (this.#source.kind === "trailer" && trailers !== null)
      this.#state(trailers, this.#source.name, this.#source.times);
  }

  /** The answer was cut: what has been seen is all there will be. */
  stop(): void {
    this.#inflating?.stop();
  }

  #onInflated(isWhole: boolean): void {
    this.isWhole = isWhole;
    if (isWhole) this.#reader?.end();
    this.onSeen?.();
  }

  /** The greatest of several lines: a service that says two things may not be taken at the cheaper one. */
  #state(headers: HeaderBlock, name: string, times: Decimal): void {
    headers.names.forEach((other, at) => {
      if (other !== name) return;
      const amount = amountOf((headers.values[at] ?? "").trim(), this.#scale, times);
      if (amount !== null) this.#stated = Math.max(this.#stated ?? 0, amount);
    });
  }
}

/** Null where the type says that there are no figures in the body. */
function readerFor(
  headers: HeaderBlock,
  figures: readonly Figure[],
  eventsOnly: boolean,
  scale: number,
): FigureReader | null {
  const type = headers.get("content-type") ?? "";
  if (EVENT_TYPE.test(type)) return new FigureReader(figures, scale, "events");
  if (LINES_TYPE.test(type)) return new FigureReader(figures, scale, "lines");
  return !eventsOnly && (type === "" || JSON_TYPE.test(type)) ? new FigureReader(figures, scale, "json") : null;
}

/** Reads figures out of one JSON text, or out of a stream of them: then the last one that has a figure counts for it. */
class FigureReader implements EventSink {
  readonly #watches: readonly JsonWatch[];
  /** Of the text that goes by. */
  readonly #now: (number | null)[];
  /** Of those before. */
  readonly #before: (number | null)[];
  readonly #lines: EventLines | TextLines | null;

  constructor(figures: readonly Figure[], scale: number, form: "json" | "events" | "lines") {
    this.#now = figures.map(() => null);
    this.#before = figures.map(() => null);
    this.#watches = figures.map(({ path, times }, at) => {
      // Of members of the same name some readers take the first and some the last.
      return new JsonWatch(path, (text) => {
        const amount = amountOf(text, scale, times);
        if (amount !== null) this.#now[at] = Math.max(this.#now[at] ?? 0, amount);
      });
    });
    this.#lines = form === "json" ? null : form === "events" ? new EventLines(this) : new TextLines(this);
  }

  /** The sum of what was found. */
  get amount(): number | null {
    let sum: number | null = null;
    for (const [at, before] of this.#before.entries()) {
      const found = this.#lines === null ? this.#now[at] : before;
      if (found !== null && found !== undefined) sum = Math.min(AMOUNT_MAX, (sum ?? 0) + found);
    }
    return sum;
  }

  feed(bytes: Uint8Array): void {
    if (this.#lines === null) this.onData(bytes, 0, bytes.length);
    else this.#lines.feed(bytes);
  }

  end(): void {
    if (this.#lines instanceof TextLines) this.#lines.end();
  }

  onData(bytes: Uint8Array, from: number, to: number): void {
    for (const watch of this.#watches) watch.feed(bytes, from, to);
  }

  onEvent(): void {
    for (const [at, watch] of this.#watches.entries()) {
      watch.end();
      // What is no JSON, as the `[DONE]` that ends some streams, says nothing.
      if (!watch.isBroken) this.#before[at] = this.#now[at] ?? this.#before[at] ?? null;
      this.#now[at] = null;
      watch.reset();
    }
  }
}
