import type { Duplex } from "node:stream";
import type { Probe, ProbeAnswer, ProbeSettings } from "../health/probe.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { ClientFailure, ClientResponse, ClientStream, ResponseHandler } from "../message/stream.ts";
import type { UpstreamSettings } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import { Deadlines } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Timers } from "../support/timers.ts";
import { createUpstream } from "./create-upstream.ts";
import { answerFault, HEALTH_METHOD, healthRequest } from "./grpc-health.ts";
import { ownAuthority } from "./own-authority.ts";
import type { AcquireFailure, Acquirer, Upstream } from "./upstream.ts";

export interface ProbeWorld {
  readonly clock: Clock;
  readonly timers: Timers;
}

/**
 * Asks the service as requests reach it: its protocol, its TLS, the same reading of its answers. A connection of its own each
 * time, so that it is seen whether the service takes some.
 */
export function openProbe(upstream: UpstreamSettings, probe: ProbeSettings, world: ProbeWorld): Probe {
  return () => new Promise((resolve) => new Asking(upstream, probe, world, resolve));
}

/** One asking, which ends by the answer, a failure or its time. */
class Asking implements Acquirer, ResponseHandler {
  readonly client = "";
  readonly #upstream: UpstreamSettings;
  readonly #probe: ProbeSettings;
  readonly #pool: Upstream;
  readonly #cancel: () => void;
  readonly #onEnd: (answer: ProbeAnswer) => void;
  #isOver = false;
  #stream: ClientStream | null = null;
  #response: ClientResponse | null = null;
  #body: Buffer[] = [];
  #bodyBytes = 0;

  constructor(
    upstream: UpstreamSettings,
    probe: ProbeSettings,
    { clock, timers }: ProbeWorld,
    onEnd: (answer: ProbeAnswer) => void,
  ) {
    this.#upstream = upstream;
    this.#probe = probe;
    this.#onEnd = onEnd;
    this.#cancel = timers.after(probe.timeoutMs, () => this.#end(false, this.#lateText));
    // Its own timer ends it, so nobody looks at these deadlines. Where nobody listens it does not wait for a service that
    // restarts, as requests do.
    this.#pool = createUpstream({ ...upstream, connectTimeoutMs: 0, connectionsMax: 1 }, clock, new Deadlines(clock));
    this.#pool.acquire(this);
  }

  onConnection(stream: ClientStream): void {
    const { type, method, target, authority, lines, service } = this.#probe;
    if (this.#isOver || type === "tcp") {
      stream.release();
      this.#end(true, "it takes connections", 200);
      return;
    }
    this.#stream = stream;
    const isCall = type === "grpc";
    const call = isCall ? healthRequest(service) : null;
    stream.begin(
      this,
      {
        method: isCall ? "POST" : method,
        target: isCall ? HEALTH_METHOD : target,
        authority: authority ?? ownAuthority(this.#upstream),
        lines: isCall ? `content-type: application/grpc\r\n${lines}` : lines,
        bodyBytes: call?.length ?? 0,
        upgrade: false,
        acceptsTrailers: isCall,
      },
      this.#upstream,
    );
    if (call !== null) {
      stream.writeBody(call);
      stream.endBody("");
    }
    stream.flush();
  }

  onAcquireFailure(failure: AcquireFailure, detail: string): void {
    this.#end(failure === "overloaded" ? null : false, `${failure}: ${detail}`);
  }

  onInformational(): void {}

  onResponse(response: ClientResponse): void {
    this.#response = response;
  }

  /** Some services call an answer that nobody takes to its end a fault of theirs, so a short one is taken. */
  onResponseBody(chunk: Buffer): void {
    this.#bodyBytes += chunk.length;
    if (this.#probe.type === "grpc") this.#body.push(Buffer.from(chunk));
    if (this.#bodyBytes > DEFAULTS.healthAnswerBytesMax) this.#judge(null);
  }

  onResponseEnd(trailers: HeaderBlock | null): void {
    this.#stream = null;
    this.#judge(trailers);
  }

  onReadEnd(): boolean {
    return true;
  }

  onUpgrade(_headers: HeaderBlock, service: Duplex): void {
    service.destroy();
    this.#stream = null;
    this.#end(false, "it changed the protocol");
  }

  onFailure(failure: ClientFailure, detail: string): void {
    this.#stream = null;
    this.#end(false, detail === "" ? failure : `${failure}: ${detail}`);
  }

  onUpstreamDrain(): void {}

  get #lateText(): string {
    const what = this.#response === null ? "no answer" : "no whole answer";
    return `${what} in ${this.#probe.timeoutMs} ms`;
  }

  #judge(trailers: HeaderBlock | null): void {
    const { type, statuses } = this.#probe;
    const response = this.#response;
    if (response === null) return;
    const { status, headers } = response;
    if (type === "grpc") {
      const fault = answerFault(status, headers, trailers, Buffer.concat(this.#body));
      this.#end(fault === null, fault ?? "SERVING", fault === null ? 200 : 503);
      return;
    }
    const isGood = statuses.some(([from, to]) => status >= from && status <= to);
    this.#end(isGood, `status ${status}`, status);
  }

  #end(isGood: boolean | null, text: string, status: number = 503): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel();
    this.#stream?.abort();
    // Not while it tells us of what ended this.
    queueMicrotask(() => this.#pool.close());
    this.#onEnd({ isGood, status, text });
  }
}
