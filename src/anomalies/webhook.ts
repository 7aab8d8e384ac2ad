import { createHmac, randomUUID } from "node:crypto";
import { Backoff } from "../calls/backoff.ts";
import type { Caller, CallSettings } from "../calls/call.ts";
import type { Resource, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import { Tries } from "../resources/tries.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { AnomalyRow } from "./event-row.ts";

export interface WebhookSettings {
  readonly url: URL;
  /** The bytes that messages are signed with. */
  readonly secret: Buffer;
  readonly call: CallSettings;
  /** Who speaks. */
  readonly service: string;
}

/** What waits to be sent; the same bytes and id each time, so that a receiver knows it again. */
interface Message {
  readonly id: string;
  readonly body: string;
}

/** After these another try is of no use; any other answer may be another one the next time. */
const FINAL: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 410, 413, 415, 422]);

/**
 * Tells a receiver of anomalies, as Standard Webhooks 1.0.0 has it: `webhook-id`, `webhook-timestamp`, and `webhook-signature`, which
 * is HMAC-SHA256 over `id.timestamp.body`. One message at a time, in order; what has no room, or is not taken after some tries, is
 * counted and forgotten.
 */
export class AnomalyWebhook implements Resource {
  readonly kind = "webhook";
  readonly name = "anomalies";
  readonly #world: ResourceWorld;
  readonly #settings: WebhookSettings;
  readonly #caller: Caller;
  readonly #backoff: Backoff;
  readonly #newId: () => string;
  readonly #tries: Tries;
  readonly #waiting: Message[] = [];
  #sent = 0;
  #lost = 0;
  #triesOfFirst = 0;
  #isStarted = false;
  /** When one that has ended gives up what waits. */
  #untilMs = Number.POSITIVE_INFINITY;
  #isSending = false;
  #cancel: (() => void) | null = null;
  /** Settled when nothing is under way. */
  settled: Promise<void> = Promise.resolve();

  constructor(settings: WebhookSettings, world: ResourceWorld, newId: () => string = randomUUID) {
    this.#settings = settings;
    this.#world = world;
    this.#tries = new Tries(world.clock);
    this.#newId = newId;
    this.#caller = world.openCaller(settings.call);
    this.#backoff = new Backoff(DEFAULTS.anomalyWebhookBackoffMsMin, DEFAULTS.anomalyWebhookBackoffMsMax, world.random);
  }

  send(row: AnomalyRow): void {
    if (!this.#isStarted) return;
    if (this.#waiting.length >= DEFAULTS.anomalyWebhookWaitingMax) {
      this.#lost++;
      return;
    }
    const timestamp = new Date(this.#world.clock.wallMs()).toISOString();
    const body = JSON.stringify({
      type: `anomaly.${row.state}`,
      timestamp,
      data: { service: this.#settings.service, ...row },
    });
    this.#waiting.push({ id: `msg_${this.#newId()}`, body });
    this.#next();
  }

  status(): ResourceStatus {
    const lost = this.#lost === 0 ? "" : `; ${this.#lost} were lost`;
    const waiting = this.#waiting.length === 0 ? "" : `; ${this.#waiting.length} wait`;
    return {
      kind: this.kind,
      name: this.name,
      detail: `${this.#settings.url.host}: ${this.#sent} messages sent${waiting}${lost}`,
      ...this.#tries.status,
    };
  }

  start(): void {
    this.#isStarted = true;
    this.#tries.ready();
  }

  /** What waits is sent once more, and nobody waits for that. */
  close(): void {
    this.#isStarted = false;
    this.#cancel?.();
    this.#cancel = null;
    this.#untilMs = this.#world.clock.monotonicMs() + DEFAULTS.anomalyWebhookEndMs;
    const waiting = this.#waiting.length;
    if (waiting > 0) this.#world.note(this, `${waiting} messages wait as it ends; each is tried once more`);
    this.#next();
    void this.#drained().then(() => this.#caller.close());
  }

  async #drained(): Promise<void> {
    while (this.#isSending) await this.settled;
  }

  /** A message of a type of its own, which receivers leave alone. */
  async tryOnce(): Promise<Result<string, string>> {
    const timestamp = new Date(this.#world.clock.wallMs()).toISOString();
    const body = JSON.stringify({ type: "anomaly.test", timestamp, data: { service: this.#settings.service } });
    const { fault } = await this.#try({ id: `msg_${this.#newId()}`, body });
    return fault === null ? ok(`${this.#settings.url.host} takes messages`) : err(fault);
  }

  #next(): void {
    const [message] = this.#waiting;
    if (message === undefined || this.#isSending || this.#cancel !== null) return;
    this.#isSending = true;
    this.settled = this.#try(message).then(({ fault, isFinal }) => {
      this.#isSending = false;
      this.#note(fault);
      this.#settle(fault, isFinal);
    });
  }

  #settle(fault: string | null, isFinal: boolean): void {
    this.#triesOfFirst++;
    const isLost = fault !== null && (isFinal || this.#triesOfFirst >= DEFAULTS.anomalyWebhookTriesMax);
    if (fault === null) this.#sent++;
    if (isLost) this.#lost++;
    if (fault === null || isLost) {
      this.#waiting.shift();
      this.#triesOfFirst = 0;
    }
    if (fault === null) {
      this.#backoff.succeeded();
      if (this.#world.clock.monotonicMs() < this.#untilMs) this.#next();
      else this.#giveUp();
      return;
    }
    if (!this.#isStarted) {
      this.#giveUp();
      return;
    }
    this.#cancel = this.#world.timers.after(this.#backoff.failed(), () => {
      this.#cancel = null;
      this.#next();
    });
  }

  /** Who does not answer now is not asked again and again by one who ends. */
  #giveUp(): void {
    if (this.#waiting.length === 0) return;
    this.#lost += this.#waiting.length;
    this.#waiting.length = 0;
    this.#world.note(this, `${this.#lost} messages were lost`);
  }

  async #try({ id, body }: Message): Promise<{ readonly fault: string | null; readonly isFinal: boolean }> {
    const { url, secret } = this.#settings;
    const seconds = String(Math.floor(this.#world.clock.wallMs() / 1000));
    const answer = await this.#caller.call({
      method: "POST",
      url,
      headers: {
        "content-type": "application/json",
        "user-agent": "postern",
        "webhook-id": id,
        "webhook-timestamp": seconds,
        "webhook-signature": signatureOf(secret, id, seconds, body),
      },
      body,
    });
    if (!answer.ok) return { fault: answer.error.text, isFinal: false };
    const { status } = answer.value;
    if (status >= 200 && status < 300) return { fault: null, isFinal: false };
    return { fault: `status ${status}`, isFinal: FINAL.has(status) };
  }

  #note(fault: string | null): void {
    this.#tries.note(fault);
    this.#world.changed(this);
  }
}

/** `v1,` and HMAC-SHA256 in base64 (Standard Webhooks 1.0.0, "Signature scheme"). */
export function signatureOf(secret: Buffer, id: string, seconds: string, body: string): string {
  return `v1,${createHmac("sha256", secret).update(`${id}.${seconds}.${body}`).digest("base64")}`;
}

/** The text of a secret, `whsec_` and base64 → its bytes (24 to 64), or what is wrong, without any of it. */
export function webhookSecret(text: string): Result<Buffer, string> {
  const coded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text.trim())?.[1];
  if (coded === undefined) return err("expected a secret as in whsec_ and base64, of 24 to 64 bytes");
  const secret = Buffer.from(coded, "base64");
  const { anomalyWebhookSecretBytesMin: min, anomalyWebhookSecretBytesMax: max } = DEFAULTS;
  return secret.length >= min && secret.length <= max
    ? ok(secret)
    : err(`a secret of ${secret.length} bytes; expected ${min} to ${max}`);
}
