import type { Exchange } from "../../message/exchange.ts";
import { traceContextOf } from "../../message/trace-context.ts";
import { DEFAULTS } from "../../support/defaults.ts";

export interface RequestIdRules {
  /** Lower case. */
  readonly header: string;
  readonly from: "anybody" | "trustedProxies" | "nobody";
  readonly traceContext: boolean;
  /** So many random bytes. */
  readonly random: (bytes: number) => Buffer;
}

/** An id may stand in a log, a URL and a shell without being taken for more than a word. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._~:/+=@-]*$/;

/** Gives each request the id by which it can be followed, and its place in a trace. */
export class RequestIds {
  readonly header: string;
  /** Names of headers that are postern's to write, lower case. */
  readonly names: readonly string[];
  readonly #rules: RequestIdRules;

  constructor(rules: RequestIdRules) {
    this.header = rules.header;
    this.names = rules.traceContext ? [rules.header, "traceparent", "tracestate"] : [rules.header];
    this.#rules = rules;
  }

  /** `ownId`: of the decision, which is the request's where it brings none that is taken. */
  begin(exchange: Exchange, ownId: string, isFromProxy: boolean): void {
    const { header, from, traceContext } = this.#rules;
    const takes = from === "anybody" || (from === "trustedProxies" && isFromProxy);
    const id = (takes ? this.#idOf(exchange) : null) ?? ownId;
    exchange.requestId = id;
    const line = `${header}: ${id}\r\n`;
    exchange.answerLines += line;
    exchange.serviceLines += line;
    if (traceContext) this.#trace(exchange, takes);
  }

  #idOf({ headers }: Exchange): string | null {
    const id = headers.get(this.header) ?? "";
    const isOne = id.length <= DEFAULTS.requestIdCharsMax && headers.count(this.header) === 1;
    return isOne && ID.test(id) ? id : null;
  }

  /** What it brings goes on as it came, for without `tracing` postern records no spans; a trace that begins here is not sampled by us. */
  #trace(exchange: Exchange, takes: boolean): void {
    const context = takes ? traceContextOf(exchange.headers) : null;
    if (context !== null) {
      const { traceparent, traceId, tracestate, isSampled } = context;
      exchange.traceId = traceId;
      exchange.isTraceSampled = isSampled === true;
      exchange.serviceLines += `traceparent: ${traceparent}\r\n${tracestate === "" ? "" : `tracestate: ${tracestate}\r\n`}`;
      return;
    }
    const digits = this.#rules.random(24).toString("hex");
    exchange.traceId = digits.slice(0, 32);
    // Flag 02: all of it is random (level 2, section 3.2.2.5.2).
    exchange.serviceLines += `traceparent: 00-${exchange.traceId}-${digits.slice(32)}-02\r\n`;
  }
}
