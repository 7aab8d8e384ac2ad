import { closeAll } from "../fixtures/proxy.ts";
import { DISAGREEMENTS_MAX, newTally, requestBatch, responseBatch, type Tally } from "./codec-campaign.ts";
import { forwardBatch, startLane } from "./forward-campaign.ts";
import { h2Batch } from "./h2-campaign.ts";
import { llhttpServer } from "./llhttp.ts";
import { rawBatch, startRawLlhttp } from "./raw-campaign.ts";

export interface CampaignOptions {
  readonly seed: number;
  /** Ends at whichever comes first. */
  readonly messagesMax: number;
  readonly minutesMax: number;
  readonly onRound?: (tally: Tally) => void;
}

/** Connections a batch; as many share one turn of the event loop. */
const BATCH = 64;
/** Real sockets cost twenty times as much, so they get one case in about sixteen. */
const REAL_SOCKETS_EVERY = 4;
const REAL_SOCKETS_BATCH = 16;
const LANES = 4;

/**
 * Requests and responses in memory, connections of HTTP/2, requests on sockets, and requests through the proxy, in turns.
 */
export async function runCampaign(options: CampaignOptions): Promise<Tally> {
  const { seed, messagesMax, minutesMax } = options;
  const tally = newTally();
  const memory = llhttpServer();
  const raw = await startRawLlhttp();
  const lanes = await Promise.all(Array.from({ length: LANES }, () => startLane()));
  const endMs = performance.now() + minutesMax * 60_000;
  try {
    for (let round = 0; tally.messages < messagesMax && performance.now() < endMs; round++) {
      await requestBatch(tally, memory, seed, round * BATCH, BATCH);
      await responseBatch(tally, seed, round * BATCH, BATCH);
      await h2Batch(tally, seed, round * BATCH, BATCH);
      if (round % REAL_SOCKETS_EVERY === 0) {
        // Other cases than those in memory, which never get this far.
        const from = 2 ** 30 + round * REAL_SOCKETS_BATCH;
        await rawBatch(tally, raw, seed, from, REAL_SOCKETS_BATCH);
        await forwardBatch(tally, lanes, seed, from + 2 ** 29, REAL_SOCKETS_BATCH);
      }
      options.onRound?.(tally);
      if (tally.disagreements.length >= DISAGREEMENTS_MAX) break;
    }
  } finally {
    raw.close();
    closeAll();
  }
  return tally;
}
