import { DEFAULTS } from "../support/defaults.ts";
import { OTHERS } from "./sources.ts";
import type { Thresholds } from "./support.ts";

/** What a limit by client is made of, and who is beyond it. */
export interface LearntRate {
  /** Requests of the busiest minute that counts. */
  readonly peak: number;
  /** Requests a minute that the limit lets through, and as many at once. */
  readonly perMinute: number;
  readonly clients: number;
  /** Minutes in which a client asked. */
  readonly windows: number;
  readonly beyond: readonly { readonly source: number; readonly peak: number; readonly requests: number }[];
}

interface Client {
  window: number;
  count: number;
  peak: number;
  requests: number;
}

/** Requests of each client in each minute, as they come. */
export class Rates {
  readonly #clients = new Map<number, Client>();
  /** How many minutes had so many requests of one client. */
  readonly #windows = new Map<number, number>();

  note(source: number, atMs: number): void {
    // Those of whom there are too many to tell them apart are nobody.
    if (source === OTHERS) return;
    const window = Math.floor(atMs / DEFAULTS.learnWindowMs);
    const client = this.#clients.get(source);
    if (client === undefined) {
      this.#clients.set(source, { window, count: 1, peak: 0, requests: 1 });
      return;
    }
    client.requests++;
    if (client.window === window) client.count++;
    else {
      this.#close(client);
      client.window = window;
      client.count = 1;
    }
  }

  /** Null where nobody asked. The counts begin anew. */
  result({ callers }: Thresholds): LearntRate | null {
    for (const client of this.#clients.values()) this.#close(client);
    if (this.#clients.size === 0) return null;
    const peaks = Array.from(this.#clients.values(), ({ peak }) => peak).toSorted((a, b) => b - a);
    // A flood by one caller in many minutes would move any quantile: nobody counts for more than so many times of others.
    const others = peaks[Math.min(callers, peaks.length) - 1] ?? 0;
    const peak = Math.min(this.#quantile(QUANTILE), others * DEFAULTS.learnPeakTimesMax);
    const perMinute = roundUp(Math.max(peak * DEFAULTS.learnHeadRoom, DEFAULTS.learnRateMin));
    const beyond = [...this.#clients].filter(([, client]) => client.peak * DEFAULTS.learnHeadRoom > perMinute);
    return {
      peak,
      perMinute,
      clients: this.#clients.size,
      windows: this.#total(),
      beyond: beyond.map(([source, client]) => ({ source, peak: client.peak, requests: client.requests })),
    };
  }

  #close(client: Client): void {
    client.peak = Math.max(client.peak, client.count);
    if (client.count > 0) this.#windows.set(client.count, (this.#windows.get(client.count) ?? 0) + 1);
    client.count = 0;
  }

  #total(): number {
    return [...this.#windows.values()].reduce((sum, count) => sum + count, 0);
  }

  /** The count that so large a share of all minutes does not exceed; of few minutes the largest. */
  #quantile(share: number): number {
    const counts = [...this.#windows.keys()].toSorted((a, b) => a - b);
    const total = this.#total();
    let seen = 0;
    for (const count of counts) {
      seen += this.#windows.get(count) ?? 0;
      if (seen >= share * total) return count;
    }
    return 0;
  }
}

const QUANTILE = 0.999;

/** Two digits that count: nobody reads more into a number that was seen. */
function roundUp(count: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1);
  return Math.ceil(count / unit) * unit;
}
