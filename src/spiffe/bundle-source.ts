import { hash } from "node:crypto";
import { Backoff } from "../calls/backoff.ts";
import type { Caller, CallSettings } from "../calls/call.ts";
import type { Resource, ResourceFault, ResourceOutcome, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import type { StateKind } from "../resources/state-folder.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type BundleDocument, readBundleDocument } from "./bundle-document.ts";
import type { TrustBundle } from "./x509-svid.ts";

export interface BundleSettings {
  readonly trustDomain: string;
  readonly url: URL;
  readonly call: CallSettings;
}

/** What a policy is compiled from: the newest bundle of a trust domain. */
export interface BundleMaterial {
  readonly bundle: TrustBundle;
  /** Changes with it. */
  readonly version: string;
}

const KEPT_BUNDLE: StateKind = { name: "spiffe-bundle", version: 1 };

/**
 * The authorities of another trust domain, from its bundle endpoint (SPIFFE Federation, profile https_web): asked again as
 * often as it wants. What came last serves until something newer comes, for authorities end by themselves; an answer without
 * any changes nothing.
 */
export class BundleSource implements Resource {
  readonly kind = "SPIFFE bundle";
  readonly name: string;
  readonly #settings: BundleSettings;
  readonly #world: ResourceWorld;
  readonly #caller: Caller;
  readonly #backoff: Backoff;
  readonly #tries: Record<ResourceOutcome, number> = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  #material: BundleMaterial | null = null;
  #freshAtMs: number | null = null;
  #leftOut: readonly string[] = [];
  /** Since the last answer that could be used. */
  #fault: ResourceFault | null = null;
  #isRunning = false;
  #cancelNext = (): void => {};

  constructor(settings: BundleSettings, world: ResourceWorld) {
    this.name = settings.trustDomain;
    this.#settings = settings;
    this.#world = world;
    this.#caller = world.openCaller(settings.call);
    this.#backoff = new Backoff(DEFAULTS.bundleRetryMsMin, DEFAULTS.bundleRetryMsMax, world.random);
  }

  /** Null until there is one, from the endpoint or the state folder. */
  get material(): BundleMaterial | null {
    return this.#material;
  }

  status(): ResourceStatus {
    const has = this.#material !== null;
    const isFresh = has && this.#fault === null && this.#tries.ok + this.#tries.unchanged > 0;
    const count = this.#material?.bundle.certificates.length ?? 0;
    return {
      kind: this.kind,
      name: this.name,
      state: isFresh ? "ready" : has ? "stale" : this.#fault === null ? "starting" : "failing",
      detail: has ? `${count} ${count === 1 ? "authority" : "authorities"}` : null,
      freshAtMs: this.#freshAtMs,
      staleUntilMs: null,
      fault: this.#fault,
      tries: { ...this.#tries },
      leftOut: this.#leftOut,
    };
  }

  start(): void {
    this.#isRunning = true;
    void this.#restore().then(() => this.#renew());
  }

  close(): void {
    this.#isRunning = false;
    this.#cancelNext();
    this.#caller.close();
  }

  async tryOnce(): Promise<Result<string, string>> {
    const body = await this.#fetch();
    const read = body.ok ? readBundleDocument(body.value) : body;
    return read.ok ? ok(`${read.value.bundle.certificates.length} authorities`) : err(read.error);
  }

  async #renew(): Promise<void> {
    if (!this.#isRunning) return;
    const body = await this.#fetch();
    if (!this.#isRunning) return;
    const read = body.ok ? readBundleDocument(body.value) : null;
    if (!body.ok) this.#failed("failed", body.error);
    else if (read?.ok === false) this.#failed("unusable", read.error);
    else if (read !== null) this.#succeeded(body.value, read.value);
    this.#world.changed(this);
  }

  async #fetch(): Promise<Result<Buffer, string>> {
    const { url } = this.#settings;
    const answer = await this.#caller.call({ method: "GET", url, headers: { accept: "application/json" }, body: null });
    if (!answer.ok) return err(`${url.href}: ${answer.error.text}`);
    const { status, body } = answer.value;
    return status === 200 ? ok(body) : err(`${url.href}: status ${status}`);
  }

  #succeeded(body: Buffer, document: BundleDocument): void {
    this.#fault = null;
    this.#backoff.succeeded();
    const nowMs = this.#world.clock.wallMs();
    this.#tries[this.#take(document, nowMs) ? "ok" : "unchanged"]++;
    this.#next(document.refreshMs * (1 - DEFAULTS.bundleRefreshSpread * this.#world.random()));
    void this.#world.folder?.write(KEPT_BUNDLE, this.#id, body);
  }

  #failed(outcome: "failed" | "unusable", text: string): void {
    this.#tries[outcome]++;
    this.#fault = { text, atMs: this.#world.clock.wallMs() };
    this.#next(this.#backoff.failed());
  }

  #next(delayMs: number): void {
    this.#cancelNext = this.#world.timers.after(delayMs, () => void this.#renew());
  }

  /** Whether it is another one. */
  #take({ bundle, leftOut }: BundleDocument, nowMs: number | null): boolean {
    const version = hash("sha256", bundle.pem);
    const isNew = this.#material?.version !== version;
    this.#material = { bundle, version };
    this.#freshAtMs = nowMs;
    this.#leftOut = leftOut;
    if (isNew) this.#world.recompile();
    return isNew;
  }

  /** What the state folder has from before: the endpoint may be away at the start. */
  async #restore(): Promise<void> {
    const body = (await this.#world.folder?.read(KEPT_BUNDLE, this.#id)) ?? null;
    const read = body === null ? null : readBundleDocument(body);
    if (!this.#isRunning || read === null || !read.ok) return;
    this.#take(read.value, null);
    this.#world.changed(this);
  }

  get #id(): string {
    return `${this.#settings.trustDomain} ${this.#settings.url.href}`;
  }
}
