import type { Reason } from "../decision/reason.ts";
import type { AnomaliesInForce } from "../telemetry/telemetry.ts";
import type { AnomalyBook } from "./book.ts";
import { type AnomalyRow, rowOf } from "./event-row.ts";
import { type AnomalySettings, KINDS } from "./kinds.ts";
import type { AnomalyWebhook } from "./webhook.ts";

/** The section of one policy: what counts from when it comes into force. */
export class AnomalyWatch implements AnomaliesInForce {
  readonly #book: AnomalyBook;
  readonly #settings: AnomalySettings;
  readonly #guesses: ReadonlySet<Reason>;
  readonly #webhook: AnomalyWebhook | null;

  constructor(
    book: AnomalyBook,
    settings: AnomalySettings,
    guesses: ReadonlySet<Reason>,
    webhook: AnomalyWebhook | null,
  ) {
    this.#book = book;
    this.#settings = settings;
    this.#guesses = guesses;
    this.#webhook = webhook;
  }

  inForce(tell: (row: AnomalyRow) => void): void {
    this.#book.inForce = {
      settings: this.#settings,
      guesses: this.#guesses,
      tell: (anomaly) => {
        const row = rowOf(anomaly);
        tell(row);
        this.#webhook?.send(row);
      },
    };
  }

  figures(): ReturnType<AnomaliesInForce["figures"]> {
    const { active, begun } = this.#book.events;
    return KINDS.map((kind) => {
      let count = 0;
      for (const anomaly of active.values()) if (anomaly.kind === kind) count++;
      return { kind, begun: begun[kind], active: count };
    });
  }
}
