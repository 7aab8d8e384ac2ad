import { Backoff } from "../../calls/backoff.ts";
import type { ResourceFault, ResourceOutcome, ResourceState } from "../../resources/resource.ts";
import type { Clock } from "../../support/clock.ts";
import { LIMIT_DEFAULTS } from "../../support/limit-defaults.ts";
import type { Timers } from "../../support/timers.ts";
import { linkFault, type StoreLink } from "./link.ts";
import type { ScriptCalls } from "./script-calls.ts";

export interface UpkeepDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: () => number;
  readonly open: (ended: (why: string) => void) => Promise<StoreLink>;
  /** Asks the store something of no consequence; false where it did not answer within so long, or a request's time. */
  readonly probe: (withinMs: number | null) => Promise<boolean>;
  readonly changed: () => void;
}

/**
 * Keeps the connection of a store: makes it, makes it anew, and breaks the circuit where calls fail one after the other.
 * Then one call at a time tries it, and no request does; times between tries grow and differ, so that processes that lost
 * the same store do not come back at once.
 */
export class Upkeep {
  readonly tries: Record<ResourceOutcome, number> = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  fault: ResourceFault | null = null;
  /** Unix milliseconds of the last answer. */
  freshAtMs: number | null = null;
  /** What is wrong with the first connection, or null for nothing; once `start` was called. */
  firstTry: Promise<string | null> = Promise.resolve(null);
  readonly #calls: ScriptCalls;
  readonly #deps: UpkeepDeps;
  readonly #reconnects: Backoff;
  readonly #probes: Backoff;
  #link: StoreLink | null = null;
  /** Until the first connection stands or failed; requests wait for it, each for its own time. */
  #isFirst = true;
  #isRunning = false;
  #failuresInRow = 0;
  #isBroken = false;
  #cancelNext: () => void = () => {};

  constructor(calls: ScriptCalls, deps: UpkeepDeps) {
    this.#calls = calls;
    this.#deps = deps;
    const { storeReconnectMsMin, storeReconnectMsMax, storeBreakerMsMin, storeBreakerMsMax } = LIMIT_DEFAULTS;
    this.#reconnects = new Backoff(storeReconnectMsMin, storeReconnectMsMax, deps.random);
    this.#probes = new Backoff(storeBreakerMsMin, storeBreakerMsMax, deps.random);
  }

  get isStarted(): boolean {
    return this.#isRunning;
  }

  get isUsable(): boolean {
    return this.#isFirst || (this.#link !== null && !this.#isBroken);
  }

  get state(): ResourceState {
    if (this.#isFirst) return "starting";
    return this.isUsable ? "ready" : "failing";
  }

  get detail(): string | null {
    if (this.#isFirst) return "connecting";
    if (this.#link === null) return "not connected";
    return this.#isBroken ? "connected, and tried from time to time" : null;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.firstTry = this.#connect();
  }

  close(): void {
    this.#isRunning = false;
    this.#cancelNext();
    this.#isFirst = false;
    this.#link?.end();
    this.#link = null;
    this.#calls.useLink(null);
  }

  answered(): void {
    this.tries.ok++;
    this.freshAtMs = this.#deps.clock.wallMs();
    this.#failuresInRow = 0;
  }

  /** A call failed; where it is the last of some in a row, or says that this is no store to write to, nobody asks it for now. */
  failed(text: string): void {
    this.tries.failed++;
    this.#note(text);
    this.#failuresInRow++;
    if (this.#link === null || !this.#isRunning) return;
    // A master that became a replica, by a failover that its sentinels know of.
    if (text.startsWith("READONLY")) {
      this.#reopen();
      return;
    }
    if (this.#isBroken || this.#failuresInRow < LIMIT_DEFAULTS.storeBreakerFailures) return;
    this.#isBroken = true;
    this.#deps.changed();
    this.#later(this.#probes.failed(), () => void this.#probe());
  }

  /** Null, or what is wrong. */
  async #connect(): Promise<string | null> {
    let opened: StoreLink | null = null;
    let endedWhy: string | null = null;
    try {
      opened = await this.#deps.open((why) => {
        endedWhy = why;
        if (opened !== null && this.#link === opened) this.#lost(why);
      });
    } catch (error) {
      endedWhy = linkFault(error);
    }
    if (opened !== null && (endedWhy !== null || !this.#isRunning)) opened.cut();
    if (!this.#isRunning) return "closed";
    if (opened === null || endedWhy !== null) return this.#notOpened(endedWhy ?? "no connection");
    this.#link = opened;
    this.#isBroken = true;
    this.#calls.useLink(opened);
    // The first call brings the script along, which the store has to read.
    await this.#deps.probe(LIMIT_DEFAULTS.storeConnectMs);
    return this.#link === opened ? this.#probe() : (this.fault?.text ?? "the connection ended");
  }

  #notOpened(why: string): string {
    this.tries.failed++;
    this.#isFirst = false;
    this.#note(why);
    this.#calls.useLink(null);
    this.#deps.changed();
    this.#later(this.#reconnects.failed(), () => void this.#connect());
    return why;
  }

  #lost(why: string): void {
    this.#note(why);
    this.#reopen();
  }

  /** Not at once: a store that restarts would have all its clients back in the same moment. */
  #reopen(): void {
    this.#drop();
    this.#isFirst = false;
    this.#deps.changed();
    this.#later(this.#reconnects.failed(), () => void this.#connect());
  }

  #drop(): void {
    const link = this.#link;
    this.#link = null;
    this.#isBroken = false;
    this.#calls.useLink(null);
    link?.cut();
  }

  /** Null, or what is wrong. */
  async #probe(): Promise<string | null> {
    const link = this.#link;
    const isThere = await this.#deps.probe(null);
    if (!this.#isRunning || link !== this.#link) return this.fault?.text ?? "the connection ended";
    this.#isFirst = false;
    if (isThere) {
      this.#isBroken = false;
      this.#failuresInRow = 0;
      this.#probes.succeeded();
      this.#reconnects.succeeded();
      this.#deps.changed();
      return null;
    }
    this.#deps.changed();
    // Its machine may have gone without a word, or its name leads elsewhere by now.
    if (this.#probes.failures >= LIMIT_DEFAULTS.storeProbesMax) this.#reopen();
    else this.#later(this.#probes.failed(), () => void this.#probe());
    return this.fault?.text ?? "no answer";
  }

  #later(delayMs: number, run: () => void): void {
    this.#cancelNext();
    this.#cancelNext = this.#deps.timers.after(delayMs, () => {
      if (this.#isRunning) run();
    });
  }

  #note(text: string): void {
    this.fault = { text, atMs: this.#deps.clock.wallMs() };
  }
}
