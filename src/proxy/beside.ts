import type { Shares } from "../filters/ladder.ts";
import type { RequestBody } from "../message/body.ts";
import type { Exchange } from "../message/exchange.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";
import type { Outcome } from "./pipeline.ts";

/** What of a request the first judgement may put another in the place of. */
export interface AsItCame {
  readonly headers: HeaderBlock;
  readonly body: RequestBody;
}

/** A request that is judged, for who judges it once more beside. */
export interface Judged {
  /** Of the decision. */
  readonly id: string;
  readonly exchange: Exchange;
  readonly route: Route | null;
  /** That judged it. */
  readonly snapshot: Snapshot;
  readonly shares: Shares;
}

/** Who judges some requests once more, by another policy, when they are decided. Nothing of it acts on them. */
export interface Beside {
  /** Whether the request that begins is one of those. */
  draws(): boolean;
  /** Takes what it needs of it and judges later. */
  offer(judged: Judged, outcome: Outcome, asItCame: AsItCame): void;
}
