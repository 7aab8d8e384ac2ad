import type { Duplex } from "node:stream";
import { Denial } from "../decision/verdict.ts";
import { type Pace, type PacedReading, pacedReading, type Way } from "../message/pace.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { closeFrame, FrameReader } from "./frames.ts";

export interface TunnelRules {
  /** Largest payload of one frame. */
  readonly frameBytesMax: number;
  /** Time in which no byte moves. */
  readonly idleTimeoutMs: number;
  /** Time from beginning to end, Infinity for none. */
  readonly lifetimeMs: number;
  /** Who says how fast its bytes may go; null for as fast as they come. */
  readonly paces: readonly Pace[] | null;
  /** Bits of a frame's first byte that the agreed extensions may use. */
  readonly reservedBits: number;
}

export interface TunnelDeps {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** 0 to 1, for the masks of frames to the service. */
  readonly random: () => number;
}

/** RFC 6455 section 7.4.1 and the IANA registry of close codes. */
export const CLOSE_CODE = { goingAway: 1001, policyViolation: 1008, badGateway: 1014 } as const;

/** One end, with what comes from it. */
class End {
  readonly duplex: Duplex;
  readonly reader: FrameReader;
  /** Null where what comes from it may come as fast as it does. */
  readonly pacing: PacedReading | null;
  bytes = 0;
  /** The beginning of a frame's header that is not whole yet; it goes on only with the rest. */
  partial: Buffer | null = null;
  /** It has sent all that it will send. */
  ended = false;
  gone = false;
  /** Our own Close frame, waiting for the frame under way to this end to be whole. */
  farewell: Buffer | null = null;
  /** Our Close frame is out; nothing may follow it. */
  dismissed = false;

  constructor(duplex: Duplex, reader: FrameReader, way: Way, paces: readonly Pace[] | null) {
    this.duplex = duplex;
    this.reader = reader;
    this.pacing = pacedReading(paces, way, () => duplex.resume());
  }
}

/**
 * A WebSocket between client and service: bytes both ways, as fast as the slower one takes them. Of the frames only the
 * headers are read, so that both ends can be closed with a frame and a reason (RFC 6455 section 7).
 */
export class Tunnel implements Timed {
  deadlineMs: number;
  readonly #client: End;
  readonly #service: End;
  readonly #rules: TunnelRules;
  readonly #deps: TunnelDeps;
  readonly #onGone: (fault: Denial | null) => void;
  readonly #endMs: number;
  #fault: Denial | null = null;
  /** Somebody has ended it, and the rest has little time. */
  #closing = false;

  /** `onGone` is called once, when both ends are gone. */
  constructor(
    client: Duplex,
    service: Duplex,
    rules: TunnelRules,
    deps: TunnelDeps,
    onGone: (fault: Denial | null) => void,
  ) {
    const { reservedBits, frameBytesMax: payloadBytesMax, paces } = rules;
    const reader = (masked: boolean): FrameReader => new FrameReader({ masked, reservedBits, payloadBytesMax });
    this.#client = new End(client, reader(true), "request", paces);
    this.#service = new End(service, reader(false), "response", paces);
    this.#rules = rules;
    this.#deps = deps;
    this.#onGone = onGone;
    const now = deps.clock.monotonicMs();
    this.#endMs = now + rules.lifetimeMs;
    this.deadlineMs = Math.min(now + rules.idleTimeoutMs, this.#endMs);
    deps.deadlines.add(this);
    this.#connect(this.#client, this.#service);
    this.#connect(this.#service, this.#client);
  }

  /** Bytes from the client and from the service, frame headers included. */
  get clientBytes(): number {
    return this.#client.bytes;
  }

  get serviceBytes(): number {
    return this.#service.bytes;
  }

  /** Closes both ends in good order: the client with `code`, the service as if the client had gone away. */
  close(code: number, fault: Denial | null): void {
    this.#close(code, CLOSE_CODE.goingAway, fault);
  }

  /** Ends it without a word. */
  destroy(): void {
    this.#client.duplex.destroy();
    this.#service.duplex.destroy();
  }

  #connect(from: End, to: End): void {
    const { duplex } = from;
    duplex.on("data", (chunk: Buffer) => this.#onData(from, to, chunk));
    duplex.on("drain", () => {
      this.#touch();
      if (to.pacing === null) to.duplex.resume();
      else to.pacing.onDrain();
    });
    duplex.on("end", () => this.#onEnd(from, to));
    duplex.on("error", () => duplex.destroy());
    duplex.on("close", () => this.#onClose(from, to));
    duplex.resume();
  }

  #touch(): void {
    if (this.#closing) return;
    this.deadlineMs = Math.min(this.#deps.clock.monotonicMs() + this.#rules.idleTimeoutMs, this.#endMs);
  }

  // ---- bytes -----------------------------------------------------------------------------------------------------

  #onData(from: End, to: End, chunk: Buffer): void {
    this.#touch();
    const { reader } = from;
    const buffer = from.partial === null ? chunk : Buffer.concat([from.partial, chunk]);
    let end = reader.feed(buffer);
    if (!to.dismissed) this.#pass(from, to, end === buffer.length ? buffer : buffer.subarray(0, end));
    if (to.farewell !== null && reader.atBoundary) {
      this.#dismiss(from, to);
      end += reader.feed(buffer.subarray(end));
    }
    const isOver = reader.closed || reader.fault !== null;
    // A copy: the piece would keep the whole read in memory.
    from.partial = isOver || end === buffer.length ? null : Buffer.from(buffer.subarray(end));
    if (reader.fault !== null) this.#onViolation(from, reader.fault.code, reader.fault.seen);
    else if (reader.closed) this.#onCloseFrame(from);
  }

  #pass(from: End, to: End, bytes: Buffer): void {
    if (bytes.length === 0) return;
    from.bytes += bytes.length;
    const { duplex } = to;
    if (!duplex.writable) return;
    // Over HTTP/2 each DATA frame comes by itself, however small: what one turn brings goes on in one write.
    if (duplex.writableCorked === 0) {
      duplex.cork();
      setImmediate(() => duplex.uncork());
    }
    // A side that does not read holds the other one back; nothing is kept here but what the socket already has.
    const flows = duplex.write(bytes);
    from.pacing?.add(bytes.length);
    if (!(from.pacing?.mayRead(flows) ?? flows)) from.duplex.pause();
  }

  /** What comes from `from` is no frame: it hears of it, and the other end only that this one is lost. */
  #onViolation(from: End, code: number, seen: string): void {
    if (this.#closing) {
      if (from.farewell === null) from.duplex.end();
    } else if (from === this.#client) this.#close(code, CLOSE_CODE.goingAway, violation("websocket_violation", seen));
    else this.#close(CLOSE_CODE.badGateway, code, violation("upstream_response_invalid", seen));
  }

  // ---- closing ---------------------------------------------------------------------------------------------------

  #close(clientCode: number, serviceCode: number, fault: Denial | null): void {
    if (this.#closing) return;
    this.#fault = fault;
    this.#hurry();
    const mask = Math.floor(this.#deps.random() * 0x1_0000_0000);
    this.#client.farewell = closeFrame(clientCode, fault?.reason ?? "", null);
    this.#service.farewell = closeFrame(serviceCode, "", mask);
    this.#dismissOrWait(this.#service, this.#client);
    this.#dismissOrWait(this.#client, this.#service);
  }

  #dismissOrWait(from: End, to: End): void {
    from.reader.stopping = true;
    if (from.reader.atBoundary) this.#dismiss(from, to);
  }

  /** Sends `to` our Close frame, with no frame of `from` after it; its answer is waited for. */
  #dismiss(from: End, to: End): void {
    const frame = to.farewell;
    to.farewell = null;
    to.dismissed = true;
    from.reader.stopping = false;
    if (frame !== null && to.duplex.writable) to.duplex.write(frame);
    // It was held back while the other end did not read; what comes now is thrown away up to its Close frame.
    from.pacing?.stop();
    from.duplex.resume();
    // Whoever breaks the framing is not waited for: where its Close frame would begin, nobody knows.
    if (to.reader.fault !== null) to.duplex.end();
  }

  /** `from` has said goodbye. */
  #onCloseFrame(from: End): void {
    this.#hurry();
    if (from.dismissed) from.duplex.end();
  }

  /** From the first goodbye on both ends have little time to be gone. */
  #hurry(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.deadlineMs = this.#deps.clock.monotonicMs() + DEFAULTS.websocketCloseTimeoutMs;
  }

  #onEnd(from: End, to: End): void {
    from.ended = true;
    if (!this.#closing) this.#fault = this.#lost(from);
    this.#hurry();
    to.duplex.end();
  }

  #onClose(from: End, to: End): void {
    from.gone = true;
    if (!this.#closing) this.#fault = this.#lost(from);
    this.#hurry();
    if (to.gone) {
      this.#deps.deadlines.remove(this);
      this.#onGone(this.#fault);
    } else if (!to.dismissed) {
      // What was on its way to it is still sent; what it sends is thrown away.
      to.duplex.end();
      to.pacing?.stop();
      to.duplex.resume();
    }
  }

  /** An end that goes without a Close frame. */
  #lost(from: End): Denial {
    const reason = from === this.#client ? "client_closed" : "upstream_response_cut";
    return new Denial(reason, null, "closed without a Close frame", "a Close frame first");
  }

  onDeadline(): void {
    if (this.#closing) {
      this.destroy();
      return;
    }
    const { lifetimeMs, idleTimeoutMs } = this.#rules;
    const isOld = this.#deps.clock.monotonicMs() >= this.#endMs;
    const reason = isOld ? "stream_lifetime" : "stream_idle";
    const seen = isOld ? `open for ${lifetimeMs} ms` : `no byte in ${idleTimeoutMs} ms`;
    this.close(CLOSE_CODE.goingAway, new Denial(reason, null, seen, isOld ? "a shorter life" : "a byte now and then"));
  }
}

function violation(reason: "websocket_violation" | "upstream_response_invalid", seen: string): Denial {
  return new Denial(reason, null, seen, "frames as in RFC 6455 section 5");
}
