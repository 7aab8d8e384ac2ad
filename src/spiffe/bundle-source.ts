import { hash, type X509Certificate } from "node:crypto";
import { Backoff } from "../calls/backoff.ts";
import type { Caller, CallSettings } from "../calls/call.ts";
import { readClientCertificate } from "../message/certificate.ts";
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
  /** Profile https_spiffe; null for https_web, where the host's name and public authorities count. */
  readonly own: OwnEndpoint | null;
}

/** An endpoint that shows an identity of the trust domain whose bundle it publishes. */
export interface OwnEndpoint {
  readonly spiffeId: string;
  /** Who vouches for it until there is something newer. */
  readonly bootstrap: TrustBundle;
}

/** What a policy is compiled from: the newest bundle of a trust domain. */
export interface BundleMaterial {
  readonly bundle: TrustBundle;
  /** Changes with it. */
  readonly version: string;
}

const KEPT_BUNDLE: StateKind = { name: "spiffe-bundle", version: 1 };

/**
 * The authorities of another trust domain, from its bundle endpoint (SPIFFE Federation): asked again as often as it wants.
 * What came last serves until something newer comes, for authorities end by themselves; an answer without any changes
 * nothing. With https_spiffe the bundle that came last vouches for the next one, so that a trust domain changes its authorities
 * without anybody else.
 */
export class BundleSource implements Resource {
  readonly kind = "SPIFFE bundle";
  readonly name: string;
  readonly #settings: BundleSettings;
  readonly #world: ResourceWorld;
  #caller: Caller;
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
    this.#caller = world.openCaller(callOf(settings, settings.own?.bootstrap ?? null));
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
  #take({ bundle, leftOut }: Pick<BundleDocument, "bundle" | "leftOut">, nowMs: number | null): boolean {
    const version = hash("sha256", bundle.pem);
    const isNew = this.#material?.version !== version;
    this.#material = { bundle, version };
    this.#freshAtMs = nowMs;
    this.#leftOut = leftOut;
    if (isNew) this.#world.recompile();
    if (isNew && this.#settings.own !== null) {
      this.#caller.close();
      this.#caller = this.#world.openCaller(callOf(this.#settings, bundle));
    }
    return isNew;
  }

  /** What the state folder has from before: the endpoint may be away at the start. */
  async #restore(): Promise<void> {
    const body = (await this.#world.folder?.read(KEPT_BUNDLE, this.#id)) ?? null;
    const read = body === null ? null : readBundleDocument(body);
    if (!this.#isRunning) return;
    if (read?.ok === true) this.#take(read.value, null);
    else if (this.#settings.own !== null) this.#take({ bundle: this.#settings.own.bootstrap, leftOut: [] }, null);
    this.#world.changed(this);
  }

  /** Another file to begin with is another beginning: what came by the one before counts no more. */
  get #id(): string {
    const { trustDomain, url, own } = this.#settings;
    const beginning = own === null ? "" : ` ${own.spiffeId} ${hash("sha256", own.bootstrap.pem)}`;
    return `${trustDomain} ${url.href}${beginning}`;
  }
}

/** How the endpoint is called while `bundle` is the newest; null for none, or where it does not matter. */
function callOf({ call, own }: BundleSettings, bundle: TrustBundle | null): CallSettings {
  if (own === null || bundle === null) return call;
  const whyNotServer = (leaf: X509Certificate): string | null =>
    readClientCertificate(leaf, null).spiffeId === own.spiffeId ? null : `not ${own.spiffeId}`;
  return { ...call, ca: bundle.pem, whyNotServer };
}
