import { connect, isIP, type NetConnectOpts, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket, connect as tlsConnect } from "node:tls";
import { SocketReads } from "../http1/socket-reads.ts";
import type { UpstreamSettings, UpstreamTlsSettings } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { systemAuthorities } from "../support/system-authorities.ts";
import { TLS_CIPHERS } from "../support/tls-ciphers.ts";
import { identityFault, serviceKeyFault, shownNames } from "./service-identity.ts";
import { triedAddresses } from "./tried-addresses.ts";
import type { AcquireFailure, Acquirer } from "./upstream.ts";

/** Who dials. Exactly one of these is called for each dial that is not abandoned. */
export interface DialOwner {
  /** `reads` has what an HTTP/1.1 socket reads; HTTP/2 reads its socket itself. */
  onDialed(dial: Dial, socket: Socket, reads: SocketReads): void;
  onDialFailed(dial: Dial, failure: AcquireFailure, detail: string): void;
  /** Whether anybody waits for what comes of it. */
  isAwaited(dial: Dial): boolean;
}

/** One attempt's socket, and what it reads. */
interface Opened {
  readonly socket: Socket;
  readonly reads: SocketReads;
}

/** Makes connections of one upstream; what TLS needs is prepared once. */
export class Dialer {
  readonly settings: UpstreamSettings;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  #context: SecureContext | null = null;
  /** Since when nobody listens there; Infinity while somebody does. */
  #absentSinceMs = Number.POSITIVE_INFINITY;

  constructor(settings: UpstreamSettings, clock: Clock, deadlines: Deadlines) {
    this.settings = settings;
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  dial(owner: DialOwner, acquirer: Acquirer | null): Dial {
    return new Dial(this, owner, acquirer, this.#clock, this.#deadlines);
  }

  open(): Opened {
    const { settings } = this;
    const reads = new SocketReads();
    const options = { ...socketOptions(settings), ...(settings.protocol === "h2" ? {} : { onread: reads.onread }) };
    const socket = settings.tls === null ? connect(options) : this.#secure(options, settings.tls);
    return { socket, reads };
  }

  onPresent(): void {
    this.#absentSinceMs = Number.POSITIVE_INFINITY;
  }

  /** Whether it may be back at `atMs`: one that is gone for longer than connecting may take has not just restarted. */
  onAbsent(atMs: number): boolean {
    this.#absentSinceMs = Math.min(this.#absentSinceMs, this.#clock.monotonicMs());
    return atMs < this.#absentSinceMs + this.settings.connectTimeoutMs;
  }

  #secure(options: NetConnectOpts, tls: UpstreamTlsSettings): TLSSocket {
    this.#context ??= secureContext(tls);
    const { serverName } = tls;
    return tlsConnect({
      ...options,
      secureContext: this.#context,
      // `Dial` ends what is not authorized, while the certificate can still be looked at.
      rejectUnauthorized: false,
      ALPNProtocols: [this.settings.protocol],
      // RFC 6066 section 3 knows no addresses in SNI.
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      checkServerIdentity: (_host, certificate) => identityFault(serverName, certificate),
    });
  }
}

/**
 * Reaches the service: TCP or Unix socket and TLS over it, all of it within `connectTimeoutMs`. Where nobody listens it
 * tries again within that time, for a service that restarts is back in a moment.
 */
export class Dial implements Timed {
  deadlineMs: number;
  /** For whom; null for nobody any more, or for all who wait. */
  acquirer: Acquirer | null;
  readonly #dialer: Dialer;
  readonly #owner: DialOwner;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #endMs: number;
  #opened: Opened;
  #retryMs: number = DEFAULTS.connectRetryMsMin;
  #timer: NodeJS.Timeout | null = null;
  /** Why the last attempt failed; empty while there was none. */
  #detail = "";
  readonly #onError = (error: NodeJS.ErrnoException): void => this.#fail(error.code ?? error.message, error);
  readonly #onClose = (): void => this.#fail("closed");
  #hasTcp = false;
  #settled = false;

  constructor(dialer: Dialer, owner: DialOwner, acquirer: Acquirer | null, clock: Clock, deadlines: Deadlines) {
    this.#dialer = dialer;
    this.#owner = owner;
    this.acquirer = acquirer;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#endMs = clock.monotonicMs() + dialer.settings.connectTimeoutMs;
    this.deadlineMs = this.#endMs;
    deadlines.add(this);
    this.#opened = this.#attempt();
  }

  #attempt(): Opened {
    const opened = this.#dialer.open();
    const { socket } = opened;
    const isPlain = this.#dialer.settings.tls === null;
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    socket.once("connect", () => {
      this.#hasTcp = true;
      this.#dialer.onPresent();
      if (isPlain) this.#succeed();
    });
    if (!isPlain) socket.once("secureConnect", () => this.#onSecure(socket));
    return opened;
  }

  /** Ends it without a word to the owner. */
  abandon(): void {
    this.#settle();
    this.#opened.socket.destroy();
  }

  onDeadline(): void {
    const { connectTimeoutMs } = this.#dialer.settings;
    const seen = `no ${this.#hasTcp ? "handshake" : "connection"} in ${connectTimeoutMs} ms`;
    if (this.#detail !== "" && !this.#hasTcp) this.#end("upstream_connect_failed", this.#detail);
    else this.#end("upstream_connect_timeout", seen + this.#tried(null));
  }

  #onSecure(socket: Socket): void {
    if (!(socket instanceof TLSSocket)) return;
    const certificate = socket.getPeerX509Certificate();
    // Node's types say Error; what it gives is a code or a text.
    const fault = socket.authorized ? serviceKeyFault(certificate) : String(socket.authorizationError);
    if (fault !== null) {
      this.#end("upstream_tls_failed", fault + this.#tried(null) + shownNames(certificate));
      return;
    }
    // A service that knows no ALPN speaks HTTP/1.1; HTTP/2 has to be chosen (RFC 9113 section 3.2).
    const { protocol } = this.#dialer.settings;
    const chosen = socket.alpnProtocol === false ? "http/1.1" : socket.alpnProtocol;
    if (chosen === protocol) this.#succeed();
    else this.#end("upstream_tls_failed", `the service does not choose ${protocol} by ALPN${this.#tried(null)}`);
  }

  #fail(cause: string, error: NodeJS.ErrnoException | null = null): void {
    const detail = cause + this.#tried(error);
    if (this.#hasTcp) this.#end("upstream_tls_failed", detail);
    else if (NOBODY_THERE.has(cause) && this.#mayTryAgain()) this.#wait(detail);
    else this.#end(OWN_SHORTAGES.has(cause) ? "overloaded" : "upstream_connect_failed", detail);
  }

  #tried(error: NodeJS.ErrnoException | null): string {
    return triedAddresses(this.#dialer.settings, this.#opened.socket, error);
  }

  #mayTryAgain(): boolean {
    const atMs = this.#clock.monotonicMs() + this.#retryMs;
    // Asked in any case: the first failure tells since when.
    const mayBeBack = this.#dialer.onAbsent(atMs);
    return mayBeBack && atMs < this.#endMs && !this.#settled && this.#owner.isAwaited(this);
  }

  #wait(detail: string): void {
    this.#detail = detail;
    this.#unwatch();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#owner.isAwaited(this)) this.#opened = this.#attempt();
      else this.#end("upstream_connect_failed", detail);
    }, this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, DEFAULTS.connectRetryMsMax);
  }

  #unwatch(): void {
    this.#opened.socket.off("error", this.#onError);
    this.#opened.socket.off("close", this.#onClose);
  }

  #succeed(): void {
    if (!this.#settle()) return;
    this.#unwatch();
    this.#owner.onDialed(this, this.#opened.socket, this.#opened.reads);
  }

  #end(failure: AcquireFailure, detail: string): void {
    if (!this.#settle()) return;
    this.#opened.socket.destroy();
    this.#owner.onDialFailed(this, failure, detail);
  }

  #settle(): boolean {
    this.#deadlines.remove(this);
    if (this.#timer !== null) clearTimeout(this.#timer);
    const isFirst = !this.#settled;
    this.#settled = true;
    return isFirst;
  }
}

/** Nobody listens, or the Unix socket is not there yet. */
const NOBODY_THERE: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOENT"]);

/** It is not the service that has nothing left: files, memory or ports of this machine are used up. */
const OWN_SHORTAGES: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EADDRNOTAVAIL"]);

function socketOptions({ address }: UpstreamSettings): NetConnectOpts {
  if (address.type === "unix") return { path: address.path };
  const { host, port } = address;
  // Probes find a service that is gone without a word. HTTP/2 pings would too, but gRPC servers punish frequent ones.
  return { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: DEFAULTS.upstreamKeepAliveMs };
}

function secureContext(tls: UpstreamTlsSettings): SecureContext {
  return createSecureContext({
    ca: tls.ca ?? [...systemAuthorities()],
    allowPartialTrustChain: tls.hasPartialChains,
    ...(tls.certificate === null || tls.key === null ? {} : { cert: tls.certificate, key: tls.key }),
    minVersion: tls.minVersion,
    maxVersion: "TLSv1.3",
    ciphers: TLS_CIPHERS,
  });
}
