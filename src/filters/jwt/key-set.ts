import { Backoff } from "../../calls/backoff.ts";
import type {
  Resource,
  ResourceFault,
  ResourceOutcome,
  ResourceState,
  ResourceStatus,
  ResourceWorld,
} from "../../resources/resource.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { ok, type Result } from "../../support/result.ts";
import { Turns } from "../../support/turns.ts";
import { KEPT_KEY_SET, readKeptKeySet, writeKeptKeySet } from "./kept-key-set.ts";
import type { FetchedKeys, KeyFetcher } from "./key-fetcher.ts";
import { KeyRing } from "./key-ring.ts";
import type { KeySource } from "./key-source.ts";
import { type KeyFile, readPublishedKeys } from "./keys.ts";

export interface KeySetOptions {
  /** Of the authenticator that named it first. */
  readonly name: string;
  /** What the state folder knows it by. */
  readonly id: string;
  readonly algorithms: ReadonlySet<string>;
  readonly fetcher: KeyFetcher;
}

/** Times of one answer, Unix milliseconds. */
interface Age {
  readonly fetchedAtMs: number;
  readonly freshUntilMs: number;
  readonly staleUntilMs: number;
}

/**
 * Keys that a provider publishes. They are renewed before they are old and kept when that fails, for a bounded time; an
 * answer without a usable key changes nothing. Tokens may ask for newer ones, from one budget whoever sends them.
 */
export class KeySet implements Resource, KeySource {
  readonly kind = "key set";
  readonly name: string;
  ring: KeyRing | null = null;
  readonly #options: KeySetOptions;
  readonly #world: ResourceWorld;
  readonly #backoff: Backoff;
  readonly #tries: Record<ResourceOutcome, number> = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  #age: Age | null = null;
  /** Since the last answer that could be used. */
  #fault: ResourceFault | null = null;
  #isUnusable = false;
  #leftOut: readonly string[] = [];
  readonly #told = new Set<string>();
  #unknownKids = 0;
  #underWay: Promise<void> | null = null;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #isRunning = false;
  #cancelNext = (): void => {};
  #cancelEnd = (): void => {};

  constructor(options: KeySetOptions, world: ResourceWorld) {
    this.name = options.name;
    this.#options = options;
    this.#world = world;
    this.#backoff = new Backoff(DEFAULTS.keySetRetryMsMin, DEFAULTS.keySetRetryMsMax, world.random);
  }

  get isInDoubt(): boolean {
    return this.#fault !== null;
  }

  get asOfMs(): number {
    return this.#age?.fetchedAtMs ?? Number.NEGATIVE_INFINITY;
  }

  get askableInMs(): number {
    return Math.max(0, this.#askedAtMs + DEFAULTS.keySetRefetchMs - this.#world.clock.monotonicMs());
  }

  get words(): string {
    if (this.#age === null)
      return `no keys: ${this.#fault?.text ?? (this.#isRunning ? "the first try is under way" : "nobody was asked for them")}`;
    const seconds = Math.round((this.#world.clock.wallMs() - this.#age.fetchedAtMs) / 1000);
    return `keys of ${seconds} s ago${this.#fault === null ? "" : `, ${this.#fault.text}`}`;
  }

  status(): ResourceStatus {
    return {
      kind: this.kind,
      name: this.name,
      state: this.#state(),
      detail: this.#detail(),
      freshAtMs: this.#age?.fetchedAtMs ?? null,
      staleUntilMs: this.#age?.staleUntilMs ?? null,
      fault: this.#fault,
      tries: this.#tries,
      leftOut: this.#leftOut,
      unknownKids: this.#unknownKids,
    };
  }

  start(): void {
    this.#isRunning = true;
    this.#underWay = this.#restore().then(() => {
      this.#underWay = null;
      const first = this.#try(false);
      // Whoever waits for keys has some now, and need not wait for the provider.
      return this.ring === null ? first : undefined;
    });
  }

  close(): void {
    this.#isRunning = false;
    this.#cancelNext();
    this.#cancelEnd();
    this.#options.fetcher.close();
  }

  newer(seen: KeyRing | null): Promise<void> | null {
    if (this.ring !== seen) return Promise.resolve();
    if (this.#underWay !== null) return this.#underWay;
    if (!this.#isRunning || this.askableInMs > 0) return null;
    this.#askedAtMs = this.#world.clock.monotonicMs();
    return this.#try(true);
  }

  noteUnknownKid(): void {
    this.#unknownKids++;
  }

  async tryOnce(): Promise<Result<string, string>> {
    const answer = await this.#options.fetcher.fetch(false);
    if (!answer.ok) return answer;
    const read = await this.#read(answer.value.body);
    if (!read.ok) return read;
    const { keys, leftOut } = read.value;
    const names = keys.map(({ kid, algorithms }) => `${kid ?? "no kid"} (${[...algorithms].join(" ")})`);
    return ok([`${keys.length} keys: ${names.join(", ")}`, ...leftOut.map((fault) => `left out ${fault}`)].join("; "));
  }

  /** One at a time; whoever asks meanwhile gets the one that is under way. */
  #try(isShort: boolean): Promise<void> {
    this.#underWay ??= this.#renew(isShort).then(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #renew(isShort: boolean): Promise<void> {
    this.#cancelNext();
    const answer = await this.#options.fetcher.fetch(isShort);
    if (!this.#isRunning) return;
    const read = answer.ok ? await this.#read(answer.value.body) : null;
    if (!this.#isRunning) return;
    if (!answer.ok) this.#failed("failed", answer.error);
    else if (read?.ok === false) this.#failed("unusable", read.error);
    else if (read !== null) this.#succeeded(answer.value, read.value);
    this.#world.changed(this);
  }

  #succeeded({ body, freshMs }: FetchedKeys, file: KeyFile): void {
    const before = this.ring;
    const nowMs = this.#world.clock.wallMs();
    this.#take(file, nowMs, freshMs);
    this.#tries[this.ring === before ? "unchanged" : "ok"]++;
    this.#fault = null;
    this.#isUnusable = false;
    this.#backoff.succeeded();
    this.#next(freshMs * (DEFAULTS.keySetRenewShare + DEFAULTS.keySetRenewSpread * this.#world.random()));
    void this.#world.folder?.write(KEPT_KEY_SET, this.#options.id, writeKeptKeySet({ body, fetchedAtMs: nowMs }));
  }

  #failed(outcome: "failed" | "unusable", text: string): void {
    this.#tries[outcome]++;
    this.#isUnusable = outcome === "unusable";
    this.#fault = { text, atMs: this.#world.clock.wallMs() };
    this.#next(this.#backoff.failed());
  }

  #next(delayMs: number): void {
    this.#cancelNext = this.#world.timers.after(delayMs, () => void this.#try(false));
  }

  #take({ keys, leftOut }: KeyFile, fetchedAtMs: number, freshMs: number): void {
    this.ring = this.ring?.renewed(keys) ?? new KeyRing(keys);
    const staleUntilMs = fetchedAtMs + DEFAULTS.keySetStaleMsMax;
    this.#age = { fetchedAtMs, freshUntilMs: fetchedAtMs + freshMs, staleUntilMs };
    this.#cancelEnd();
    this.#cancelEnd = this.#world.timers.after(staleUntilMs - this.#world.clock.wallMs(), () => this.#expire());
    this.#leftOut = leftOut.slice(0, DEFAULTS.keySetFaultsKept);
    for (const fault of this.#leftOut) {
      if (this.#told.has(fault) || this.#told.size >= DEFAULTS.tokenKeysMax) continue;
      this.#told.add(fault);
      this.#world.note(this, `a key is left out: ${fault}`);
    }
  }

  /** Too old to be believed: a key that was taken back meanwhile would still let its thief in. */
  #expire(): void {
    this.ring = null;
    this.#world.changed(this);
  }

  /** What the state folder has from before; of what is damaged or old, nothing. */
  async #restore(): Promise<void> {
    const content = (await this.#world.folder?.read(KEPT_KEY_SET, this.#options.id)) ?? null;
    const kept = content === null ? null : readKeptKeySet(content, this.#world.clock.wallMs());
    const read = kept === null ? null : await this.#read(kept.body);
    if (!this.#isRunning || kept === null || read === null || !read.ok) return;
    this.#take(read.value, kept.fetchedAtMs, 0);
    this.#world.changed(this);
  }

  async #read(body: Buffer): Promise<Result<KeyFile, string>> {
    return new Turns(this.#world.clock, DEFAULTS.compileSliceMs).run(readPublishedKeys(body, this.#options.algorithms));
  }

  #state(): ResourceState {
    if (this.ring === null || this.#age === null) return this.#fault === null ? "starting" : "failing";
    return this.#world.clock.wallMs() < this.#age.freshUntilMs ? "ready" : "stale";
  }

  #detail(): string {
    const age = this.#age;
    if (age === null) return this.#isUnusable ? "unusable" : "never fetched";
    if (this.ring === null) return "too old";
    const size = `${this.ring.size} key${this.ring.size === 1 ? "" : "s"}`;
    if (this.#fault !== null) return `${this.#isUnusable ? "unusable" : "refresh failed"}, ${size} retained`;
    return `${this.#world.clock.wallMs() < age.freshUntilMs ? "fresh" : "stale"}, ${size}`;
  }
}
