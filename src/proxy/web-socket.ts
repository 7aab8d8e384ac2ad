import type { Duplex } from "node:stream";
import { Denial } from "../decision/verdict.ts";
import type { WebSocketRules } from "../filters/filter.ts";
import type { Exchange } from "../message/exchange.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { type Offer, readOffer, TOKEN_PROTOCOL } from "../message/sub-protocols.ts";
import type { UpstreamSettings } from "../policy/snapshot.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { judgeSwitch } from "../websocket/handshake.ts";
import { CLOSE_CODE, Tunnel, type TunnelDeps } from "../websocket/tunnel.ts";
import type { TransactionDeps } from "./transaction-deps.ts";

/**
 * What a transaction does for a WebSocket alone: the handshake with the service, then the tunnel. Over HTTP/1.1 the
 * client's key is passed on, so that its answer is the service's; over HTTP/2 there is none (RFC 8441 section 5) and one
 * is made.
 */
export class WebSocket {
  /** Header lines of the request to the service beside those of the client. */
  readonly addedLines: string;
  readonly #deps: TunnelDeps;
  readonly #offer: HeaderBlock;
  /** The client's sub-protocols where a token was among them that the service does not get; else null. */
  readonly #protocols: Offer | null;
  readonly #key: string;
  readonly #paces: Exchange["paces"];
  #reservedBits = 0;
  #tunnel: Tunnel | null = null;

  /** `hidesTokens`: those among its sub-protocols do not reach the service. */
  constructor({ upgrade, headers, paces }: Exchange, hidesTokens: boolean, deps: TunnelDeps) {
    const isOwn = upgrade !== "upgrade";
    this.#deps = deps;
    this.#offer = headers;
    this.#paces = paces;
    this.#protocols = hidesTokens ? readOffer(headers) : null;
    this.#key = isOwn ? createKey(deps.random) : (headers.get("sec-websocket-key") ?? "");
    this.addedLines = isOwn ? `sec-websocket-key: ${this.#key}\r\n` : "";
  }

  /** The service's 101 → null where it answers this handshake. */
  judge(response: HeaderBlock): Denial | null {
    const agreed = judgeSwitch(this.#offer, this.#key, response, this.#protocols?.protocols);
    if (typeof agreed === "string") {
      return new Denial("upstream_response_invalid", null, agreed, "a 101 that answers this handshake");
    }
    this.#reservedBits = agreed.reservedBits;
    return null;
  }

  /**
   * Header lines of the 101 beside the service's. A browser gives up a WebSocket for which it offered sub-protocols and was
   * answered none (WHATWG WebSockets, "establish a WebSocket connection"), so where it offered the token alone, the word
   * before the token is the answer.
   */
  get answerLines(): string {
    const offer = this.#protocols;
    if (offer === null || offer.protocols.length > 0 || !offer.namesToken) return "";
    return `sec-websocket-protocol: ${TOKEN_PROTOCOL}\r\n`;
  }

  /** `onGone` gets why it ended where that was not the two ends' own will. */
  open(
    client: Duplex,
    service: Duplex,
    rules: WebSocketRules,
    idleTimeoutMs: number,
    onGone: (denial: Denial | null) => void,
  ): void {
    const reservedBits = this.#reservedBits;
    const paces = this.#paces;
    this.#tunnel = new Tunnel(client, service, { ...rules, idleTimeoutMs, reservedBits, paces }, this.#deps, onGone);
  }

  get isOpen(): boolean {
    return this.#tunnel !== null;
  }

  /** Undefined while no tunnel is open. */
  get clientBytes(): number | undefined {
    return this.#tunnel?.clientBytes;
  }

  get serviceBytes(): number | undefined {
    return this.#tunnel?.serviceBytes;
  }

  destroy(): void {
    this.#tunnel?.destroy();
  }

  /** Closes it for a reason of ours, or with null because the process ends. Whose time is over may come again. */
  close(denial: Denial | null): void {
    const mayComeAgain = denial === null || denial.reason === "stream_duration_exceeded";
    this.#tunnel?.close(mayComeAgain ? CLOSE_CODE.goingAway : CLOSE_CODE.policyViolation, denial);
  }
}

/** A WebSocket of this request with the service, or why none can begin. */
export function beginWebSocket(
  exchange: Exchange,
  service: UpstreamSettings,
  hidesTokens: boolean,
  deps: TransactionDeps,
): WebSocket | Denial {
  const refused = refuseWebSocket(service, deps.longLived.size);
  if (refused !== null) return refused;
  const { streams } = deps.memory;
  if (exchange.chargeTo(streams).hold(DEFAULTS.memoryWebSocketBytes)) return new WebSocket(exchange, hidesTokens, deps);
  return new Denial("memory_streams", null, `${streams.heldBytes} bytes of streams held`, "room for one more");
}

/** Why no further WebSocket can begin with this service, where that is so. */
export function refuseWebSocket({ name, protocol }: UpstreamSettings, streamsOpen: number): Denial | null {
  if (protocol === "h2") {
    return new Denial("upgrade_refused", null, `upstream '${name}' speaks h2`, "a service that speaks HTTP/1.1");
  }
  if (streamsOpen < DEFAULTS.lastingStreamsMax) return null;
  return new Denial("overloaded", null, `${streamsOpen} streams open`, `fewer than ${streamsOpen} of them`);
}

/** 16 bytes; against caches in between, not a secret (RFC 6455 section 10.3). */
function createKey(random: () => number): string {
  return Buffer.from(Array.from({ length: 16 }, () => Math.floor(random() * 256))).toString("base64");
}
