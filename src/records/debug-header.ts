import { createHmac, timingSafeEqual } from "node:crypto";
import type { Exchange } from "../message/exchange.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { DECISION_HEADER, type DecisionFacts } from "./decision-facts.ts";

/** The client's header, and the answer's. */
export const DEBUG_HEADER = "postern-debug";

const SIGNED = /^t=(\d{1,12}), ?s=([0-9a-f]{64})$/;

/** What is told of a decision, in short. */
export interface ShortDecision extends Pick<DecisionFacts, "id" | "reason" | "place"> {
  readonly route: string;
}

/**
 * Who holds the policy's key may have an answer say why: `Postern-Debug: t=SECONDS, s=HEX`, where HEX is HMAC-SHA256 over time,
 * method, host and path, a line each. So that who overhears one gets no more than this answer once more, it is good for a minute.
 */
export class DebugHeader {
  readonly #key: Buffer;
  readonly #clock: Pick<Clock, "wallMs">;

  constructor(key: Buffer, clock: Pick<Clock, "wallMs">) {
    this.#key = key;
    this.#clock = clock;
  }

  /** Adds the decision to the answer of who may know it. The service gets the header in no case. */
  tell(exchange: Exchange, { id, route, reason, place }: ShortDecision): void {
    const shown = exchange.headers.list(DEBUG_HEADER);
    if (shown === undefined) return;
    const isSigned = this.#isSigned(shown, exchange);
    exchange.headers = exchange.headers.without(NAMES);
    if (!isSigned) return;
    const verdict = reason === null ? "verdict=allow" : `verdict=deny; reason=${reason}`;
    const where = place === null ? "" : `; place=${quoted(place)}`;
    exchange.answerLines += `${DECISION_HEADER}: id=${quoted(id)}; route=${quoted(route)}; ${verdict}${where}\r\n`;
  }

  #isSigned(shown: string, { method, host, target }: Exchange): boolean {
    const [, seconds = "", signature = ""] = SIGNED.exec(shown) ?? [];
    if (signature === "") return false;
    if (Math.abs(this.#clock.wallMs() - Number(seconds) * 1000) > DEFAULTS.debugHeaderMsMax) return false;
    const wanted = createHmac("sha256", this.#key).update(`${seconds}\n${method}\n${host}\n${target.path}`).digest();
    return timingSafeEqual(wanted, Buffer.from(signature, "hex"));
  }
}

const NAMES: ReadonlySet<string> = new Set([DEBUG_HEADER]);

/** What a header can carry of a text. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "?")}"`;
}
