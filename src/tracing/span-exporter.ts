import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { Backoff } from "../calls/backoff.ts";
import type { CallAnswer, Caller, CallFault, CallSettings } from "../calls/call.ts";
import type { Resource, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import { Tries } from "../resources/tries.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { Attribute, Span, SpanEncoding } from "./span.ts";
import type { SpanSink } from "./traced-request.ts";

const gzipped = promisify(gzip);
/** Spans are alike: more effort takes more than twice as long, for a twentieth less. */
const GZIP = { level: 3 };

export interface ExporterSettings {
  readonly url: URL;
  readonly encoding: SpanEncoding;
  readonly isCompressed: boolean;
  readonly call: CallSettings;
  /** Who speaks, beside the id of this process. */
  readonly resource: readonly Attribute[];
  /** Header lines that the collector asks for, read anew for each call; an error in words. */
  readonly headers: () => Result<Readonly<Record<string, string>>, string>;
}

/** Failures after which the same call may succeed. */
const PASSING: ReadonlySet<CallFault["kind"]> = new Set([
  "name_unknown",
  "connect_failed",
  "connect_timeout",
  "tls_untrusted",
  "timeout",
  "busy",
]);

/** Statuses after which the spans are to be sent again (OTLP 1.10, "Retryable Response Codes"); after others they must not be. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** What became of one try. */
interface Fate {
  readonly fault: string | null;
  /** Whether it is of use to send the spans again. */
  readonly isPassing: boolean;
  /** As the collector asks for; null where it does not. */
  readonly retryAfterMs: number | null;
  readonly rejected: number;
}

/**
 * Sends spans to a collector (OTLP over HTTP). Requests never wait for it: spans gather in bounded memory, go out a batch at a
 * time, and those that have no room, or that the collector does not take, are counted and forgotten.
 */
export class SpanExporter implements Resource, SpanSink {
  readonly kind = "collector";
  readonly name = "tracing";
  readonly #world: ResourceWorld;
  readonly #settings: ExporterSettings;
  readonly #resource: readonly Attribute[];
  readonly #caller: Caller;
  readonly #backoff: Backoff;
  readonly #tries: Tries;
  readonly #spans = { exported: 0, queue_full: 0, given_up: 0, rejected: 0 };
  #waiting: Buffer[] = [];
  #bytes = 0;
  #isStarted = false;
  #isSending = false;
  #cancel: (() => void) | null = null;
  /** Ends the wait between two tries. */
  #wake: (() => void) | null = null;
  /** Settled when nothing is under way to the collector. */
  settled: Promise<void> = Promise.resolve();

  constructor(settings: ExporterSettings, world: ResourceWorld, instanceId: string = randomUUID()) {
    this.#settings = settings;
    this.#world = world;
    this.#tries = new Tries(world.clock);
    this.#resource = [...settings.resource, ["service.instance.id", instanceId]];
    this.#caller = world.openCaller(settings.call);
    this.#backoff = new Backoff(DEFAULTS.tracingBackoffMsMin, DEFAULTS.tracingBackoffMsMax, world.random);
  }

  takes(spans: number): boolean {
    if (!this.#isStarted) return false;
    const hasRoom =
      this.#waiting.length + spans <= DEFAULTS.tracingWaitingSpansMax && this.#bytes < DEFAULTS.tracingWaitingBytesMax;
    if (!hasRoom) this.#spans.queue_full += spans;
    return hasRoom;
  }

  add(spans: readonly Span[]): void {
    for (const span of spans) {
      const bytes = this.#settings.encoding.span(span);
      this.#waiting.push(bytes);
      this.#bytes += bytes.length;
    }
    if (this.#waiting.length >= DEFAULTS.tracingBatchSpansMax) this.#send();
    else this.#schedule();
  }

  status(): ResourceStatus {
    const { exported, ...lost } = this.#spans;
    const words = Object.entries(lost).filter(([, count]) => count > 0);
    const told = words.map(([outcome, count]) => `; ${count} ${outcome.replace("_", " ")}`).join("");
    return {
      kind: this.kind,
      name: this.name,
      detail: `${this.#settings.url.host}: ${exported} spans exported${told}`,
      ...this.#tries.status,
      spans: { ...this.#spans },
    };
  }

  start(): void {
    this.#isStarted = true;
  }

  /** What waits is sent once more, and nobody waits for that. */
  close(): void {
    this.#isStarted = false;
    this.#cancel?.();
    this.#cancel = null;
    this.#wake?.();
    this.#send();
    void this.#drained().then(() => this.#caller.close());
  }

  async #drained(): Promise<void> {
    while (this.#isSending) await this.settled;
  }

  async tryOnce(): Promise<Result<string, string>> {
    const { fault } = await this.#try([]);
    return fault === null ? ok(`${this.#settings.url.host} takes spans`) : err(fault);
  }

  #schedule(): void {
    this.#cancel ??= this.#world.timers.after(DEFAULTS.tracingExportMs, () => {
      this.#cancel = null;
      this.#send();
    });
  }

  #send(): void {
    if (this.#isSending || this.#waiting.length === 0) return;
    this.#isSending = true;
    const batch = this.#nextBatch();
    this.settled = this.#deliver(batch).then(() => {
      this.#isSending = false;
      // At its end a process does not wait again and again for who does not answer.
      if (!this.#isStarted && this.#tries.isFailing) this.#giveUp();
      if (!this.#isStarted || this.#waiting.length >= DEFAULTS.tracingBatchSpansMax) this.#send();
      else if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #nextBatch(): readonly Buffer[] {
    let bytes = 0;
    let count = 0;
    for (const span of this.#waiting) {
      if (count >= DEFAULTS.tracingBatchSpansMax || bytes >= DEFAULTS.tracingBatchBytesMax) break;
      bytes += span.length;
      count++;
    }
    this.#bytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  async #deliver(batch: readonly Buffer[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      const { fault, isPassing, retryAfterMs, rejected } = await this.#try(batch);
      this.#note(fault);
      if (fault === null) {
        this.#backoff.succeeded();
        this.#spans.exported += batch.length - rejected;
        this.#spans.rejected += rejected;
        return;
      }
      const waitMs = this.#backoff.failed();
      if (!isPassing || tries >= DEFAULTS.tracingTriesMax || !this.#isStarted) {
        this.#spans[isPassing ? "given_up" : "rejected"] += batch.length;
        return;
      }
      await this.#pause(retryAfterMs ?? waitMs);
    }
  }

  #giveUp(): void {
    this.#spans.given_up += this.#waiting.length;
    this.#waiting = [];
    this.#bytes = 0;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#world.timers.after(ms, () => this.#wake?.());
      this.#wake = () => {
        this.#wake = null;
        cancel();
        resolve();
      };
    });
  }

  async #try(batch: readonly Buffer[]): Promise<Fate> {
    const { url, encoding, isCompressed, headers: read } = this.#settings;
    const headers = read();
    if (!headers.ok) return { fault: headers.error, isPassing: true, retryAfterMs: null, rejected: 0 };
    const plain = encoding.request(this.#resource, batch);
    const body = isCompressed ? await gzipped(plain, GZIP) : plain;
    const answer = await this.#caller.call({
      method: "POST",
      url,
      headers: {
        ...headers.value,
        "content-type": encoding.contentType,
        ...(isCompressed ? { "content-encoding": "gzip" } : {}),
      },
      body,
    });
    return this.#fateOf(answer, batch.length);
  }

  #fateOf(answer: Result<CallAnswer, CallFault>, count: number): Fate {
    if (!answer.ok) {
      const { kind, text } = answer.error;
      return { fault: text, isPassing: PASSING.has(kind), retryAfterMs: null, rejected: 0 };
    }
    const { status, headers, body } = answer.value;
    if (status === 200) {
      const rejected = Math.min(this.#settings.encoding.rejected(body), count);
      return { fault: null, isPassing: false, retryAfterMs: null, rejected };
    }
    const retryAfterMs = retryAfter(headers["retry-after"] ?? "", this.#world.clock.wallMs());
    return { fault: `status ${status}`, isPassing: PASSING_STATUSES.has(status), retryAfterMs, rejected: 0 };
  }

  #note(fault: string | null): void {
    this.#tries.note(fault);
    this.#world.changed(this);
  }
}

/** Seconds or a date (RFC 9110 section 10.2.3) → milliseconds from now, within bounds; null for neither. */
function retryAfter(text: string, nowMs: number): number | null {
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), DEFAULTS.tracingRetryAfterMsMax);
}
