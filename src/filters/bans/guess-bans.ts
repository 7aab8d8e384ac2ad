import type { Denial } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";

/** A ban that meets a request, and whether it is in force for it or only tried out. */
export interface Met {
  readonly denial: Denial;
  readonly isEnforced: boolean;
}

/** What `authenticate` asks of the bans of guesses. */
export interface GuessBans {
  /** Whether one may meet anybody now. */
  readonly isAnyGuesserBanned: boolean;
  /** The one that meets a request, before or after its authenticators were asked; null for the nearly all that none does. */
  of(exchange: Exchange): Met | null;
  /** Whether it takes nothing from this caller: nobody guesses a signature, and of the rest the good are remembered. */
  keeps(principal: Principal, exchange: Exchange): boolean;
  wasGood(principal: Principal, exchange: Exchange): void;
}
