import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { EventLog } from "../telemetry/event-log.ts";
import type { CertificateFacts, RevocationListFacts } from "../telemetry/telemetry.ts";

/** What of a policy in force comes to an end by itself. */
interface Ageing {
  readonly certificates: readonly CertificateFacts[];
  readonly revocationLists: readonly RevocationListFacts[];
}

interface End {
  readonly atMs: number;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Tells once of each certificate and revocation list that ends while the policy that names it is in force. */
export class Ages {
  readonly #clock: Clock;
  readonly #log: EventLog;
  #policy: Ageing = { certificates: [], revocationLists: [] };
  #ends: readonly End[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: Clock, log: EventLog) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Another policy is in force; what has ended before was said when it was loaded. */
  follow(policy: Ageing): void {
    const nowMs = this.#clock.wallMs();
    this.#policy = policy;
    this.#ends = endsOf(policy).filter(({ atMs }) => atMs >= nowMs);
    this.#wait();
  }

  /** A certificate that postern shows to others has ended, so that nobody who looks at it goes on. */
  get hasExpired(): boolean {
    const nowMs = this.#clock.wallMs();
    return this.#policy.certificates.some(({ isShown, notAfterMs }) => isShown && notAfterMs < nowMs);
  }

  /** A line for each that has ended, for people who look at /readyz?verbose. */
  lines(): string[] {
    const nowMs = this.#clock.wallMs();
    return this.#policy.certificates
      .filter(({ notAfterMs }) => notAfterMs < nowMs)
      .map(
        ({ use, subject, notAfterMs }) =>
          `certificate of ${use}: expired ${new Date(notAfterMs).toISOString()}, ${subject}; renew the file, which is watched`,
      );
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wait(): void {
    this.stop();
    const nextMs = this.#ends.reduce((least, { atMs }) => Math.min(least, atMs), Number.POSITIVE_INFINITY);
    if (nextMs === Number.POSITIVE_INFINITY) return;
    // The wall clock may be set meanwhile.
    const waitMs = Math.min(Math.max(nextMs - this.#clock.wallMs() + 1, 1), DEFAULTS.ageLookMs);
    this.#timer = setTimeout(() => this.#look(), waitMs);
    this.#timer.unref();
  }

  #look(): void {
    const nowMs = this.#clock.wallMs();
    for (const { atMs, text, fields } of this.#ends) if (atMs < nowMs) this.#log.error("expired", text, fields);
    this.#ends = this.#ends.filter(({ atMs }) => atMs >= nowMs);
    this.#wait();
  }
}

function endsOf({ certificates, revocationLists }: Ageing): readonly End[] {
  return [
    ...certificates.map(({ file, use, subject, notAfterMs }) => ({
      atMs: notAfterMs,
      text: "a certificate has expired",
      fields: { file, use, subject },
    })),
    ...revocationLists.map(({ file, use, issuer, nextUpdateMs }) => ({
      atMs: nextUpdateMs,
      text: "a revocation list has ended, so certificates of its authority are refused",
      fields: { file, use, issuer },
    })),
  ];
}
